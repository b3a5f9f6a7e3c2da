/** The end of a vault. */
import { deleteVault as deleteRow } from '../../db/queries/vaults.js'
import type { RevocationReport } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { reportRevocation } from '../revocations.js'
import { founderEvent } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Delete a vault: its links stop working at once, its ciphertext is collected after a grace, its log stays.
 * Refuses: vault-not-found.
 * Effects: all links revoked, all headers gone; event `access.revoked` for the whole vault.
 */
export async function deleteVault(
  world: World, key: { vaultId: string, userId: string },
): Promise<RevocationReport> {
  const nowMs = world.clock.nowMs()
  const event = founderEvent(world, key.userId, { type: 'access.revoked', vault: key.vaultId, reason: 'vault-deleted' })
  const headerCount = await deleteRow(
    world.db, { id: key.vaultId, ownerId: key.userId, nowMs }, event,
  )
  if (headerCount === undefined) throw new Refusal('vault-not-found')
  world.sequencer.wake()
  return await reportRevocation(
    world, { vaultId: key.vaultId }, { revokedAtMs: nowMs, headerCount },
  )
}
