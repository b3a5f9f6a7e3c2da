/** The events of a vault or of the instance, page by page, for its founder and its auditors. */
import { uuidv7 } from 'uuidv7'
import {
  countEvents, findNewest, getPublished, listEvents as listRows, type EventFilter, type EventPage,
} from '../../db/queries/audit.js'
import { takeTurn } from '../../db/queries/codes.js'
import { insertEvents } from '../../db/queries/outbox.js'
import type { EventList } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { MAX_PAGE_LIMIT } from '../../protocol/limits.js'
import { formatTime, sealEvent, type Event } from '../../protocol/log/event.js'
import { requireReader, type Reader } from '../auditors.js'
import { presentEvent, proveEvents } from '../log-reader.js'
import type { World } from '../world.js'

/** How long one reading lasts. */
const READING_MS = 3_600_000

export interface EventQuery {
  /** `undefined`: the whole instance. */
  readonly vaultId?: string | undefined
  readonly filter: EventFilter
  readonly page: EventPage
  /** The newest entry that the reader knows: while it still is, there is nothing to answer. */
  readonly knownNewest?: number | undefined
}

/**
 * Published events with their proofs under one checkpoint; `null` if the reader knows the newest.
 * Refuses: vault-not-found, or not-found for the instance; for absent and not hers alike.
 * Effects: an auditor's opening of the list is the event `auditor.read` (for the instance `admin.acted`,
 * instance.read); paging, filtering and the live tail are part of it for an hour, so that nobody gets around it by
 * asking for a later page first.
 */
export async function listEvents(
  world: World, reader: Reader, query: EventQuery,
): Promise<EventList | null> {
  const { vaultId, filter } = query
  const { withIdentities, isAuditor, vaultTagKey } = await requireReader(world, reader, vaultId)
  const published = await getPublished(world.db)
  const scope = { vaultId, size: published.size }
  const newest = await findNewest(world.db, scope)
  if (newest !== null && newest === query.knownNewest) return null
  if (isAuditor) await noteReading(world, reader, query)
  const limit = Math.min(query.page.limit, MAX_PAGE_LIMIT)
  const rows = await listRows(world.db, scope, filter, { ...query.page, limit: limit + 1 })
  const proven = await proveEvents(world, rows.slice(0, limit), published)
  return {
    events: proven.map((event) => presentEvent(event, withIdentities)),
    checkpoint: published.checkpoint,
    totalCount: vaultId === undefined ? published.size : await countEvents(world.db, vaultId),
    next: rows.length > limit ? rows[limit - 1]?.index ?? null : null,
    newest,
    vaultTagKey: vaultTagKey === null ? null : encodeBase64Url(vaultTagKey),
  }
}

async function noteReading(world: World, reader: Reader, query: EventQuery): Promise<void> {
  if (!await isReadingNew(world, reader, query)) return
  const head = {
    id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()),
    actor: `account/${reader.userId}`,
  }
  const event: Event = query.vaultId === undefined
    ? { ...head, type: 'admin.acted', action: 'instance.read' }
    : { ...head, type: 'auditor.read', vault: query.vaultId }
  await insertEvents(world.db, [sealEvent(event)])
  world.sequencer.wake()
}

async function isReadingNew(
  world: World, { userId }: Reader, { vaultId, filter, page }: EventQuery,
): Promise<boolean> {
  const scope = `auditor-read:${userId}:${vaultId ?? 'instance'}`
  const isFirstThisHour = await takeTurn(
    world.db, [{ scope, maxCount: 1, windowMs: READING_MS }], world.clock.nowMs(),
  )
  const narrowed = [page.before, page.after, ...Object.values(filter)]
  return isFirstThisHour || narrowed.every((value) => value === undefined)
}
