/**
 * One vault as years of use would leave it: real events, entries, tiles and a signed checkpoint, made without the
 * waits of the requests that would have caused them. The sequencer must be stopped meanwhile.
 */
import { randomBytes } from 'node:crypto'
import type postgres from 'postgres'
import { getHead } from '../../../db/queries/log.js'
import { concatBytes, encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { MAX_INTEGRATION_ENTRY_COUNT } from '../../../protocol/limits.js'
import { signCheckpoint } from '../../../protocol/log/checkpoint.js'
import {
  encodeEntry, formatTime, sealEvent, TAG_SIZE_BYTES, vaultTag, type SealedEvent,
} from '../../../protocol/log/event.js'
import { encodeEdge } from '../../../protocol/log/merkle.js'
import { CHECKPOINT_PATH, planIntegration, readTileEdge } from '../../../protocol/log/tile.js'
import { platformSha256 } from '../../../server/platform-hash.js'
import type { World } from '../../../server/world.js'

export interface LongVault {
  readonly vaultId: string
  readonly tagKey: Uint8Array
  /** The events that it has already. */
  readonly firstSequence: number
}

/** Enough people and decks that one of each is a needle, few enough that one of each is an index's page or more. */
const PERSON_COUNT = 2_000
const DOCUMENT_COUNT = 20
const YEAR_MS = 365 * 24 * 3_600_000
/** One in so many events. */
const RARE_EVERY = 20_011
const HASH = 'ab'.repeat(32)
const GRANT = 'AAECAwQFBgcICQoLDA0ODw'

/** An id that says of what kind and which it is, and passes for a UUIDv7. */
export function idOf(kind: 'person' | 'document' | 'event', number: number): string {
  const marks = { person: 'a', document: 'b', event: 'c' }
  return `01890a5d-ac96-7${marks[kind]}00-8000-${number.toString(16).padStart(12, '0')}`
}

interface Place { readonly number: number, readonly count: number }

function makeEvent(
  world: World, { vaultId }: LongVault, { number, count }: Place,
): SealedEvent {
  const party = idOf('person', number % PERSON_COUNT)
  const document = idOf('document', number % DOCUMENT_COUNT)
  const base = {
    id: idOf('event', number), log: world.keys.log.origin, actor: `person/${party}`, vault: vaultId,
    at: formatTime(Date.now() - YEAR_MS + Math.floor(YEAR_MS * number / count)),
  }
  if (number % RARE_EVERY === 0) return sealEvent({ ...base, type: 'access.revoked', party, grant: GRANT })
  if (number % 3 === 0) return sealEvent({ ...base, type: 'version.fetched', party, document, part: 0, version: 1 })
  if (number % 3 === 1) return sealEvent({ ...base, type: 'email.verified', party, grant: GRANT })
  return sealEvent({
    ...base, type: 'header.released', party, grant: GRANT, document, part: 0, version: 1, recordSha256: HASH, headerSha256: HASH,
    recipientSha256: HASH, because: HASH, gate: 'email',
  })
}

/** Append `count` events and publish them. */
export async function fillVault(
  world: World, client: postgres.Sql, vault: LongVault, count: number,
): Promise<void> {
  const { bucket, keys: { log } } = world
  const head = await getHead(world.database.logDb)
  let size = head.size
  const read = world.sequencer.filesOf(world.logs.current())
  let edge = await readTileEdge(read, { size: BigInt(size), root: head.root })
  let root = head.root
  for (let made = 0; made < count; made += MAX_INTEGRATION_ENTRY_COUNT) {
    const length = Math.min(MAX_INTEGRATION_ENTRY_COUNT, count - made)
    const batch = Array.from({ length }, (_, at) => ({
      event: makeEvent(world, vault, { number: made + at, count }),
      sequence: vault.firstSequence + made + at,
    }))
    const entries = batch.map(({ event: { commitment }, sequence }) => encodeEntry({
      commitment, vaultTag: vaultTag(vault.tagKey, sequence), partyTag: randomBytes(TAG_SIZE_BYTES),
    }))
    await insertRows(client, batch, entries, size)
    const plan = planIntegration(edge, entries, platformSha256)
    await Promise.all(plan.resources.map(({ path, bytes }) => bucket.put(`${log.prefix}/${path}`, bytes)))
    ;({ edge, root } = plan)
    size += batch.length
  }
  const checkpoint = signCheckpoint({ origin: log.origin, size: BigInt(size), root }, [log.signer])
  const shown = await bucket.readTagged(`${log.prefix}/${CHECKPOINT_PATH}`)
  await bucket.replace(`${log.prefix}/${CHECKPOINT_PATH}`, encodeUtf8(checkpoint), shown?.etag ?? null)
  await client`update tlog_head set size = ${size}, root = ${Buffer.from(root)}, edge = ${Buffer.from(encodeEdge(edge.edge))}`
  await client`update tlog_published set size = ${size}, checkpoint = ${checkpoint}`
  await client`update audit_sequence set count = ${vault.firstSequence + count - 1} where scope_id = ${vault.vaultId}`
  await client`vacuum analyze`
}

async function insertRows(
  client: postgres.Sql, batch: readonly { event: SealedEvent, sequence: number }[],
  entries: readonly Uint8Array[], start: number,
): Promise<void> {
  const column = (read: (one: { event: SealedEvent, sequence: number }) => string | number) => batch.map(read).join(',')
  const bytes = batch.map(({ event }) => encodeHex(event.bytes)).join(',')
  await client`
    with rows as (
      select ${start}::bigint + r.ordinality - 1 as idx, r.*
      from unnest(
        string_to_array(${column(({ event }) => event.id)}, ','), string_to_array(${column(({ event }) => event.type)}, ','),
        string_to_array(${column(({ event }) => new Date(event.atMs).toISOString())}, ','),
        string_to_array(${column(({ sequence }) => sequence)}, ','),
        string_to_array(${column(({ event }) => event.partyId ?? '')}, ','), string_to_array(${column(({ event }) => event.documentId ?? '')}, ','),
        string_to_array(${bytes}, ','), string_to_array(${column(({ event }) => encodeHex(event.salt))}, ',')
      ) with ordinality as r(event_id, type, at, sequence, party, document, bytes, salt, ordinality)
    ), entered as (
      insert into audit_entry (idx, event_id, entry)
      select idx, event_id::uuid, substring(${Buffer.from(concatBytes(...entries))}::bytea from ((idx - ${start}::bigint) * 65 + 1)::integer for 65) from rows
    )
    insert into audit_opening (idx, event_id, type, at, vault_id, vault_sequence, party_id, document_id, bytes, salt)
    select idx, event_id::uuid, type, at::timestamptz, ${batch[0]?.event.vaultId ?? null}::uuid, sequence::bigint, nullif(party, '')::uuid,
      nullif(document, '')::uuid, decode(bytes, 'hex'), decode(salt, 'hex') from rows`
}
