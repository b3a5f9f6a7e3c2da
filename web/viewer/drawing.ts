/**
 * Draws one page of an open document into a canvas of its own, complete or not at all: nobody sees
 * a half-drawn page, or one without its watermark.
 */
import { RenderingCancelledException } from 'pdfjs-dist/legacy/build/pdf.mjs'
import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { ANNOTATION_MODE } from './protections.js'
import type { PageSize, Watermark } from './ports.js'
import { drawWatermark } from './watermark.js'

/** Phones give up on larger canvases, and nobody can see the difference. */
const MAX_CANVAS_PIXELS = 16_777_216

export interface DrawOrder {
  /** In device pixels; the page's proportions decide the height. */
  widthPixels: number
  watermark: Watermark | null
  /** `screen` yields to the display's frames; `file` does not stall when the frame is out of view. */
  purpose: 'screen' | 'file'
  signal: AbortSignal
}

/** The page as seen, in PDF points. */
export function sizeOf(page: PDFPageProxy): PageSize {
  const { width, height } = page.getViewport({ scale: 1 })
  return { width, height }
}

/** @returns `null` if `signal` came first. @throws whatever pdf.js throws for a page it cannot draw. */
export async function drawPage(
  page: PDFPageProxy, order: DrawOrder,
): Promise<HTMLCanvasElement | null> {
  const size = sizeOf(page)
  const mostPixels = Math.sqrt(MAX_CANVAS_PIXELS * size.width / size.height)
  const scale = Math.min(order.widthPixels, mostPixels) / size.width
  const viewport = page.getViewport({ scale })
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(viewport.width))
  canvas.height = Math.max(1, Math.round(viewport.height))
  const intent = order.purpose === 'file' ? 'print' : 'display'
  const task = page.render({ canvas, viewport, annotationMode: ANNOTATION_MODE, intent })
  const cancel = (): void => task.cancel()
  order.signal.addEventListener('abort', cancel)
  if (order.signal.aborted) cancel()
  try {
    await task.promise
  } catch (error) {
    discard(canvas)
    if (error instanceof RenderingCancelledException) return null
    throw error
  } finally {
    order.signal.removeEventListener('abort', cancel)
  }
  const context = canvas.getContext('2d')
  if (order.watermark !== null && context !== null) drawWatermark(context, order.watermark)
  return canvas
}

/** Gives a canvas's memory back at once instead of at the collector's leisure. */
export function discard(canvas: HTMLCanvasElement): void {
  canvas.width = 0
  canvas.height = 0
  canvas.remove()
}
