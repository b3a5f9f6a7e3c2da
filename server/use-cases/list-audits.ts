/** What an account may audit. */
import { countEvents, listAuditedVaults } from '../../db/queries/audit.js'
import type { AuditedVaultList } from '../../protocol/api.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import { presentAudit } from '../auditors.js'
import type { World } from '../world.js'

/** The vaults that an account audits, newest first. */
export async function listAudits(world: World, userId: string): Promise<AuditedVaultList> {
  const rows = await listAuditedVaults(world.db, userId, PAGE_LIMIT)
  const vaults = await Promise.all(rows.map(async (row) => presentAudit(world, row, {
    acceptedAtMs: row.acceptedAtMs ?? row.createdAtMs,
    eventCount: await countEvents(world.db, row.vaultId),
  })))
  return { vaults }
}
