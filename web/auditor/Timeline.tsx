/**
 * A vault's log: what happened, in order, each event proven in this browser before it is called proven. For its
 * founder and its auditors alike.
 */
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import { LoadingState } from '../ui/LoadingState.js'
import styles from './auditor.module.css'
import { EventDialog } from './EventDialog.js'
import { readCheckedPage, type LogTools, type ShownEvent } from './events.js'
import { EventTable } from './EventTable.js'
import { ExportButtons } from './ExportButtons.js'
import { Filters, NO_FILTER, type Filter } from './Filters.js'
import { useEvents } from './use-events.js'
import { Fork, Verification } from './Verification.js'

interface TimelineProps {
  readonly vaultId: string
  /** Pinned by grant or invitation where there is one. */
  readonly logVkey: string
  /** Her own receipts can be saved. */
  readonly isOwner: boolean
}

export function Timeline({ vaultId, logVkey, isOwner }: TimelineProps) {
  const copy = useCopy(auditor)
  const { api, crypto } = useSession()
  const [filter, setFilter] = useState<Filter>(NO_FILTER)
  const tools: LogTools = { api, crypto, vaultId, logVkey }
  const { shown, failure, isBusy, loadOlder, retry } = useEvents(tools, filter)
  const [chosen, choose] = useChosenEvent(tools, shown?.events ?? [])
  if (failure !== null) return <Failed code={failure} tools={tools} retry={retry} />
  if (shown === null) return <LoadingState label={copy.checking} />
  const emptyWords = filter === NO_FILTER ? copy.emptyBody : copy.emptyFiltered
  return (
    <section className={styles.timeline} aria-label={copy.logTitle} aria-busy={isBusy}>
      <Verification checked={shown.checked} events={shown.events} />
      <div className={styles.tools}>
        <Filters filter={filter} onFilter={setFilter} events={shown.events} />
        <ExportButtons tools={tools} />
      </div>
      {shown.events.length === 0
        ? <EmptyState title={copy.empty}>{emptyWords}</EmptyState>
        : <EventTable events={shown.events} onChosen={choose} />}
      {shown.next !== null && <Button isBusy={isBusy} onClick={loadOlder}>{copy.older}</Button>}
      <p className={styles.quiet}>{copy.eventCount(shown.totalCount)} · {copy.isLive}</p>
      <LiveRegion>{copy.eventCount(shown.totalCount)}</LiveRegion>
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
  const again = <Button onClick={retry}>{copy.retry}</Button>
  return <ErrorState title={copy.notChecked} code={code} actions={again}>{words(code)}</ErrorState>
}

const PARAMETER = 'entry'

/** A permalink names the entry by its number; one that is not in the list is read and checked for itself. */
function useChosenEvent(
  tools: LogTools, listed: readonly ShownEvent[],
): [ShownEvent | undefined, (index: number | null) => void] {
  const [params, setParams] = useSearchParams()
  const [read, setRead] = useState<ShownEvent>()
  const index = indexOf(params.get(PARAMETER))
  const isListed = listed.some(({ logged }) => logged.index === index)
  const isDue = index !== null && listed.length > 0 && !isListed && read?.logged.index !== index

  useEffect(() => {
    if (!isDue) return
    void readCheckedPage(tools, { before: index + 1, limit: 1 })
      .then((page) => setRead(page.ok ? page.value.events[0] : undefined))
  }, [isDue, index])

  function choose(chosen: number | null): void {
    const next = new URLSearchParams(params)
    if (chosen === null) next.delete(PARAMETER)
    else next.set(PARAMETER, String(chosen))
    setParams(next, { replace: true })
  }
  const found = [...listed, ...read === undefined ? [] : [read]]
  return [found.find(({ logged }) => logged.index === index), choose]
}

function indexOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}
