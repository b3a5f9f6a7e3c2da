/**
 * What stands between a link and its headers: which gate a version has for this link, where a person
 * stands, what a device has earned, and what is handed over once the log shows it. Shared by the
 * investor's use-cases; decides, but changes nothing. [Note: The stricter gate] is in protocol/deck/policy.ts.
 */
import { uuidv7 } from 'uuidv7'
import {
  findGateGrant, listLatestVersions, listRecords, type GateGrant, type GateVersion,
} from '../db/queries/gate.js'
import type { OutboxEvent } from '../db/queries/outbox.js'
import {
  findAcceptance, findDeviceById, findOpening, listWaitingHeaders, mayHandOver, type Acceptance,
  type Investor, type NewRelease, type WaitingHeader,
} from '../db/queries/releases.js'
import type { Receipt, ReleasedHeader, Standing } from '../protocol/api.js'
import { encodeBase64Url, encodeHex } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import { gateUnder, isApprovalDue, parsePolicy, type GrantPolicy } from '../protocol/deck/policy.js'
import { formatTime, sealEvent } from '../protocol/log/event.js'
import { parseWitnesses, type Policy } from '../protocol/log/policy.js'
import { parseProof } from '../protocol/log/proof.js'
import { Refusal } from '../protocol/refusals.js'
import type { CurrentLog } from './sequencer.js'
import type { World } from './world.js'

/** A link as it stands now, with the newest versions it can lead to. */
export interface OpenGate {
  readonly grant: GateGrant
  readonly policy: GrantPolicy
  /** Who must have cosigned before a header leaves; `null` where the link asks for nobody. */
  readonly witnesses: Policy | null
  readonly versions: readonly GateVersion[]
}

/** What a session says about who is asking. */
export interface InvestorClaims {
  readonly grantId: string
  readonly personId: string
  readonly deviceId: string
}

/** The gate of a link that is in force. Refuses: grant-not-found, grant-revoked, grant-expired. */
export async function requireGate(world: World, grantId: string): Promise<OpenGate> {
  const grant = await findGateGrant(world.db, grantId)
  if (grant === undefined) throw new Refusal('grant-not-found')
  if (grant.revokedAtMs !== null) throw new Refusal('grant-revoked')
  if (grant.expiresAtMs !== null && grant.expiresAtMs <= world.clock.nowMs()) throw new Refusal('grant-expired')
  const versions = await listLatestVersions(world.db, grant.vaultId)
  const policy = parsePolicy(grant.policy)
  assert((policy.witnessesSha256 === null) === (grant.witnesses === null), 'a link\'s witnesses are kept with it')
  const witnesses = grant.witnesses === null ? null
    : parseWitnesses(grant.witnesses, world.keys.log.vkey)
  return { grant, policy, witnesses, versions }
}

/** The investor behind a session, as she is now. Refuses: not-signed-in, access-revoked. */
export async function requireInvestor(
  world: World, claims: Pick<InvestorClaims, 'grantId' | 'deviceId'>,
): Promise<Investor> {
  const investor = await findDeviceById(world.db, claims.deviceId)
  if (investor === undefined || investor.grantId !== claims.grantId) throw new Refusal('not-signed-in')
  if (investor.personRevokedAtMs !== null || investor.deviceRevokedAtMs !== null) throw new Refusal('access-revoked')
  return investor
}

/** True unless something opens with the link alone. */
export function isEmailDue(gate: OpenGate): boolean {
  return !gate.versions.some((version) => gateUnder(gate.policy, version) === 'link')
}

/** This device's acceptance of the NDA now in force; `undefined` where there is no NDA, too. */
export async function findCurrentAcceptance(
  world: World, gate: OpenGate, deviceId: string,
): Promise<Acceptance | undefined> {
  const { ndaSha256 } = gate.grant
  return ndaSha256 === null ? undefined : await findAcceptance(world.db, { deviceId, ndaSha256 })
}

/** Where the person stands. A device that signed before an NDA was changed has to sign again. */
export function standingOf(gate: OpenGate, investor: Pick<Investor, 'declinedAtMs'>, acceptance: Acceptance | undefined): Standing {
  if (acceptance?.status === 'accepted' || acceptance?.status === 'approved') return 'released'
  if (acceptance?.status === 'awaiting') return 'awaiting-approval'
  if (acceptance?.status === 'denied') return 'denied'
  if (investor.declinedAtMs !== null) return 'declined'
  const hasNda = gate.versions.some((version) => gateUnder(gate.policy, version) === 'nda')
  return hasNda ? 'nda-due' : 'reading-open'
}

/** The versions that this person may have now, whoever's header carries them. */
export function earnedVersions(
  gate: OpenGate, investor: { email: string | null, verifiedAtMs: number | null }, acceptance: Pick<Acceptance, 'status'> | undefined,
): GateVersion[] {
  const isVerified = investor.email !== null && investor.verifiedAtMs !== null
  const hasSigned = acceptance?.status === 'accepted' || acceptance?.status === 'approved'
  return gate.versions.filter((version) => {
    const needed = gateUnder(gate.policy, version)
    return needed === 'link' || (needed === 'email' && isVerified) || (needed === 'nda' && isVerified && hasSigned)
  })
}

/** A header chosen for a device, with the version it opens. */
export interface ChosenHeader {
  readonly version: GateVersion
  readonly waiting: WaitingHeader
}

/**
 * The header of each version for this device: hers before the link's. On approval the link has no
 * header for a version behind the NDA, and none is used if one lies there.
 */
export async function chooseHeaders(
  world: World, gate: OpenGate,
  wanted: { deviceId: string | null, versions: readonly GateVersion[] },
): Promise<ChosenHeader[]> {
  const rows = await listWaitingHeaders(world.db, {
    grantId: gate.grant.id, deviceId: wanted.deviceId,
    versionIds: wanted.versions.map(({ id }) => id),
  })
  return wanted.versions.flatMap((version) => {
    const mayBeLinks = !isApprovalDue(gate.policy, version)
    const waiting = rows.find(
      (row) => row.versionId === version.id && (row.deviceId !== null || mayBeLinks),
    )
    return waiting === undefined ? [] : [{ version, waiting }]
  })
}

/** One release and its event for each chosen header. `because`: the commitment of the event that permits it. */
export function planReleases(
  world: World, gate: OpenGate,
  { chosen, investor, because }: {
    chosen: readonly ChosenHeader[], because: Uint8Array,
    investor: { personId: string, deviceId: string, recipientSha256: Uint8Array },
  },
): NewRelease[] {
  const at = formatTime(world.clock.nowMs())
  return chosen.map(({ version, waiting }) => ({
    id: uuidv7(),
    headerId: waiting.id,
    event: sealEvent({
      type: 'header.released', id: uuidv7(), log: world.keys.log.origin, at, actor: `person/${investor.personId}`,
      vault: gate.grant.vaultId, party: investor.personId, grant: gate.grant.id,
      revision: gate.grant.revision,
      document: version.documentId, part: version.part, version: version.version,
      device: investor.deviceId,
      recordSha256: encodeHex(recordHash(version)), headerSha256: encodeHex(waiting.headerSha256),
      recipientSha256: encodeHex(investor.recipientSha256), gate: gateUnder(gate.policy, version),
      because: encodeHex(because),
    }),
  }))
}

function recordHash(version: GateVersion): Uint8Array {
  assert(version.recordSha256 !== null, 'a stored version has its record')
  return version.recordSha256
}

/**
 * The chosen headers as the client gets them, each with its record's whole chain; the last thing before the answer.
 * While the log was waited for, somebody may have revoked: her events stand, and nothing is handed over.
 * Refuses: as `requireStanding`.
 */
export async function handOver(
  world: World, to: { grantId: string, deviceId: string }, chosen: readonly ChosenHeader[],
): Promise<ReleasedHeader[]> {
  const presented = await Promise.all(chosen.map((header) => presentHeader(world, header)))
  if (presented.length > 0) await requireStanding(world, to)
  world.counters.released(presented.length)
  return presented
}

/** Refuses: grant-not-found, grant-revoked, grant-expired, access-revoked; conflict, where none of them holds. */
async function requireStanding(
  world: World, to: { grantId: string, deviceId: string },
): Promise<void> {
  if (await mayHandOver(world.db, { ...to, nowMs: world.clock.nowMs() })) return
  throw await refusalFor(world, to)
}

/** What stands in the way of a device that was stopped by a statement's own check. */
export async function refusalFor(
  world: World, { grantId, deviceId }: { grantId: string, deviceId: string },
): Promise<Refusal> {
  await requireGate(world, grantId)
  await requireInvestor(world, { grantId, deviceId })
  return new Refusal('conflict')
}

async function presentHeader(
  world: World, { version, waiting }: ChosenHeader,
): Promise<ReleasedHeader> {
  const records = await listRecords(world.db, version)
  const { wrap, wrapSignature } = waiting
  return {
    versionId: version.id, documentId: version.documentId, part: version.part === 1 ? 1 : 0,
    gate: version.gate, version: version.version, payloadLength: version.payloadSizeBytes,
    header: encodeBase64Url(waiting.header),
    wrap: wrap === null || wrapSignature === null ? null
      : { wrap: encodeBase64Url(wrap), signature: encodeBase64Url(wrapSignature) },
    records: records.filter((record) => record.version <= version.version)
      .map(({ record, signature }) => ({
        record: encodeBase64Url(record), signature: encodeBase64Url(signature),
      })),
  }
}

/** Of what was planned, what the statement released: a header retired in between is not among it. */
export function releasedOf(
  planned: { releases: readonly NewRelease[], chosen: readonly ChosenHeader[] },
  headerIds: readonly string[],
): { event: OutboxEvent, header: ChosenHeader }[] {
  return planned.chosen.flatMap((header) => {
    const release = planned.releases.find(({ headerId }) => headerId === header.waiting.id)
    const isDone = release !== undefined && headerIds.includes(release.headerId)
    return isDone ? [{ event: release.event, header }] : []
  })
}

/**
 * Wait until the events are published; their receipts, in order. Nothing is handed over before.
 * Refuses: log-unavailable.
 */
export async function publishedReceipts(
  world: World, events: readonly OutboxEvent[],
): Promise<Receipt[]> {
  const published = await world.sequencer.published(events.map(({ id }) => id))
  return events.map((event, index) => ({
    eventId: event.id,
    eventType: event.type,
    proof: published[index]?.proof ?? '',
    details: event.details === undefined || event.detailsSalt === undefined ? null
      : { bytes: encodeBase64Url(event.details), salt: encodeBase64Url(event.detailsSalt) },
  }))
}

/**
 * The same receipts under a checkpoint that the link's witnesses have cosigned ([Note: Witnessed release] in
 * witnesses.ts); as they are, where the link asks for none. No header of the link is handed over before.
 * Refuses: witnesses-awaited. Asked again, it goes on.
 */
export async function witnessedReceipts(
  world: World, { witnesses }: OpenGate, receipts: readonly Receipt[],
): Promise<readonly Receipt[]> {
  if (witnesses === null || receipts.length === 0) return receipts
  const last = Math.max(...receipts.map(({ proof }) => placeOf(world, proof)))
  return await proveUnder(world, await world.witnesses.cosigned(last, witnesses), receipts)
}

/** Of an entry, over all logs. */
function placeOf(world: World, proof: string): number {
  const { index, checkpoint } = parseProof(proof)
  const [origin = ''] = checkpoint.split('\n', 1)
  return (world.logs.find(origin)?.firstIndex ?? 0) + Number(index)
}

/** With proofs in this tree, where it holds their events. */
async function proveUnder<T extends Pick<Receipt, 'eventId' | 'proof'>>(
  world: World, log: CurrentLog, receipts: readonly T[],
): Promise<T[]> {
  const proven = await world.sequencer.proofsUnder(receipts.map(({ eventId }) => eventId), log)
  const proofs = new Map(proven.map(({ eventId, proof }) => [eventId, proof]))
  return receipts.map((receipt) => ({
    ...receipt, proof: proofs.get(receipt.eventId) ?? receipt.proof,
  }))
}

/**
 * Receipts of events that were published before: under the newest checkpoint that witnesses have cosigned, else,
 * where none covers them yet, under the newest.
 * Refuses: log-unavailable.
 */
export async function storedReceipts(
  world: World, eventIds: readonly string[],
): Promise<Receipt[]> {
  if (eventIds.length === 0) return []
  const published = await world.sequencer.published(eventIds)
  const cosigned = await world.witnesses.newest()
  const proven = await proveUnder(world, cosigned, published)
  return await Promise.all(proven.map(async ({ eventId, proof }) => {
    const opening = await findOpening(world.db, eventId)
    return {
      eventId, eventType: opening?.type ?? '', proof,
      details: opening?.details && opening.detailsSalt
        ? { bytes: encodeBase64Url(opening.details), salt: encodeBase64Url(opening.detailsSalt) }
        : null,
    }
  }))
}
