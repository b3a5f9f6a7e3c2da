/** A vault's events as one file that proves itself, for founders and auditors (protocol/log/export.ts). */
import { uuidv7 } from 'uuidv7'
import { findAudit, getPublished, listEvents, type EventRow } from '../../db/queries/audit.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { findVault } from '../../db/queries/vaults.js'
import { MAX_EXPORT_EVENT_COUNT } from '../../protocol/limits.js'
import { decodeEntry, formatTime, sealEvent } from '../../protocol/log/event.js'
import { formatExport, type ExportedEvent } from '../../protocol/log/export.js'
import { Refusal } from '../../protocol/refusals.js'
import { proveEvents, type ProvenEvent } from '../log-reader.js'
import type { World } from '../world.js'

/** Rows and proofs that are held at once. */
const PAGE_SIZE = 500

/**
 * Export all events of a vault, oldest first, under one checkpoint; the newest if there are more than fit a file.
 * Refuses: vault-not-found, log-unavailable. Effects: event `export.made`, published and part of the export.
 */
export async function exportAudit(world: World, userId: string, vaultId: string): Promise<string> {
  const withIdentities = await requireExporter(world, userId, vaultId)
  const made = sealEvent({
    type: 'export.made', id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()),
    actor: `account/${userId}`, vault: vaultId, format: 'json',
  })
  await insertEvents(world.db, [made])
  await world.sequencer.published([made.id])
  const published = await getPublished(world.db)
  const events = await readAll(world, { vaultId, size: published.size })
  return formatExport({
    origin: world.keys.log.origin, vkey: world.keys.log.vkey, checkpoint: published.checkpoint,
    exportedAt: formatTime(world.clock.nowMs()), vaultId,
    events: events.reverse().map((proven) => exportEvent(proven, withIdentities)),
  })
}

async function requireExporter(world: World, userId: string, vaultId: string): Promise<boolean> {
  const vault = await findVault(world.db, vaultId)
  if (vault?.ownerId === userId) return true
  const audit = await findAudit(world.db, { userId, vaultId })
  if (audit === undefined) throw new Refusal('vault-not-found')
  return audit.withIdentities
}

/** Newest first. */
async function readAll(
  world: World, { vaultId, size }: { vaultId: string, size: number },
): Promise<ProvenEvent[]> {
  const all: ProvenEvent[] = []
  let before = size
  let page: EventRow[]
  do {
    page = await listEvents(world.db, { vaultId, before }, PAGE_SIZE)
    all.push(...await proveEvents(world, page, size))
    before = page.at(-1)?.index ?? 0
  } while (page.length === PAGE_SIZE && all.length < MAX_EXPORT_EVENT_COUNT)
  return all
}

function exportEvent({ row, proof }: ProvenEvent, withIdentities: boolean): ExportedEvent {
  const { commitment, vaultTag, partyTag } = decodeEntry(row.entry)
  const { bytes, salt, details, detailsSalt } = row
  const hasDetails = withIdentities && details !== null && detailsSalt !== null
  return {
    index: BigInt(row.index), vaultTag, partyTag, path: proof,
    opened: bytes === null || salt === null ? { commitment } : { bytes, salt },
    ...(hasDetails ? { details: { bytes: details, salt: detailsSalt } } : {}),
  }
}
