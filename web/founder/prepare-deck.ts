/**
 * Makes a dropped file ready to be sealed: rewritten in a worker, opened and drawn by the viewer on its
 * own origin, and cut at the lock line when the founder has drawn it. Nothing leaves the browser here.
 * Draws nothing itself and knows no server.
 */
import { transfer, wrap, type Remote } from 'comlink'
import { MAX_NORMALISED_PDF_SIZE_BYTES } from '../../protocol/limits.js'
import type {
  ByteRange, KeepReason, Normalised, OpenSlides, RasterPage,
} from '../../protocol/pdf/prepare.js'
import type { PageSize, SealThumbnail } from '../crypto.js'
import { startWorker } from '../trusted-worker.js'
import { serveFile } from '../viewer/file-source.js'
import { openViewerFrame, type ViewerFrame } from '../viewer/frame.js'
import type { DrawnPage, Verdict, ViewerMessage } from '../viewer/ports.js'
import type { PrepareWorker } from './prepare/worker.js'
import prepareUrl from './prepare/worker.ts?worker&url'

const HEADER_SEARCH_SIZE_BYTES = 1024
/** Copied; then some drawn; then all, because a font stopped them. */
const MAX_CUT_COUNT = 3

/** Why a file is not taken. */
export type Refused = Exclude<Verdict, 'opens' | 'not-a-pdf'> | 'too-large' | 'not-drawn'

export interface PreparedDeck {
  /** What will be sealed: rewritten if `keptReason` is null, else the file as it was dropped. */
  readonly file: File
  readonly pageSizes: readonly PageSize[]
  /** In page order, each as soon as it is drawn. */
  readonly thumbnails: ReadonlyArray<SealThumbnail | null>
  readonly isDrawn: boolean
  /** Why there can be no lock line. */
  readonly keptReason: KeepReason | null
  /** What a viewer reads for its first page. */
  readonly firstPage: readonly ByteRange[]
}

export interface OpenPart { readonly file: File, readonly firstPage: readonly ByteRange[] }

export type Preparation =
  | { readonly step: 'reading' }
  | { readonly step: 'refused', readonly reason: Refused }
  /** Not a PDF: sealed and downloaded, without a viewer. */
  | { readonly step: 'file', readonly file: File }
  | { readonly step: 'deck', readonly deck: PreparedDeck }

interface PreparingOptions {
  readonly file: File
  readonly maxFileSizeBytes: number
  readonly viewerOrigin: string
  /** In view while this works: browsers let frames out of sight stand still. */
  readonly container: HTMLElement
  readonly frameTitle: string
  readonly onChange: (preparation: Preparation) => void
}

/** One file's preparation; ends with `close`. */
export class DeckPreparation {
  readonly #options: PreparingOptions
  #worker: Worker | null = null
  /** Kept as long as the worker: Comlink ends the line when its proxy is forgotten. */
  #remote: Remote<PrepareWorker> | null = null
  #frame: ViewerFrame | null = null
  #onRaster: ((message: ViewerMessage) => void) | null = null
  #thumbnails: (SealThumbnail | null)[] = []
  #isClosed = false

  constructor(options: PreparingOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { file, maxFileSizeBytes } = this.#options
    if (file.size === 0) return this.#refuse('empty-file')
    if (file.size > maxFileSizeBytes) return this.#refuse('too-large')
    if (!await hasPdfHeader(file)) return this.#tell({ step: 'file', file })
    if (file.size > MAX_NORMALISED_PDF_SIZE_BYTES) return this.#inspect(file, { keptReason: 'over-limit', firstPage: [] })
    const bytes = new Uint8Array(await file.arrayBuffer())
    const normalised = await this.#asked<Normalised>(
      (remote) => remote.normalisePdf(transfer(bytes, [bytes.buffer]))
    )
    if (normalised.kind === 'kept') return this.#inspect(file, { keptReason: normalised.reason, firstPage: [] })
    if (normalised.kind === 'normalised') {
      const rewritten = new File([normalised.bytes], file.name, { type: 'application/pdf' })
      return this.#inspect(rewritten, { keptReason: null, firstPage: normalised.firstPage })
    }
    return normalised.reason === 'not-a-pdf' ? this.#tell({ step: 'file', file }) : this.#refuse(normalised.reason)
  }

  /** The first `count` pages as a document of their own, with nothing of the others in it. */
  async openSlides(deck: PreparedDeck, count: number): Promise<OpenPart> {
    const indexes = Array.from({ length: count }, (_, index) => index)
    let rasters: RasterPage[] = []
    for (let cutIndex = 0; cutIndex < MAX_CUT_COUNT; cutIndex++) {
      const cut = await this.#cut(deck.file, indexes, rasters)
      if (cut.kind === 'built') return { file: new File([cut.bytes], deck.file.name, { type: 'application/pdf' }), firstPage: cut.firstPage }
      rasters = await this.#rasterise(cut.pages.map(({ index }) => index))
    }
    throw new Error('drawn slides need no more drawing')
  }

  close(): void {
    this.#isClosed = true
    this.#frame?.close()
    this.#worker?.terminate()
  }

  #refuse(reason: Refused): void {
    this.#tell({ step: 'refused', reason })
  }

  #tell(preparation: Preparation): void {
    if (!this.#isClosed) this.#options.onChange(preparation)
  }

  /** Asks the worker, which is started once; rejects if it could not be loaded or ran out of memory. */
  async #asked<T>(ask: (remote: Remote<PrepareWorker>) => PromiseLike<T>): Promise<T> {
    const worker = this.#worker ??= startWorker(prepareUrl, 'prepare')
    const remote = this.#remote ??= wrap<PrepareWorker>(worker)
    const failed = new Promise<never>((_resolve, reject) => {
      worker.addEventListener('error', () => reject(new Error('the prepare worker failed')), { once: true })
    })
    return await Promise.race([ask(remote), failed])
  }

  async #cut(
    file: File, indexes: readonly number[], rasters: readonly RasterPage[],
  ): Promise<OpenSlides> {
    const bytes = new Uint8Array(await file.arrayBuffer())
    return await this.#asked<OpenSlides>(
      (remote) => remote.openSlides(transfer({ bytes, indexes, rasters }, [bytes.buffer]))
    )
  }

  #rasterise(indexes: readonly number[]): Promise<RasterPage[]> {
    return new Promise((resolve, reject) => {
      const rasters: RasterPage[] = []
      this.#onRaster = (message) => {
        if (message.kind === 'raster') rasters.push(rasterOf(message.page))
        if (message.kind === 'rasters-done') resolve(rasters)
        if (message.kind === 'error') reject(new Error('the open slides could not be drawn'))
      }
      this.#frame?.send({ kind: 'rasterise', indexes })
    })
  }

  #inspect(file: File, known: Pick<PreparedDeck, 'keptReason' | 'firstPage'>): void {
    if (this.#isClosed) return
    const { viewerOrigin, container, frameTitle } = this.#options
    let deck: PreparedDeck = { file, pageSizes: [], thumbnails: [], isDrawn: false, ...known }
    const tell = (change: Partial<PreparedDeck>): void => {
      deck = { ...deck, ...change, thumbnails: [...this.#thumbnails] }
      this.#tell({ step: 'deck', deck })
    }
    this.#frame = openViewerFrame({
      viewerOrigin, container, title: frameTitle,
      opening: { mode: 'prepare', theme: 'light', locale: 'en', watermark: null },
      onMessage: (message) => this.#hear(message, tell),
    })
    serveFile(this.#frame.sourcePort, file)
  }

  #hear(message: ViewerMessage, tell: (change: Partial<PreparedDeck>) => void): void {
    this.#onRaster?.(message)
    if (message.kind === 'error' && this.#onRaster === null) this.#refuse('not-drawn')
    if (message.kind === 'inspected') {
      if (message.verdict !== 'opens') return this.#refuse(message.verdict === 'not-a-pdf' ? 'damaged' : message.verdict)
      this.#thumbnails = message.pageSizes.map(() => null)
      tell(
        {
          pageSizes: message.pageSizes.map(
            ({ width, height }) => ({ widthPt: width, heightPt: height })
          ),
        }
      )
    }
    if (message.kind === 'thumbnail') {
      this.#thumbnails[message.page.index] = thumbnailOf(message.page)
      tell({})
    }
    if (message.kind === 'thumbnails-done') tell({ isDrawn: true })
  }
}

async function hasPdfHeader(file: File): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, HEADER_SEARCH_SIZE_BYTES).arrayBuffer())
  return String.fromCharCode(...head).includes('%PDF-')
}

function thumbnailOf({ width, height, mediaType, bytes }: DrawnPage): SealThumbnail {
  return { width, height, image: new Blob([bytes], { type: mediaType }) }
}

function rasterOf({ index, mediaType, bytes }: DrawnPage): RasterPage {
  if (mediaType === 'image/webp') throw new Error('a slide that stands in for a page is PNG or JPEG')
  return { index, mediaType, bytes }
}
