/**
 * Which events of a vault its founder signed or permitted, and which she did not (SPEC.md § 8.4). Pure; must not take
 * a server's word where a signature of hers can be had, and must not decide what to do about a finding.
 *
 * [Note: Ghost grant] A server could release a header that nobody earned, or under a grant that nobody made, and log
 * it properly. Each event is held against what only she can have signed: G for a link, M for a version, W for every
 * header. A header without W is one that a device made for itself, so the device was given that version before.
 *
 * [Note: What carries no signature] Publishing an agreement, declining, revoking and inviting are acts of her
 * session. They open nothing, so they are not signed; only who is said to have done them can be compared.
 */
import { encodeBase64Url, encodeHex, encodeUtf8 } from '../bytes.js'
import {
  grantSha256, verifyGrant, verifyWrap, type Founder, type Grant, type WrapRecord,
} from '../deck/grant.js'
import { formatRecipient } from '../deck/identity.js'
import { formatPolicy, gateUnder, isApprovalDue, parsePolicy } from '../deck/policy.js'
import { recordSha256, verifyRecord, type Gate, type VersionRecord } from '../deck/record.js'
import type { Signed } from '../deck/signature.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import {
  hashRecipient, requireSameAcceptance, roleKey, verifyAcceptance, verifyEnrolment,
} from './acceptance.js'
import { parseTime, type Details, type Event } from './event.js'
import { formatVkey } from './note.js'

/** What is wrong with an event by itself. */
export const OWN_EVENT_PROBLEMS = [
  'foreign-grant', 'foreign-version', 'foreign-act', 'foreign-approval', 'false-acceptance',
  'false-enrolment', 'ghost-release', 'unearned-release', 'unapproved-release',
  'release-after-revocation', 'release-of-old-version',
] as const

export type OwnEventProblem = typeof OWN_EVENT_PROBLEMS[number]

/** A release that was on its way while a version was stored is not yet an old one. */
const RACE_MS = 60_000
/** What one vault's memory holds of permissions; the oldest go first, and nothing is said about them. */
const MAX_PERMITS = 20_000

/** A proven event of the vault. */
export interface OwnEvent {
  readonly event: Event
  readonly details: Details | null
  /** C, hex: what `because` of a later event names. */
  readonly commitment: string
}

/** Signed statements as a server brought them. */
export interface GivenStatements {
  readonly grants: readonly Signed[]
  readonly records: readonly Signed[]
  readonly wraps: readonly Signed[]
}

interface KnownWrap {
  readonly grant: string
  readonly record: string
  readonly recipient: string
  readonly acceptance: string | null
}

/** Those among them that are hers: checked once, and found by what events name. All hashes in hex. */
export interface Statements {
  readonly grants: ReadonlyMap<string, Grant>
  readonly records: ReadonlyMap<string, VersionRecord>
  readonly byHeader: ReadonlyMap<string, readonly KnownWrap[]>
  readonly byRecipient: ReadonlyMap<string, readonly KnownWrap[]>
}

/** Hashes in hex, of what has to be fetched before an event can be judged. */
export interface WantedStatements {
  readonly grants: readonly string[]
  readonly records: readonly string[]
  readonly headers: readonly string[]
  readonly recipients: readonly string[]
}

interface KnownGrant {
  readonly policy: string
  readonly nda: string | null
  readonly linkKey: string
  readonly linkRecipient: string
}

interface KnownRecord {
  readonly document: string
  readonly part: number
  readonly version: number
  readonly gate: Gate
}

interface Permit {
  readonly type: Event['type']
  readonly grant: string
  readonly party: string
  readonly recipient?: string
  readonly nda?: string
  /** SHA-256 of the signed acceptance, hex. */
  readonly note?: string
}

/** What later events are held against. Plain values, to be kept from one visit to the next. */
export interface OwnMemory {
  /** By grant id and revision. */
  readonly grants: Record<string, KnownGrant>
  /** By the SHA-256 of M. */
  readonly records: Record<string, KnownRecord>
  /** By document and part. */
  readonly newest: Record<string, { version: number, atMs: number }>
  /** By commitment. */
  readonly permits: Record<string, Permit>
  /** Set by flag: a person who proved an address, a device let in, a version given to a device. */
  readonly facts: Record<string, true>
  /** When: the vault (``), a grant, a person. */
  readonly revoked: Record<string, number>
  isTrimmed: boolean
}

export function emptyMemory(): OwnMemory {
  return {
    grants: {}, records: {}, newest: {}, permits: {}, facts: {}, revoked: {}, isTrimmed: false,
  }
}

/** Whose events they are: her public key, and how the log names her as an actor. */
export interface OwnVault {
  readonly vaultId: string
  readonly founder: Founder
  /** `account/<id>` */
  readonly actor: string
}

/** What judging an event needs beyond the event. */
export function wantedBy(event: Event): WantedStatements {
  const { type, grantSha256: grant, recordSha256: record, headerSha256: header } = event
  const { recipientSha256: recipient } = event
  const isGrant = type === 'grant.made' || type === 'grant.revised'
  return {
    grants: isGrant && grant !== undefined ? [grant] : [],
    records: type === 'version.stored' && record !== undefined ? [record] : [],
    headers: type === 'header.released' && header !== undefined ? [header] : [],
    recipients: type === 'access.approved' && recipient !== undefined ? [recipient] : [],
  }
}

/** What is not signed by her is left out: to whom it matters, it is missing. */
export function readStatements({ founder }: OwnVault, given: GivenStatements): Statements {
  const wraps = given.wraps.flatMap((signed) => {
    const wrap = hers(() => verifyWrap(signed, founder))
    if (wrap === undefined) return []
    return [{ header: encodeHex(wrap.headerSha256), known: knownWrap(wrap) }]
  })
  return {
    grants: new Map(given.grants.flatMap((signed) => {
      const grant = hers(() => verifyGrant(signed, founder))
      return grant === undefined ? [] : [[encodeHex(grantSha256(signed)), grant] as const]
    })),
    records: new Map(given.records.flatMap((signed) => {
      const record = hers(() => verifyRecord(signed, founder.fingerprint))
      return record === undefined ? [] : [[encodeHex(recordSha256(signed)), record] as const]
    })),
    byHeader: groupBy(wraps, ({ header }) => header),
    byRecipient: groupBy(wraps, ({ known }) => known.recipient),
  }
}

function knownWrap(
  { grantId, recordSha256: record, recipient, acceptanceSha256 }: WrapRecord,
): KnownWrap {
  return {
    grant: encodeBase64Url(grantId), record: encodeHex(record),
    recipient: hashRecipient(formatRecipient(recipient)),
    acceptance: acceptanceSha256 === null ? null : encodeHex(acceptanceSha256),
  }
}

interface FoundWrap { readonly header: string, readonly known: KnownWrap }

function groupBy(
  wraps: readonly FoundWrap[], keyOf: (wrap: FoundWrap) => string,
): Map<string, KnownWrap[]> {
  const groups = new Map<string, KnownWrap[]>()
  for (const wrap of wraps) {
    const key = keyOf(wrap)
    groups.set(key, [...groups.get(key) ?? [], wrap.known])
  }
  return groups
}

/** `undefined` for broken bytes as for a strange signature: neither is hers. */
function hers<T>(verify: () => T): T | undefined {
  try {
    return verify()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

interface Case extends OwnEvent {
  readonly own: OwnVault
  readonly memory: OwnMemory
  readonly statements: Statements
  /** The logs of one line up to the event's. */
  readonly origins: readonly string[]
}

type Judge = (one: Case) => OwnEventProblem | null

/**
 * Judge the next event, in the log's order, and remember what later ones will be held against.
 *
 * @returns what is wrong, or `null`. `memory` is changed.
 */
export function judgeOwnEvent(one: Case): OwnEventProblem | null {
  const { event, own } = one
  if (HER_ACTS.some((type) => type === event.type) && event.actor !== own.actor) return 'foreign-act'
  return JUDGES[event.type]?.(one) ?? null
}

const HER_ACTS = [
  'version.stored', 'grant.made', 'grant.revised', 'nda.published', 'access.approved',
  'access.denied', 'access.revoked',
] as const

const JUDGES: Partial<Readonly<Record<Event['type'], Judge>>> = {
  'grant.made': judgeGrant,
  'grant.revised': judgeGrant,
  'version.stored': judgeVersion,
  'email.verified': (one) => {
    one.memory.facts[`verified/${one.event.party}`] = true
    permit(one, {})
    return null
  },
  'device.enrolled': judgeEnrolment,
  'nda.accepted': judgeAcceptance,
  'access.approved': judgeApproval,
  'access.revoked': ({ event, memory }) => {
    memory.revoked[event.party ?? event.grant ?? ''] = parseTime(event.at)
    return null
  },
  'header.released': judgeRelease,
}

// ---- What she signed ----

function judgeGrant({ event, own, memory, statements }: Case): OwnEventProblem | null {
  const grant = statements.grants.get(event.grantSha256 ?? '')
  const isHers = grant !== undefined && grant.vaultId === own.vaultId &&
    encodeBase64Url(grant.grantId) === event.grant && grant.revision === event.revision
  if (!isHers) return 'foreign-grant'
  memory.grants[`${event.grant}/${event.revision}`] = {
    policy: formatPolicy(grant.policy),
    nda: grant.ndaSha256 === null ? null : encodeHex(grant.ndaSha256),
    linkKey: formatVkey(roleKey('link', grant.linkSigningKey)),
    linkRecipient: hashRecipient(formatRecipient(grant.linkRecipient)),
  }
  return null
}

function judgeVersion({ event, own, memory, statements }: Case): OwnEventProblem | null {
  const { document = '', part = 0, version = 0, recordSha256: hash = '' } = event
  const record = statements.records.get(hash)
  const isHers = record !== undefined && record.vaultId === own.vaultId &&
    record.documentId === document && record.part === part && record.version === version
  if (!isHers) return 'foreign-version'
  memory.records[hash] = { document, part, version, gate: record.gate }
  memory.newest[`${document}/${part}`] = { version, atMs: parseTime(event.at) }
  return null
}

/** A yes is worth something only with headers that she made for that device and an acceptance. */
function judgeApproval({ event, memory, statements }: Case): OwnEventProblem | null {
  const { recipientSha256: recipient = '', grant } = event
  const isGiven = statements.byRecipient.get(recipient)
    ?.some((wrap) => wrap.grant === grant && wrap.acceptance !== null)
  if (isGiven !== true) return 'foreign-approval'
  memory.facts[`approved/${grant}/${recipient}`] = true
  return null
}

// ---- What investors signed ----

function permit(
  { event, commitment, memory }: Case, given: Pick<Permit, 'recipient' | 'nda' | 'note'>,
): void {
  const { type, grant = '', party = '' } = event
  const oldest = Object.keys(memory.permits)
  if (oldest.length >= MAX_PERMITS) {
    delete memory.permits[oldest[0] ?? '']
    memory.isTrimmed = true
  }
  memory.permits[commitment] = { type, grant, party, ...given }
}

function isLinkKeyOf({ event, memory }: Case): boolean {
  return Object.entries(memory.grants).some(([key, { linkKey }]) =>
    key.startsWith(`${event.grant}/`) && linkKey === event.linkKey)
}

function judgeEnrolment(one: Case): OwnEventProblem | null {
  const { event, details, own } = one
  const { recipientSha256: recipient = '' } = event
  const enrolment = hers(() => verifyEnrolment(details?.enrolment ?? ''))
  const isTrue = enrolment !== undefined && isLinkKeyOf(one) &&
    enrolment.vault === own.vaultId && enrolment.grant === event.grant &&
    enrolment.linkKey === event.linkKey && enrolment.deviceKey === event.deviceKey &&
    hashRecipient(enrolment.recipient) === recipient
  if (!isTrue) return 'false-enrolment'
  permit(one, { recipient })
  return null
}

function judgeAcceptance(one: Case): OwnEventProblem | null {
  const { event, details } = one
  const { recipientSha256: recipient = '', agreementSha256: nda = '' } = event
  const note = details?.note ?? ''
  const isSame = hers(() => {
    requireSameAcceptance(event, verifyAcceptance(note), one.origins)
    return true
  })
  if (isSame !== true || !isLinkKeyOf(one)) return 'false-acceptance'
  permit(one, { recipient, nda, note: encodeHex(sha256(encodeUtf8(note))) })
  return null
}

// ---- Releases ----

function judgeRelease(one: Case): OwnEventProblem | null {
  const { event, memory } = one
  const grant = memory.grants[`${event.grant}/${event.revision}`]
  if (grant === undefined) return 'foreign-grant'
  const record = memory.records[event.recordSha256 ?? '']
  const isHers = record !== undefined && record.document === event.document &&
    record.part === event.part && record.version === event.version
  if (!isHers) return 'foreign-version'
  const problem = judgeTime(one) ?? judgeEarned(one, grant, record) ??
    judgeHeader(one, grant, record)
  if (problem === null) memory.facts[givenFact(event)] = true
  return problem
}

function givenFact({ recordSha256: record, recipientSha256: recipient }: Event): string {
  return `given/${record}/${recipient}`
}

function judgeTime({ event, memory }: Case): OwnEventProblem | null {
  const atMs = parseTime(event.at)
  const ends = ['', event.grant, event.party].map((key) => memory.revoked[key ?? ''] ?? Infinity)
  if (ends.some((endMs) => atMs > endMs)) return 'release-after-revocation'
  const newest = memory.newest[`${event.document}/${event.part}`]
  const isOld = newest !== undefined && newest.version > (event.version ?? 0) &&
    atMs > newest.atMs + RACE_MS
  return isOld ? 'release-of-old-version' : null
}

/** Whether the event that it names is one that permits this gate to this person and device. */
function judgeEarned(
  { event, memory }: Case, grant: KnownGrant, record: KnownRecord,
): OwnEventProblem | null {
  const policy = parsePolicy(grant.policy)
  const gate = gateUnder(policy, record)
  const because = memory.permits[event.because ?? '']
  if (because === undefined) return memory.isTrimmed ? null : 'unearned-release'
  const isTheirs = because.grant === event.grant && because.party === event.party &&
    (because.recipient ?? event.recipientSha256) === event.recipientSha256
  const hasSigned = because.type === 'nda.accepted' && because.nda === grant.nda
  const isVerified = memory.facts[`verified/${event.party}`] === true
  const isEarned = isTheirs &&
    (gate === 'link' || (gate === 'email' && isVerified) || (gate === 'nda' && isVerified && hasSigned))
  if (!isEarned) return 'unearned-release'
  // Who was given it before approval was asked for keeps it.
  const isLetIn = memory.facts[`approved/${event.grant}/${event.recipientSha256}`] === true ||
    memory.facts[givenFact(event)] === true
  return isApprovalDue(policy, record) && !isLetIn ? 'unapproved-release' : null
}

/** See [Note: Ghost grant]. */
function judgeHeader(
  { event, memory, statements }: Case, grant: KnownGrant, record: KnownRecord,
): OwnEventProblem | null {
  const isDue = isApprovalDue(parsePolicy(grant.policy), record)
  const note = memory.permits[event.because ?? '']?.note
  const isHers = statements.byHeader.get(event.headerSha256 ?? '')?.some((wrap) => {
    const isToDevice = wrap.recipient === event.recipientSha256
    const isForNote = note === undefined || wrap.acceptance === note
    const isToLink = !isDue && wrap.recipient === grant.linkRecipient
    const isMeant = isToLink || (isToDevice && (!isDue || isForNote))
    return wrap.grant === event.grant && wrap.record === event.recordSha256 && isMeant
  })
  const isOwnDevices = memory.facts[givenFact(event)] === true
  return isHers === true || isOwnDevices ? null : 'ghost-release'
}
