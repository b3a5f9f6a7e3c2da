/**
 * A grant's policy: what the founder asks of a link, as text that she signs (SPEC.md § 3.6).
 * Must not decide anything: the server and the clients do, by these words.
 */
import { decodeHex, encodeHex } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { MAX_POLICY_SIZE_BYTES } from '../limits.js'
import { GATES, OPEN_PART } from './record.js'
import type { Gate } from './record.js'

/** What the founder asks of this link. Every key of the closed list, in the manner of our code. */
export interface GrantPolicy {
  /** SHA-256 of the sealed card that goes with this revision, 32 bytes. */
  readonly cardSha256: Uint8Array
  /** Whether the viewer offers the file itself. */
  readonly mayDownload: boolean
  /** Milliseconds since 1970 UTC; `null` is never. */
  readonly expiresAtMs: number | null
  /** What the whole deck asks for. */
  readonly gate: Gate
  /** Version of the electronic-signature consent an acceptance must carry; `null` without an NDA. */
  readonly ndaConsentVersion: number | null
  /** What the open slides ask for; `null` where there are none. */
  readonly openPagesGate: 'link' | 'email' | null
  /** Who makes the `nda` header effective: the signature alone, or the founder's own approval. */
  readonly release: 'on-signature' | 'on-approval'
  readonly hasWatermark: boolean
  /**
   * SHA-256 of the witnesses' text (`formatWitnesses`), 32 bytes: without their quorum no header leaves, and
   * none is taken; `null` where the log's word is enough.
   *
   * [Note: Pinned witnesses] The founder signs who they are, so that neither the server nor whoever changes
   * its settings can put others in their place: the investor's browser counts their signatures itself.
   */
  readonly witnessesSha256: Uint8Array | null
}

const RELEASES = ['on-signature', 'on-approval'] as const
const OPEN_PAGES_GATES = ['link', 'email'] as const

const STRICTNESS: Readonly<Record<Gate, number>> = { link: 0, email: 1, nda: 2 }

/**
 * What a version asks for under this policy.
 *
 * [Note: The stricter gate] A version's own gate (signed in its record) and the grant's policy may differ, since one
 * link serves every document of a vault: the stricter of the two counts, for server and founder alike.
 */
export function gateUnder(
  policy: GrantPolicy, version: { readonly part: number, readonly gate: Gate },
): Gate {
  const asked = version.part === OPEN_PART ? policy.openPagesGate ?? version.gate : policy.gate
  return STRICTNESS[asked] > STRICTNESS[version.gate] ? asked : version.gate
}

/** Whether a header of this version may exist only after the founder has approved a person. */
export function isApprovalDue(
  policy: GrantPolicy, version: { readonly part: number, readonly gate: Gate },
): boolean {
  return policy.release === 'on-approval' && gateUnder(policy, version) === 'nda'
}

/** `key: value` lines, each ending in a line feed, keys in ASCII order (SPEC.md § 3.6). */
export function formatPolicy(policy: GrantPolicy): string {
  const lines: [string, string | null][] = [
    ['card-sha256', encodeHex(policy.cardSha256)],
    ['download', formatYesNo(policy.mayDownload)],
    ['expires-at', policy.expiresAtMs === null ? null : new Date(policy.expiresAtMs).toISOString()],
    ['gate', policy.gate],
    ['nda-consent', policy.ndaConsentVersion === null ? null : String(policy.ndaConsentVersion)],
    ['open-pages-gate', policy.openPagesGate],
    ['release', policy.release],
    ['watermark', formatYesNo(policy.hasWatermark)],
    ['witnesses-sha256', policy.witnessesSha256 === null ? null : encodeHex(policy.witnessesSha256)],
  ]
  return lines.map(([key, value]) => value === null ? '' : `${key}: ${value}\n`).join('')
}

/**
 * @throws ProtocolError `malformed-policy` for an unknown, missing, repeated or misplaced key, or a
 *   value that would not be written this way.
 */
export function parsePolicy(text: string): GrantPolicy {
  if (text.length > MAX_POLICY_SIZE_BYTES) throw malformedPolicy('over its limit')
  const values = splitLines(text)
  const policy: GrantPolicy = {
    cardSha256: parseHash('card-sha256', values.get('card-sha256')),
    mayDownload: parseYesNo(values.get('download')),
    expiresAtMs: parseExpiry(values.get('expires-at')),
    gate: parseChoice(values.get('gate'), GATES),
    ndaConsentVersion: parseConsent(values.get('nda-consent')),
    openPagesGate: values.has('open-pages-gate')
      ? parseChoice(values.get('open-pages-gate'), OPEN_PAGES_GATES)
      : null,
    release: parseChoice(values.get('release'), RELEASES),
    hasWatermark: parseYesNo(values.get('watermark')),
    witnessesSha256: values.has('witnesses-sha256')
      ? parseHash('witnesses-sha256', values.get('witnesses-sha256'))
      : null,
  }
  // Order, repetition, unknown keys and odd spellings all end here: one policy has one text.
  if (formatPolicy(policy) !== text) throw malformedPolicy('not written canonically')
  if ((policy.gate === 'nda') !== (policy.ndaConsentVersion !== null)) {
    throw malformedPolicy('nda-consent goes with gate nda')
  }
  return policy
}

function splitLines(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const separator = line.indexOf(': ')
    if (separator < 1) throw malformedPolicy('not a line of key and value')
    values.set(line.slice(0, separator), line.slice(separator + 2))
  }
  return values
}

function formatYesNo(isSet: boolean): string {
  return isSet ? 'yes' : 'no'
}

function parseYesNo(value: string | undefined): boolean {
  return parseChoice(value, ['yes', 'no']) === 'yes'
}

function parseChoice<T extends string>(value: string | undefined, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value)
  if (choice === undefined) throw malformedPolicy('missing or unknown value')
  return choice
}

function parseHash(key: string, value: string | undefined): Uint8Array {
  if (value === undefined || !/^[0-9a-f]{64}$/.test(value)) throw malformedPolicy(key)
  return decodeHex(value)
}

function parseExpiry(value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) throw malformedPolicy('expires-at')
  const timeMs = Date.parse(value)
  if (Number.isNaN(timeMs)) throw malformedPolicy('expires-at')
  return timeMs
}

function parseConsent(value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^[1-9][0-9]{0,3}$/.test(value)) throw malformedPolicy('nda-consent')
  return Number(value)
}

function malformedPolicy(detail: string): ProtocolError {
  return new ProtocolError('malformed-policy', detail)
}
