/**
 * Stops what a hostile file would let run for ever (A31). Time counts only while nothing is being
 * fetched: a slow line is not a bomb. A frame whose own thread hangs is the page's to remove.
 */
import { WATCHDOG_TIMEOUT_MS } from './ports.js'

/** One long gap between ticks (a sleeping machine, a hidden tab) counts no more than this. */
const MAX_TICK_MS = 1_000
const TIMER_TICK_MS = 250

export class WatchdogError extends Error {
  override readonly name = 'WatchdogError'
}

export interface Watch {
  /** True while bytes are awaited. */
  isWaiting(): boolean
  /** `frames`: drawing for the screen, which stands still while the frame is out of view. */
  clock: 'frames' | 'timer'
}

/** @throws WatchdogError when `work` took too long; the caller then kills what it was waiting for. */
export function watched<T>(work: Promise<T>, watch: Watch): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false
    let lastMs = performance.now()
    let spentMs = 0
    const tick = (): void => {
      if (isOver) return
      const nowMs = performance.now()
      spentMs += watch.isWaiting() ? 0 : Math.min(MAX_TICK_MS, nowMs - lastMs)
      lastMs = nowMs
      if (spentMs < WATCHDOG_TIMEOUT_MS) return schedule(tick, watch.clock)
      isOver = true
      reject(new WatchdogError('took too long'))
    }
    schedule(tick, watch.clock)
    work.finally(() => { isOver = true }).then(resolve, reject)
  })
}

function schedule(tick: () => void, clock: Watch['clock']): void {
  if (clock === 'frames') requestAnimationFrame(tick)
  else setTimeout(tick, TIMER_TICK_MS)
}
