/**
 * One question to one witness (SPEC.md § 7.8, source: c2sp.org/tlog-witness): the newest checkpoint and the
 * proof that it grew out of the one that this witness saw last. Every answer is bounded in size and time, and
 * nothing in it is believed that the witness's key has not signed. Keeps nothing; decides nothing.
 */
import { decodeUtf8 } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { parseDecimal } from '../protocol/log/note.js'
import type { ReadResource } from '../protocol/log/tile.js'
import { addCosignatures, formatAddCheckpoint } from '../protocol/log/witness.js'
import { buildConsistency } from './log-reader.js'
import type { CurrentLog } from './sequencer.js'
import type { WitnessMember } from './witness-policy.js'

/** A signature line has about 200 bytes; a witness with several keys sends several. */
const MAX_ANSWER_SIZE_BYTES = 8 * 1024
/** The first answer may tell a size, and another log's leader may have moved it meanwhile. */
const MAX_TRIES = 3

/**
 * - `unreachable`: no answer, or none in time · `ahead`: it has seen a larger tree than ours
 * - `refused`: another status than 200 and 409 · `malformed`: an answer that is none
 * - `unsigned`: no line by the witness's key, or a wrong one
 */
export type WitnessFailureReason = 'unreachable' | 'ahead' | 'refused' | 'malformed' | 'unsigned'

export class WitnessFailure extends Error {
  override readonly name = 'WitnessFailure'
  readonly reason: WitnessFailureReason

  constructor(reason: WitnessFailureReason, detail: string, options?: ErrorOptions) {
    super(`${reason}: ${detail}`, options)
    this.reason = reason
  }
}

export interface WitnessQuestion {
  readonly current: CurrentLog
  /** What the witness is thought to have seen last; 0 where nothing is known, and it tells. */
  readonly oldSize: number
  readonly read: ReadResource
  readonly timeoutMs: number
  /** Ends the question early. */
  readonly signal: AbortSignal
}

/**
 * Ask for a cosignature.
 *
 * @returns the checkpoint with this witness's line.
 * @throws WitnessFailure.
 */
export async function askWitness(
  { key, submitUrl }: WitnessMember, question: WitnessQuestion,
): Promise<string> {
  const { current, read } = question
  let from = question.oldSize
  for (let tryIndex = 0; tryIndex < MAX_TRIES; tryIndex++) {
    const proof = await buildConsistency(read, { from, to: current.size })
    const body = formatAddCheckpoint({ oldSize: BigInt(from), proof, note: current.checkpoint })
    const answer = await post(submitUrl, body, question)
    if (answer.status === 200) return signedBy(current.checkpoint, answer.body, key)
    if (answer.status !== 409) throw new WitnessFailure('refused', `status ${answer.status}`)
    from = readSize(answer.body)
    if (from > current.size) throw new WitnessFailure('ahead', `it has seen ${from} entries, we have ${current.size}`)
  }
  throw new WitnessFailure('refused', 'it tells another size each time')
}

/** Only what verifies by the key that the policy names is taken over. */
function signedBy(note: string, lines: string, key: WitnessMember['key']): string {
  try {
    return addCosignatures(note, lines, [key])
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new WitnessFailure('unsigned', error.code, { cause: error })
  }
}

/** The body of a 409: a decimal and a line feed. */
function readSize(body: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})\n$/.test(body)) throw new WitnessFailure('malformed', 'no size in its answer')
  return Number(parseDecimal(body.slice(0, -1), 'malformed-request'))
}

interface HttpAnswer { readonly status: number, readonly body: string }

async function post(
  url: string, body: string, { timeoutMs, signal }: WitnessQuestion,
): Promise<HttpAnswer> {
  try {
    const response = await fetch(url, {
      method: 'POST', body, redirect: 'error', headers: { 'content-type': 'text/plain; charset=utf-8' },
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), signal]),
    })
    return { status: response.status, body: await readBody(response) }
  } catch (error) {
    if (error instanceof WitnessFailure) throw error
    throw new WitnessFailure('unreachable', error instanceof Error ? error.name : 'no answer', { cause: error })
  }
}

/** The timeout holds for the body as well: a witness that drips is a witness that is down. */
async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    if (!(part instanceof Uint8Array)) continue
    size += part.length
    if (size > MAX_ANSWER_SIZE_BYTES) throw new WitnessFailure('malformed', 'its answer is over the limit')
    parts.push(part)
  }
  try {
    return decodeUtf8(Buffer.concat(parts))
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new WitnessFailure('malformed', 'its answer is not text', { cause: error })
  }
}
