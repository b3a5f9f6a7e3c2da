/** The events as a table: entry, time, what, who, and whether it is proven. */
import { EVENT_TYPES } from '../../protocol/log/event-types.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import type { CheckedEvent } from '../crypto.js'
import { Button } from '../ui/Button.js'
import { Table } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import { Time } from '../ui/Time.js'
import styles from './auditor.module.css'
import type { ShownEvent } from './events.js'
import { namesOf, whatOf, whoOf } from './who.js'

interface EventTableProps {
  readonly events: readonly ShownEvent[]
  readonly onChosen: (index: number) => void
}

export function EventTable({ events, onChosen }: EventTableProps) {
  const copy = useCopy(auditor)
  const names = namesOf(copy, events.map(({ checked }) => checked))
  return (
    <Table
      label={copy.logTitle} rows={events} rowId={({ logged }) => logged.eventId} empty={null}
      columns={[
        { id: 'index', title: copy.columnIndex, align: 'end', cell: ({ logged }) => logged.index },
        { id: 'time', title: copy.columnTime, cell: ({ logged }) => <Time atMs={logged.atMs} style='utc' /> },
        { id: 'event', title: copy.columnEvent, isRowHeader: true, cell: ({ logged }) => typeWords(copy.events, logged.type) },
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
  )
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
