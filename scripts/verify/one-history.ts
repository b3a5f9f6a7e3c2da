/**
 * Whether two checkpoints of a log are of one history, by the log's own tiles (SPEC.md § 7.2). Tells a fork, which both
 * signatures prove, from tiles that prove nothing.
 */
import { equalBytes } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import type { Checkpoint } from '../../protocol/log/checkpoint.js'
import {
  buildConsistencyProof, consistencyNodes, edgeNodes, edgeRoot, verifyConsistency,
} from '../../protocol/log/merkle.js'
import { readNodes, type ReadResource } from '../../protocol/log/tile.js'
import { platformHash } from './log.js'

/**
 * False if the smaller tree is not the beginning of the larger.
 * @param read - the files of a log that has the larger of the two trees.
 * @throws ProtocolError `bad-tile` if the tiles do not lead to the larger tree, `missing-tile`.
 */
export async function isOneHistory(
  read: ReadResource, one: Checkpoint, other: Checkpoint,
): Promise<boolean> {
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one]
  if (older.size === newer.size) return equalBytes(older.root, newer.root)
  if (older.size === 0n) return true
  const sizes = { oldSize: older.size, size: newer.size }
  const nodes = [...consistencyNodes(older.size, newer.size), ...edgeNodes(newer.size)]
  const nodeHash = await readNodes(read, { nodes, size: newer.size }, platformHash)
  const root = edgeRoot({ size: newer.size, hashes: edgeNodes(newer.size).map(nodeHash) })
  if (!equalBytes(root, newer.root)) throw new ProtocolError('bad-tile', 'the tiles lead to another tree than the checkpoint')
  const proof = buildConsistencyProof(sizes, nodeHash)
  return isProof(() => verifyConsistency({ ...sizes, oldRoot: older.root, root, proof }))
}

function isProof(verify: () => void): boolean {
  try {
    verify()
    return true
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'bad-proof') return false
    throw error
  }
}
