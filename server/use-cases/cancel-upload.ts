/** An upload given up. */
import { updateCancelled } from '../../db/queries/versions.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireUpload } from '../uploads.js'
import type { World } from '../world.js'

/**
 * Give an upload up.
 * Refuses: upload-not-found, which includes a version that is stored by now.
 * Effects: its bytes no longer count; its objects are collected once no request can still be writing them.
 */
export async function cancelUpload(
  world: World, key: { versionId: string, userId: string },
): Promise<void> {
  const { version } = await requireUpload(world, key)
  const isCancelled = await updateCancelled(
    world.db, { versionId: version.id, nowMs: world.clock.nowMs() },
  )
  if (!isCancelled) throw new Refusal('upload-not-found')
}
