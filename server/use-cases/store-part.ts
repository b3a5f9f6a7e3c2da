/** One part of a payload, written once. */
import { hash } from 'node:crypto'
import { findUploadPart, insertPart } from '../../db/queries/versions.js'
import { decodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { PAYLOAD_NONCE_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { partKey } from '../object-keys.js'
import { partSizeOf } from '../uploads.js'
import type { World } from '../world.js'

/**
 * Store a part, once its bytes are what their sender says they are. The same bytes again are fine: the
 * answer may have been lost.
 * Refuses: upload-not-found, part-mismatch (another size, another hash, or other bytes than those stored).
 * Effects: one object and its row, object first.
 */
export async function storePart(
  world: World, key: { versionId: string, userId: string, index: number }, bytes: Uint8Array,
  toldSha256: string,
): Promise<void> {
  const upload = await findUploadPart(world.db, key)
  if (upload === undefined) throw new Refusal('upload-not-found')
  const sha256 = hash('sha256', bytes, 'buffer')
  const isWhole = bytes.length === partSizeOf(upload, key.index)
  if (!isWhole || !equalBytes(sha256, decodeBase64Url(toldSha256))) throw new Refusal('part-mismatch')
  // The payload begins with its nonce, and the record will name that very one.
  if (key.index === 0 && !equalBytes(bytes.subarray(0, PAYLOAD_NONCE_SIZE_BYTES), upload.nonce)) {
    throw new Refusal('part-mismatch')
  }
  if (upload.partSha256 !== null) {
    if (!equalBytes(upload.partSha256, sha256)) throw new Refusal('part-mismatch')
    return
  }
  await putOnce(world, partKey(upload.objectPrefix, key.index), bytes, sha256)
  const row = {
    versionId: key.versionId, index: key.index, sizeBytes: bytes.length, sha256,
    storedAtMs: world.clock.nowMs(),
  }
  if (!await insertPart(world.db, row)) throw new Refusal('upload-not-found')
}

/** An object without a row was written by a server that stopped in between: good, if its bytes are these. */
async function putOnce(
  world: World, objectKey: string, bytes: Uint8Array, sha256: Uint8Array,
): Promise<void> {
  if (await world.bucket.put(objectKey, bytes, { sha256 }) === 'stored') return
  const existing = await world.bucket.read(objectKey)
  if (existing === null || !equalBytes(existing, bytes)) throw new Refusal('part-mismatch')
}
