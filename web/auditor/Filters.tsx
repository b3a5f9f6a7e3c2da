/** By event, person and day. Days are UTC, as the log's times are. */
import { EVENT_TYPES } from '../../protocol/log/event-types.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { NativeSelect } from '../ui/NativeSelect.js'
import { TextField } from '../ui/TextField.js'
import { fieldOf, type ShownEvent } from './events.js'
import { shortId } from './who.js'
import styles from './auditor.module.css'

export interface Filter {
  readonly type: string
  readonly personId: string
  /** `YYYY-MM-DD`, or empty. */
  readonly fromDay: string
  readonly toDay: string
}

export const NO_FILTER: Filter = { type: '', personId: '', fromDay: '', toDay: '' }

interface FiltersProps {
  readonly filter: Filter
  readonly onFilter: (filter: Filter) => void
  readonly events: readonly ShownEvent[]
}

export function Filters({ filter, onFilter, events }: FiltersProps) {
  const copy = useCopy(auditor)
  const types = EVENT_TYPES.map((type) => ({ value: type, label: copy.events[type] }))
  const people = peopleOf(events).map(([id, name]) => ({ value: id, label: name === '' ? copy.person(shortId(id)) : name }))
  const chosenIsGone = filter.personId !== '' && !people.some(({ value }) => value === filter.personId)
  return (
    <div className={styles.filters}>
      <NativeSelect
        label={copy.filterType} value={filter.type} onValueChange={(type) => onFilter(
          { ...filter, type },
        )}
        options={[{ value: '', label: copy.filterAll }, ...types]}
      />
      <NativeSelect
        label={copy.filterPerson} value={filter.personId} onValueChange={(personId) => onFilter(
          { ...filter, personId },
        )}
        options={[
          { value: '', label: copy.filterEverybody }, ...people,
          ...chosenIsGone
            ? [{ value: filter.personId, label: copy.person(shortId(filter.personId)) }]
            : [],
        ]}
      />
      <TextField label={copy.filterFrom} type='date' value={filter.fromDay} onValueChange={(fromDay) => onFilter({ ...filter, fromDay })} />
      <TextField label={copy.filterTo} type='date' value={filter.toDay} onValueChange={(toDay) => onFilter({ ...filter, toDay })} />
    </div>
  )
}

/** Everybody in the events shown, with the newest name that goes with the id. */
function peopleOf(events: readonly ShownEvent[]): [id: string, name: string][] {
  const people = new Map<string, string>()
  for (const { checked } of events) {
    const id = fieldOf(checked.event, 'party')
    if (id === '') continue
    const name = fieldOf(checked.details, 'name')
    if (!people.has(id) || people.get(id) === '') people.set(id, name)
  }
  return [...people]
}
