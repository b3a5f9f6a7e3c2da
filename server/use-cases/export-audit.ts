/** Events as one file that proves itself, for founders and auditors (protocol/log/export.ts). */
import { uuidv7 } from 'uuidv7'
import {
  getPublished, listEvents, type EventFilter, type EventRow, type EventScope,
} from '../../db/queries/audit.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { statedOrigin } from '../../protocol/log/checkpoint.js'
import { decodeEntry, formatTime, sealEvent, type Event } from '../../protocol/log/event.js'
import {
  formatExportEnd, formatExportEvent, formatExportHead, WHOLE_INSTANCE, type ExportedEvent,
} from '../../protocol/log/export.js'
import { requireReader, type Reader } from '../auditors.js'
import { proveEvents, type ProvenEvent } from '../log-reader.js'
import type { ShownLog } from '../logs.js'
import { mailAct } from '../release-mails.js'
import type { World } from '../world.js'

/** Rows and proofs that are held at once. */
const PAGE_SIZE = 500

export interface AuditQuery {
  /** `undefined`: the whole instance. */
  readonly vaultId?: string | undefined
  readonly filter: EventFilter
  /** What the reader makes of it; the log says so. */
  readonly format: 'json' | 'csv' | 'evidence'
}

/**
 * Export all events that fit a filter, oldest first, under one checkpoint. The texts come as they are read, so an export
 * may be longer than memory.
 * Refuses: vault-not-found, or not-found for the instance; log-unavailable.
 * Effects: event `export.made` (for the instance `admin.acted`, instance.exported), published before the first text.
 */
export async function exportAudit(
  world: World, reader: Reader, query: AuditQuery,
): Promise<AsyncIterable<string>> {
  const { withIdentities, isAuditor } = await requireReader(world, reader, query.vaultId)
  const made = sealEvent(exportEvent(world, reader, query))
  await insertEvents(world.db, [made])
  await world.sequencer.published([made.id])
  if (isAuditor && query.vaultId !== undefined) {
    await mailAct(world, { vaultId: query.vaultId, email: reader.email, event: made })
  }
  return formatTexts(world, query, withIdentities)
}

function exportEvent(world: World, { userId }: Reader, { vaultId, format }: AuditQuery): Event {
  const head = {
    id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()),
    actor: `account/${userId}`, format,
  }
  return vaultId === undefined
    ? { ...head, type: 'admin.acted', action: 'instance.exported' }
    : { ...head, type: 'export.made', vault: vaultId }
}

async function * formatTexts(
  world: World, { vaultId, filter }: AuditQuery, withIdentities: boolean,
): AsyncGenerator<string> {
  const published = await getPublished(world.db)
  const { checkpoint } = published
  await world.logs.follow(checkpoint)
  const { origin, vkey } = exportedLog(world, checkpoint)
  const asked = formatFilter(filter)
  yield formatExportHead({
    origin, vkey, checkpoint,
    exportedAt: formatTime(world.clock.nowMs()), vaultId: vaultId ?? WHOLE_INSTANCE,
    ...asked === '' ? {} : { filter: asked },
    ...await statementsFor(world, origin),
  })
  let comma = ''
  for await (const page of readPages(world, { vaultId, ...published }, filter)) {
    const events = page.map((proven) => formatExportEvent(presentExported(proven, withIdentities)))
    yield `${comma}${events.join(',')}`
    comma = ','
  }
  yield formatExportEnd()
}

/** The log that this checkpoint is of: at a border the one before may still be shown. */
function exportedLog(world: World, checkpoint: string): { origin: string, vkey: string } {
  const { log } = world.keys
  const span = world.logs.find(statedOrigin(checkpoint))
  return span === undefined || span.origin === log.origin ? log : span
}

/** What leads over from the logs before, where there are some. */
async function statementsFor(
  world: World, origin: string,
): Promise<{ statements?: readonly string[] }> {
  if (world.logs.list()[0]?.origin === origin) return {}
  await world.rotations.refresh()
  return { statements: world.rotations.statements() }
}

/** Oldest first, none of them empty. */
async function * readPages(
  world: World, scope: EventScope & ShownLog, filter: EventFilter,
): AsyncGenerator<ProvenEvent[]> {
  let after: number | undefined
  let rows: EventRow[]
  do {
    rows = await listEvents(world.db, scope, filter, { order: 'oldest-first', after, limit: PAGE_SIZE })
    if (rows.length > 0) yield await proveEvents(world, rows, scope)
    after = rows.at(-1)?.index
  } while (rows.length === PAGE_SIZE)
}

/** As it would stand in an address. */
function formatFilter(filter: EventFilter): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(filter)) {
    if (value !== undefined) asked.set(name, String(value))
  }
  return asked.toString()
}

function presentExported({ row, proof }: ProvenEvent, withIdentities: boolean): ExportedEvent {
  const { commitment, vaultTag, partyTag } = decodeEntry(row.entry)
  const { bytes, salt, details, detailsSalt } = row
  const hasDetails = withIdentities && details !== null && detailsSalt !== null
  return {
    index: BigInt(row.index), vaultTag, partyTag, path: proof,
    opened: bytes === null || salt === null ? { commitment } : { bytes, salt },
    ...(hasDetails ? { details: { bytes: details, salt: detailsSalt } } : {}),
  }
}
