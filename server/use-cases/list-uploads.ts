/** What was begun in a vault and not finished. */
import { listUploads as listRows } from '../../db/queries/versions.js'
import type { UploadList } from '../../protocol/api.js'
import { presentUploads } from '../uploads.js'
import { requireVault } from '../vaults.js'
import type { World } from '../world.js'

const MAX_UPLOADS = 100

/** Oldest first. Refuses: vault-not-found. */
export async function listUploads(
  world: World, key: { vaultId: string, userId: string },
): Promise<UploadList> {
  const vault = await requireVault(world, key)
  return { uploads: await presentUploads(world, await listRows(world.db, vault.id, MAX_UPLOADS)) }
}
