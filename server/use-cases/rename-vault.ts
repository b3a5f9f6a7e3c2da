/** Another title, which the server cannot read. */
import { updateVaultTitle } from '../../db/queries/vaults.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

/** Refuses: vault-not-found. Effects: the sealed title changes. */
export async function renameVault(
  world: World, input: { vaultId: string, userId: string, titleSealed: string },
): Promise<void> {
  const isRenamed = await updateVaultTitle(world.db, {
    id: input.vaultId, ownerId: input.userId, titleSealed: decodeBase64Url(input.titleSealed),
  })
  if (!isRenamed) throw new Refusal('vault-not-found')
}
