/** Whom a founder let in, as far as they lack a header of what is newest. */
import { listApproved, type ApprovedRequest } from '../../db/queries/acceptances.js'
import { listLatestVersions } from '../../db/queries/gate.js'
import type { ApprovalList } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { presentRequest } from '../requests.js'
import { requireVault } from '../vaults.js'
import type { World } from '../world.js'

const MAX_APPROVALS = 100

/**
 * Approved requests of links in force whose devices have no header of her making for a newest version.
 * Refuses: vault-not-found.
 */
export async function listApprovals(
  world: World, key: { vaultId: string, userId: string },
): Promise<ApprovalList> {
  const { id } = await requireVault(world, key)
  const versions = await listLatestVersions(world.db, id)
  const rows = await listApproved(world.db, {
    vaultId: id, versionIds: versions.map((version) => version.id), nowMs: world.clock.nowMs(),
    limit: MAX_APPROVALS,
  })
  return { approvals: rows.map(presentApproval) }
}

function presentApproval(row: ApprovedRequest): ApprovalList['approvals'][number] {
  const { wrap, wrapSignature } = row
  return {
    request: presentRequest(row),
    approval: { wrap: encodeBase64Url(wrap), signature: encodeBase64Url(wrapSignature) },
  }
}
