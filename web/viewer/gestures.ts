/**
 * What fingers, trackpads and wheels mean over the stage: swipe and wheel turn pages while the page
 * fits, pinch and Ctrl+wheel zoom. Keyboard: keys.ts.
 */

export interface GestureActs {
  /** True while the whole page is in view, so that sliding it sideways can only mean turning it. */
  isFitted(): boolean
  turn(by: 1 | -1): void
  /** The finger has moved the page this far, in CSS pixels; 0 when let go. */
  drag(byPixels: number): void
  zoomBy(factor: number, at: { x: number, y: number }): void
  tapTwice(at: { x: number, y: number }): void
}

const SWIPE_DISTANCE_PIXELS = 44
const SWIPE_SLOPE = 1.2
const TAP_REACH_PIXELS = 24
const TAP_PAUSE_MS = 320
const WHEEL_QUIET_MS = 120
const WHEEL_REST_MS = 350
const WHEEL_NOTCH = 8
const WHEEL_ZOOM_RATE = 0.0022

export function listenForGestures(stage: HTMLElement, acts: GestureActs): void {
  listenForTouches(stage, acts)
  listenForWheel(stage, acts)
}

interface Point { x: number, y: number }

function listenForTouches(stage: HTMLElement, acts: GestureActs): void {
  const fingers = new Map<number, Point>()
  let start: Point | null = null

  stage.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch') return
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    start = fingers.size === 1 ? { x: event.clientX, y: event.clientY } : null
    if (fingers.size > 1) acts.drag(0)
  })

  stage.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return
    const before = [...fingers.values()]
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (fingers.size === 2) pinch(before, [...fingers.values()], acts)
    else if (start !== null && acts.isFitted()) acts.drag(sideways(start, event))
  })

  const isTwice = tapCounter()
  const lift = (event: PointerEvent): void => {
    if (!fingers.delete(event.pointerId) || start === null) return
    const by = sideways(start, event)
    const isTap = distance(start, event) < TAP_REACH_PIXELS
    start = null
    acts.drag(0)
    if (event.type !== 'pointerup') return
    if (isTap && isTwice(event)) return acts.tapTwice({ x: event.clientX, y: event.clientY })
    if (!acts.isFitted()) return
    if (Math.abs(by) >= SWIPE_DISTANCE_PIXELS) acts.turn(by < 0 ? 1 : -1)
  }
  for (const type of ['pointerup', 'pointercancel'] as const) stage.addEventListener(type, lift)
}

function distance(from: Point, to: PointerEvent): number {
  return Math.hypot(to.clientX - from.x, to.clientY - from.y)
}

/** Says of each tap whether it is the second of two, soon after and beside the first. */
function tapCounter(): (tap: PointerEvent) => boolean {
  let last: { x: number, y: number, atMs: number } | null = null
  return (tap) => {
    const isSecond = last !== null && tap.timeStamp - last.atMs < TAP_PAUSE_MS &&
      distance(last, tap) < TAP_REACH_PIXELS
    last = isSecond ? null : { x: tap.clientX, y: tap.clientY, atMs: tap.timeStamp }
    return isSecond
  }
}

function sideways(start: Point, event: PointerEvent): number {
  const x = event.clientX - start.x
  const y = event.clientY - start.y
  return Math.abs(x) > Math.abs(y) * SWIPE_SLOPE ? x : 0
}

function pinch(before: readonly Point[], after: readonly Point[], acts: GestureActs): void {
  const [a, b] = before
  const [c, d] = after
  if (a === undefined || b === undefined || c === undefined || d === undefined) return
  const was = Math.hypot(a.x - b.x, a.y - b.y)
  const is = Math.hypot(c.x - d.x, c.y - d.y)
  if (was > 0 && is > 0) acts.zoomBy(is / was, { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2 })
}

function listenForWheel(stage: HTMLElement, acts: GestureActs): void {
  let lastEventMs = 0
  let lastTurnMs = 0
  stage.addEventListener('wheel', (event) => {
    const isNewGesture = event.timeStamp - lastEventMs > WHEEL_QUIET_MS
    lastEventMs = event.timeStamp
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      const at = { x: event.clientX, y: event.clientY }
      return acts.zoomBy(Math.exp(-event.deltaY * WHEEL_ZOOM_RATE), at)
    }
    const by = Math.abs(event.deltaY) >= Math.abs(event.deltaX) ? event.deltaY : event.deltaX
    // A trackpad glides on after the finger has left; only a new push may turn the next page.
    if (!acts.isFitted() || !isNewGesture || Math.abs(by) < WHEEL_NOTCH) return
    if (event.timeStamp - lastTurnMs < WHEEL_REST_MS) return
    lastTurnMs = event.timeStamp
    acts.turn(by > 0 ? 1 : -1)
  }, { passive: false })
}
