/** The list of a version's chunk hashes, against which every chunk is checked. */
import { assert } from '../../protocol/errors.js'
import { requireReadable, type Reader } from '../readable.js'
import type { World } from '../world.js'

/** The hashes of a version's chunks, 32 bytes each. Refuses: version-not-found. */
export async function fetchHashList(
  world: World, reader: Reader, versionId: string,
): Promise<Uint8Array> {
  const version = await requireReadable(world, reader, versionId)
  assert(version.hashListKey !== null, 'a stored version has its hash list')
  const bytes = await world.bucket.read(version.hashListKey)
  assert(bytes !== null, 'the hash list of a stored version is in the bucket')
  return bytes
}
