/** A refusal is an answer too, signed and logged like the other one. */
import { uuidv7 } from 'uuidv7'
import { updateDeclined } from '../../db/queries/releases.js'
import type { Release } from '../../protocol/api.js'
import { encodeHex, equalBytes } from '../../protocol/bytes.js'
import { verifyDecline } from '../../protocol/log/acceptance.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../email.js'
import { findCurrentAcceptance, publishedReceipts, requireGate, requireInvestor, type InvestorClaims } from '../gate.js'
import { keyOf, nonceOf, requireStatementOf } from '../statements.js'
import type { World } from '../world.js'

/**
 * Record that a person declines the NDA. She may still sign later.
 * Refuses: grant-not-found, grant-revoked, grant-expired, access-revoked, note-mismatch, note-expired,
 * nda-mismatch, device-mismatch, email-unverified, already-accepted, nonce-unknown, log-unavailable.
 * Effects: event `nda.declined`.
 */
export async function declineNda(
  world: World, claims: InvestorClaims,
  { note, address, userAgent }: { note: string, address: string, userAgent: string },
): Promise<Release> {
  const gate = await requireGate(world, claims.grantId)
  const investor = await requireInvestor(world, claims)
  const statement = verifyDecline(note)
  requireStatementOf(world, gate, statement)
  const { ndaSha256 } = gate.grant
  if (ndaSha256 === null || statement.agreementSha256 !== encodeHex(ndaSha256)) throw new Refusal('nda-mismatch')
  if (!equalBytes(keyOf(statement.deviceKey), investor.signingPublicKey)) throw new Refusal('device-mismatch')
  if (investor.email === null || investor.verifiedAtMs === null) throw new Refusal('email-unverified')
  if (canonicalEmail(statement.email) !== investor.email) throw new Refusal('note-mismatch')
  const acceptance = await findCurrentAcceptance(world, gate, claims.deviceId)
  if (acceptance !== undefined) throw new Refusal('already-accepted')
  const nowMs = world.clock.nowMs()
  const event = sealEvent({
    type: 'nda.declined', id: uuidv7(), log: world.keys.log.origin, at: formatTime(nowMs),
    actor: `person/${claims.personId}`, vault: gate.grant.vaultId, party: claims.personId, grant: gate.grant.id,
    agreementSha256: statement.agreementSha256, device: claims.deviceId,
  }, { name: statement.name, email: statement.email, note, address, userAgent })
  const isDone = await updateDeclined(world.db, {
    nonce: nonceOf(statement), grantId: claims.grantId, personId: claims.personId, nowMs,
  }, event)
  if (!isDone) throw new Refusal('nonce-unknown')
  return { standing: 'declined', headers: [], receipts: await publishedReceipts(world, [event]) }
}
