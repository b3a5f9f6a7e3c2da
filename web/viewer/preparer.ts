/**
 * The founder's page has a file inspected: does it open, how many pages of what size, and a small
 * picture of each; and, where asked, whole pages drawn to stand in for the originals. Shows nothing.
 */
import { discard, drawPage, sizeOf } from './drawing.js'
import { NotOpened, openDocument } from './open-document.js'
import type { OpenedDocument } from './open-document.js'
import type {
  DrawnPage, PageMessage, PageSize, SourceDocument, ViewerErrorCode, ViewerMessage,
} from './ports.js'
import { SourceError } from './range-source.js'
import type { RangeSource } from './range-source.js'
import { watched, WatchdogError } from './watchdog.js'

const THUMBNAIL_WIDTH_PIXELS = 480
const THUMBNAIL_QUALITY = 0.8
/** 1,920 pixels across: sharp on a full screen, and no larger than the slide it replaces needs. */
const RASTER_WIDTH_PIXELS = 1920
const RASTER_QUALITY = 0.88

interface DrawingManner { widthPixels: number, mediaType: DrawnPage['mediaType'], quality: number }
const THUMBNAIL: DrawingManner = {
  widthPixels: THUMBNAIL_WIDTH_PIXELS, mediaType: 'image/webp', quality: THUMBNAIL_QUALITY,
}
const RASTER: DrawingManner = {
  widthPixels: RASTER_WIDTH_PIXELS, mediaType: 'image/jpeg', quality: RASTER_QUALITY,
}

type Tell = (message: ViewerMessage, transfer?: Transferable[]) => void

export class Preparer {
  readonly #source: RangeSource
  readonly #tell: Tell
  readonly #closed = new AbortController()
  #opened: OpenedDocument | null = null

  constructor(source: RangeSource, tell: Tell) {
    this.#source = source
    this.#tell = tell
    source.onDocument = (document) => this.#run(this.#inspect(document))
    source.onLost = (code) => this.#fail(code)
  }

  hear(message: PageMessage): void {
    if (message.kind === 'rasterise') this.#run(this.#rasterise(message.indexes))
  }

  close(): void {
    this.#closed.abort()
    this.#opened?.destroy()
    this.#opened = null
    this.#source.close()
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(codeOf(error)))
  }

  #fail(code: ViewerErrorCode): void {
    this.#opened?.destroy()
    this.#opened = null
    if (!this.#closed.signal.aborted) this.#tell({ kind: 'error', code })
  }

  async #inspect(document: SourceDocument): Promise<void> {
    try {
      this.#opened = await this.#watched(openDocument(this.#source, document))
    } catch (error) {
      if (!(error instanceof NotOpened)) throw error
      return this.#tell({ kind: 'inspected', verdict: error.verdict, pageSizes: [] })
    }
    const pageSizes = await this.#watched(readSizes(this.#opened))
    this.#tell({ kind: 'inspected', verdict: 'opens', pageSizes })
    for (const index of pageSizes.keys()) await this.#draw(index, THUMBNAIL, 'thumbnail')
    this.#tell({ kind: 'thumbnails-done' })
  }

  async #rasterise(indexes: readonly number[]): Promise<void> {
    for (const index of indexes) await this.#draw(index, RASTER, 'raster')
    this.#tell({ kind: 'rasters-done' })
  }

  async #draw(index: number, manner: DrawingManner, kind: 'thumbnail' | 'raster'): Promise<void> {
    const opened = this.#opened
    if (opened === null || this.#closed.signal.aborted) return
    const page = await this.#watched(drawToBytes(opened, index, manner, this.#closed.signal))
    if (page !== null) this.#tell({ kind, page }, [page.bytes.buffer])
  }

  #watched<T>(work: Promise<T>): Promise<T> {
    return watched(work, { clock: 'timer', isWaiting: () => this.#source.openReadCount > 0 })
  }
}

async function readSizes({ pdf }: OpenedDocument): Promise<PageSize[]> {
  const sizes: PageSize[] = []
  for (let number = 1; number <= pdf.numPages; number++) {
    sizes.push(sizeOf(await pdf.getPage(number)))
  }
  return sizes
}

async function drawToBytes(
  { pdf }: OpenedDocument, index: number, manner: DrawingManner, signal: AbortSignal,
): Promise<DrawnPage | null> {
  const page = await pdf.getPage(index + 1)
  const { widthPixels } = manner
  const canvas = await drawPage(page, { widthPixels, watermark: null, purpose: 'file', signal })
  page.cleanup()
  if (canvas === null) return null
  const { width, height } = canvas
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, manner.mediaType, manner.quality)
  })
  discard(canvas)
  if (blob === null) return null
  // A browser that cannot write WebP writes PNG, and says so in the blob's type.
  const mediaType = blob.type === manner.mediaType ? manner.mediaType : 'image/png'
  return { index, width, height, mediaType, bytes: new Uint8Array(await blob.arrayBuffer()) }
}

function codeOf(error: unknown): ViewerErrorCode {
  if (error instanceof SourceError) return error.code
  return error instanceof WatchdogError ? 'watchdog' : 'page-failed'
}
