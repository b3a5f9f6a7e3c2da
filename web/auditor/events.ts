/** Events as a screen keeps them: pages, each event with what the worker found. */
import type { EventList, LoggedEvent } from '../../protocol/api.js'
import type { Api, EventQuery } from '../api.js'
import { attempt, consistencyOf, type CheckedEvent, type CheckedLog, type CryptoWorker } from '../crypto.js'
import type { Failure } from '../failure-words.js'

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

export interface LogTools {
  readonly api: Api
  readonly crypto: CryptoWorker
  /** `null`: the whole instance. */
  readonly vaultId: string | null
  readonly logVkey: string
}

export type PageResult = { ok: true, value: CheckedPage } | { ok: false, code: Failure }

/** Read one page and have the worker check all of it. */
export async function readCheckedPage(tools: LogTools, query: EventQuery): Promise<PageResult> {
  const list = await tools.api.listEvents(tools.vaultId, query)
  return list.ok ? await checkPage(tools, list.value) : list
}

/** What came after an entry; `null` while nothing has. */
export async function readNewPage(
  tools: LogTools, query: EventQuery & { after: number },
): Promise<PageResult | null> {
  const list = await tools.api.listNewEvents(tools.vaultId, query)
  if (!list.ok) return list
  return list.value === null ? null : await checkPage(tools, list.value)
}

async function checkPage(tools: LogTools, list: EventList): Promise<PageResult> {
  const log = await attempt(() => tools.crypto.checkEvents({
    vaultId: tools.vaultId, logVkey: tools.logVkey, list,
    readConsistency: consistencyOf(tools.api),
  }))
  return log.ok ? { ok: true, value: joinPage(list, log.value) } : log
}

function joinPage(list: EventList, log: CheckedLog): CheckedPage {
  const { origin, treeSize, rootHash, rememberedSize } = log
  const { checkpoint, next, totalCount, newest, vaultTagKey } = list
  return {
    events: list.events.flatMap((logged, position) => {
      const checked = log.events[position]
      return checked === undefined ? [] : [{ logged, checked, checkpoint }]
    }),
    next, totalCount, newest, vaultTagKey,
    checked: { origin, treeSize, rootHash, rememberedSize, atMs: Date.now() },
  }
}

/** A field of an event or of its details; an empty text where there is none. */
export function fieldOf(record: unknown, field: string): string {
  const value: unknown = record === null ? undefined : Reflect.get(Object(record), field)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
