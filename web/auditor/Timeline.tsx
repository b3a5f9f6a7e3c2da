/**
 * A log: what happened, newest first, each event proven in this browser before it is called proven. For a vault's
 * founder and auditors, and for the instance's auditor. Where one is in it stands in the address.
 */
import { useEffect, useMemo, useRef, useState } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { attempt, consistencyOf } from '../crypto.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { VaultPack } from '../evidence/VaultPack.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import { LoadingState } from '../ui/LoadingState.js'
import styles from './auditor.module.css'
import { EventDialog } from './EventDialog.js'
import { readCheckedPage, type LogTools } from './events.js'
import type { CheckedPage, ShownEvent } from './pages.js'
import { EventTable } from './EventTable.js'
import { ExportButtons } from './ExportButtons.js'
import { fits, isFiltered } from './filter.js'
import { Filters } from './Filters.js'
import { readerOf } from './log-files.js'
import { marksOf, marksOfPage, scanEvents, type Marks, type Scan } from './scan.js'
import { useEvents, type Events } from './use-events.js'
import { usePlace, type AddressedPlace } from './use-place.js'
import { useTask, type Running } from './use-task.js'
import { Fork, Verification, type Walk } from './Verification.js'

interface TimelineProps {
  /** `null`: the whole instance. */
  readonly vaultId: string | null
  /** Pinned by grant or invitation where there is one. */
  readonly logVkey: string
  /** Her own receipts can be saved. */
  readonly isOwner: boolean
}

/** Above this a scan is asked for; below, it is over before anybody wonders. */
const MAX_UNASKED_COUNT = 5_000

export function Timeline({ vaultId, logVkey, isOwner }: TimelineProps) {
  const { api, crypto } = useSession()
  const tools: LogTools = { api, crypto, vaultId, logVkey }
  const place = usePlace()
  const table = useRef<HTMLDivElement>(null)
  const events = useEvents(tools, place, () => isAtTop(table.current))
  const { shown, failure } = events
  const scan = useTask(vaultId ?? 'instance', (report, signal) => scanEvents(tools, report, signal))
  const whole = useWholeLog(tools, shown)
  const copy = useCopy(auditor)

  const isScanDue = place.isOnlyOdd && scan.task.step === 'idle' &&
    shown !== null && shown.totalCount <= MAX_UNASKED_COUNT
  useEffect(() => { if (isScanDue) scan.start() }, [isScanDue])

  if (failure !== null) return <Failed code={failure} tools={tools} retry={events.retry} />
  if (shown === null) return <LoadingState label={copy.checking} />
  return (
    <section className={styles.timeline} aria-label={copy.logTitle} aria-busy={events.isBusy}>
      <Verification
        shown={shown} scan={scan} whole={whole} onShowOdd={() => place.setOnlyOdd(true)}
      />
      <div className={styles.tools}>
        <Filters
          filter={place.filter} onFilter={place.setFilter} events={shown.events}
          isOnlyOdd={place.isOnlyOdd} onOnlyOdd={place.setOnlyOdd}
        />
        <ExportButtons tools={tools} filter={place.filter}>
          {vaultId !== null && <VaultPack vaultId={vaultId} logVkey={logVkey} isOwner={isOwner} />}
        </ExportButtons>
      </div>
      <div ref={table} className={styles.list}>
        <Listed {...{ events, shown, scan, place, tools, isOwner }} />
      </div>
    </section>
  )
}

interface ListedProps {
  readonly events: Events
  readonly shown: CheckedPage
  readonly scan: Running<Scan>
  readonly place: AddressedPlace
  readonly tools: LogTools
  readonly isOwner: boolean
}

function Listed({ events, shown, scan, place, tools, isOwner }: ListedProps) {
  const { filter, isOnlyOdd, chosenIndex } = place
  const scanned = scan.task.step === 'done' ? scan.task.value : null
  const marks = useMarks(shown, scanned, !isFiltered(filter))
  const odd = scanned?.odd.filter((event) => fits(filter, event)) ?? []
  const rows = isOnlyOdd ? odd : shown.events
  const chosen = useChosen(tools, chosenIndex, [...rows, ...shown.events])
  return (
    <>
      <TailBar events={events} shown={shown} place={place} />
      {rows.length === 0
        ? <Nothing scan={scan} place={place} />
        : (
          <EventTable
            events={rows} marks={marks} withVaults={tools.vaultId === null} onChosen={place.choose}
          />
          )}
      {!isOnlyOdd && <Pages events={events} shown={shown} place={place} />}
      {chosen !== undefined && (
        <EventDialog
          key={chosen.logged.index} shown={chosen} tools={tools}
          marks={marks.get(chosen.logged.index) ?? []} isOwner={isOwner}
          onFilter={place.setFilter} onClose={() => place.choose(null)}
        />
      )}
    </>
  )
}

/** What is odd, by the whole log once it was looked through, before that by what is on the screen. */
function useMarks(shown: CheckedPage, scanned: Scan | null, isContiguous: boolean): Marks {
  return useMemo(() => {
    const here = marksOfPage(shown.events, isContiguous)
    return scanned === null ? here : new Map([...here, ...marksOf(scanned.anomalies)])
  }, [shown, scanned, isContiguous])
}

// ---- What happens now ----

function TailBar({ events, shown, place }: Pick<ListedProps, 'events' | 'shown' | 'place'>) {
  const copy = useCopy(auditor)
  const { tail, waitingCount, showWaiting } = events

  function onShow(): void {
    if (place.before === null) showWaiting()
    else place.goTo(null)
  }

  return (
    <div className={styles.tail}>
      <p className={styles.quiet}>
        <span className={styles.pulse} data-state={tail.state} aria-hidden='true' />
        {copy.eventCount(shown.totalCount)} · {copy.tailStates[tail.state]}
      </p>
      <Button size='small' variant='quiet' onClick={tail.toggle}>
        {tail.state === 'paused' ? copy.resume : copy.pause}
      </Button>
      {waitingCount > 0 && <Button size='small' variant='primary' icon='chevron-up' onClick={onShow}>{copy.showNew(waitingCount)}</Button>}
      <LiveRegion>
        {waitingCount > 0 ? copy.showNew(waitingCount) : copy.eventCount(shown.totalCount)}
      </LiveRegion>
    </div>
  )
}

/** New rows come in by themselves only where they move nothing that somebody reads or holds. */
function isAtTop(list: HTMLElement | null): boolean {
  if (list === null) return true
  const isHeld = list.contains(document.activeElement) || document.querySelector('[role=dialog]') !== null
  return !isHeld && list.getBoundingClientRect().top >= 0
}

// ---- Pages ----

function Pages({ events, shown, place }: Pick<ListedProps, 'events' | 'shown' | 'place'>) {
  const copy = useCopy(auditor)
  const { next } = shown
  if (next === null && place.before === null) return null
  return (
    <nav className={styles.pages} aria-label={copy.pages}>
      {place.before !== null && <Button icon='chevron-up' onClick={() => place.goTo(null)}>{copy.newest}</Button>}
      {place.canGoBack && <Button onClick={place.goBack}>{copy.newer}</Button>}
      {next !== null && (
        <Button isBusy={events.isBusy} onClick={() => place.goTo(next)}>{copy.older}</Button>
      )}
    </nav>
  )
}

function Nothing({ scan, place }: Pick<ListedProps, 'scan' | 'place'>) {
  const copy = useCopy(auditor)
  const { task, start } = scan
  if (place.isOnlyOdd && task.step === 'running') return <LoadingState label={copy.scanning} />
  if (place.isOnlyOdd && task.step !== 'done') {
    const act = <Button variant='primary' onClick={start}>{copy.scan}</Button>
    return <EmptyState title={copy.oddUnknown} actions={act}>{copy.oddUnknownBody}</EmptyState>
  }
  const words = place.isOnlyOdd ? copy.nothingOddBody : copy.emptyBody
  return (
    <EmptyState title={place.isOnlyOdd ? copy.nothingOdd : copy.empty}>
      {isFiltered(place.filter) ? copy.emptyFiltered : words}
    </EmptyState>
  )
}

function Failed({ code, tools, retry }: { code: Failure, tools: LogTools, retry: () => void }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (code === 'forked-log') return <Fork tools={tools} />
  const again = <Button onClick={retry}>{copy.retry}</Button>
  return <ErrorState title={copy.notChecked} code={code} actions={again}>{words(code)}</ErrorState>
}

/** A permalink names the entry by its number; one that is not on the screen is read and checked for itself. */
function useChosen(
  tools: LogTools, index: number | null, listed: readonly ShownEvent[],
): ShownEvent | undefined {
  const [read, setRead] = useState<ShownEvent>()
  const all = [...listed, ...read === undefined ? [] : [read]]
  const found = all.find(({ logged }) => logged.index === index)
  const isDue = index !== null && found === undefined
  useEffect(() => {
    if (!isDue) return
    void readCheckedPage(tools, { before: index + 1, limit: 1 })
      .then((page) => setRead(page.ok ? page.value.events[0] : undefined))
  }, [isDue, index])
  return found
}

/** From the public files: what the server answers to others, not what it answers to this account. */
function useWholeLog(tools: LogTools, shown: CheckedPage | null): Running<Walk> {
  const { api, crypto, vaultId, logVkey } = tools
  const vaultTagKey = shown?.vaultTagKey ?? null
  return useTask(vaultId ?? 'instance', async (report, signal) => {
    const walked = await attempt(() => crypto.checkWholeLog(
      { logVkey, vaultTagKey }, readerOf(api, signal), report, consistencyOf(api)))
    if (!walked.ok) return walked
    // Asked for afterwards, so that the list has had the time to show what the files show.
    const list = await readCheckedPage(tools, { after: 0, limit: 1 })
    if (!list.ok) return list
    const listedCount = list.value.events[0]?.checked.vaultSequence ?? 0
    return { ok: true, value: { ...walked.value, listedCount } }
  })
}
