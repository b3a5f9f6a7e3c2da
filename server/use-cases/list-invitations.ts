/** Whom a vault's owner has invited to audit it. */
import { listInvitations as listRows } from '../../db/queries/audit.js'
import { findVault } from '../../db/queries/vaults.js'
import type { InvitationList } from '../../protocol/api.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentInvitation } from '../auditors.js'
import type { World } from '../world.js'

/** The auditors of an owner's vault, oldest first. Refuses: vault-not-found. */
export async function listInvitations(
  world: World, ownerId: string, vaultId: string,
): Promise<InvitationList> {
  const vault = await findVault(world.db, vaultId)
  if (vault?.ownerId !== ownerId) throw new Refusal('vault-not-found')
  return {
    invitations: (await listRows(world.db, vaultId, PAGE_LIMIT)).map(presentInvitation),
  }
}
