/**
 * The page's only clock for words like "2 hr ago": one timer however many times are shown.
 * Shows time; must not decide anything.
 */
import { useSyncExternalStore } from 'react'

const TICK_MS = 30_000

const listeners = new Set<() => void>()
let nowMs = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  nowMs = Date.now()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function readNow(): number {
  // Nobody was listening, so the last tick may be long past.
  if (timer === undefined) nowMs = Date.now()
  return nowMs
}

/** Milliseconds since 1970, renewed twice a minute. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, readNow)
}
