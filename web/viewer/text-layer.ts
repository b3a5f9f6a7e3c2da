/** The words of a page, laid over it invisibly: for selecting, finding, and for screen readers. */
import { TextLayer } from 'pdfjs-dist/legacy/build/pdf.mjs'
import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { element } from './dom.js'

/** A laid-out layer, and its words piece by piece in reading order. */
export interface PageText { layer: HTMLElement, pieces: readonly HTMLElement[] }

/** `cssWidth`: how wide the page is shown; the layer scales with it through CSS afterwards. */
export async function drawText(page: PDFPageProxy, cssWidth: number): Promise<PageText> {
  const natural = page.getViewport({ scale: 1 })
  const viewport = page.getViewport({ scale: cssWidth / natural.width })
  const layer = element('div', { class: 'text' })
  const text = new TextLayer({
    textContentSource: page.streamTextContent(), container: layer, viewport,
  })
  await text.render()
  return { layer, pieces: text.textDivs }
}
