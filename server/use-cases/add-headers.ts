/** The link's headers of versions that came after the link. */
import { insertHeaders } from '../../db/queries/grants.js'
import type { WrappedHeader } from '../../protocol/api.js'
import { formatRecipient, hybridRecipient } from '../../protocol/deck/identity.js'
import { parsePolicy } from '../../protocol/deck/policy.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireGrant } from '../vaults.js'
import { readWraps } from '../wraps.js'
import type { World } from '../world.js'

/**
 * Let headers wait behind a link. The same ones again are fine.
 * Refuses: grant-not-found, grant-revoked, grant-expired, grant-mismatch, version-not-found, conflict (the link was
 * revised in between).
 * @throws ProtocolError for what is malformed or not signed by the account's key.
 * Effects: headers. No event: what they open is logged when one is released.
 */
export async function addHeaders(
  world: World, key: { grantId: string, userId: string }, headers: readonly WrappedHeader[],
): Promise<void> {
  const grant = await requireGrant(world, key)
  const nowMs = world.clock.nowMs()
  if (grant.revokedAtMs !== null) throw new Refusal('grant-revoked')
  if (grant.expiresAtMs !== null && grant.expiresAtMs <= nowMs) throw new Refusal('grant-expired')
  const rows = await readWraps(world, {
    vaultId: grant.vaultId, grantId: grant.id, policy: parsePolicy(grant.policy),
    signingKey: grant.ownerSigningKey,
    recipient: formatRecipient(hybridRecipient(grant.linkRecipient)), device: null,
  }, headers)
  if (!await insertHeaders(world.db, grant, rows, nowMs)) throw new Refusal('conflict')
}
