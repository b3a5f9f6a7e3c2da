/** A vault's events, page by page, for its founder and its auditors. */
import { uuidv7 } from 'uuidv7'
import { countEvents, findAudit, getPublished, listEvents as listRows } from '../../db/queries/audit.js'
import { takeTurn } from '../../db/queries/codes.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { findVault } from '../../db/queries/vaults.js'
import type { EventList } from '../../protocol/api.js'
import { MAX_PAGE_LIMIT } from '../../protocol/limits.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentEvent, proveEvents } from '../log-reader.js'
import type { World } from '../world.js'

/** How long one reading lasts. */
const READING_MS = 3_600_000

export interface EventQuery {
  readonly vaultId: string
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly type?: string | undefined
  readonly personId?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  readonly limit: number
}

/**
 * Published events with their proofs under one checkpoint, newest first.
 * Refuses: vault-not-found, for absent and not hers alike.
 * Effects: an auditor's opening of the list is the event `auditor.read`; paging and the live tail are part of it for
 * an hour, so that nobody gets around it by asking for a later page first.
 */
export async function listEvents(
  world: World, userId: string, query: EventQuery,
): Promise<EventList> {
  const { withIdentities, isAuditor } = await requireReader(world, userId, query.vaultId)
  if (isAuditor && await isReadingNew(world, userId, query)) {
    await insertEvents(world.db, [sealEvent({
      type: 'auditor.read', id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()),
      actor: `account/${userId}`, vault: query.vaultId,
    })])
    world.sequencer.wake()
  }
  const published = await getPublished(world.db)
  const limit = Math.min(query.limit, MAX_PAGE_LIMIT)
  const before = Math.min(query.before ?? published.size, published.size)
  const rows = await listRows(world.db, { ...query, before }, limit + 1)
  const page = await proveEvents(world, rows.slice(0, limit), published.size)
  return {
    events: page.map((proven) => presentEvent(proven, withIdentities)),
    checkpoint: published.checkpoint,
    totalCount: await countEvents(world.db, query.vaultId),
    next: rows.length > limit ? rows[limit - 1]?.index ?? null : null,
  }
}

async function isReadingNew(
  world: World, userId: string, { vaultId, before, after }: EventQuery,
): Promise<boolean> {
  const scope = `auditor-read:${userId}:${vaultId}`
  const isFirstThisHour = await takeTurn(
    world.db, [{ scope, maxCount: 1, windowMs: READING_MS }], world.clock.nowMs(),
  )
  return isFirstThisHour || (before === undefined && after === undefined)
}

async function requireReader(
  world: World, userId: string, vaultId: string,
): Promise<{ withIdentities: boolean, isAuditor: boolean }> {
  const vault = await findVault(world.db, vaultId)
  if (vault?.ownerId === userId) return { withIdentities: true, isAuditor: false }
  const audit = await findAudit(world.db, { userId, vaultId })
  if (audit === undefined) throw new Refusal('vault-not-found')
  return { withIdentities: audit.withIdentities, isAuditor: true }
}
