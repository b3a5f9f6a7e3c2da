/** Whom a vault's owner has invited, and what an account may audit. */
import { countEvents, listAuditedVaults, listInvitations } from '../../db/queries/audit.js'
import { findVault } from '../../db/queries/vaults.js'
import type { AuditedVaultList, InvitationList } from '../../protocol/api.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentAudit, presentInvitation } from '../auditors.js'
import type { World } from '../world.js'

/** The auditors of an owner's vault, oldest first. Refuses: vault-not-found. */
export async function listVaultInvitations(
  world: World, ownerId: string, vaultId: string,
): Promise<InvitationList> {
  const vault = await findVault(world.db, vaultId)
  if (vault?.ownerId !== ownerId) throw new Refusal('vault-not-found')
  return {
    invitations: (await listInvitations(world.db, vaultId, PAGE_LIMIT)).map(presentInvitation),
  }
}

/** The vaults that an account audits, newest first. */
export async function listAudits(world: World, userId: string): Promise<AuditedVaultList> {
  const rows = await listAuditedVaults(world.db, userId, PAGE_LIMIT)
  const vaults = await Promise.all(rows.map(async (row) => presentAudit(world, row, {
    acceptedAtMs: row.acceptedAtMs ?? row.createdAtMs,
    eventCount: await countEvents(world.db, row.vaultId),
  })))
  return { vaults }
}
