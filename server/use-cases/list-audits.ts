/** What an account may audit. */
import { countEvents, getPublished, listAuditedVaults } from '../../db/queries/audit.js'
import { isInstanceAuditor } from '../../db/queries/instance-auditors.js'
import type { AuditedVaultList } from '../../protocol/api.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import { presentAudit, type Reader } from '../auditors.js'
import type { World } from '../world.js'

/** The vaults that an account audits, newest first, and the instance if the operator has named it. */
export async function listAudits(world: World, reader: Reader): Promise<AuditedVaultList> {
  const rows = await listAuditedVaults(world.db, reader.userId, PAGE_LIMIT)
  const vaults = await Promise.all(rows.map(async (row) => presentAudit(world, row, {
    acceptedAtMs: row.acceptedAtMs ?? row.createdAtMs,
    eventCount: await countEvents(world.db, row.vaultId),
  })))
  const isOfInstance = await isInstanceAuditor(world.db, reader.email)
  return {
    vaults,
    instance: isOfInstance
      ? { logVkey: world.keys.log.vkey, eventCount: (await getPublished(world.db)).size }
      : null,
  }
}
