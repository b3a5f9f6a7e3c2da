/**
 * Events: what the server witnessed, how it is committed to, and the 65 bytes that go into the tree
 * (SPEC.md § 8). Pure; must not put anything personal into an event: that is what `details` are for.
 *
 *   C     = SHA-256("sealdeck/event-commitment/v1\n" ‖ salt[32] ‖ event bytes)
 *   D     = SHA-256("sealdeck/details/v1\n" ‖ details salt[32] ‖ details bytes)
 *   tag   = HMAC-SHA-256(tag key, "deck\n" or "party\n" ‖ u64 sequence)[0..16]
 *   entry = 01 ‖ C[32] ‖ vault tag[16] ‖ party tag[16]
 *
 * [Note: Bytes are the truth] An event is hashed, stored and shipped as the bytes that were made
 * once. Nobody hashes a re-encoding: reading only shows what they say.
 *
 * [Note: Completeness] The integrator numbers the events of a vault 1, 2, 3 ... and the entry carries
 * the number's tag. Who holds the tag key computes all tags and finds an event that is missing,
 * doubled or hidden from her; to everyone else a tag is noise. Where no tag applies stand random bytes.
 */
import { concatBytes, encodeHex, encodeU64, encodeUtf8 } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_DETAILS_SIZE_BYTES, MAX_EVENT_SIZE_BYTES } from '../limits.js'
import { hmacSha256, randomBytes } from '../sodium.js'
import {
  encodeCanonicalJson, isCanonicalObject, parseCanonicalJson, type CanonicalObject,
  type CanonicalValue,
} from './canonical-json.js'
import { EVENT_TYPES, type EventType } from './event-types.js'

/** A point in time as events and notes write it: UTC with milliseconds. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** @throws ProtocolError `malformed-event` unless the text is exactly what `formatTime` writes. */
export function parseTime(text: string): number {
  if (!isTime(text)) throw new ProtocolError('malformed-event', 'not a UTC time with milliseconds')
  return Date.parse(text)
}

export function isTime(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/.test(text)) return false
  const timeMs = Date.parse(text)
  return !Number.isNaN(timeMs) && formatTime(timeMs) === text
}

// ---- Fields ----

/** Stand in every event. `log` keeps an event of a test log from passing in another. */
type EventHead = {
  readonly type: EventType
  /** UUIDv7. */
  readonly id: string
  /** The origin of the log that the event is meant for. */
  readonly log: string
  /** UTC with milliseconds: `formatTime`. */
  readonly at: string
  /** `person/<id>`, `account/<id>`, `server`, `operator`: never a name or an address. */
  readonly actor: string
}

/** Stand where they apply. Hashes are lower-case hex, keys are vkeys, ids are UUIDv7. */
type EventFields = {
  readonly vault: string
  /** The person whom the event is about: a pseudonym. */
  readonly party: string
  readonly document: string
  readonly grant: string
  readonly revision: number
  readonly version: number
  /** 0 the whole document, 1 its open slides. */
  readonly part: number
  readonly device: string
  /** An account, where the event is about one. */
  readonly subject: string
  /** The commitment C of the earlier event that permits this one. */
  readonly because: string
  /** The commitment D to the details. */
  readonly details: string
  readonly agreementSha256: string
  readonly grantSha256: string
  readonly recordSha256: string
  readonly recordsSha256: readonly string[]
  readonly headerSha256: string
  readonly wrapSha256: string
  readonly recipientSha256: string
  readonly clientSha256: string
  readonly exportSha256: string
  readonly checkpointSha256: string
  readonly founderKey: string
  readonly linkKey: string
  readonly deviceKey: string
  readonly logKey: string
  readonly previousLogKey: string
  readonly nextLog: string
  readonly gate: string
  readonly release: string
  readonly method: string
  readonly reason: string
  readonly action: string
  readonly format: string
  readonly size: number
  readonly count: number
  readonly firstChunk: number
  readonly chunkCount: number
  readonly expiresAt: string
  readonly withIdentities: boolean
}

export type EventField = keyof EventFields

/** An event before it is encoded; `v` is added then. */
export type Event = EventHead & Partial<EventFields>

type FieldRule = (value: CanonicalValue) => boolean

function textRule(pattern: RegExp): FieldRule {
  return (value) => typeof value === 'string' && pattern.test(value)
}

const isUuid = textRule(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
const isGrantId = textRule(/^[A-Za-z0-9_-]{21}[AQgw]$/)
const isSha256 = textRule(/^[0-9a-f]{64}$/)
// A pseudonym or a role: `person/<id>`, `account/<id>`, `server`, `operator`.
const isActor = textRule(/^[a-z]+(?:\/[A-Za-z0-9_-]{1,64})?$/)
const isOrigin = textRule(/^[^\s+]{1,200}$/)
const isVkey = textRule(/^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43,64}={0,2}$/)
const isToken = textRule(/^[a-z0-9][a-z0-9.-]{0,63}$/)
const isTimeText: FieldRule = (value) => typeof value === 'string' && isTime(value)
const isCount: FieldRule = (value) => typeof value === 'number'
const isSha256List: FieldRule = (value) =>
  Array.isArray(value) && value.length <= 64 && value.every(isSha256)
const isFlag: FieldRule = (value) => typeof value === 'boolean'

const HEAD_RULES: Readonly<Record<'v' | keyof EventHead, FieldRule>> = {
  v: (value) => value === 1,
  type: (value) => EVENT_TYPES.some((type) => type === value),
  id: isUuid,
  log: isOrigin,
  at: isTimeText,
  actor: isActor,
}

// The list is closed: an unknown field is refused.
const FIELD_RULES: Readonly<Record<EventField, FieldRule>> = {
  vault: isUuid,
  party: isUuid,
  document: isUuid,
  grant: isGrantId,
  revision: isCount,
  version: isCount,
  part: isCount,
  device: isUuid,
  subject: isUuid,
  because: isSha256,
  details: isSha256,
  agreementSha256: isSha256,
  grantSha256: isSha256,
  recordSha256: isSha256,
  recordsSha256: isSha256List,
  headerSha256: isSha256,
  wrapSha256: isSha256,
  recipientSha256: isSha256,
  clientSha256: isSha256,
  exportSha256: isSha256,
  checkpointSha256: isSha256,
  founderKey: isVkey,
  linkKey: isVkey,
  deviceKey: isVkey,
  logKey: isVkey,
  previousLogKey: isVkey,
  nextLog: isOrigin,
  gate: isToken,
  release: isToken,
  method: isToken,
  reason: isToken,
  action: isToken,
  format: isToken,
  size: isCount,
  count: isCount,
  firstChunk: isCount,
  chunkCount: isCount,
  expiresAt: isTimeText,
  withIdentities: isFlag,
}

/** What an event of a type cannot do without. */
const REQUIRED_FIELDS: Readonly<Record<EventType, readonly EventField[]>> = {
  'log.started': ['logKey'],
  'log.closed': ['size', 'nextLog', 'logKey'],
  'log.recovered': ['size'],
  'log.key-rotated': ['logKey', 'previousLogKey'],
  'client.served': ['clientSha256'],
  'version.stored': ['vault', 'document', 'part', 'version', 'recordSha256'],
  'grant.made': ['vault', 'grant', 'revision', 'grantSha256'],
  'grant.revised': ['vault', 'grant', 'revision', 'grantSha256'],
  'nda.published': ['vault', 'agreementSha256'],
  'email.verified': ['vault', 'party', 'grant'],
  'device.enrolled': ['vault', 'party', 'grant', 'linkKey', 'deviceKey', 'recipientSha256'],
  'nda.accepted': [
    'vault', 'party', 'grant', 'agreementSha256', 'grantSha256', 'linkKey', 'deviceKey',
    'recipientSha256', 'details',
  ],
  'nda.declined': ['vault', 'party', 'grant', 'agreementSha256'],
  'access.approved': ['vault', 'party', 'grant'],
  'access.denied': ['vault', 'party', 'grant'],
  'access.revoked': ['vault'],
  'header.released': [
    'vault', 'party', 'grant', 'document', 'part', 'version', 'recordSha256', 'headerSha256',
    'recipientSha256', 'because',
  ],
  'version.fetched': ['vault', 'party', 'document', 'part', 'version'],
  'export.made': ['vault'],
  'admin.acted': ['action'],
  'auditor.read': ['vault'],
  'erasure.done': ['count'],
}

// ---- Encoding and parsing ----

/** The bytes of an event, made once. @throws ProtocolError `malformed-event`. */
export function encodeEvent(event: Event): Uint8Array {
  const value = { v: 1, ...event }
  requireEvent(value)
  const bytes = encodeCanonicalJson(value, 'malformed-event')
  requireEventSize(bytes)
  return bytes
}

/**
 * What an event's bytes say. They must be canonical, with known fields only.
 * @throws ProtocolError `malformed-event`, or `malformed-text` if they are not UTF-8.
 */
export function parseEvent(bytes: Uint8Array): Event {
  requireEventSize(bytes)
  const value = parseCanonicalJson(bytes, 'malformed-event')
  if (!isCanonicalObject(value)) throw new ProtocolError('malformed-event', 'not an object')
  requireEvent(value)
  const { v: _version, ...event } = value
  return event
}

function requireEventSize(bytes: Uint8Array): void {
  if (bytes.length > MAX_EVENT_SIZE_BYTES) throw new ProtocolError('malformed-event', 'over its size limit')
}

const RULES: ReadonlyMap<string, FieldRule> =
  new Map(Object.entries({ ...HEAD_RULES, ...FIELD_RULES }))

function requireEvent(value: CanonicalObject): asserts value is Event & { readonly v: 1 } {
  for (const [field, content] of Object.entries(value)) {
    const rule = RULES.get(field)
    if (rule === undefined) throw new ProtocolError('malformed-event', `unknown field ${field}`)
    if (!rule(content)) throw new ProtocolError('malformed-event', `field ${field}`)
  }
  for (const field of requiredFields(value)) {
    if (!Object.hasOwn(value, field)) throw new ProtocolError('malformed-event', `no field ${field}`)
  }
}

function requiredFields(value: CanonicalObject): string[] {
  const type = EVENT_TYPES.find((known) => known === value['type'])
  return [...Object.keys(HEAD_RULES), ...type === undefined ? [] : REQUIRED_FIELDS[type]]
}

// ---- Details: the personal side, erasable on its own ----

/** All optional, all text. Times are as in events; `note` and `enrolment` are signed notes. */
const DETAIL_FIELDS = [
  'name', 'email', 'organisation', 'note', 'enrolment', 'accessRequest', 'address', 'userAgent',
  'locale', 'timeZone', 'title', 'reason', 'challengeId', 'codeSentAt', 'codeEnteredAt',
  'presentedAt', 'openedAt', 'consentedAt', 'receivedAt', 'operator',
] as const

export type Details = { readonly [Field in typeof DETAIL_FIELDS[number]]?: string }

/** @throws ProtocolError `malformed-event`. */
export function encodeDetails(details: Details): Uint8Array {
  requireDetails(details)
  const bytes = encodeCanonicalJson(details, 'malformed-event')
  requireDetailsSize(bytes)
  return bytes
}

/** @throws ProtocolError `malformed-event`, or `malformed-text` if they are not UTF-8. */
export function parseDetails(bytes: Uint8Array): Details {
  requireDetailsSize(bytes)
  const value = parseCanonicalJson(bytes, 'malformed-event')
  if (!isCanonicalObject(value)) throw new ProtocolError('malformed-event', 'details: not an object')
  requireDetails(value)
  return value
}

function requireDetailsSize(bytes: Uint8Array): void {
  if (bytes.length > MAX_DETAILS_SIZE_BYTES) throw new ProtocolError('malformed-event', 'details: too large')
}

function requireDetails(value: CanonicalObject): asserts value is Details & CanonicalObject {
  for (const [field, content] of Object.entries(value)) {
    const isKnown = DETAIL_FIELDS.some((known) => known === field)
    if (!isKnown || typeof content !== 'string') {
      throw new ProtocolError('malformed-event', `details: field ${field}`)
    }
  }
}

// ---- Commitments, tags, entries ----

export const SALT_SIZE_BYTES = 32
export const TAG_SIZE_BYTES = 16
export const ENTRY_SIZE_BYTES = 65
const ENTRY_VERSION = 1

const EVENT_LABEL = encodeUtf8('sealdeck/event-commitment/v1\n')
const DETAILS_LABEL = encodeUtf8('sealdeck/details/v1\n')
const VAULT_TAG_LABEL = encodeUtf8('deck\n')
const PARTY_TAG_LABEL = encodeUtf8('party\n')

/** `C`. Without salt and bytes it says nothing, and nothing can be tried against it. */
export function commitEvent(salt: Uint8Array, eventBytes: Uint8Array): Uint8Array {
  return commit(EVENT_LABEL, salt, eventBytes)
}

/** `D`, for the event's field `details` (as hex). Its salt is another than the event's. */
export function commitDetails(salt: Uint8Array, detailsBytes: Uint8Array): Uint8Array {
  return commit(DETAILS_LABEL, salt, detailsBytes)
}

function commit(label: Uint8Array, salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  assert(salt.length === SALT_SIZE_BYTES, 'a salt is 32 bytes')
  return sha256(concatBytes(label, salt, bytes))
}

/** The tag of a vault's event number `sequence`, from 1. See [Note: Completeness]. */
export function vaultTag(tagKey: Uint8Array, sequence: number | bigint): Uint8Array {
  return tag(tagKey, VAULT_TAG_LABEL, sequence)
}

/** The tag of a party's event number `sequence`, from 1. */
export function partyTag(tagKey: Uint8Array, sequence: number | bigint): Uint8Array {
  return tag(tagKey, PARTY_TAG_LABEL, sequence)
}

function tag(tagKey: Uint8Array, label: Uint8Array, sequence: number | bigint): Uint8Array {
  assert(sequence >= 1, 'sequences start at 1')
  return hmacSha256(tagKey, concatBytes(label, encodeU64(sequence))).subarray(0, TAG_SIZE_BYTES)
}

/** What stands in the tree. */
export interface Entry {
  readonly commitment: Uint8Array
  readonly vaultTag: Uint8Array
  readonly partyTag: Uint8Array
}

/** What opens an entry to those entitled. */
export interface Opening {
  readonly salt: Uint8Array
  readonly vaultTag: Uint8Array
  readonly partyTag: Uint8Array
  readonly eventBytes: Uint8Array
}

/** 65 bytes, all types of event alike. */
export function encodeEntry(entry: Entry): Uint8Array {
  assert(entry.commitment.length === 32, 'a commitment is 32 bytes')
  assert(entry.vaultTag.length === TAG_SIZE_BYTES && entry.partyTag.length === TAG_SIZE_BYTES,
    'a tag is 16 bytes')
  return concatBytes(Uint8Array.of(ENTRY_VERSION), entry.commitment, entry.vaultTag, entry.partyTag)
}

/** @throws ProtocolError `malformed-entry`. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length !== ENTRY_SIZE_BYTES || bytes[0] !== ENTRY_VERSION) {
    throw new ProtocolError('malformed-entry', 'not an entry of version 1')
  }
  return {
    commitment: bytes.slice(1, 33), vaultTag: bytes.slice(33, 49), partyTag: bytes.slice(49, 65),
  }
}

/**
 * The vault's tag in an entry's bytes, for who looks at very many of them.
 * @throws ProtocolError `malformed-entry`.
 */
export function vaultTagOf(entry: Uint8Array): Uint8Array {
  if (entry.length !== ENTRY_SIZE_BYTES || entry[0] !== ENTRY_VERSION) {
    throw new ProtocolError('malformed-entry', 'not an entry of version 1')
  }
  return entry.subarray(33, 49)
}

/** The entry that an opening must have in the tree, if it is true. */
export function entryOfOpening(opening: Opening): Uint8Array {
  const commitment = commitEvent(opening.salt, opening.eventBytes)
  return encodeEntry({ commitment, vaultTag: opening.vaultTag, partyTag: opening.partyTag })
}

/** An event ready for the outbox: its bytes, what opens them, and what the server files it under. */
export interface SealedEvent {
  readonly id: string
  readonly type: EventType
  readonly atMs: number
  readonly vaultId?: string | undefined
  readonly partyId?: string | undefined
  readonly documentId?: string | undefined
  /** `C`; a later event that this one permits names it (as hex) in `because`. */
  readonly commitment: Uint8Array
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
  readonly details?: Uint8Array | undefined
  readonly detailsSalt?: Uint8Array | undefined
}

/**
 * Encode an event with fresh salts. What is personal goes into `details`, which the event commits to.
 * @throws ProtocolError `malformed-event`.
 */
export function sealEvent(event: Omit<Event, 'details'>, details?: Details): SealedEvent {
  const hidden = details === undefined ? null : sealDetails(details)
  const bytes = encodeEvent(
    hidden === null ? event : { ...event, details: encodeHex(hidden.commitment) })
  const salt = randomBytes(SALT_SIZE_BYTES)
  return {
    id: event.id,
    type: event.type,
    atMs: parseTime(event.at),
    vaultId: event.vault,
    partyId: event.party,
    documentId: event.document,
    commitment: commitEvent(salt, bytes),
    bytes,
    salt,
    details: hidden?.bytes,
    detailsSalt: hidden?.salt,
  }
}

function sealDetails(
  details: Details,
): { bytes: Uint8Array, salt: Uint8Array, commitment: Uint8Array } {
  const bytes = encodeDetails(details)
  const salt = randomBytes(SALT_SIZE_BYTES)
  return { bytes, salt, commitment: commitDetails(salt, bytes) }
}

/** @throws ProtocolError `bad-details` unless the event committed to exactly these details. */
export function verifyDetails(
  event: Event, details: { bytes: Uint8Array, salt: Uint8Array },
): Details {
  if (details.salt.length !== SALT_SIZE_BYTES) throw new ProtocolError('bad-details', 'salt size')
  if (event.details !== encodeHex(commitDetails(details.salt, details.bytes))) {
    throw new ProtocolError('bad-details', 'the event commits to other details')
  }
  return parseDetails(details.bytes)
}
