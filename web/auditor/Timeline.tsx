/**
 * A vault's log: what happened, in order, each event proven in this browser before it is called proven. For its
 * founder and its auditors alike.
 */
import { useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { EventQuery } from '../api.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import { LoadingState } from '../ui/LoadingState.js'
import { EventDialog } from './EventDialog.js'
import { mergeEvents, readCheckedPage, type Checked, type LogTools, type ShownEvent } from './events.js'
import { EventTable } from './EventTable.js'
import { ExportButtons } from './ExportButtons.js'
import { Filters, NO_FILTER, type Filter } from './Filters.js'
import styles from './auditor.module.css'
import { Fork, Verification } from './Verification.js'

const PAGE_SIZE = 100
const LIVE_AFTER_MS = 5_000

interface TimelineProps {
  readonly vaultId: string
  /** Pinned by grant or invitation where there is one. */
  readonly logVkey: string
  /** Her own receipts can be saved. */
  readonly isOwner: boolean
}

type State =
  | { readonly step: 'loading' }
  | { readonly step: 'failed', readonly code: Failure }
  | { readonly step: 'shown', readonly events: readonly ShownEvent[], readonly next: number | null, readonly totalCount: number, readonly checked: Checked }

export function Timeline({ vaultId, logVkey, isOwner }: TimelineProps) {
  const copy = useCopy(auditor)
  const { api, crypto } = useSession()
  const [filter, setFilter] = useState<Filter>(NO_FILTER)
  const tools: LogTools = { api, crypto, vaultId, logVkey }
  const { state, loadOlder, retry } = useEvents(tools, filter)
  const [chosenId, choose] = useChosenEvent()
  if (state.step === 'loading') return <LoadingState label={copy.checking} />
  if (state.step === 'failed') return <Failed code={state.code} tools={tools} retry={retry} />
  const emptyWords = filter === NO_FILTER ? copy.emptyBody : copy.emptyFiltered
  const chosen = state.events.find(({ logged }) => logged.eventId === chosenId)
  return (
    <section className={styles.timeline} aria-label={copy.logTitle}>
      <Verification checked={state.checked} events={state.events} />
      <div className={styles.tools}>
        <Filters filter={filter} onFilter={setFilter} events={state.events} />
        <ExportButtons tools={tools} />
      </div>
      {state.events.length === 0
        ? <EmptyState title={copy.empty}>{emptyWords}</EmptyState>
        : <EventTable events={state.events} onChosen={choose} />}
      {state.next !== null && <Button onClick={loadOlder}>{copy.older}</Button>}
      <p className={styles.quiet}>{copy.eventCount(state.totalCount)} · {copy.isLive}</p>
      <LiveRegion>{copy.eventCount(state.totalCount)}</LiveRegion>
      {chosen !== undefined && (
        <EventDialog shown={chosen} api={api} isOwner={isOwner} onClose={() => choose(null)} />
      )}
    </section>
  )
}

function Failed({ code, tools, retry }: { code: Failure, tools: LogTools, retry: () => void }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (code === 'forked-log') return <Fork tools={tools} />
  return (
    <ErrorState
      title={copy.checkBad} code={code} actions={<Button onClick={retry}>{copy.older}</Button>}
    >{words(code)}
    </ErrorState>
  )
}

/** A permalink names the event; the dialog is the address. */
function useChosenEvent(): [string | null, (eventId: string | null) => void] {
  const [params, setParams] = useSearchParams()
  function choose(eventId: string | null): void {
    const next = new URLSearchParams(params)
    if (eventId === null) next.delete('event')
    else next.set('event', eventId)
    setParams(next, { replace: true })
  }
  return [params.get('event'), choose]
}

function useEvents(tools: LogTools, filter: Filter) {
  const [state, setState] = useState<State>({ step: 'loading' })
  const latest = useRef(state)
  latest.current = state
  const [round, setRound] = useState(0)

  async function load(query: EventQuery, isFirst: boolean): Promise<void> {
    const page = await readCheckedPage(tools, { ...queryOf(filter), limit: PAGE_SIZE, ...query })
    if (!page.ok) {
      const isPassing = !isFirst && page.code !== 'forked-log'
      return isPassing ? undefined : setState({ step: 'failed', code: page.code })
    }
    const before = latest.current
    const isMore = !isFirst && before.step === 'shown'
    const isTail = query.after !== undefined
    setState({
      step: 'shown', totalCount: page.value.totalCount, checked: page.value.checked,
      events: isMore ? mergeEvents(before.events, page.value.events) : page.value.events,
      next: isMore && isTail ? before.next : page.value.next,
    })
  }

  useEffect(() => {
    setState({ step: 'loading' })
    void load({}, true)
  }, [tools.vaultId, filter, round])

  useEffect(() => {
    const timer = setInterval(() => {
      const shown = latest.current
      if (shown.step !== 'shown' || document.visibilityState !== 'visible') return
      void load({ after: shown.events[0]?.logged.index ?? 0 }, false)
    }, LIVE_AFTER_MS)
    return () => clearInterval(timer)
  }, [tools.vaultId, filter])

  return {
    state,
    loadOlder: () => { if (state.step === 'shown' && state.next !== null) void load({ before: state.next }, false) },
    retry: () => setRound(round + 1),
  }
}

function queryOf(filter: Filter): EventQuery {
  const { type, personId, fromDay, toDay } = filter
  const dayMs = 24 * 3_600_000
  return {
    ...(type === '' ? {} : { type }),
    ...(personId === '' ? {} : { personId }),
    ...(fromDay === '' ? {} : { fromMs: Date.parse(`${fromDay}T00:00:00Z`) }),
    ...(toDay === '' ? {} : { toMs: Date.parse(`${toDay}T00:00:00Z`) + dayMs - 1 }),
  }
}
