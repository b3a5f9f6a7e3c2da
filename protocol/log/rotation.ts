/**
 * How a log takes a new key (SPEC.md § 7.11), and how another log follows it (§ 7.13): statements that link one key to the next, and whom a client that
 * pinned one key may believe. Pure; must not take anybody's word for which key is the log's: a link
 * counts only from a key that the caller has already.
 *
 * [Note: A link has two ends] The statement is the event `log.key-rotated`, which names both keys, proved under a
 * checkpoint that both keys have signed. The old key's signature says that its log goes on under the new
 * one; the new key's, that the log before was its own. So a pin on either leads to the other, and
 * nobody links a key to a log without that log's own signature.
 *
 * Where the next key signs another log, the two ends lie in two logs, and so the statement is two receipts: `log.closed`,
 * the last entry of the log before, which names the next one and its key; and `log.started`, the first of the
 * next, which names the key before and the checkpoint that the other ended with.
 */
import { encodeHex, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_ROTATION_COUNT } from '../limits.js'
import { parseEvent, type Event } from './event.js'
import {
  ED25519_KEY_TYPE, equalKeys, formatVkey, parseNote, parseVkey, type NoteKey,
} from './note.js'
import { policyOfLog, type Closing, type Policy } from './policy.js'
import { decodeOpening, parseProof, RECEIPT_FIRST_LINE, verifyProof } from './proof.js'

/** One statement, verified in itself: it links two keys, and says nothing of whose they are. */
export interface Rotation {
  readonly previous: NoteKey
  readonly next: NoteKey
  readonly event: Event
  readonly index: bigint
  /** How the log before ended, where the next key signs another log. */
  readonly closing?: Closing
}

/** Where the n-th statement lies below the log's prefix, from 1. */
export function rotationPath(number: number): string {
  return `rotations/${number}.tlog-proof`
}

/** `null` for any other path. */
export function parseRotationPath(path: string): number | null {
  const number = Number(/^rotations\/([1-9][0-9]?)\.tlog-proof$/.exec(path)?.[1] ?? 0)
  return number >= 1 && number <= MAX_ROTATION_COUNT ? number : null
}

/**
 * Verify one statement: a receipt of `log.key-rotated`, under a checkpoint signed by both keys it names; or the
 * receipts of `log.closed` and of `log.started`, one after the other.
 *
 * @throws ProtocolError `bad-rotation` if it is another event or names keys that cannot follow one another;
 * what `verifyProof` throws, `unknown-signer` if one of the two did not sign.
 */
export function verifyRotation(statement: string): Rotation {
  const border = borderIn(statement)
  return border < 0
    ? verifyNextKey(statement)
    : verifyNextLog(statement.slice(0, border), statement.slice(border))
}

/** Where the second of two receipts begins; -1 if there is one receipt alone. */
function borderIn(statement: string): number {
  const newline = statement.indexOf(`\n${RECEIPT_FIRST_LINE}\n`)
  return newline < 0 ? -1 : newline + 1
}

/** Whether this is what leads from one log to the next, or would be if it held. */
export function isBorder(text: string): boolean {
  return text.startsWith(`${RECEIPT_FIRST_LINE}\n`) && borderIn(text) >= 0
}

function verifyNextKey(receipt: string): Rotation {
  const { previous, next } = namedKeys(eventIn(receipt))
  // The same bytes twice: what was only read above is proved here, under each key alone.
  const { event, index } = verifyProof(receipt, policyOfLog(formatVkey(previous)))
  verifyProof(receipt, policyOfLog(formatVkey(next)))
  return { previous, next, event, index }
}

function eventIn(receipt: string): Event {
  const { extra } = parseProof(receipt)
  if (extra === undefined) throw new ProtocolError('malformed-proof', 'no opening of an event')
  return parseEvent(decodeOpening(extra).eventBytes)
}

/** Two ends: each log's own word for the other, each proved under that log's key. */
function verifyNextLog(closed: string, started: string): Rotation {
  const { previous, next } = namedLogs(eventIn(closed), eventIn(started))
  const { event, index, checkpoint } = verifyProof(closed, policyOfLog(formatVkey(previous)))
  const isLast = index + 1n === checkpoint.size && event.size === Number(checkpoint.size)
  if (!isLast) throw new ProtocolError('bad-rotation', 'entries after the end')
  const note = parseProof(closed).checkpoint
  const first = verifyProof(started, policyOfLog(formatVkey(next)))
  const isFirst = first.index === 0n &&
    first.event.checkpointSha256 === encodeHex(sha256(encodeUtf8(parseNote(note).text)))
  if (!isFirst) throw new ProtocolError('bad-rotation', 'a log that begins after another end')
  const closing = { checkpoint, note, nextOrigin: next.name, statement: `${closed}${started}` }
  return { previous, next, event, index, closing }
}

function namedLogs(closed: Event, started: Event): { previous: NoteKey, next: NoteKey } {
  const isBorder = closed.type === 'log.closed' && started.type === 'log.started' &&
    closed.nextLog === started.log && closed.logKey === started.logKey
  if (!isBorder || started.logKey === undefined || started.previousLogKey === undefined) {
    throw new ProtocolError('bad-rotation', 'other events')
  }
  const [previous, next] = [parseVkey(started.previousLogKey), parseVkey(started.logKey)]
  const isSuccession = previous.name === closed.log && next.name === started.log &&
    previous.name !== next.name && !equalBytes(previous.publicKey, next.publicKey) &&
    [previous, next].every(({ type }) => type === ED25519_KEY_TYPE)
  if (!isSuccession) throw new ProtocolError('bad-rotation', 'logs that cannot follow one another')
  return { previous, next }
}

function namedKeys(
  { type, log, logKey, previousLogKey }: Event,
): { previous: NoteKey, next: NoteKey } {
  if (type !== 'log.key-rotated' || logKey === undefined || previousLogKey === undefined) {
    throw new ProtocolError('bad-rotation', 'another event')
  }
  const [previous, next] = [parseVkey(previousLogKey), parseVkey(logKey)]
  const isSuccession = [previous, next].every(({ name, type: keyType }) =>
    name === log && keyType === ED25519_KEY_TYPE) && !equalKeys(previous, next)
  if (!isSuccession) throw new ProtocolError('bad-rotation', 'keys that cannot follow one another')
  return { previous, next }
}

/**
 * All keys that links lead to from one that is known, oldest first.
 *
 * @throws ProtocolError `bad-rotation` if a key has two successors or predecessors, or follows itself: a log
 * has one line of keys, and whoever signed two must not be believed for either.
 */
export function listLinkedKeys(known: NoteKey, rotations: readonly Rotation[]): NoteKey[] {
  const keys = [known]
  let links: readonly Rotation[] = rotations
  for (let step = 0; step < MAX_ROTATION_COUNT; step++) {
    const [first, last] = [keys[0] ?? known, keys.at(-1) ?? known]
    const after = links.filter(({ previous }) => equalKeys(previous, last))
    const before = links.filter(({ next }) => equalKeys(next, first))
    if (after.length === 0 && before.length === 0) return keys
    keys.push(...oneOf(after.map(({ next }) => next)))
    keys.unshift(...oneOf(before.map(({ previous }) => previous)))
    if (new Set(keys.map(formatVkey)).size < keys.length) throw new ProtocolError('bad-rotation', 'a key that follows itself')
    links = links.filter((link) => !after.includes(link) && !before.includes(link))
  }
  throw new ProtocolError('bad-rotation', 'too many keys')
}

/** The same link stated twice is one. */
function oneOf(keys: readonly NoteKey[]): NoteKey[] {
  const [first] = keys
  if (first === undefined) return []
  const other = keys.find((key) => !equalKeys(key, first))
  if (other === undefined) return [first]
  // Two keys of one log are a broken line; two logs after one are two histories.
  const isFork = other.name !== first.name
  throw new ProtocolError(isFork ? 'forked-log' : 'bad-rotation', 'two keys in one place')
}

/**
 * The policy, with every key that links lead to from the keys of its logs, and how those logs ended. Witnesses stay as they are.
 * @throws ProtocolError as `listLinkedKeys`; `forked-log` if a log is stated to have ended twice.
 */
export function withLinkedKeys(policy: Policy, rotations: readonly Rotation[]): Policy {
  const logs = policy.logs.flatMap((log) =>
    listLinkedKeys(log.key, rotations).map((key) => ({ ...log, key })))
  const isFirst = ({ key }: { key: NoteKey }, at: number): boolean =>
    logs.findIndex((other) => equalKeys(other.key, key)) === at
  const known = logs.filter(isFirst)
  const closings = [...policy.closings ?? [], ...rotations.flatMap(({ previous, closing }) =>
    closing !== undefined && known.some(({ key }) => equalKeys(key, previous)) ? [closing] : [])]
  return closings.length === 0
    ? { ...policy, logs: known }
    : { ...policy, logs: known, closings: withoutDoubles(closings) }
}

function withoutDoubles(closings: readonly Closing[]): Closing[] {
  const byOrigin = new Map<string, Closing>()
  for (const closing of closings) {
    const { origin } = closing.checkpoint
    const known = byOrigin.get(origin)
    if (known !== undefined && parseNote(known.note).text !== parseNote(closing.note).text) {
      throw new ProtocolError('forked-log', `${origin} was closed twice`)
    }
    byOrigin.set(origin, known ?? closing)
  }
  return [...byOrigin.values()]
}
