/**
 * Proofs out of the published tiles: the server reads its own log as an outsider would. Builds proofs;
 * whoever gets them verifies.
 */
import { getPublished, type EventRow } from '../db/queries/audit.js'
import type { EventList, LoggedEvent } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { decodeEntry } from '../protocol/log/event.js'
import {
  buildConsistencyProof, buildInclusionProof, consistencyNodes, inclusionNodes,
} from '../protocol/log/merkle.js'
import { readNodes, type ReadResource } from '../protocol/log/tile.js'
import { Refusal } from '../protocol/refusals.js'
import { platformSha256 } from './platform-hash.js'
import type { World } from './world.js'

/** An event with its inclusion path in the tree of one checkpoint. */
export interface ProvenEvent { readonly row: EventRow, readonly proof: readonly Uint8Array[] }

/** Inclusion paths of these events in the tree of `size` entries; tiles are read once each. */
export async function proveEvents(
  world: World, rows: readonly EventRow[], size: number,
): Promise<ProvenEvent[]> {
  if (rows.length === 0) return []
  const treeSize = BigInt(size)
  const nodes = rows.flatMap(({ index }) => inclusionNodes(BigInt(index), treeSize))
  const { readFile } = world.sequencer
  const nodeHash = await readNodes(readFile, { nodes, size: treeSize }, platformSha256)
  return rows.map((row) => {
    const place = { index: BigInt(row.index), size: treeSize }
    return { row, proof: buildInclusionProof(place, nodeHash, platformSha256) }
  })
}

/** An event as a reader gets it; details only for those who may see identities. */
export function presentEvent({ row, proof }: ProvenEvent, withIdentities: boolean): LoggedEvent {
  const entry = decodeEntry(row.entry)
  const { bytes, salt, details, detailsSalt } = row
  return {
    index: row.index, eventId: row.eventId, type: row.type, atMs: row.atMs,
    event: bytes === null ? null : encodeBase64Url(bytes),
    salt: salt === null ? null : encodeBase64Url(salt),
    commitment: encodeBase64Url(entry.commitment),
    vaultTag: encodeBase64Url(entry.vaultTag), partyTag: encodeBase64Url(entry.partyTag),
    vaultSequence: row.vaultSequence,
    details: details === null || detailsSalt === null || !withIdentities ? null
      : { bytes: encodeBase64Url(details), salt: encodeBase64Url(detailsSalt) },
    proof: proof.map(encodeBase64Url),
  }
}

export type EventPage = Pick<EventList, 'events' | 'checkpoint'>

/**
 * Proof that the tree of `from` entries is the beginning of that of `to` entries.
 * Refuses: bad-request for sizes that were never published.
 */
export async function proveConsistency(
  world: World, { from, to }: { from: number, to: number },
): Promise<Uint8Array[]> {
  const published = await getPublished(world.db)
  if (from > to || to > published.size) throw new Refusal('bad-request')
  return await buildConsistency(world.sequencer.readFile, { from, to })
}

/** The same for two sizes that the caller knows to be published. */
export async function buildConsistency(
  read: ReadResource, { from, to }: { from: number, to: number },
): Promise<Uint8Array[]> {
  const [oldSize, size] = [BigInt(from), BigInt(to)]
  const nodes = consistencyNodes(oldSize, size)
  const nodeHash = await readNodes(read, { nodes, size }, platformSha256)
  return buildConsistencyProof({ oldSize, size }, nodeHash)
}
