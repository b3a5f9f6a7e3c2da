/** The page of events that the address names, read and checked, and at its top what has come since. */
import { useEffect, useRef, useState } from 'react'
import type { Failure } from '../failure-words.js'
import { gossip } from '../gossip.js'
import { readCheckedPage, type LogTools } from './events.js'
import { joinNews, type CheckedPage } from './pages.js'
import { queryOf, type Filter } from './filter.js'
import { useTail, type Tail } from './use-tail.js'

export const PAGE_SIZE = 100

export interface Events {
  readonly shown: CheckedPage | null
  /** Nothing can be shown: the list did not come, or does not hold. */
  readonly failure: Failure | null
  readonly isBusy: boolean
  readonly retry: () => void
  /** New events that wait, so that nothing moves under the eye that reads. */
  readonly waitingCount: number
  readonly showWaiting: () => void
  readonly tail: Tail
}

export interface Place {
  readonly filter: Filter
  /** Only events before this entry; `null`: from the newest. */
  readonly before: number | null
}

/**
 * While another page is read, what was shown stays, so that nothing jumps under the hand.
 *
 * @param mayInsert - whether new rows would disturb nobody just now.
 */
export function useEvents(tools: LogTools, place: Place, mayInsert: () => boolean): Events {
  const [shown, setShown] = useState<CheckedPage | null>(null)
  const [waiting, setWaiting] = useState<CheckedPage | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(true)
  const round = useRef(0)
  const { vaultId } = tools
  const { filter, before } = place

  async function start(): Promise<void> {
    const mine = ++round.current
    setBusy(true)
    setFailure(null)
    setWaiting(null)
    const page = await readCheckedPage(tools, { ...queryOf(filter), limit: PAGE_SIZE, before })
    // Another page was asked for meanwhile: its answer counts.
    if (mine !== round.current) return
    setBusy(false)
    const isForked = page.ok && await gossip(tools, tools.logVkey)
    if (isForked) setFailure('forked-log')
    else if (page.ok) setShown(page.value)
    else setFailure(page.code)
  }

  useEffect(() => void start(), [vaultId, before, ...Object.values(filter)])

  function onNews(news: CheckedPage): void {
    const pending = joinNews(waiting, news)
    if (before !== null || !mayInsert()) return setWaiting(pending)
    setWaiting(null)
    setShown((current) => current === null ? pending : joinNews(current, pending))
  }

  function showWaiting(): void {
    if (waiting === null) return
    if (before === null) setShown((current) => joinNews(current, waiting))
    setWaiting(null)
  }

  const newest = waiting?.newest ?? shown?.newest ?? null
  const known = shown === null ? null : newest ?? 0
  const tail = useTail(tools, { filter, newest: known, onNews, onFork: setFailure })
  const waitingCount = waiting?.events.length ?? 0
  return { shown, failure, isBusy, retry: () => void start(), waitingCount, showWaiting, tail }
}
