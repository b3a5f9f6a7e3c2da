/**
 * The reader's e-mail address and the moment the reading began, drawn into a page's pixels.
 * It is part of the bitmap, not an element over it: removing it means redrawing the page.
 * A deterrent, not a lock. Must stay readable on light and dark slides, and let them be read.
 */
import type { Watermark } from './ports.js'

const TILT_RADIANS = -0.42
const GAP_X = 1.5
const GAP_Y = 7
/** Type size as a share of the page's shorter side. */
const TYPE_SHARE = 0.024
const MIN_TYPE_SIZE_PIXELS = 9

/** `2026-11-22 16:55 UTC` */
export function utcMinute(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ') + ' UTC'
}

/** Covers the whole canvas with tilted tiles, each once in ink and once in light beside it. */
export function drawWatermark(context: CanvasRenderingContext2D, watermark: Watermark): void {
  const { width, height } = context.canvas
  const size = Math.max(MIN_TYPE_SIZE_PIXELS, Math.min(width, height) * TYPE_SHARE)
  const text = `${watermark.email}  ·  ${utcMinute(watermark.atMs)}`
  context.save()
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.globalCompositeOperation = 'source-over'
  context.font = `500 ${size}px system-ui, sans-serif`
  context.textBaseline = 'middle'
  context.translate(width / 2, height / 2)
  context.rotate(TILT_RADIANS)
  drawTiles(context, { text, size, reach: Math.hypot(width, height) / 2 })
  context.restore()
}

function drawTiles(
  context: CanvasRenderingContext2D, tile: { text: string, size: number, reach: number },
): void {
  const stepX = context.measureText(tile.text).width + tile.size * GAP_X * 2
  const stepY = tile.size * GAP_Y
  let row = 0
  for (let y = -tile.reach; y <= tile.reach; y += stepY, row++) {
    const shift = row % 2 === 0 ? 0 : stepX / 2
    for (let x = -tile.reach - shift; x <= tile.reach; x += stepX) {
      context.fillStyle = 'rgb(255 255 255 / 20%)'
      context.fillText(tile.text, x + 1, y + 1)
      context.fillStyle = 'rgb(20 22 28 / 12%)'
      context.fillText(tile.text, x, y)
    }
  }
}
