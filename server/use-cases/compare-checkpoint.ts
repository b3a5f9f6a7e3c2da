/** Gossip: a checkpoint that somebody brings is held against the log's own tree. */
import { getPublished } from '../../db/queries/audit.js'
import { takeTurn } from '../../db/queries/codes.js'
import { insertFork } from '../../db/queries/log.js'
import type { GossipAnswer } from '../../protocol/api.js'
import { decodeUtf8, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import type { Checkpoint } from '../../protocol/log/checkpoint.js'
import { edgeNodes, edgeRoot } from '../../protocol/log/merkle.js'
import { parseNote } from '../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint, type Policy } from '../../protocol/log/policy.js'
import { CHECKPOINT_PATH, readNodes } from '../../protocol/log/tile.js'
import { Refusal } from '../../protocol/refusals.js'
import { networkOf } from '../network.js'
import { platformSha256 } from '../platform-hash.js'
import type { World } from '../world.js'

const TURNS = { maxCount: 60, windowMs: 60_000 }
/** Evidence that is kept; by then somebody should have looked. */
const MAX_FORKS = 1_000

/**
 * Whether a checkpoint under this log's key is one of its tree. One that is not proves a second history, or a lost
 * one: both are kept as evidence and told, and nothing is believed.
 * Refuses: too-many-requests, log-unavailable.
 * @throws ProtocolError for what is malformed, of another log, or not signed by this log's key.
 * Effects: one row of evidence for each such checkpoint, up to a thousand.
 */
export async function compareCheckpoint(
  world: World, brought: { checkpoint: string, address: string },
): Promise<GossipAnswer> {
  const nowMs = world.clock.nowMs()
  const limit = { scope: `gossip:${networkOf(brought.address)}`, ...TURNS }
  if (!await takeTurn(world.db, [limit], nowMs)) throw new Refusal('too-many-requests')
  const { closings: _ends, ...policy } = await trusted(world)
  const { checkpoint } = verifyCheckpoint(brought.checkpoint, policy)
  const span = world.logs.find(checkpoint.origin) ?? world.logs.current()
  const ours = span.closing ?? await newestOf(world)
  const published = verifyCheckpoint(ours, policy).checkpoint
  const isSame = await isOfTree(world, checkpoint, published)
  if (isSame) return { outcome: 'consistent', checkpoint: ours }
  const isNew = await insertFork(world.db, {
    brought: brought.checkpoint, ours, createdAtMs: nowMs,
    sha256: sha256(encodeUtf8(parseNote(brought.checkpoint).text)),
  }, MAX_FORKS)
  if (isNew) world.log.error({ size: String(checkpoint.size) }, 'a checkpoint was brought that does not fit this log')
  return { outcome: 'fork', checkpoint: ours }
}

/** All keys of all our logs. What goes beyond the end of one is a fork here, and no error. */
async function trusted(world: World): Promise<Policy> {
  await world.rotations.refresh()
  return world.rotations.trust(policyOfLog(world.keys.log.vkey))
}

/** Another instance may have published what the database does not say yet: the bucket shows it first. */
async function newestOf(world: World): Promise<string> {
  const bytes = await world.bucket.read(`${world.keys.log.prefix}/${CHECKPOINT_PATH}`)
  return bytes === null ? (await getPublished(world.db)).checkpoint : decodeUtf8(bytes)
}

async function isOfTree(
  world: World, { origin, size, root }: Checkpoint, published: Checkpoint,
): Promise<boolean> {
  const span = world.logs.find(origin)
  if (span === undefined || origin !== published.origin) return false
  if (size > published.size) return false
  if (size === published.size) return equalBytes(root, published.root)
  const nodes = edgeNodes(size)
  const nodeHash = await readNodes(
    world.sequencer.filesOf(span), { nodes, size: published.size }, platformSha256,
  )
  return equalBytes(edgeRoot({ size, hashes: nodes.map(nodeHash) }), root)
}
