/**
 * What narrows the events on the screen, as it stands in the address: a filter can be sent to somebody like a place.
 * Days are UTC, as the log's times are. Pure.
 */
import { EVENT_TYPES } from '../../protocol/log/event-types.js'
import type { EventFilter } from '../api.js'
import { fieldOf, type ShownEvent } from './pages.js'

export interface Filter {
  readonly type: string
  readonly personId: string
  readonly documentId: string
  /** `YYYY-MM-DD`, or empty. */
  readonly fromDay: string
  readonly toDay: string
}

export const NO_FILTER: Filter = { type: '', personId: '', documentId: '', fromDay: '', toDay: '' }

/** The names in the address, and what may stand there; anything else counts as not asked for. */
type Parameter = readonly [name: string, is: (text: string) => boolean]

const PARAMETERS: Readonly<Record<keyof Filter, Parameter>> = {
  type: ['type', (text) => EVENT_TYPES.some((type) => type === text)],
  personId: ['person', isUuid],
  documentId: ['document', isUuid],
  fromDay: ['from', isDay],
  toDay: ['to', isDay],
}

const FIELDS = ['type', 'personId', 'documentId', 'fromDay', 'toDay'] as const
const DAY_MS = 24 * 3_600_000

export function readFilter(params: URLSearchParams): Filter {
  const filter: Record<keyof Filter, string> = { ...NO_FILTER }
  for (const field of FIELDS) {
    const [name, is] = PARAMETERS[field]
    const text = params.get(name) ?? ''
    if (is(text)) filter[field] = text
  }
  return filter
}

/** The address's parameters with this filter; what else stands there stays. */
export function writeFilter(params: URLSearchParams, filter: Filter): URLSearchParams {
  const next = new URLSearchParams(params)
  for (const field of FIELDS) {
    const [name] = PARAMETERS[field]
    if (filter[field] === '') next.delete(name)
    else next.set(name, filter[field])
  }
  return next
}

export function isFiltered(filter: Filter): boolean {
  return FIELDS.some((field) => filter[field] !== '')
}

/** As the server is asked; the last day is one of them. */
export function queryOf({ type, personId, documentId, fromDay, toDay }: Filter): EventFilter {
  return {
    ...(type === '' ? {} : { type }),
    ...(personId === '' ? {} : { personId }),
    ...(documentId === '' ? {} : { documentId }),
    ...(fromDay === '' ? {} : { fromMs: startOf(fromDay) }),
    ...(toDay === '' ? {} : { toMs: startOf(toDay) + DAY_MS - 1 }),
  }
}

/** Whether an event that is here already would be answered. */
export function fits(filter: Filter, { logged, checked }: ShownEvent): boolean {
  const { type, personId, documentId, fromMs = 0, toMs = Infinity } = queryOf(filter)
  return (type === undefined || logged.type === type) &&
    (personId === undefined || fieldOf(checked.event, 'party') === personId) &&
    (documentId === undefined || fieldOf(checked.event, 'document') === documentId) &&
    logged.atMs >= fromMs && logged.atMs <= toMs
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`)
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(startOf(text))
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
