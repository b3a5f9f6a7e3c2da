/** Events as a screen keeps them: pages, each event with what the worker found. Pure. */
import type { LoggedEvent } from '../../protocol/api.js'
import type { CheckedEvent } from '../crypto.js'

/** What the live tail may add to before the oldest rows make room: a screen stays as quick as it was. */
const MAX_SHOWN_COUNT = 300

/** What a check of one page has shown. */
export interface ShownEvent {
  readonly logged: LoggedEvent
  readonly checked: CheckedEvent
  /** The signed checkpoint that the event was proven under. */
  readonly checkpoint: string
}

export interface Checked {
  readonly origin: string
  readonly treeSize: number
  readonly rootHash: string
  readonly rememberedSize: number | null
  readonly atMs: number
}

export interface CheckedPage {
  readonly events: readonly ShownEvent[]
  readonly next: number | null
  readonly totalCount: number
  /** The newest entry there is, whatever the filter. */
  readonly newest: number | null
  readonly vaultTagKey: string | null
  readonly checked: Checked
}

/** News on top of what is there. News that skip something stand alone: a list must not hide a gap. */
export function joinNews(shown: CheckedPage | null, news: CheckedPage): CheckedPage {
  if (shown === null || news.next !== null) return news
  const all = [...news.events, ...shown.events]
  const events = all.slice(0, MAX_SHOWN_COUNT)
  const next = all.length > events.length ? events.at(-1)?.logged.index ?? null : shown.next
  return { ...news, events, next }
}

/** A field of an event or of its details; an empty text where there is none. */
export function fieldOf(record: unknown, field: string): string {
  const value: unknown = record === null ? undefined : Reflect.get(Object(record), field)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
