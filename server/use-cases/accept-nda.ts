/** The signature: acceptance and what it releases are one statement, acceptance first. */
import { uuidv7 } from 'uuidv7'
import { findEventIds, insertAcceptance, type Acceptance as AcceptanceRow } from '../../db/queries/releases.js'
import type { Release } from '../../protocol/api.js'
import { encodeHex, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { INVESTOR_SESSION_TTL_MS } from '../../protocol/limits.js'
import { formatConsent, verifyAcceptance, type Acceptance } from '../../protocol/log/acceptance.js'
import { formatTime, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../email.js'
import {
  chooseHeaders, earnedVersions, findCurrentAcceptance, handOver, planReleases,
  publishedReceipts,
  releasedOf, requireGate, requireInvestor, standingOf, storedReceipts,
  witnessedReceipts, type InvestorClaims, type OpenGate,
} from '../gate.js'
import { mailReceipts } from '../receipt-mails.js'
import { keyOf, nonceOf, requireStatementOf } from '../statements.js'
import type { World } from '../world.js'

export interface Signing {
  readonly note: string
  readonly address: string
  readonly userAgent: string
}

/**
 * Record a signed NDA. Where the founder releases on signature, hand over what it earns; where she approves,
 * it waits in her queue. The same note again gets the same answer.
 *
 * Refuses: grant-not-found, grant-revoked, grant-expired, not-signed-in, access-revoked, note-mismatch,
 * note-expired, nda-mismatch, device-mismatch, email-unverified, already-accepted, nonce-unknown,
 * log-unavailable, witnesses-awaited.
 * Effects: one acceptance; releases; events `nda.accepted`, then `header.released`, all published before
 * this returns; receipts by mail to both.
 */
export async function acceptNda(
  world: World, claims: InvestorClaims, signing: Signing,
): Promise<Release> {
  const gate = await requireGate(world, claims.grantId)
  const investor = await requireInvestor(world, claims)
  const statement = verifyAcceptance(signing.note)
  const before = await findCurrentAcceptance(world, gate, claims.deviceId)
  if (before !== undefined) {
    return await answerAgain(world, gate, claims, { before, note: signing.note })
  }
  requireStatementOf(world, gate, statement)
  requireOwn(gate, investor, statement)

  const isOnSignature = gate.policy.release === 'on-signature'
  const event = acceptanceEvent(world, gate, claims, { statement, signing })
  const chosen = isOnSignature ? await chooseNda(world, gate, claims, investor) : []
  const releases = planReleases(world, gate, { chosen, investor, because: event.commitment })
  const acceptanceId = uuidv7()
  const done = await insertAcceptance(world.db, {
    id: acceptanceId, vaultId: gate.grant.vaultId, grantId: gate.grant.id,
    revision: gate.grant.revision,
    personId: investor.personId, deviceId: investor.deviceId, nowMs: world.clock.nowMs(),
    nonce: nonceOf(statement),
    ndaSha256: sha256OfNda(gate), note: signing.note, sha256: sha256(encodeUtf8(signing.note)),
    organisation: statement.organisation ?? null, status: isOnSignature ? 'accepted' : 'awaiting', event, releases,
  })
  if (done === undefined) throw new Refusal('nonce-unknown')
  const released = releasedOf({ releases, chosen }, done.headerIds)
  const receipts = await publishedReceipts(world, [event, ...released.map((one) => one.event)])
  await mailReceipts(
    world, gate,
    {
      investor, acceptanceId, note: signing.note, receipt: receipts[0],
      events: [event, ...released.map((one) => one.event)],
    },
  )
  const witnessed = await witnessedReceipts(world, gate, receipts)
  return {
    standing: isOnSignature ? 'released' : 'awaiting-approval', receipts: [...witnessed],
    headers: await handOver(world, claims, released.map(({ header }) => header)),
  }
}

/**
 * The answer was lost on its way: the same note gets it again; another one is one signature too many. Headers only
 * within a session's life, as on any visit: later ones are releases of their own ([Note: One release a visit]).
 */
async function answerAgain(
  world: World, gate: OpenGate, claims: InvestorClaims,
  { before, note }: { before: AcceptanceRow, note: string },
): Promise<Release> {
  if (!equalBytes(before.sha256, sha256(encodeUtf8(note)))) throw new Refusal('already-accepted')
  const investor = await requireInvestor(world, claims)
  const versions = earnedVersions(gate, investor, before)
  const chosen = await chooseHeaders(world, gate, { deviceId: claims.deviceId, versions })
  const sinceMs = world.clock.nowMs() - INVESTOR_SESSION_TTL_MS
  const { eventIds, headerIds } = await findEventIds(world.db, before, sinceMs)
  const receipts = await storedReceipts(world, eventIds)
  // Had the process died before, the mails were not queued; if they were, nothing happens.
  await mailReceipts(world, gate, {
    investor, acceptanceId: before.id, note, receipt: receipts[0], events: [],
  })
  const witnessed = await witnessedReceipts(world, gate, receipts)
  return {
    standing: standingOf(gate, investor, before), receipts: [...witnessed],
    headers: await handOver(
      world, claims, chosen.filter(({ waiting }) => headerIds.includes(waiting.id)),
    ),
  }
}

/** The statement must name this NDA, the consent asked for, this device and the address that was proven. */
function requireOwn(
  gate: OpenGate, investor: Awaited<ReturnType<typeof requireInvestor>>, statement: Acceptance,
): void {
  if (statement.agreementSha256 !== encodeHex(sha256OfNda(gate))) throw new Refusal('nda-mismatch')
  const isThisDevice = equalBytes(keyOf(statement.deviceKey), investor.signingPublicKey) &&
    statement.recipientSha256 === encodeHex(investor.recipientSha256)
  if (!isThisDevice) throw new Refusal('device-mismatch')
  if (investor.email === null || investor.verifiedAtMs === null) throw new Refusal('email-unverified')
  const isAsAsked = statement.consent === formatConsent(gate.policy.ndaConsentVersion ?? 0) &&
    canonicalEmail(statement.email) === investor.email
  if (!isAsAsked) throw new Refusal('note-mismatch')
}

function sha256OfNda({ grant }: OpenGate): Uint8Array {
  if (grant.ndaSha256 === null) throw new Refusal('nda-mismatch')
  return grant.ndaSha256
}

async function chooseNda(
  world: World, gate: OpenGate, claims: InvestorClaims,
  investor: { email: string | null, verifiedAtMs: number | null },
) {
  const versions = earnedVersions(gate, investor, { status: 'accepted' })
  return await chooseHeaders(world, gate, { deviceId: claims.deviceId, versions })
}

function acceptanceEvent(
  world: World, gate: OpenGate, claims: InvestorClaims,
  { statement, signing }: { statement: Acceptance, signing: Signing },
): SealedEvent {
  const { grant } = gate
  const at = formatTime(world.clock.nowMs())
  return sealEvent({
    type: 'nda.accepted', id: uuidv7(), log: world.keys.log.origin, at, actor: `person/${claims.personId}`,
    vault: grant.vaultId, party: claims.personId, grant: grant.id, revision: grant.revision,
    device: claims.deviceId,
    agreementSha256: statement.agreementSha256, grantSha256: statement.grantSha256,
    recordsSha256: statement.recordSha256s, founderKey: statement.founderKey,
    linkKey: statement.linkKey,
    deviceKey: statement.deviceKey, recipientSha256: statement.recipientSha256,
    release: gate.policy.release,
  }, {
    name: statement.name, email: statement.email, note: signing.note, receivedAt: at,
    address: signing.address,
    userAgent: signing.userAgent,
    ...(statement.organisation === undefined ? {} : { organisation: statement.organisation }),
  })
}
