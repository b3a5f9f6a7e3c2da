/** The founder's yes to a signed request. */
import { findCommitment, findOwnRequest, updateDecided, type WaitingRequest } from '../../db/queries/acceptances.js'
import type { WrappedHeader } from '../../protocol/api.js'
import { encodeHex, equalBytes } from '../../protocol/bytes.js'
import { parsePolicy } from '../../protocol/deck/policy.js'
import { Refusal } from '../../protocol/refusals.js'
import { noticeMail } from '../mail-texts.js'
import { founderEvent, requireGrant } from '../vaults.js'
import { readWraps } from '../wraps.js'
import type { World } from '../world.js'

/**
 * Let the headers wait that the founder's browser made for one device, after it checked acceptance and
 * enrolment. Once more is fine.
 * Refuses: not-found, conflict (denied before), grant-revoked, nda-mismatch, grant-mismatch, version-not-found, access-revoked.
 * @throws ProtocolError for what is malformed or not signed by the account's key.
 * Effects: status and headers; event `access.approved`; a mail to the investor.
 */
export async function approveAccess(
  world: World, key: { acceptanceId: string, userId: string }, headers: readonly WrappedHeader[],
): Promise<void> {
  const request = await findOwnRequest(
    world.db, { acceptanceId: key.acceptanceId, ownerId: key.userId },
  )
  if (request === undefined) throw new Refusal('not-found')
  if (request.status === 'approved') return
  if (request.status !== 'awaiting') throw new Refusal('conflict')
  const grant = await requireGrant(world, { grantId: request.grantId, userId: key.userId })
  if (grant.revokedAtMs !== null) throw new Refusal('grant-revoked')
  // What she signed must be what the link asks for now; else she signs again, and asks again.
  if (!equalBytes(request.ndaSha256, grant.ndaSha256 ?? NONE)) throw new Refusal('nda-mismatch')
  const rows = await readWraps(world, {
    vaultId: grant.vaultId, grantId: grant.id, policy: parsePolicy(grant.policy),
    signingKey: grant.ownerSigningKey,
    recipient: request.recipient,
    device: { deviceId: request.deviceId, acceptanceSha256: request.sha256 },
  }, headers)

  const nowMs = world.clock.nowMs()
  const decision = { acceptanceId: request.id, status: 'approved' as const, nowMs }
  const event = await approvedEvent(world, key.userId, request)
  const isDecided = await updateDecided(world.db, decision, rows, event, mailTo(world, request))
  if (!isDecided) throw new Refusal('access-revoked')
  world.sequencer.wake()
  world.mailer.wake()
}

const NONE = new Uint8Array(0)

async function approvedEvent(world: World, userId: string, request: WaitingRequest) {
  const because = await findCommitment(world.db, request.eventId)
  return founderEvent(world, userId, {
    type: 'access.approved', vault: request.vaultId, party: request.personId, grant: request.grantId,
    device: request.deviceId, recipientSha256: encodeHex(request.recipientSha256),
    ...because === undefined ? {} : { because: encodeHex(because) },
  })
}

function mailTo(world: World, { email, locale }: WaitingRequest) {
  return email === null ? null : noticeMail(world, 'access-approved', { email, locale })
}
