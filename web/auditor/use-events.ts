/** A vault's events as they are read and checked: the newest page first, older ones on demand, new ones by themselves. */
import { useEffect, useRef, useState } from 'react'
import type { EventQuery } from '../api.js'
import type { Failure } from '../failure-words.js'
import { mergeEvents, readCheckedPage, type CheckedPage, type LogTools } from './events.js'
import type { Filter } from './Filters.js'

const PAGE_SIZE = 100
const LIVE_AFTER_MS = 5_000
const DAY_MS = 24 * 3_600_000

export interface Events {
  readonly shown: CheckedPage | null
  /** Nothing can be shown: the list did not come, or does not hold. */
  readonly failure: Failure | null
  readonly isBusy: boolean
  readonly loadOlder: () => void
  readonly retry: () => void
}

/** While another filter is read, what was shown stays, so that nothing jumps under the hand. */
export function useEvents(tools: LogTools, filter: Filter): Events {
  const [shown, setShown] = useState<CheckedPage | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isBusy, setBusy] = useState(true)
  const latest = useRef({ shown, round: 0 })
  latest.current.shown = shown

  async function read(query: EventQuery, onPage: (page: CheckedPage) => void): Promise<void> {
    const { round } = latest.current
    const page = await readCheckedPage(tools, { ...queryOf(filter), limit: PAGE_SIZE, ...query })
    // Another filter was chosen meanwhile: its answer counts.
    if (round !== latest.current.round) return
    setBusy(false)
    if (page.ok) return onPage(page.value)
    const isFirst = query.after === undefined && query.before === undefined
    if (isFirst || page.code === 'forked-log') setFailure(page.code)
  }

  function start(): void {
    latest.current.round++
    setBusy(true)
    setFailure(null)
    void read({}, setShown)
  }

  useEffect(start, [tools.vaultId, filter])
  useEffect(() => {
    const timer = setInterval(() => {
      const before = latest.current.shown
      if (before === null || document.visibilityState !== 'visible') return
      const after = before.events[0]?.logged.index ?? 0
      void read({ after }, (page) => setShown(joined(latest.current.shown, page, 'newer')))
    }, LIVE_AFTER_MS)
    return () => clearInterval(timer)
  }, [tools.vaultId, filter])

  function loadOlder(): void {
    if (shown === null || shown.next === null) return
    setBusy(true)
    void read({ before: shown.next }, (page) => setShown(joined(latest.current.shown, page, 'older')))
  }
  return { shown, failure, isBusy, loadOlder, retry: start }
}

/** Where the list goes on is the business of its oldest page. */
function joined(
  shown: CheckedPage | null, page: CheckedPage, which: 'newer' | 'older',
): CheckedPage {
  if (shown === null) return page
  const events = mergeEvents(shown.events, page.events)
  return { ...page, events, next: which === 'newer' ? shown.next : page.next }
}

function queryOf({ type, personId, fromDay, toDay }: Filter): EventQuery {
  return {
    ...(type === '' ? {} : { type }),
    ...(personId === '' ? {} : { personId }),
    ...(fromDay === '' ? {} : { fromMs: Date.parse(`${fromDay}T00:00:00Z`) }),
    ...(toDay === '' ? {} : { toMs: Date.parse(`${toDay}T00:00:00Z`) + DAY_MS - 1 }),
  }
}
