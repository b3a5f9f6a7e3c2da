/**
 * Proofs out of the published tiles: the server reads its own log as an outsider would. Builds proofs;
 * whoever gets them verifies.
 */
import type { EventRow } from '../db/queries/audit.js'
import type { EventList, LoggedEvent } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { decodeEntry } from '../protocol/log/event.js'
import {
  buildConsistencyProof, buildInclusionProof, consistencyNodes, inclusionNodes,
} from '../protocol/log/merkle.js'
import { readNodes, type ReadResource } from '../protocol/log/tile.js'
import { Refusal } from '../protocol/refusals.js'
import type { LogSpan, ShownLog, Standing } from './logs.js'
import { platformSha256 } from './platform-hash.js'
import type { World } from './world.js'

/** An event with its inclusion path in the tree of one checkpoint. */
export interface ProvenEvent { readonly row: EventRow, readonly proof: readonly Uint8Array[] }

/**
 * Inclusion paths of these events, each in its own log's tree: the newest as it is shown, the others as they ended. Tiles are
 * read once each.
 */
export async function proveEvents(
  world: World, rows: readonly EventRow[], shown: ShownLog,
): Promise<ProvenEvent[]> {
  await world.logs.follow(shown.checkpoint)
  const standings = rows.map(({ index }) => world.logs.standing(index, shown))
  const nodeHashes = new Map<LogSpan, NodeHash>()
  for (const span of new Set(standings.map((standing) => standing.span))) {
    const some = standings.filter((standing) => standing.span === span)
    nodeHashes.set(span, await readNodesOf(world, span, some))
  }
  return rows.flatMap((row, at) => {
    const standing = standings[at]
    const nodeHash = standing && nodeHashes.get(standing.span)
    if (standing === undefined || nodeHash === undefined) return []
    const place = { index: BigInt(standing.index), size: BigInt(standing.treeSize) }
    return { row, proof: buildInclusionProof(place, nodeHash, platformSha256) }
  })
}

type NodeHash = Awaited<ReturnType<typeof readNodes>>

async function readNodesOf(
  world: World, span: LogSpan, standings: readonly Standing[],
): Promise<NodeHash> {
  const size = BigInt(standings[0]?.treeSize ?? 0)
  const nodes = standings.flatMap(({ index }) => inclusionNodes(BigInt(index), size))
  return await readNodes(world.sequencer.filesOf(span), { nodes, size }, platformSha256)
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
 * Proof that a log's tree of `from` entries is the beginning of that of `to` entries.
 *
 * @param log - its origin; the newest one's, if left out.
 * Refuses: bad-request for sizes that were never published, and for what is none of our logs.
 */
export async function proveConsistency(
  world: World, { from, to, log }: { from: number, to: number, log?: string | undefined },
): Promise<Uint8Array[]> {
  const { span, treeSize } = await requireLog(world, log)
  if (from > to || to > treeSize) throw new Refusal('bad-request')
  return await buildConsistency(world.sequencer.filesOf(span), { from, to })
}

/** The log of that origin, and its published entries; the newest one, if none is named. Refuses: bad-request. */
export async function requireLog(
  world: World, origin: string | undefined,
): Promise<Pick<Standing, 'span' | 'treeSize'>> {
  const shown = await world.sequencer.current() // Reads of a log that another instance has begun.
  const span = origin === undefined ? world.logs.current() : world.logs.find(origin)
  if (span === undefined) throw new Refusal('bad-request')
  return world.logs.standing(span.firstIndex, shown)
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
