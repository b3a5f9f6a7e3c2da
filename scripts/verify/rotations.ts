/** The statements by which a log took new keys, read from beside its tiles; a pin on an old key then finds the new ones. */
import { decodeUtf8 } from '../../protocol/bytes.js'
import { MAX_RECEIPT_SIZE_BYTES, MAX_ROTATION_COUNT } from '../../protocol/limits.js'
import type { Policy } from '../../protocol/log/policy.js'
import {
  rotationPath, verifyRotation, withLinkedKeys, type Rotation,
} from '../../protocol/log/rotation.js'
import type { ReadResource } from '../../protocol/log/tile.js'
import { CHECKPOINT_PATH } from '../../protocol/log/tile.js'
import { UsageError } from '../command.js'
import { placeBeside, readerOf } from './read-log.js'

/**
 * The policy, with the keys that the log's own statements link to those it names.
 * @throws ProtocolError for a statement that does not hold.
 */
export async function withRotations(policy: Policy, read: ReadResource): Promise<Policy> {
  return withLinkedKeys(policy, await readRotations(read))
}

/** The place of the newest log, and the policy that leads there by the statements along the way. */
export interface FollowedLog {
  readonly place: string
  readonly read: ReadResource
  readonly policy: Policy
}

/**
 * Follow a log to the one that goes on, by the statements in its folder, each proved under the keys known so far.
 * @throws ProtocolError for a statement that does not hold.
 */
export async function followLog(policy: Policy, start: string): Promise<FollowedLog> {
  let followed: FollowedLog = { place: start, read: readerOf(start), policy }
  for (let step = 0; step < MAX_ROTATION_COUNT; step++) {
    const linked = await withRotations(followed.policy, followed.read)
    const [origin] = decodeUtf8(await followed.read(CHECKPOINT_PATH) ?? new Uint8Array()).split('\n', 1)
    const closing = linked.closings?.find(({ checkpoint }) => checkpoint.origin === origin)
    if (closing === undefined) return { ...followed, policy: linked }
    const place = placeBeside(followed.place, closing.nextOrigin)
    followed = { place, read: readerOf(place), policy: linked }
  }
  throw new UsageError('too many logs one after another')
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
