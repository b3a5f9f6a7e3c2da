/** The events as a table: entry, time, what, who, what is odd about it, and whether it is proven. */
import { ALARM_KINDS, type AnomalyKind } from '../../protocol/log/anomalies.js'
import { EVENT_TYPES } from '../../protocol/log/event-types.js'
import { useCopy, useLocale } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { formatDateTime, formatUtc } from '../copy/language.js'
import type { CheckedEvent } from '../crypto.js'
import { Button } from '../ui/Button.js'
import { Table } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import styles from './auditor.module.css'
import type { ShownEvent } from './pages.js'
import type { Marks } from './scan.js'
import { namesOf, vaultOf, whatOf, whoOf } from './who.js'

interface EventTableProps {
  readonly events: readonly ShownEvent[]
  readonly marks: Marks
  /** Rows of all vaults say which one. */
  readonly withVaults: boolean
  readonly onChosen: (index: number) => void
}

export function EventTable({ events, marks, withVaults, onChosen }: EventTableProps) {
  const copy = useCopy(auditor)
  const names = namesOf(copy, events.map(({ checked }) => checked))
  return (
    <div className={styles.dense}>
      <Table
        label={copy.logTitle} rows={events} rowId={({ logged }) => logged.eventId} empty={null}
        columns={[
          { id: 'index', title: copy.columnIndex, align: 'end', cell: ({ logged }) => logged.index },
          { id: 'time', title: copy.columnTime, cell: ({ logged }) => <UtcTime atMs={logged.atMs} /> },
          {
            id: 'event', title: copy.columnEvent, isRowHeader: true,
            cell: ({ logged }) => (
              <span className={styles.marked}>
                {typeWords(copy.events, logged.type)}
                <MarkTags kinds={marks.get(logged.index) ?? []} />
              </span>
            ),
          },
          ...withVaults ? [{ id: 'vault', title: copy.columnVault, cell: ({ checked }: ShownEvent) => vaultOf(copy, checked.event) }] : [],
          { id: 'who', title: copy.columnWho, cell: ({ checked }) => <span className={styles.wrap}>{whoOf(copy, checked.event, names)}</span> },
          { id: 'what', title: copy.columnWhat, cell: ({ checked }) => whatOf(copy, checked.event) },
          { id: 'proof', title: copy.columnProof, cell: ({ checked }) => <Proof {...checked} /> },
          {
            id: 'actions', title: copy.details, align: 'actions',
            cell: ({ logged }) => (
              <Button size='small' variant='quiet' aria-label={`${copy.details}: ${copy.eventTitle(logged.index)}`} onClick={() => onChosen(logged.index)}>
                {copy.details}
              </Button>
            ),
          },
        ]}
      />
    </div>
  )
}

/** UTC, as in the log; local time beside it while the row is pointed at or has the focus. */
function UtcTime({ atMs }: { atMs: number }) {
  const { locale } = useLocale()
  return (
    <time className={styles.time} dateTime={new Date(atMs).toISOString()}>
      {formatUtc(atMs).slice(0, -' UTC'.length)}
      <span className={styles.local}>{formatDateTime(locale, atMs)}</span>
    </time>
  )
}

export function isAlarm(kind: AnomalyKind): boolean {
  return ALARM_KINDS.some((alarm) => alarm === kind)
}

/** An erased event says so in its proof already. */
function MarkTags({ kinds }: { kinds: readonly AnomalyKind[] }) {
  const copy = useCopy(auditor)
  return kinds.filter((kind) => kind !== 'erased').map((kind) => (
    <Tag key={kind} tone={isAlarm(kind) ? 'fail' : 'warn'} icon='warning'>{copy.odd[kind]}</Tag>
  ))
}

/** A type that this client does not know keeps its own name. */
export function typeWords(words: Readonly<Record<string, string>>, type: string): string {
  return EVENT_TYPES.some((known) => known === type) ? words[type] ?? type : type
}

/** Proven, and where nothing is left to be read, that too. */
export function Proof({ isProven, event }: Pick<CheckedEvent, 'isProven' | 'event'>) {
  const copy = useCopy(auditor)
  if (isProven && event === null) return <Tag tone='seal'>{copy.proven}, {copy.erased}</Tag>
  return <Tag tone={isProven ? 'seal' : 'fail'}>{isProven ? copy.proven : copy.notProven}</Tag>
}
