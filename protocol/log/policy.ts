/**
 * Whom to believe: a policy file names logs, witnesses and how many of them must have seen a
 * checkpoint (SPEC.md § 7, source: c2sp.org/tlog-policy). Pure; must not fetch the addresses in it.
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]
 *   group <name> all|any|<k> <name>...
 *   quorum <name>|none
 */
import { decodeUtf8, encodeHex, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { MAX_POLICY_FILE_SIZE_BYTES, MAX_POLICY_LINE_COUNT } from '../limits.js'
import { parseCheckpoint, requireEmptyRoot, type Checkpoint } from './checkpoint.js'
import {
  COSIGNATURE_KEY_TYPE, ED25519_KEY_TYPE, formatVkey, parseNote, parseVkey, verifyNote,
  type NoteKey, type VerifiedNote,
} from './note.js'

const NO_QUORUM = 'none'

export interface PolicyLog {
  readonly key: NoteKey
  readonly url?: string
}

/** `name` is the policy's word for the witness; its key has a name of its own. */
export interface PolicyWitness {
  readonly name: string
  readonly key: NoteKey
  readonly url?: string
}

/** Holds when at least `threshold` of its members do. */
export interface PolicyGroup {
  readonly name: string
  readonly threshold: number
  readonly members: readonly string[]
}

export interface Policy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  readonly groups: readonly PolicyGroup[]
  /** A witness, a group, or `null` for no quorum. */
  readonly quorum: string | null
  /** How logs of this policy ended, where their own statements say so (rotation.ts); not part of its file. */
  readonly closings?: readonly Closing[]
}

/** The end of a log, and the origin under which it goes on: proved by a statement of both. */
export interface Closing {
  /** The last of this log: there is none beyond it. */
  readonly checkpoint: Checkpoint
  /** The same as it was signed. */
  readonly note: string
  readonly nextOrigin: string
  /** What proves it, for whoever passes it on. */
  readonly statement: string
}

export interface Cosignature {
  /** The witness's name in the policy. */
  readonly witness: string
  readonly timeSeconds: bigint
}

/** A checkpoint that a log of the policy signed and its quorum saw. */
export interface TrustedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly logKey: NoteKey
  readonly cosignatures: readonly Cosignature[]
}

/** Believe one log without witnesses. @throws ProtocolError `malformed-key`. */
export function policyOfLog(vkey: string): Policy {
  return { logs: [{ key: logKey(vkey) }], witnesses: [], groups: [], quorum: null }
}

function logKey(vkey: string): NoteKey {
  return keyOfType(vkey, ED25519_KEY_TYPE)
}

function keyOfType(vkey: string, type: number): NoteKey {
  const key = parseVkey(vkey)
  if (key.type !== type) throw new ProtocolError('malformed-key', 'key of another kind')
  return key
}

// ---- Parsing ----

/** What the lines so far have defined. */
interface Draft {
  readonly logs: PolicyLog[]
  readonly witnesses: PolicyWitness[]
  readonly groups: PolicyGroup[]
  readonly members: Set<string>
  quorum: string | null | undefined
}

/** @throws ProtocolError `malformed-policy-file`, with the line's number. */
export function parsePolicy(bytes: Uint8Array): Policy {
  if (bytes.length > MAX_POLICY_FILE_SIZE_BYTES) throw malformed('file over its size limit')
  const text = decodeUtf8(bytes)
  if (text !== '' && !text.endsWith('\n')) throw malformed('no last newline')
  const lines = text.split('\n').slice(0, -1)
  if (lines.length > MAX_POLICY_LINE_COUNT) throw malformed('too many lines')

  const draft: Draft =
    { logs: [], witnesses: [], groups: [], members: new Set(), quorum: undefined }
  lines.forEach((line, index) => { readLine(draft, line, index + 1) })
  const { logs, witnesses, groups, quorum } = draft
  if (quorum === undefined) throw malformed('no quorum line')
  return { logs, witnesses, groups, quorum }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-policy-file', detail)
}

function readLine(draft: Draft, line: string, number: number): void {
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) throw malformed(`line ${number}: control character`)
  const [keyword, ...words] = line.split(/[ \t]+/).filter((word) => word !== '')
  if (keyword === undefined || keyword.startsWith('#')) return
  try {
    readDefinition(draft, keyword, words)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw malformed(`line ${number}: ${error.message}`)
  }
}

function readDefinition(draft: Draft, keyword: string, words: readonly string[]): void {
  switch (keyword) {
    case 'log': return readLog(draft, words)
    case 'witness': return readWitness(draft, words)
    case 'group': return readGroup(draft, words)
    case 'quorum': return readQuorum(draft, words)
    default: throw malformed('unknown keyword')
  }
}

function readLog(draft: Draft, [vkey, url, ...rest]: readonly string[]): void {
  if (vkey === undefined || rest.length > 0) throw malformed('log <vkey> [<url>]')
  const key = logKey(vkey)
  requireNewKey(draft.logs, key)
  draft.logs.push(url === undefined ? { key } : { key, url })
}

function readWitness(draft: Draft, [name, vkey, url, ...rest]: readonly string[]): void {
  if (name === undefined || vkey === undefined || rest.length > 0) {
    throw malformed('witness <name> <vkey> [<url>]')
  }
  requireNewName(draft, name)
  const key = keyOfType(vkey, COSIGNATURE_KEY_TYPE)
  requireNewKey(draft.witnesses, key)
  draft.witnesses.push(url === undefined ? { name, key } : { name, key, url })
}

function readGroup(draft: Draft, [name, rule, ...members]: readonly string[]): void {
  if (name === undefined || rule === undefined || members.length === 0) {
    throw malformed('group <name> all|any|<k> <name>...')
  }
  requireNewName(draft, name)
  for (const member of members) {
    if (!isDefined(draft, member)) throw malformed('member not defined before')
    if (draft.members.has(member)) throw malformed('a member of two groups')
    draft.members.add(member)
  }
  draft.groups.push({ name, threshold: parseThreshold(rule, members.length), members })
}

function parseThreshold(rule: string, memberCount: number): number {
  if (rule === 'all') return memberCount
  if (rule === 'any') return 1
  if (!/^[1-9][0-9]{0,3}$/.test(rule) || Number(rule) > memberCount) throw malformed('threshold')
  return Number(rule)
}

function readQuorum(draft: Draft, [name, ...rest]: readonly string[]): void {
  if (name === undefined || rest.length > 0) throw malformed('quorum <name>|none')
  if (draft.quorum !== undefined) throw malformed('a second quorum line')
  if (name !== NO_QUORUM && !isDefined(draft, name)) throw malformed('quorum not defined before')
  draft.quorum = name === NO_QUORUM ? null : name
}

function isDefined(draft: Draft, name: string): boolean {
  return [...draft.witnesses, ...draft.groups].some((defined) => defined.name === name)
}

function requireNewName(draft: Draft, name: string): void {
  if (name === NO_QUORUM || isDefined(draft, name)) throw malformed('name taken')
}

// Two vkeys of one key are duplicates whatever they call it: one key must not count twice.
function requireNewKey(defined: readonly { key: NoteKey }[], key: NoteKey): void {
  const publicKey = encodeHex(key.publicKey)
  if (defined.some((other) => encodeHex(other.key.publicKey) === publicKey)) throw malformed('key taken')
}

/** The policy as a file, for receipts' companions. */
export function formatPolicy(policy: Policy): string {
  const lines = [
    ...policy.logs.map(({ key, url }) => ['log', formatVkey(key), url]),
    ...policy.witnesses.map(({ name, key, url }) => ['witness', name, formatVkey(key), url]),
    ...policy.groups.map(({ name, threshold, members }) => ['group', name, `${threshold}`, ...members]),
    ['quorum', policy.quorum ?? NO_QUORUM],
  ]
  return lines.map((words) => `${words.filter((word) => word !== undefined).join(' ')}\n`).join('')
}

// ---- Witnesses that somebody else vouches for ----

/**
 * Who must cosign, without the log and without addresses: what a grant signs the hash of (SPEC.md § 3.6).
 * One policy has one such text.
 */
export function formatWitnesses({ witnesses, groups, quorum }: Omit<Policy, 'logs'>): string {
  return formatPolicy({
    logs: [], witnesses: witnesses.map(({ name, key }) => ({ name, key })), groups, quorum,
  })
}

/**
 * What `formatWitnesses` wrote, for the log that the caller trusts already.
 *
 * @throws ProtocolError `malformed-policy-file`, also for a quorum of none; `malformed-key`.
 */
export function parseWitnesses(text: string, logVkey: string): Policy {
  const { witnesses, groups, quorum } = parsePolicy(encodeUtf8(text))
  if (quorum === null) throw malformed('a quorum of none')
  if (formatWitnesses({ witnesses, groups, quorum }) !== text) throw malformed('not written canonically')
  return { ...policyOfLog(logVkey), witnesses, groups, quorum }
}

/** How many witnesses it takes at least. */
export function countForQuorum(policy: Policy): number {
  if (policy.quorum === null) return 0
  const counts = new Map(policy.witnesses.map(({ name }) => [name, 1]))
  for (const { name, threshold, members } of policy.groups) {
    const cheapest = members.map((member) => counts.get(member) ?? 0).sort((a, b) => a - b)
    counts.set(name, cheapest.slice(0, threshold).reduce((sum, count) => sum + count, 0))
  }
  return counts.get(policy.quorum) ?? 0
}

// ---- Judging ----

/** Whether these witnesses, by their names in the policy, are enough. */
export function isQuorum(policy: Policy, witnesses: ReadonlySet<string>): boolean {
  if (policy.quorum === null) return true
  // Groups name only what stands before them, so one pass in order settles each.
  const holding = new Set(witnesses)
  for (const { name, threshold, members } of policy.groups) {
    const count = members.filter((member) => holding.has(member)).length
    if (count >= threshold) holding.add(name)
    else holding.delete(name)
  }
  return holding.has(policy.quorum)
}

/**
 * A checkpoint that may be relied on under this policy.
 *
 * @param note - the signed checkpoint as text.
 * @throws ProtocolError `malformed-note`, `malformed-checkpoint`, `bad-signature`; `wrong-origin` if
 * no log of the policy has that origin; `unknown-signer` if none of its keys signed;
 * `quorum-missing`; `bad-proof` for an empty tree with another root; `forked-log` for one beyond the end
 * of a log that has closed, or another one in its place.
 */
export function verifyCheckpoint(note: string, policy: Policy): TrustedCheckpoint {
  const checkpoint = parseCheckpoint(parseNote(note).text)
  const logKeys = policy.logs.map(({ key }) => key).filter(({ name }) => name === checkpoint.origin)
  if (logKeys.length === 0) throw new ProtocolError('wrong-origin', 'a log that the policy does not name')

  const verified = verifyNote(note, [...logKeys, ...policy.witnesses.map(({ key }) => key)])
  const signed = verified.signatures.find(({ key }) => logKeys.includes(key))
  if (signed === undefined) throw new ProtocolError('unknown-signer', 'not signed by the log')
  requireEmptyRoot(checkpoint)
  requireWithinLog(checkpoint, policy.closings ?? [])

  const cosignatures = cosignaturesIn(verified, policy)
  if (!isQuorum(policy, new Set(cosignatures.map(({ witness }) => witness)))) {
    throw new ProtocolError('quorum-missing', `cosigned by ${cosignatures.length} of the witnesses`)
  }
  return { checkpoint, logKey: signed.key, cosignatures }
}

/** @throws ProtocolError `forked-log` if the checkpoint cannot stand beside the end of its log. */
export function requireWithinLog(
  { origin, size, root }: Checkpoint, closings: readonly Closing[],
): void {
  const end = closings.find(({ checkpoint }) => checkpoint.origin === origin)?.checkpoint
  if (end === undefined || size < end.size) return
  if (size === end.size && equalBytes(root, end.root)) return
  throw new ProtocolError('forked-log', `${origin} was closed with ${end.size} entries`)
}

function cosignaturesIn(note: VerifiedNote, policy: Policy): Cosignature[] {
  return note.signatures.flatMap(({ key, timeSeconds }) => {
    const witness = policy.witnesses.find((known) => known.key === key)
    return witness === undefined || timeSeconds === undefined
      ? []
      : [{ witness: witness.name, timeSeconds }]
  })
}
