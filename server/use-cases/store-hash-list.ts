/** The hashes of a payload's chunks: an object of its own, which readers fetch whole before the first range. */
import { updateHashListKey } from '../../db/queries/versions.js'
import { equalBytes } from '../../protocol/bytes.js'
import { chunkCountOf } from '../../protocol/deck/record.js'
import { HASH_SIZE_BYTES } from '../../protocol/hash.js'
import { Refusal } from '../../protocol/refusals.js'
import { hashListKey } from '../object-keys.js'
import { requireUpload } from '../uploads.js'
import type { World } from '../world.js'

/**
 * Store the hash list; whether it is the right one, the record will tell. The same bytes again are fine.
 * Refuses: upload-not-found, part-mismatch (another length, or other bytes than those stored).
 * Effects: one object, then its key on the upload.
 */
export async function storeHashList(
  world: World, key: { versionId: string, userId: string }, bytes: Uint8Array,
): Promise<void> {
  const { version } = await requireUpload(world, key)
  if (bytes.length !== chunkCountOf(version.payloadSizeBytes) * HASH_SIZE_BYTES) throw new Refusal('part-mismatch')
  const objectKey = hashListKey(version.objectPrefix)
  if (await world.bucket.put(objectKey, bytes) === 'exists') {
    const existing = await world.bucket.read(objectKey)
    if (existing === null || !equalBytes(existing, bytes)) throw new Refusal('part-mismatch')
  }
  if (!await updateHashListKey(world.db, { versionId: key.versionId, hashListKey: objectKey })) {
    throw new Refusal('upload-not-found')
  }
}
