/** Something long that can be watched and stopped: how far it is, what came of it, when. */
import { useEffect, useRef, useState } from 'react'
import type { Failure } from '../failure-words.js'

export type Task<T> =
  | { readonly step: 'idle' }
  | { readonly step: 'running', readonly doneCount: number, readonly totalCount: number | null }
  | { readonly step: 'done', readonly value: T, readonly atMs: number }
  | { readonly step: 'failed', readonly code: Failure }

export type Outcome<T> = { ok: true, value: T } | { ok: false, code: Failure }

export interface Running<T> {
  readonly task: Task<T>
  readonly start: () => void
  readonly stop: () => void
}

export type Report = (doneCount: number, totalCount: number | null) => void

/** A screen draws this often at most, however quickly the work goes. */
const DRAW_AFTER_MS = 100

/** @param key - the task is another one when this changes; what ran before is stopped. */
export function useTask<T>(
  key: string, run: (report: Report, signal: AbortSignal) => Promise<Outcome<T>>,
): Running<T> {
  const [task, setTask] = useState<Task<T>>({ step: 'idle' })
  const control = useRef<AbortController | null>(null)

  function stop(): void {
    control.current?.abort()
    control.current = null
    setTask((now) => now.step === 'running' ? { step: 'idle' } : now)
  }

  async function start(): Promise<void> {
    control.current?.abort()
    const mine = new AbortController()
    control.current = mine
    let drawnAtMs = 0
    setTask({ step: 'running', doneCount: 0, totalCount: null })
    const outcome = await run((doneCount, totalCount) => {
      if (mine.signal.aborted || Date.now() - drawnAtMs < DRAW_AFTER_MS) return
      drawnAtMs = Date.now()
      setTask({ step: 'running', doneCount, totalCount })
    }, mine.signal)
    if (mine.signal.aborted) return
    setTask(outcome.ok
      ? { step: 'done', value: outcome.value, atMs: Date.now() }
      : { step: 'failed', code: outcome.code })
  }

  useEffect(() => {
    setTask({ step: 'idle' })
    return () => control.current?.abort()
  }, [key])
  return { task, start: () => void start(), stop }
}
