/**
 * Drawn pages, kept while they are near the reader: the one in view, and the next before it is
 * wanted. Must not keep more than a few: a canvas is megabytes.
 */
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { discard, drawPage, sizeOf } from './drawing.js'
import type { OpenedDocument } from './open-document.js'
import type { PageSize, Watermark } from './ports.js'
import type { RangeSource } from './range-source.js'
import { watched } from './watchdog.js'

const MAX_SHEET_COUNT = 6
/** Drawn for another size by less than this share: stretched, not drawn again. */
const SAME_WIDTH_SHARE = 0.02

/** A page that has been drawn, at the width it was drawn for. */
export interface Sheet {
  index: number
  page: PDFPageProxy
  size: PageSize
  widthPixels: number
  canvas: HTMLCanvasElement
}

/** Asks how wide a page of this size is to be drawn, in device pixels. */
export type WidthFor = (size: PageSize) => number

export class Sheets {
  readonly #document: OpenedDocument
  readonly #source: RangeSource
  readonly #drawn = new Map<number, Sheet>()
  #watermark: Watermark | null
  #drawing: { index: number, abort: AbortController, done: Promise<Sheet | null> } | null = null

  constructor(document: OpenedDocument, source: RangeSource, watermark: Watermark | null) {
    this.#document = document
    this.#source = source
    this.#watermark = watermark
  }

  get pdf(): PDFDocumentProxy {
    return this.#document.pdf
  }

  /** All pages are drawn anew under the new watermark. */
  set watermark(watermark: Watermark | null) {
    this.#watermark = watermark
    for (const index of [...this.#drawn.keys()]) this.#drop(index)
  }

  /** What is there already, at any size. */
  find(index: number): Sheet | undefined {
    return this.#drawn.get(index)
  }

  /**
   * The page at this width. One page is drawn at a time: asking for another stops the one under way.
   * @returns `null` if another page was asked for meanwhile.
   * @throws WatchdogError, or pdf.js's own error for a page it cannot draw.
   */
  async draw(index: number, widthFor: WidthFor): Promise<Sheet | null> {
    // Whoever asked last is served last: each in turn is stopped by the next, and has ended before.
    while (this.#drawing !== null) {
      const { index: under, abort, done } = this.#drawing
      if (under !== index) abort.abort()
      await done.catch(() => null)
    }
    const drawn = this.#drawn.get(index)
    if (drawn !== undefined && isWideEnough(drawn, widthFor)) return drawn
    const abort = new AbortController()
    const done = this.#drawNow(index, widthFor, abort.signal)
      .finally(() => { this.#drawing = null })
    this.#drawing = { index, abort, done }
    return await done
  }

  /** Draws a page that is not wanted yet; gives way to any that is. @returns as `draw`. */
  async drawAhead(index: number, widthFor: WidthFor): Promise<Sheet | null> {
    return this.#drawing === null ? await this.draw(index, widthFor) : null
  }

  async #drawNow(index: number, widthFor: WidthFor, signal: AbortSignal): Promise<Sheet | null> {
    const work = this.#drawUnwatched(index, widthFor, signal)
    return watched(work, { clock: 'frames', isWaiting: () => this.#source.openReadCount > 0 })
  }

  async #drawUnwatched(
    index: number, widthFor: WidthFor, signal: AbortSignal,
  ): Promise<Sheet | null> {
    const page = await this.#document.pdf.getPage(index + 1)
    const size = sizeOf(page)
    const widthPixels = widthFor(size)
    const watermark = this.#watermark
    const canvas = await drawPage(page, { widthPixels, watermark, purpose: 'screen', signal })
    if (canvas === null) return null
    this.#drop(index)
    const sheet = { index, page, size, widthPixels, canvas }
    this.#drawn.set(index, sheet)
    this.#dropFarFrom(index)
    return sheet
  }

  #dropFarFrom(index: number): void {
    const distance = (other: number): number => Math.abs(other - index)
    const farthestFirst = [...this.#drawn.keys()].sort((a, b) => distance(b) - distance(a))
    const tooMany = Math.max(0, this.#drawn.size - MAX_SHEET_COUNT)
    for (const far of farthestFirst.slice(0, tooMany)) this.#drop(far)
  }

  #drop(index: number): void {
    const sheet = this.#drawn.get(index)
    if (sheet === undefined) return
    this.#drawn.delete(index)
    discard(sheet.canvas)
  }

  /** Frees every canvas and kills the PDF worker, whatever it is doing. */
  destroy(): void {
    this.#drawing?.abort.abort()
    for (const index of [...this.#drawn.keys()]) this.#drop(index)
    this.#document.destroy()
  }
}

function isWideEnough(sheet: Sheet, widthFor: WidthFor): boolean {
  return Math.abs(sheet.widthPixels / widthFor(sheet.size) - 1) <= SAME_WIDTH_SHARE
}
