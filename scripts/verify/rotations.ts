/** The statements by which a log took new keys, read from beside its tiles; a pin on an old key then finds the new ones. */
import { decodeUtf8 } from '../../protocol/bytes.js'
import { MAX_RECEIPT_SIZE_BYTES, MAX_ROTATION_COUNT } from '../../protocol/limits.js'
import type { Policy } from '../../protocol/log/policy.js'
import {
  rotationPath, verifyRotation, withLinkedKeys, type Rotation,
} from '../../protocol/log/rotation.js'
import type { ReadResource } from '../../protocol/log/tile.js'
import { UsageError } from '../command.js'

/**
 * The policy, with the keys that the log's own statements link to those it names.
 * @throws ProtocolError for a statement that does not hold.
 */
export async function withRotations(policy: Policy, read: ReadResource): Promise<Policy> {
  return withLinkedKeys(policy, await readRotations(read))
}

async function readRotations(read: ReadResource): Promise<Rotation[]> {
  const rotations: Rotation[] = []
  for (let number = 1; number <= MAX_ROTATION_COUNT; number++) {
    const path = rotationPath(number)
    const bytes = await read(path)
    if (bytes === null) break
    if (bytes.length > MAX_RECEIPT_SIZE_BYTES) throw new UsageError(`${path} is larger than a receipt`)
    rotations.push(verifyRotation(decodeUtf8(bytes)))
  }
  return rotations
}
