/** A vault's events as a screen keeps them: pages joined by index, each with what the worker found. */
import type { EventList, LoggedEvent } from '../../protocol/api.js'
import type { Api, EventQuery } from '../api.js'
import { attempt, consistencyOf, type CheckedEvent, type CheckedLog, type CryptoWorker } from '../crypto.js'
import type { Failure } from '../failure-words.js'

/** What a check of one page has shown. */
export interface ShownEvent {
  readonly logged: LoggedEvent
  readonly checked: CheckedEvent
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
  readonly checked: Checked
}

export interface LogTools {
  readonly api: Api
  readonly crypto: CryptoWorker
  readonly vaultId: string
  readonly logVkey: string
}

export type PageResult = { ok: true, value: CheckedPage } | { ok: false, code: Failure }

/** Read one page and have the worker check all of it. */
export async function readCheckedPage(tools: LogTools, query: EventQuery): Promise<PageResult> {
  const list = await tools.api.listEvents(tools.vaultId, query)
  if (!list.ok) return list
  const log = await attempt(() => tools.crypto.checkEvents({
    vaultId: tools.vaultId, logVkey: tools.logVkey, list: list.value,
    readConsistency: consistencyOf(tools.api),
  }))
  return log.ok ? { ok: true, value: joinPage(list.value, log.value) } : log
}

function joinPage(list: EventList, log: CheckedLog): CheckedPage {
  const { origin, treeSize, rootHash, rememberedSize } = log
  return {
    events: list.events.flatMap((logged, position) => {
      const checked = log.events[position]
      return checked === undefined ? [] : [{ logged, checked }]
    }),
    next: list.next, totalCount: list.totalCount,
    checked: { origin, treeSize, rootHash, rememberedSize, atMs: Date.now() },
  }
}

/** Newest first, each index once. */
export function mergeEvents(
  shown: readonly ShownEvent[], more: readonly ShownEvent[],
): ShownEvent[] {
  const byIndex = new Map([...shown, ...more].map((event) => [event.logged.index, event]))
  return [...byIndex.values()].sort((a, b) => b.logged.index - a.logged.index)
}

/** A field of an event or of its details; an empty text where there is none. */
export function fieldOf(record: unknown, field: string): string {
  const value: unknown = record === null ? undefined : Reflect.get(Object(record), field)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
