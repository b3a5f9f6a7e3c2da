/**
 * What an investor signs, in words that both sides can read: the acceptance of an NDA, its refusal,
 * the request for access, the enrolment of a device, the renewal of a session (SPEC.md § 9).
 * Pure; must not render or translate: the screen shows exactly these bytes, and these are signed.
 *
 *   <context>
 *   <a sentence, one or two lines>
 *
 *   <key>: <value>          fixed order, closed list
 *
 * [Note: One text, one statement] A text is read by taking its lines apart, and then written again
 * from what was found; unless both are equal it is refused. So there is no second spelling of a
 * statement, no line that a reader sees and the parser skips, and no value that runs into a line.
 *
 * [Note: Contexts] The first line is the context. No checkpoint begins with one (its second line is a
 * number), and founders sign binary records that begin otherwise, so no key is ever made to say
 * one thing by signing another.
 */
import { encodeHex, encodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, MAX_TITLE_LENGTH } from '../limits.js'
import { isTime, type Event } from './event.js'
import {
  ED25519_KEY_TYPE, noteKey, parseNote, parseVkey, requireNoteText, signNote, verifyNote,
  type NoteKey, type NoteSigner,
} from './note.js'

export const ACCEPTANCE_CONTEXT = 'sealdeck/nda-acceptance/v1'
export const DECLINE_CONTEXT = 'sealdeck/decline/v1'
export const ACCESS_REQUEST_CONTEXT = 'sealdeck/access-request/v1'
export const ENROLMENT_CONTEXT = 'sealdeck/enrolment/v1'
export const SESSION_CONTEXT = 'sealdeck/session/v1'

const MAX_RECORD_LINE_COUNT = 64
const MAX_CONSENT_LENGTH = 120
const MAX_RECIPIENT_LENGTH = 2100

/** Who signs, as typed. `organisation`: for whom, if not for herself. */
export interface Signatory {
  readonly name: string
  readonly email: string
  readonly organisation?: string
}

/** Ties a statement to one log, one moment and one answer of the server. */
export interface Freshness {
  /** The log's origin. */
  readonly log: string
  /** UTC with milliseconds, the signer's clock. */
  readonly signedAt: string
  readonly expiresAt: string
  /** From the server: 16 to 32 bytes in hex. */
  readonly nonce: string
}

/** Keys are vkeys named `founder/...`, `link/...`, `device/...`; hashes are lower-case hex. */
export interface Acceptance extends Signatory, Freshness {
  /** Title, language and version of the agreement, in words. */
  readonly agreement: string
  readonly agreementSha256: string
  readonly vault: string
  readonly grantSha256: string
  /** The versions shown when she signed, for information. */
  readonly recordSha256s: readonly string[]
  readonly founderKey: string
  readonly linkKey: string
  readonly deviceKey: string
  readonly recipientSha256: string
  /** What she consented to, in words. */
  readonly consent: string
}

export interface Decline extends Signatory, Freshness {
  readonly agreement: string
  readonly agreementSha256: string
  readonly vault: string
  readonly grantSha256: string
  readonly linkKey: string
  readonly deviceKey: string
}

/** `signatory` is absent where a document asks for the link alone. */
export interface AccessRequest extends Freshness {
  readonly signatory?: Signatory
  readonly vault: string
  readonly grant: string
  readonly grantSha256: string
  readonly founderKey: string
  readonly linkKey: string
  readonly deviceKey: string
  readonly recipientSha256: string
}

/** Names the device's keys; the founder checks it with the link key of her own grant. */
export interface Enrolment extends Freshness {
  readonly vault: string
  readonly grant: string
  readonly linkKey: string
  readonly deviceKey: string
  /** The device's age recipient, whole: the founder wraps to it. */
  readonly recipient: string
}

/** Proves that the device is still there; opens nothing by itself. */
export interface SessionRequest extends Freshness {
  readonly grant: string
  readonly deviceKey: string
}

// ---- Keys and values ----

export type KeyRole = 'founder' | 'link' | 'device'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** `device/P8TD`: role and four characters of the key's hash, for people to compare. */
export function nameKey(role: KeyRole, publicKey: Uint8Array): string {
  const [a = 0, b = 0, c = 0] = sha256(publicKey)
  const bits = (a << 12) | (b << 4) | (c >> 4)
  const symbols = [15, 10, 5, 0].map((shift) => CROCKFORD.charAt((bits >> shift) & 31))
  return `${role}/${symbols.join('')}`
}

/** The key as notes name it: `formatVkey` writes it out. @throws ProtocolError `malformed-key`. */
export function roleKey(role: KeyRole, publicKey: Uint8Array): NoteKey {
  return noteKey({ name: nameKey(role, publicKey), type: ED25519_KEY_TYPE, publicKey })
}

/** SHA-256 of the recipient's text, in hex. */
export function hashRecipient(recipient: string): string {
  return encodeHex(sha256(encodeUtf8(recipient)))
}

/** The form of a typed name that statements take: composed, single spaces, nothing invisible. */
export function cleanName(typed: string): string {
  const visible = typed.replace(/\s/gu, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}<>]/gu, '')
  return visible.replace(/ +/g, ' ').trim().normalize('NFC')
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-statement', detail)
}

function requireThat(holds: boolean, detail: string): void {
  if (!holds) throw malformed(detail)
}

/** One line of words: no controls, no invisible characters, no spaces but single inner U+0020. */
function isPlainText(text: string, maxLength: number): boolean {
  return text.length > 0 && text.length <= maxLength && !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(text) &&
    !/^ | $| {2}|[^\S ]/u.test(text)
}

const EMAIL = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+\.[^\s@"(),:;<>[\\\]]{2,}$/u
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const GRANT_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/
const SHA256 = /^[0-9a-f]{64}$/
const NONCE = /^(?:[0-9a-f]{2}){16,32}$/
const RECIPIENT = /^age1pq1[02-9ac-hj-np-z]+$/
const ORIGIN = /^[^\s+]{1,200}$/u

function requireSignatory(signatory: Signatory): void {
  requireThat(isPersonName(signatory.name), 'name')
  requireThat(signatory.email.length <= MAX_EMAIL_LENGTH && EMAIL.test(signatory.email) &&
    isPlainText(signatory.email, MAX_EMAIL_LENGTH), 'email')
  requireThat(signatory.organisation === undefined || isPersonName(signatory.organisation), 'organisation')
}

// Angle brackets part the name from the address.
function isPersonName(name: string): boolean {
  return isPlainText(name, MAX_NAME_LENGTH) && !/[<>]/.test(name)
}

function requireFreshness(freshness: Freshness): void {
  requireThat(ORIGIN.test(freshness.log), 'log')
  requireThat(isTime(freshness.signedAt), 'signed-at')
  requireThat(isTime(freshness.expiresAt) && freshness.expiresAt > freshness.signedAt, 'expires-at')
  requireThat(NONCE.test(freshness.nonce), 'nonce')
}

function requireKey(role: KeyRole, vkey: string): void {
  const { name, type, publicKey } = parseVkey(vkey)
  requireThat(type === ED25519_KEY_TYPE && name === nameKey(role, publicKey), `${role} key`)
}

function requireAgreement(fields: Decline | Acceptance): void {
  requireThat(isPlainText(fields.agreement, MAX_TITLE_LENGTH), 'agreement')
  requireThat(SHA256.test(fields.agreementSha256), 'agreement-sha256')
}

function requireScope(fields: { vault: string, grant?: string, grantSha256?: string }): void {
  requireThat(UUID.test(fields.vault), 'vault')
  requireThat(fields.grant === undefined || GRANT_ID.test(fields.grant), 'grant')
  requireThat(fields.grantSha256 === undefined || SHA256.test(fields.grantSha256), 'grant-sha256')
}

// ---- Lines ----

type Line = readonly [key: string, value: string]

function formatText(head: readonly string[], lines: readonly Line[]): string {
  const body = lines.map(([key, value]) => `${key}: ${value}\n`)
  const text = `${head.join('\n')}\n\n${body.join('')}`
  requireNoteText(text)
  return text
}

function freshnessLines(freshness: Freshness): Line[] {
  return [
    ['signed-at', freshness.signedAt], ['expires-at', freshness.expiresAt], ['nonce', freshness.nonce],
  ]
}

function formatSignatory(signatory: Signatory): string {
  const { name, email, organisation } = signatory
  return `${name} <${email}>${organisation === undefined ? '' : `, for ${organisation},`}`
}

function parseSignatory(text: string): Signatory {
  const match = /^([^<>]+) <([^<>]+)>(?:, for ([^<>]+),)?$/u.exec(text)
  const [, name = '', email = '', organisation] = match ?? []
  return organisation === undefined ? { name, email } : { name, email, organisation }
}

/** Takes a statement apart. What it misreads is caught by writing it again. */
class StatementReader {
  readonly head: readonly string[]
  readonly #lines: Line[]

  constructor(text: string, context: string) {
    const split = text.indexOf('\n\n')
    requireThat(split >= 0 && text.endsWith('\n'), 'no empty line after the sentence')
    this.head = text.slice(0, split).split('\n')
    requireThat(this.head[0] === context, `not a ${context}`)
    this.#lines = text.slice(split + 2, -1).split('\n').map(parseLine)
    requireThat(this.#lines.length <= MAX_RECORD_LINE_COUNT + 32, 'too many lines')
  }

  take(key: string): string {
    const line = this.#lines.shift()
    if (line?.[0] !== key) throw malformed(`${key} expected`)
    return line[1]
  }

  takeAll(key: string): string[] {
    const values: string[] = []
    while (this.#lines[0]?.[0] === key) values.push(this.take(key))
    return values
  }

  takeFreshness(): Omit<Freshness, 'log'> {
    return {
      signedAt: this.take('signed-at'), expiresAt: this.take('expires-at'), nonce: this.take('nonce'),
    }
  }

  /** What stands before `ending` in the first line of the sentence. */
  sentence(ending: string): string {
    const line = this.head[1] ?? ''
    requireThat(line.endsWith(ending), 'another sentence')
    return line.slice(0, line.length - ending.length)
  }
}

function parseLine(line: string): Line {
  const at = line.indexOf(': ')
  requireThat(at > 0, 'not a key and a value')
  return [line.slice(0, at), line.slice(at + 2)]
}

/** See [Note: One text, one statement]. */
function requireSame(text: string, written: string): void {
  requireThat(text === written, 'more than one way to say it')
}

// ---- Acceptance ----

/** The words that say which consent to electronic signatures was given. */
export function formatConsent(version: number): string {
  return `esign-disclosure version ${version}, accepted`
}

const ACCEPTS = ' accepts the agreement below'
const INTENDS = 'and intends this to be their electronic signature.'

/** The text to show and sign. @throws ProtocolError `malformed-statement` or `malformed-key`. */
export function formatAcceptance(acceptance: Acceptance): string {
  requireSignatory(acceptance)
  requireAgreement(acceptance)
  requireScope(acceptance)
  requireKey('founder', acceptance.founderKey)
  requireKey('link', acceptance.linkKey)
  requireKey('device', acceptance.deviceKey)
  requireThat(SHA256.test(acceptance.recipientSha256), 'recipient-sha256')
  requireThat(isPlainText(acceptance.consent, MAX_CONSENT_LENGTH), 'consent')
  requireThat(acceptance.recordSha256s.length <= MAX_RECORD_LINE_COUNT, 'too many records')
  requireThat(acceptance.recordSha256s.every((hash) => SHA256.test(hash)), 'record-sha256')
  requireFreshness(acceptance)
  const head = [ACCEPTANCE_CONTEXT, `${formatSignatory(acceptance)}${ACCEPTS}`, INTENDS]
  return formatText(head, acceptanceLines(acceptance))
}

function acceptanceLines(acceptance: Acceptance): Line[] {
  return [
    ['agreement', acceptance.agreement],
    ['agreement-sha256', acceptance.agreementSha256],
    ['vault', acceptance.vault],
    ['grant-sha256', acceptance.grantSha256],
    ...acceptance.recordSha256s.map((hash): Line => ['record-sha256', hash]),
    ['founder-key', acceptance.founderKey],
    ['link-key', acceptance.linkKey],
    ['device-key', acceptance.deviceKey],
    ['recipient-sha256', acceptance.recipientSha256],
    ['log', acceptance.log],
    ['consent', acceptance.consent],
    ...freshnessLines(acceptance),
  ]
}

/** @param text - of the note, without signatures. @throws ProtocolError as `formatAcceptance`. */
export function parseAcceptance(text: string): Acceptance {
  const reader = new StatementReader(text, ACCEPTANCE_CONTEXT)
  const acceptance = {
    ...parseSignatory(reader.sentence(ACCEPTS)),
    agreement: reader.take('agreement'),
    agreementSha256: reader.take('agreement-sha256'),
    vault: reader.take('vault'),
    grantSha256: reader.take('grant-sha256'),
    recordSha256s: reader.takeAll('record-sha256'),
    founderKey: reader.take('founder-key'),
    linkKey: reader.take('link-key'),
    deviceKey: reader.take('device-key'),
    recipientSha256: reader.take('recipient-sha256'),
    log: reader.take('log'),
    consent: reader.take('consent'),
    ...reader.takeFreshness(),
  }
  requireSame(text, formatAcceptance(acceptance))
  return acceptance
}

// ---- Decline ----

const DECLINES = ' declines the agreement below.'

/** @throws ProtocolError `malformed-statement` or `malformed-key`. */
export function formatDecline(decline: Decline): string {
  requireSignatory(decline)
  requireAgreement(decline)
  requireScope(decline)
  requireKey('link', decline.linkKey)
  requireKey('device', decline.deviceKey)
  requireFreshness(decline)
  return formatText([DECLINE_CONTEXT, `${formatSignatory(decline)}${DECLINES}`], [
    ['agreement', decline.agreement],
    ['agreement-sha256', decline.agreementSha256],
    ['vault', decline.vault],
    ['grant-sha256', decline.grantSha256],
    ['link-key', decline.linkKey],
    ['device-key', decline.deviceKey],
    ['log', decline.log],
    ...freshnessLines(decline),
  ])
}

/** @throws ProtocolError as `formatDecline`. */
export function parseDecline(text: string): Decline {
  const reader = new StatementReader(text, DECLINE_CONTEXT)
  const decline = {
    ...parseSignatory(reader.sentence(DECLINES)),
    agreement: reader.take('agreement'),
    agreementSha256: reader.take('agreement-sha256'),
    vault: reader.take('vault'),
    grantSha256: reader.take('grant-sha256'),
    linkKey: reader.take('link-key'),
    deviceKey: reader.take('device-key'),
    log: reader.take('log'),
    ...reader.takeFreshness(),
  }
  requireSame(text, formatDecline(decline))
  return decline
}

// ---- Access request ----

const ASKS = ' asks to open what this link shares.'
const HOLDER = 'The holder of this link'

/** @throws ProtocolError `malformed-statement` or `malformed-key`. */
export function formatAccessRequest(request: AccessRequest): string {
  if (request.signatory !== undefined) requireSignatory(request.signatory)
  requireScope(request)
  requireKey('founder', request.founderKey)
  requireKey('link', request.linkKey)
  requireKey('device', request.deviceKey)
  requireThat(SHA256.test(request.recipientSha256), 'recipient-sha256')
  requireFreshness(request)
  const who = request.signatory === undefined ? HOLDER : formatSignatory(request.signatory)
  return formatText([ACCESS_REQUEST_CONTEXT, `${who}${ASKS}`], [
    ['vault', request.vault],
    ['grant', request.grant],
    ['grant-sha256', request.grantSha256],
    ['founder-key', request.founderKey],
    ['link-key', request.linkKey],
    ['device-key', request.deviceKey],
    ['recipient-sha256', request.recipientSha256],
    ['log', request.log],
    ...freshnessLines(request),
  ])
}

/** @throws ProtocolError as `formatAccessRequest`. */
export function parseAccessRequest(text: string): AccessRequest {
  const reader = new StatementReader(text, ACCESS_REQUEST_CONTEXT)
  const who = reader.sentence(ASKS)
  const fields = {
    vault: reader.take('vault'),
    grant: reader.take('grant'),
    grantSha256: reader.take('grant-sha256'),
    founderKey: reader.take('founder-key'),
    linkKey: reader.take('link-key'),
    deviceKey: reader.take('device-key'),
    recipientSha256: reader.take('recipient-sha256'),
    log: reader.take('log'),
    ...reader.takeFreshness(),
  }
  const request = who === HOLDER ? fields : { ...fields, signatory: parseSignatory(who) }
  requireSame(text, formatAccessRequest(request))
  return request
}

// ---- Enrolment ----

const ENROLS = 'The holder of this link enrols the device below to receive what it shares.'

/** @throws ProtocolError `malformed-statement` or `malformed-key`. */
export function formatEnrolment(enrolment: Enrolment): string {
  requireScope(enrolment)
  requireKey('link', enrolment.linkKey)
  requireKey('device', enrolment.deviceKey)
  requireThat(RECIPIENT.test(enrolment.recipient), 'recipient')
  requireThat(enrolment.recipient.length <= MAX_RECIPIENT_LENGTH, 'recipient')
  requireFreshness(enrolment)
  return formatText([ENROLMENT_CONTEXT, ENROLS], [
    ['vault', enrolment.vault],
    ['grant', enrolment.grant],
    ['link-key', enrolment.linkKey],
    ['device-key', enrolment.deviceKey],
    ['recipient', enrolment.recipient],
    ['log', enrolment.log],
    ...freshnessLines(enrolment),
  ])
}

/** @throws ProtocolError as `formatEnrolment`. */
export function parseEnrolment(text: string): Enrolment {
  const reader = new StatementReader(text, ENROLMENT_CONTEXT)
  const enrolment = {
    vault: reader.take('vault'),
    grant: reader.take('grant'),
    linkKey: reader.take('link-key'),
    deviceKey: reader.take('device-key'),
    recipient: reader.take('recipient'),
    log: reader.take('log'),
    ...reader.takeFreshness(),
  }
  requireSame(text, formatEnrolment(enrolment))
  return enrolment
}

// ---- Session ----

const RETURNS = 'The device below asks to go on where it was.'

/** @throws ProtocolError `malformed-statement` or `malformed-key`. */
export function formatSession(session: SessionRequest): string {
  requireThat(GRANT_ID.test(session.grant), 'grant')
  requireKey('device', session.deviceKey)
  requireFreshness(session)
  return formatText([SESSION_CONTEXT, RETURNS], [
    ['grant', session.grant],
    ['device-key', session.deviceKey],
    ['log', session.log],
    ...freshnessLines(session),
  ])
}

/** @throws ProtocolError as `formatSession`. */
export function parseSession(text: string): SessionRequest {
  const reader = new StatementReader(text, SESSION_CONTEXT)
  const session = {
    grant: reader.take('grant'),
    deviceKey: reader.take('device-key'),
    log: reader.take('log'),
    ...reader.takeFreshness(),
  }
  requireSame(text, formatSession(session))
  return session
}

// ---- Signing and verifying ----

const CONTEXTS = [
  ACCEPTANCE_CONTEXT, DECLINE_CONTEXT, ACCESS_REQUEST_CONTEXT, ENROLMENT_CONTEXT, SESSION_CONTEXT,
]

/**
 * Sign a statement with link key and device key. Signs nothing that does not begin with one of our
 * contexts ([Note: Contexts]).
 */
export function signStatement(text: string, signers: readonly NoteSigner[]): string {
  const context = text.slice(0, text.indexOf('\n'))
  requireThat(CONTEXTS.includes(context), 'not a statement')
  return signNote(text, signers)
}

/**
 * A signed acceptance whose link key and device key both signed. That they are the keys of this
 * grant, and that hashes, log and nonce fit, is for the caller to compare.
 *
 * @throws ProtocolError `malformed-note`, `malformed-statement`, `malformed-key`; `bad-signature`;
 * `unknown-signer` if one of the two did not sign.
 */
export function verifyAcceptance(note: string): Acceptance {
  return verifyStatement(note, parseAcceptance)
}

/** As `verifyAcceptance`. */
export function verifyDecline(note: string): Decline {
  return verifyStatement(note, parseDecline)
}

/** As `verifyAcceptance`. */
export function verifyAccessRequest(note: string): AccessRequest {
  return verifyStatement(note, parseAccessRequest)
}

/** As `verifyAcceptance`. */
export function verifyEnrolment(note: string): Enrolment {
  return verifyStatement(note, parseEnrolment)
}

/** As `verifyAcceptance`, but signed by the device key alone. */
export function verifySession(note: string): SessionRequest {
  return verifyStatement(note, parseSession)
}

function verifyStatement<T extends { deviceKey: string, linkKey?: string }>(
  note: string, parse: (text: string) => T,
): T {
  const statement = parse(parseNote(note).text)
  const { linkKey, deviceKey } = statement
  const keys = (linkKey === undefined ? [deviceKey] : [linkKey, deviceKey]).map(parseVkey)
  const { signatures } = verifyNote(note, keys)
  const missing = keys.find((key) => !signatures.some((signature) => signature.key === key))
  if (missing !== undefined) throw new ProtocolError('unknown-signer', `not signed by ${missing.name}`)
  return statement
}

/**
 * That a signed acceptance is the one an event speaks of: same vault, agreement, grant, keys, log.
 *
 * @param origins - the logs of one line: what was signed for one of them may have been logged in the next.
 * @throws ProtocolError `bad-details`, naming the field.
 */
export function requireSameAcceptance(
  event: Event, acceptance: Acceptance, origins: readonly string[] = [],
): void {
  const fields = [
    'vault', 'agreementSha256', 'grantSha256', 'linkKey', 'deviceKey', 'recipientSha256',
  ] as const
  const isOfLine = [event.log, acceptance.log].every((origin) => origins.includes(origin))
  const isOfLog = event.log === acceptance.log || isOfLine
  const differing = fields.find((field) => event[field] !== acceptance[field]) ??
    (isOfLog ? undefined : 'log')
  if (event.type !== 'nda.accepted' || differing !== undefined) {
    throw new ProtocolError('bad-details', `the signed acceptance has another ${differing ?? 'type'}`)
  }
}
