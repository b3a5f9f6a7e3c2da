/**
 * The live tail: asks for what is new every few seconds, by one conditional request that costs the server a look at an
 * index. Must not ask while nobody looks, or often while nobody answers.
 */
import { useEffect, useRef, useState } from 'react'
import type { Failure } from '../failure-words.js'
import { readNewPage, type LogTools } from './events.js'
import type { CheckedPage } from './pages.js'
import { queryOf, type Filter } from './filter.js'

const ASK_AFTER_MS = 4_000
const MAX_ASK_AFTER_MS = 60_000

export type TailState = 'live' | 'paused' | 'offline'

export interface Tail {
  readonly state: TailState
  readonly toggle: () => void
}

interface Watched {
  readonly filter: Filter
  /** The newest entry known; `null` while nothing is. */
  readonly newest: number | null
  readonly onNews: (news: CheckedPage) => void
  readonly onFork: (code: Failure) => void
}

export function useTail(tools: LogTools, watched: Watched): Tail {
  const [isPaused, setPaused] = useState(false)
  const [failureCount, setFailureCount] = useState(0)
  const latest = useRef(watched)
  latest.current = watched
  const isReady = watched.newest !== null

  async function ask(): Promise<void> {
    const { filter, newest } = latest.current
    if (newest === null) return
    const page = await readNewPage(tools, { ...queryOf(filter), after: newest })
    // Somebody chose another filter while this was under way: what came is not what is shown.
    if (latest.current.filter !== filter || latest.current.newest !== newest) return
    if (page !== null && !page.ok) {
      if (page.code === 'forked-log') latest.current.onFork(page.code)
      return setFailureCount((count) => count + 1)
    }
    setFailureCount(0)
    if (page !== null) latest.current.onNews(page.value)
  }

  useEffect(() => {
    if (isPaused || !isReady) return
    return repeat(ask, Math.min(ASK_AFTER_MS * 2 ** failureCount, MAX_ASK_AFTER_MS))
  }, [tools.vaultId, isPaused, isReady, failureCount])

  const state = isPaused ? 'paused' : failureCount > 0 ? 'offline' : 'live'
  return { state, toggle: () => setPaused(!isPaused) }
}

/** Ask again and again while the page is looked at, and at once when it is looked at again. @returns how to stop. */
function repeat(ask: () => Promise<void>, afterMs: number): () => void {
  let [isEnded, isAsking] = [false, false]
  async function tick(): Promise<void> {
    if (isEnded || isAsking || document.visibilityState !== 'visible') return
    isAsking = true
    await ask().finally(() => { isAsking = false })
  }
  const onLook = () => void tick()
  const timer = setInterval(onLook, afterMs)
  document.addEventListener('visibilitychange', onLook)
  addEventListener('online', onLook)
  return () => {
    isEnded = true
    clearInterval(timer)
    document.removeEventListener('visibilitychange', onLook)
    removeEventListener('online', onLook)
  }
}
