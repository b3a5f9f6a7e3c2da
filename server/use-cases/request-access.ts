/** The first visit of a device: it asks in writing, is enrolled, and gets what is open to it. */
import { uuidv7 } from 'uuidv7'
import {
  findDevice, findPersonByEmail, insertAccess, type Investor,
} from '../../db/queries/releases.js'
import type { GateAccess, RequestAccess } from '../../protocol/api.js'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { formatRecipient, hybridRecipient } from '../../protocol/deck/identity.js'
import { assert } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import {
  hashRecipient, verifyAccessRequest, verifyEnrolment, type AccessRequest, type Enrolment,
} from '../../protocol/log/acceptance.js'
import { formatTime, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { randomBytes } from '../../protocol/sodium.js'
import { canonicalEmail } from '../email.js'
import {
  chooseHeaders, earnedVersions, findCurrentAcceptance, handOver, isEmailDue, planReleases,
  publishedReceipts, releasedOf, requireGate, standingOf, witnessedReceipts,
  type OpenGate,
} from '../gate.js'
import { mailReleases } from '../release-mails.js'
import { signInvestor } from '../session.js'
import { keyOf, nonceOf, requireStatementOf } from '../statements.js'
import type { World } from '../world.js'

const TAG_KEY_SIZE_BYTES = 32

export interface Visitor {
  readonly address: string
  readonly userAgent: string
  readonly locale: 'en' | 'ru'
}

/** Who asks, as the two notes and the proof of address say; known from before or not. */
interface Asking {
  readonly request: AccessRequest
  readonly enrolment: Enrolment
  readonly email: string | null
  readonly name: string
  readonly personId: string
  readonly isNewPerson: boolean
  readonly deviceId: string
}

/**
 * Let a device in: both notes are checked, the device's keys pinned, and the headers of what needs no
 * NDA released.
 *
 * Refuses: grant-not-found, grant-revoked, grant-expired, note-mismatch, note-expired, device-mismatch,
 * email-unverified, access-revoked, nonce-unknown, log-unavailable, witnesses-awaited: the device is enrolled
 * then, and goes on with `releaseHeaders`.
 * Effects: person, device, releases; events `email.verified` (with a proof of address), `device.enrolled`,
 * `header.released`, all published before this returns; a mail to the founder.
 */
export async function requestAccess(
  world: World, grantId: string, input: RequestAccess, visitor: Visitor,
): Promise<GateAccess> {
  const gate = await requireGate(world, grantId)
  const asking = await readAsking(world, gate, input)
  const signingPublicKey = keyOf(asking.request.deviceKey)
  const recipientSha256 = sha256(encodeUtf8(asking.enrolment.recipient))
  const acceptance = await findCurrentAcceptance(world, gate, asking.deviceId)
  const nowMs = world.clock.nowMs()
  const investor = {
    personId: asking.personId, deviceId: asking.deviceId, recipientSha256, email: asking.email,
    verifiedAtMs: asking.email === null ? null : nowMs,
  }
  const chosen = await chooseHeaders(world, gate, {
    deviceId: asking.deviceId, versions: earnedVersions(gate, investor, acceptance),
  })
  const events = accessEvents(world, gate, asking, { input, visitor })
  const because = events[0]?.commitment ?? new Uint8Array(0)
  const releases = planReleases(world, gate, { chosen, investor, because })
  const done = await insertAccess(world.db, {
    grantId: gate.grant.id, revision: gate.grant.revision, personId: asking.personId,
    deviceId: asking.deviceId,
    nowMs, nonce: nonceOf(asking.request), isNewPerson: asking.isNewPerson, email: asking.email,
    name: asking.name, locale: visitor.locale, tagKey: randomBytes(TAG_KEY_SIZE_BYTES),
    signingPublicKey,
    recipient: asking.enrolment.recipient, recipientSha256, enrolmentNote: input.enrolment,
    enrolledEventId: enrolledEventId(events),
    requestNote: input.accessRequest, requestSha256: sha256(encodeUtf8(input.accessRequest)),
    releases, events,
  })
  if (done === undefined) throw new Refusal('nonce-unknown')
  const released = releasedOf({ releases, chosen }, done.headerIds)
  const receipts = await witnessedReceipts(world, gate, await publishedReceipts(
    world, [...events, ...released.map(({ event }) => event)],
  ))
  await mailReleases(world, gate, { deviceId: asking.deviceId, email: asking.email, released })
  const standing = standingOf(gate, { declinedAtMs: null }, acceptance)
  const {
    token, expiresAtMs,
  } = signInvestor(world, { personId: asking.personId, grantId, deviceId: asking.deviceId })
  return {
    session: {
      accessToken: token, expiresAtMs, personId: asking.personId, deviceId: asking.deviceId,
      name: asking.name,
      email: asking.email, standing,
    },
    release: {
      standing, receipts: [...receipts],
      headers: await handOver(
        world, { grantId, deviceId: asking.deviceId }, released.map(({ header }) => header),
      ),
    },
  }
}

/** Read both notes and hold them against the link, each other and the proof of address. */
async function readAsking(world: World, gate: OpenGate, input: RequestAccess): Promise<Asking> {
  const request = verifyAccessRequest(input.accessRequest)
  const enrolment = verifyEnrolment(input.enrolment)
  requireStatementOf(world, gate, request)
  requireStatementOf(world, gate, enrolment)
  const isOneDevice = request.deviceKey === enrolment.deviceKey &&
    request.nonce === enrolment.nonce &&
    request.recipientSha256 === hashRecipient(enrolment.recipient)
  if (!isOneDevice) throw new Refusal('device-mismatch')
  // A header made for such a device would be one for everybody who has the link.
  const linkRecipient = formatRecipient(hybridRecipient(gate.grant.linkRecipient))
  if (enrolment.recipient === linkRecipient) throw new Refusal('device-mismatch')
  const email = readEmail(world, gate, input, request)
  return { request, enrolment, email, name: request.signatory?.name ?? '', ...await findAsking(world, gate, { request, enrolment, email }) }
}

function readEmail(
  world: World, gate: OpenGate, input: RequestAccess, request: AccessRequest,
): string | null {
  if (input.emailProof === undefined) {
    if (isEmailDue(gate) || request.signatory !== undefined) throw new Refusal('email-unverified')
    return null
  }
  const proof = world.tokens.read('email-proof', input.emailProof)
  const isForThis = proof?.for === 'access' && proof.gid === gate.grant.id && request.signatory !== undefined &&
    canonicalEmail(request.signatory.email) === proof.sub
  if (!isForThis) throw new Refusal('email-unverified')
  return proof.sub
}

async function findAsking(
  world: World, gate: OpenGate,
  asked: { request: AccessRequest, enrolment: Enrolment, email: string | null },
): Promise<Pick<Asking, 'personId' | 'isNewPerson' | 'deviceId'>> {
  const grantId = gate.grant.id
  const device = await findDevice(
    world.db, { grantId, signingPublicKey: keyOf(asked.request.deviceKey) },
  )
  const isRevoked = device !== undefined &&
    (device.deviceRevokedAtMs !== null || device.personRevokedAtMs !== null)
  if (isRevoked) throw new Refusal('access-revoked')
  if (device !== undefined && !isOwnDevice(device, asked)) throw new Refusal('device-mismatch')
  const person = asked.email === null
    ? device && { id: device.personId, revokedAtMs: device.personRevokedAtMs }
    : await findPersonByEmail(world.db, { grantId, email: asked.email })
  if (person !== undefined && person.revokedAtMs !== null) throw new Refusal('access-revoked')
  return {
    personId: person?.id ?? uuidv7(), isNewPerson: person === undefined,
    deviceId: device?.deviceId ?? uuidv7(),
  }
}

/**
 * One device is one person's: what she signed on it and what is revoked with her stays with it. Who came by the link
 * alone may be named later.
 */
function isOwnDevice(
  device: Investor, asked: { enrolment: Enrolment, email: string | null },
): boolean {
  const isSamePerson = device.email === null || asked.email === null || device.email === asked.email
  return device.recipient === asked.enrolment.recipient && isSamePerson
}

function accessEvents(
  world: World, gate: OpenGate, asking: Asking,
  { input, visitor }: { input: RequestAccess, visitor: Visitor },
): SealedEvent[] {
  const head = {
    log: world.keys.log.origin, at: formatTime(world.clock.nowMs()), actor: `person/${asking.personId}`,
    vault: gate.grant.vaultId, party: asking.personId, grant: gate.grant.id,
  }
  const personal = {
    ...(asking.email === null ? {} : { email: asking.email }), ...(asking.name === '' ? {} : { name: asking.name }),
    address: visitor.address, userAgent: visitor.userAgent,
  }
  const enrolled = sealEvent({
    ...head, type: 'device.enrolled', id: uuidv7(), device: asking.deviceId, linkKey: asking.request.linkKey,
    deviceKey: asking.request.deviceKey, recipientSha256: asking.request.recipientSha256,
  }, { ...personal, enrolment: input.enrolment, accessRequest: input.accessRequest })
  if (asking.email === null) return [enrolled]
  const verified = sealEvent({ ...head, type: 'email.verified', id: uuidv7(), method: 'code' }, personal)
  return [verified, enrolled]
}

function enrolledEventId(events: readonly SealedEvent[]): string {
  const enrolled = events.find(({ type }) => type === 'device.enrolled')
  assert(enrolled !== undefined, 'every access request enrols its device')
  return enrolled.id
}
