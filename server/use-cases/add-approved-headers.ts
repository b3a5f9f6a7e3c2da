/** Headers of newer versions for somebody whom the founder let in before. */
import { findOwnRequest, insertApprovedHeaders } from '../../db/queries/acceptances.js'
import type { WrappedHeader } from '../../protocol/api.js'
import { equalBytes } from '../../protocol/bytes.js'
import { parsePolicy } from '../../protocol/deck/policy.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireGrant } from '../vaults.js'
import { readWraps } from '../wraps.js'
import type { World } from '../world.js'

const NONE = new Uint8Array(0)

/**
 * Let headers wait for the device of an approved request. The same ones again are fine.
 * Refuses: not-found, conflict (not approved), grant-revoked, nda-mismatch, grant-mismatch, version-not-found,
 * access-revoked.
 * @throws ProtocolError for what is malformed or not signed by the account's key.
 * Effects: headers. No event: what they open is logged when one is released.
 */
export async function addApprovedHeaders(
  world: World, key: { acceptanceId: string, userId: string }, headers: readonly WrappedHeader[],
): Promise<void> {
  const request = await findOwnRequest(
    world.db, { acceptanceId: key.acceptanceId, ownerId: key.userId },
  )
  if (request === undefined) throw new Refusal('not-found')
  if (request.status !== 'approved') throw new Refusal('conflict')
  const grant = await requireGrant(world, { grantId: request.grantId, userId: key.userId })
  if (grant.revokedAtMs !== null) throw new Refusal('grant-revoked')
  if (!equalBytes(request.ndaSha256, grant.ndaSha256 ?? NONE)) throw new Refusal('nda-mismatch')
  const rows = await readWraps(world, {
    vaultId: grant.vaultId, grantId: grant.id, policy: parsePolicy(grant.policy),
    signingKey: grant.ownerSigningKey, recipient: request.recipient,
    device: { deviceId: request.deviceId, acceptanceSha256: request.sha256 },
  }, headers)
  const given = { acceptanceId: request.id, grantId: grant.id, nowMs: world.clock.nowMs() }
  if (!await insertApprovedHeaders(world.db, given, rows)) throw new Refusal('access-revoked')
}
