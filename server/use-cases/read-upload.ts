/** How far an upload is. */
import type { Upload } from '../../protocol/api.js'
import { presentUpload, requireUpload } from '../uploads.js'
import type { World } from '../world.js'

/** The upload with the parts that are there. Refuses: upload-not-found. */
export async function readUpload(
  world: World, key: { versionId: string, userId: string },
): Promise<Upload> {
  return await presentUpload(world, await requireUpload(world, key))
}
