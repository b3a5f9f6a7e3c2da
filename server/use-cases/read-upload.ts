/** How far an upload is. */
import type { Upload } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentUploads, requireUpload } from '../uploads.js'
import type { World } from '../world.js'

/** The upload with the parts that are there. Refuses: upload-not-found. */
export async function readUpload(
  world: World, key: { versionId: string, userId: string },
): Promise<Upload> {
  const [upload] = await presentUploads(world, [await requireUpload(world, key)])
  if (upload === undefined) throw new Refusal('upload-not-found')
  return upload
}
