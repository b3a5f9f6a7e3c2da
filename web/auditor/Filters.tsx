/** By event, person, document and day, all together. Who and what can be chosen is who and what was seen here. */
import { useRef } from 'react'
import { EVENT_TYPES } from '../../protocol/log/event-types.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { Button } from '../ui/Button.js'
import { Checkbox } from '../ui/Checkbox.js'
import { NativeSelect } from '../ui/NativeSelect.js'
import { TextField } from '../ui/TextField.js'
import { fieldOf, type ShownEvent } from './pages.js'
import { isFiltered, NO_FILTER, type Filter } from './filter.js'
import { shortId } from './who.js'
import styles from './auditor.module.css'

interface FiltersProps {
  readonly filter: Filter
  readonly onFilter: (filter: Filter) => void
  readonly isOnlyOdd: boolean
  readonly onOnlyOdd: (isOnlyOdd: boolean) => void
  readonly events: readonly ShownEvent[]
}

interface Option { readonly value: string, readonly label: string }

export function Filters({ filter, onFilter, isOnlyOdd, onOnlyOdd, events }: FiltersProps) {
  const copy = useCopy(auditor)
  const { people, documents } = useSeen(events)
  const types = EVENT_TYPES.map((type) => ({ value: type, label: copy.events[type] }))
  const persons = [...people].map(([value, name]) => (
    { value, label: name === '' ? copy.person(shortId(value)) : name }))
  const files = [...documents].map((value) => ({ value, label: copy.document(shortId(value)) }))
  return (
    <div className={styles.filters}>
      <NativeSelect
        label={copy.filterType} value={filter.type}
        onValueChange={(type) => onFilter({ ...filter, type })}
        options={[{ value: '', label: copy.filterAll }, ...types]}
      />
      <NativeSelect
        label={copy.filterPerson} value={filter.personId}
        onValueChange={(personId) => onFilter({ ...filter, personId })}
        options={withChosen(
          { value: '', label: copy.filterEverybody }, persons,
          { value: filter.personId, label: copy.person(shortId(filter.personId)) })}
      />
      <NativeSelect
        label={copy.filterDocument} value={filter.documentId}
        onValueChange={(documentId) => onFilter({ ...filter, documentId })}
        options={withChosen(
          { value: '', label: copy.filterEveryDocument }, files,
          { value: filter.documentId, label: copy.document(shortId(filter.documentId)) })}
      />
      <TextField label={copy.filterFrom} type='date' value={filter.fromDay} onValueChange={(fromDay) => onFilter({ ...filter, fromDay })} />
      <TextField label={copy.filterTo} type='date' value={filter.toDay} onValueChange={(toDay) => onFilter({ ...filter, toDay })} />
      <div className={styles.filterFoot}>
        <Checkbox checked={isOnlyOdd} onCheckedChange={onOnlyOdd}>{copy.onlyOdd}</Checkbox>
        {isFiltered(filter) && <Button variant='quiet' size='small' icon='close' onClick={() => onFilter(NO_FILTER)}>{copy.clearFilter}</Button>}
      </div>
    </div>
  )
}

/** The chosen one stays on the list when no event on the screen names it. */
function withChosen(all: Option, seen: readonly Option[], chosen: Option): Option[] {
  const isSeen = chosen.value === '' || seen.some(({ value }) => value === chosen.value)
  return [all, ...seen, ...isSeen ? [] : [chosen]]
}

interface Seen { readonly people: Map<string, string>, readonly documents: Set<string> }

/** More than this is no list to choose from; the rest is reached by an event's own *Only this person*. */
const MAX_SEEN_COUNT = 500

/** Everybody and everything in the events that were on this screen, with the newest name that goes with an id. */
function useSeen(events: readonly ShownEvent[]): Seen {
  const { current: seen } = useRef<Seen>({ people: new Map(), documents: new Set() })
  for (const { checked: { event, details } } of events) {
    const [personId, documentId] = [fieldOf(event, 'party'), fieldOf(event, 'document')]
    const name = fieldOf(details, 'name')
    const isNamed = (seen.people.get(personId) ?? '') !== ''
    if (personId !== '' && !isNamed && seen.people.size < MAX_SEEN_COUNT) seen.people.set(personId, name)
    if (documentId !== '' && seen.documents.size < MAX_SEEN_COUNT) seen.documents.add(documentId)
  }
  return seen
}
