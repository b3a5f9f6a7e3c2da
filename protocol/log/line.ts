/**
 * The logs that go on one after another (SPEC.md § 7.13), seen as one row of entries. Pure; must not believe
 * a border that no statement proves: the policy holds those that do (rotation.ts).
 *
 * [Note: One numbering] An entry has a place over all logs of a line, which the server, lists and exports use, and an index in
 * its own log, which its proof is about. The logs before end where their closings say, so the place follows from the
 * index by what is proved, and nobody's word for it is needed.
 */
import { assert, ProtocolError } from '../errors.js'
import { MAX_ROTATION_COUNT } from '../limits.js'
import { verifyCheckpoint, type Closing, type Policy, type TrustedCheckpoint } from './policy.js'

/** One log of a line, as far as it is trusted. */
export interface Span {
  /** The place of its entry 0 over all logs. */
  readonly firstIndex: bigint
  /** Its end, or, of the last one, what is shown of it. */
  readonly trusted: TrustedCheckpoint
  /** The same as it was signed. */
  readonly note: string
}

/** The logs before this one, by the closings of the policy, oldest first. @throws ProtocolError `bad-rotation`. */
function closingsBefore({ closings = [] }: Policy, origin: string): Closing[] {
  const before: Closing[] = []
  for (let step = 0; step <= MAX_ROTATION_COUNT; step++) {
    const name = before[0]?.checkpoint.origin ?? origin
    const closing = closings.find(({ nextOrigin }) => nextOrigin === name)
    if (closing === undefined) return before
    before.unshift(closing)
  }
  throw new ProtocolError('bad-rotation', 'a log that follows itself')
}

/** How many entries the logs before this one have together. */
export function firstIndexOf(policy: Policy, origin: string): bigint {
  return closingsBefore(policy, origin).reduce((sum, { checkpoint }) => sum + checkpoint.size, 0n)
}

/** The names of this log and of those before it, oldest first: what was signed for one may stand in a later one. */
export function listOrigins(policy: Policy, origin: string): string[] {
  return [...closingsBefore(policy, origin).map(({ checkpoint }) => checkpoint.origin), origin]
}

/**
 * All logs up to the one that this checkpoint is of, oldest first, each under the policy.
 * @throws ProtocolError as `verifyCheckpoint`.
 */
export function verifyLine(note: string, policy: Policy): Span[] {
  const { origin } = verifyCheckpoint(note, policy).checkpoint
  const notes = [...closingsBefore(policy, origin).map((closing) => closing.note), note]
  let firstIndex = 0n
  return notes.map((one) => {
    const trusted = verifyCheckpoint(one, policy)
    const span = { note: one, trusted, firstIndex }
    firstIndex += trusted.checkpoint.size
    return span
  })
}

/** The log that an entry is in by its place over all of them; `spans` as `verifyLine` gave them. */
export function spanAt(spans: readonly Span[], place: bigint): Span {
  const span = spans.findLast(({ firstIndex }) => firstIndex <= place)
  assert(span !== undefined && place >= 0n, 'a line begins at its place 0')
  return span
}
