/**
 * The small pictures of the strip: the sealed ones where the founder made them, else drawn here, one
 * at a time. Kept as blobs of this frame until it closes.
 */
import { discard, drawPage } from './drawing.js'
import type { OpenedDocument } from './open-document.js'
import type { SourceDocument } from './ports.js'
import type { RangeSource } from './range-source.js'

const PICTURE_WIDTH_PIXELS = 320

export class Pictures {
  readonly #source: RangeSource
  readonly #sealed: SourceDocument['thumbnails']
  readonly #urls = new Map<number, Promise<string | null>>()
  readonly #made: string[] = []
  #opened: OpenedDocument | null = null
  #isClosed = false
  /** The tail of the queue: pages are drawn one after the other, behind the page in view. */
  #drawn: Promise<unknown> = Promise.resolve()

  constructor(source: RangeSource, document: SourceDocument) {
    this.#source = source
    this.#sealed = document.thumbnails
  }

  /** From now on pages without a sealed picture can be drawn. */
  set document(opened: OpenedDocument) {
    this.#opened = opened
  }

  /** The address of a page's picture; `null` if there is none to be had yet. */
  of(index: number): Promise<string | null> {
    const known = this.#urls.get(index)
    if (known !== undefined) return known
    const sealed = this.#sealed?.[index]
    const made = sealed === undefined ? this.#draw(index) : this.#fetch(index, sealed.mediaType)
    this.#urls.set(index, made)
    // Not kept if it failed: the line may be back the next time somebody looks.
    const forget = (): boolean => this.#urls.delete(index)
    made.then((url) => { if (url === null) forget() }, forget)
    return made
  }

  async #fetch(index: number, type: string): Promise<string> {
    const bytes = await this.#source.readThumbnail(index)
    return this.#keep(new Blob([bytes], { type }))
  }

  #draw(index: number): Promise<string | null> {
    const turn = this.#drawn.then(() => this.#drawNow(index))
    this.#drawn = turn.catch(() => null)
    return turn
  }

  async #drawNow(index: number): Promise<string | null> {
    if (this.#opened === null || this.#isClosed) return null
    const page = await this.#opened.pdf.getPage(index + 1)
    const { signal } = new AbortController()
    // `file`: the page in view may be drawing on the same page object for the screen.
    const canvas = await drawPage(page, {
      widthPixels: PICTURE_WIDTH_PIXELS, watermark: null, purpose: 'file', signal,
    })
    if (canvas === null) return null
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
    discard(canvas)
    return blob === null ? null : this.#keep(blob)
  }

  #keep(blob: Blob): string {
    const url = URL.createObjectURL(blob)
    this.#made.push(url)
    return url
  }

  destroy(): void {
    this.#isClosed = true
    for (const url of this.#made) URL.revokeObjectURL(url)
    this.#urls.clear()
  }
}
