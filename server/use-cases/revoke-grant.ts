/** The end of a link. */
import { updateGrantRevoked } from '../../db/queries/grants.js'
import type { RevocationReport } from '../../protocol/api.js'
import { reportRevocation } from '../revocations.js'
import { founderEvent, requireGrant } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Revoke a link. From the next request on nobody gets a header or a byte through it. Once more gives the
 * same report.
 * Refuses: grant-not-found.
 * Effects: every header behind it is gone; event `access.revoked`.
 */
export async function revokeGrant(
  world: World, key: { grantId: string, userId: string },
): Promise<RevocationReport> {
  const grant = await requireGrant(world, key)
  const nowMs = world.clock.nowMs()
  const event = founderEvent(world, key.userId, {
    type: 'access.revoked', vault: grant.vaultId, grant: grant.id, revision: grant.revision, reason: 'link-revoked',
  })
  const headerCount = await updateGrantRevoked(world.db, { grantId: grant.id, nowMs }, event)
  if (headerCount !== undefined) world.sequencer.wake()
  return await reportRevocation(world, { grantId: grant.id }, {
    revokedAtMs: headerCount === undefined ? grant.revokedAtMs ?? nowMs : nowMs,
    headerCount: headerCount ?? 0,
  })
}
