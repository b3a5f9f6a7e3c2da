/**
 * What a witness answers, and what its client sends (SPEC.md § 7, source: c2sp.org/tlog-witness).
 * Pure; must not keep state: the caller holds the latest checkpoint of each log, and stores the new one
 * before the answer leaves, in one step with the check.
 *
 *   old <size>\n
 *   <base64 hash>\n ...          consistency proof from old to new, at most 63
 *   \n
 *   <the signed checkpoint>
 */
import { encodeBase64 } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { MAX_ADD_CHECKPOINT_SIZE_BYTES, MAX_PROOF_HASH_COUNT } from '../limits.js'
import { cosignCheckpoint, decodeHashOr, parseCheckpoint, type Checkpoint } from './checkpoint.js'
import { EMPTY_ROOT, verifyConsistency } from './merkle.js'
import {
  formatNote, formatSignature, parseDecimal, parseNote, parseSignatures, verifyNote, type NoteKey,
  type NoteSignature, type NoteSigner, type VerifiedNote,
} from './note.js'
import { verifyCheckpoint, type Policy } from './policy.js'

export interface AddCheckpoint {
  readonly oldSize: bigint
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, verbatim. */
  readonly note: string
}

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  assert(proof.length <= MAX_PROOF_HASH_COUNT, 'a witness takes 63 hashes')
  const lines = proof.map((hash) => `${encodeBase64(hash)}\n`).join('')
  return `old ${oldSize}\n${lines}\n${note}`
}

/** @throws ProtocolError `malformed-request`. */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  if (text.length > MAX_ADD_CHECKPOINT_SIZE_BYTES) {
    throw new ProtocolError('malformed-request', 'over its size limit')
  }
  const split = text.indexOf('\n\n')
  if (split < 0) throw new ProtocolError('malformed-request', 'no empty line after the proof')
  const [oldLine = '', ...hashLines] = text.slice(0, split).split('\n')
  if (!oldLine.startsWith('old ')) throw new ProtocolError('malformed-request', 'no old size')
  if (hashLines.length > MAX_PROOF_HASH_COUNT) {
    throw new ProtocolError('malformed-request', 'too many hashes')
  }
  return {
    oldSize: parseDecimal(oldLine.slice('old '.length), 'malformed-request'),
    proof: hashLines.map((line) => decodeHashOr('malformed-request', line)),
    note: text.slice(split + 2),
  }
}

// ---- The witness's side ----

/** What a witness knows: the keys of its logs, and the last checkpoint it cosigned of each. */
export interface WitnessKnowledge {
  readonly logKeys: readonly NoteKey[]
  /** `null` if it never cosigned one of that origin. */
  readonly latestOf: (origin: string) => Checkpoint | null
}

/** The status of HTTP, with the size to retry from for 409 and what to store for 200. */
export type WitnessAnswer =
  | { readonly status: 400 | 403 | 404 | 422 }
  | { readonly status: 409, readonly latestSize: bigint }
  | { readonly status: 200, readonly checkpoint: Checkpoint, readonly note: string }

/** Judge one request. 200 means: store the checkpoint, then cosign and answer. */
export function judgeAddCheckpoint(body: string, knowledge: WitnessKnowledge): WitnessAnswer {
  const parsed = tryOr(['malformed-request', 'malformed-note', 'malformed-checkpoint'], () => {
    const request = parseAddCheckpoint(body)
    return { request, checkpoint: parseCheckpoint(parseNote(request.note).text) }
  })
  if (parsed === null) return { status: 400 }
  const { request, checkpoint } = parsed

  const keys = knowledge.logKeys.filter(({ name }) => name === checkpoint.origin)
  if (keys.length === 0) return { status: 404 }
  const signed = tryOr(['bad-signature', 'unknown-signer'], () => verifyNote(request.note, keys))
  if (signed === null) return { status: 403 }
  const refusal = judgeGrowth(request, checkpoint, knowledge.latestOf(checkpoint.origin))
  return refusal ?? { status: 200, checkpoint, note: keepVerified(signed) }
}

/** The note with the lines of trusted keys only: nothing unproved is stored or shown on. */
function keepVerified({ text, signatures }: VerifiedNote): string {
  const lines = signatures.map(({ key, payload }) => ({ name: key.name, keyId: key.id, payload }))
  return formatNote({ text, signatures: lines })
}

/** Why not, or `null` if the tree grew out of the latest one. */
function judgeGrowth(
  request: AddCheckpoint, checkpoint: Checkpoint, latest: Checkpoint | null,
): WitnessAnswer | null {
  if (request.oldSize > checkpoint.size) return { status: 400 }
  const latestSize = latest?.size ?? 0n
  if (request.oldSize !== latestSize) return { status: 409, latestSize }
  const grew = tryOr(['bad-proof'], () => {
    verifyConsistency({
      oldSize: latestSize, oldRoot: latest?.root ?? EMPTY_ROOT, size: checkpoint.size,
      root: checkpoint.root, proof: request.proof,
    })
    return true
  })
  return grew === null ? { status: 422 } : null
}

/** What `run` answers, or `null` if it refuses for one of these reasons. */
function tryOr<T>(codes: readonly ProtocolError['code'][], run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof ProtocolError && codes.includes(error.code)) return null
    throw error
  }
}

/** The body of a 200: one signature line of the witness. */
export function formatCosignatures(note: string, witnesses: readonly NoteSigner[]): string {
  return witnesses.map((witness) => cosignCheckpoint(note, witness)).join('')
}

// ---- The client's side ----

/**
 * The checkpoint with those lines of a witness's answer that its key has made, one for each key; lines by
 * anybody else, and by keys that have signed the note already, are left out.
 *
 * @throws ProtocolError `malformed-note`, `bad-signature`, or `unknown-signer` if no line is the witness's.
 */
export function addCosignatures(
  note: string, lines: string, witnessKeys: readonly NoteKey[],
): string {
  const { text, signatures: before } = parseNote(note)
  parseSignatures(lines)
  const { signatures } = verifyNote(`${text}\n${lines}`, witnessKeys)
  const fresh = signatures.filter(({ key }) => !before.some((line) => isBy(line, key)))
  return `${note}${fresh.map(({ key, payload }) =>
    formatSignature({ name: key.name, keyId: key.id, payload })).join('')}`
}

function isBy({ name, keyId }: NoteSignature, key: NoteKey): boolean {
  return name === key.name && keyId === key.id
}

/** Whether the note carries enough cosignatures for the policy. @throws as `verifyCheckpoint`. */
export function isWitnessed(note: string, policy: Policy): boolean {
  return tryOr(['quorum-missing'], () => verifyCheckpoint(note, policy)) !== null
}
