/** Pages of events, asked for and checked: nothing comes from here that the worker has not looked at. */
import type { EventList } from '../../protocol/api.js'
import type { Api, EventQuery } from '../api.js'
import { attempt, consistencyOf, type CheckedLog, type CryptoWorker } from '../crypto.js'
import type { Failure } from '../failure-words.js'
import type { CheckedPage } from './pages.js'

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
