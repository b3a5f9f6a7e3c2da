/**
 * How a log takes a new key (SPEC.md § 7.11): statements that link one key to the next, and whom a client that
 * pinned one key may believe. Pure; must not take anybody's word for which key is the log's: a link
 * counts only from a key that the caller has already.
 *
 * [Note: A link has two ends] The statement is the event `log.key-rotated`, which names both keys, proved under a
 * checkpoint that both keys have signed. The old key's signature says that its log goes on under the new
 * one; the new key's, that the log before was its own. So a pin on either leads to the other, and
 * nobody links a key to a log without that log's own signature.
 */
import { ProtocolError } from '../errors.js'
import { MAX_ROTATION_COUNT } from '../limits.js'
import { parseEvent, type Event } from './event.js'
import { ED25519_KEY_TYPE, equalKeys, formatVkey, parseVkey, type NoteKey } from './note.js'
import { policyOfLog, type Policy } from './policy.js'
import { decodeOpening, parseProof, verifyProof } from './proof.js'

/** One statement, verified in itself: it links two keys, and says nothing of whose they are. */
export interface Rotation {
  readonly previous: NoteKey
  readonly next: NoteKey
  readonly event: Event
  readonly index: bigint
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
 * Verify one statement: a receipt of `log.key-rotated`, under a checkpoint signed by both keys it names.
 *
 * @throws ProtocolError `bad-rotation` if it is another event or names keys that cannot follow one another;
 * what `verifyProof` throws, `unknown-signer` if one of the two did not sign.
 */
export function verifyRotation(receipt: string): Rotation {
  const { extra } = parseProof(receipt)
  if (extra === undefined) throw new ProtocolError('malformed-proof', 'no opening of an event')
  const { previous, next } = namedKeys(parseEvent(decodeOpening(extra).eventBytes))
  // The same bytes twice: what was only read above is proved here, under each key alone.
  const { event, index } = verifyProof(receipt, policyOfLog(formatVkey(previous)))
  verifyProof(receipt, policyOfLog(formatVkey(next)))
  return { previous, next, event, index }
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
  if (keys.some((key) => !equalKeys(key, first))) throw new ProtocolError('bad-rotation', 'two keys in one place')
  return [first]
}

/** The policy, with every key that links lead to from the keys of its logs. Witnesses stay as they are. */
export function withLinkedKeys(policy: Policy, rotations: readonly Rotation[]): Policy {
  const logs = policy.logs.flatMap((log) =>
    listLinkedKeys(log.key, rotations).map((key) => ({ ...log, key })))
  const isFirst = ({ key }: { key: NoteKey }, at: number): boolean =>
    logs.findIndex((other) => equalKeys(other.key, key)) === at
  return { ...policy, logs: logs.filter(isFirst) }
}
