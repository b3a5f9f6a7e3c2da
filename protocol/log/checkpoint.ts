/**
 * Checkpoints: what a log signs about itself, and what witnesses cosign (SPEC.md § 7, source:
 * c2sp.org/tlog-checkpoint). Pure; must not decide whom to trust: policy.ts does.
 *
 *   <origin>\n
 *   <size, decimal>\n
 *   <base64(root[32])>\n
 */
import { decodeBase64, encodeBase64, equalBytes } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES } from '../hash.js'
import { MAX_KEY_NAME_LENGTH } from '../limits.js'
import { EMPTY_ROOT } from './merkle.js'
import {
  formatSignatureBy, parseDecimal, parseNote, requireNoteText, signNote, type NoteSigner,
} from './note.js'

/** The tree of one log at one size. `extensions` are lines that nobody audits: ours has none. */
export interface Checkpoint {
  readonly origin: string
  readonly size: bigint
  readonly root: Uint8Array
  readonly extensions?: readonly string[]
}

/** The text that is signed. @throws ProtocolError `malformed-checkpoint` or `malformed-note`. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const lines = [checkpoint.origin, checkpoint.size.toString(), encodeBase64(checkpoint.root)]
  const text = [...lines, ...checkpoint.extensions ?? []].map((line) => `${line}\n`).join('')
  requireNoteText(text)
  parseCheckpoint(text)
  return text
}

/**
 * @param text - of a note, without signatures.
 * @throws ProtocolError `malformed-checkpoint`. That an empty tree has the empty root is not checked
 * here, because a witness answers to that differently: `requireEmptyRoot`.
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw new ProtocolError('malformed-checkpoint', 'no last newline')
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n')
  if (origin === '' || origin.length > MAX_KEY_NAME_LENGTH) {
    throw new ProtocolError('malformed-checkpoint', 'origin')
  }
  if (extensions.includes('')) throw new ProtocolError('malformed-checkpoint', 'empty extension line')
  const parsed = {
    origin,
    size: parseDecimal(size, 'malformed-checkpoint'),
    root: decodeHashOr('malformed-checkpoint', root),
  }
  return extensions.length === 0 ? parsed : { ...parsed, extensions }
}

/** One base64 line of 32 bytes. @throws ProtocolError with `code`. */
export function decodeHashOr(
  code: 'malformed-checkpoint' | 'malformed-proof' | 'malformed-request', base64: string,
): Uint8Array {
  // 32 bytes are 44 characters; anything else is refused before it is decoded.
  if (base64.length !== 44) throw new ProtocolError(code, 'not a hash')
  try {
    const hash = decodeBase64(base64)
    if (hash.length === HASH_SIZE_BYTES) return hash
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  throw new ProtocolError(code, 'not a hash')
}

/** The origin that a note states, before anything of it is verified: for what is looked up by it. Empty if none is. */
export function statedOrigin(note: string): string {
  return note.slice(0, Math.max(0, note.indexOf('\n')))
}

/** @throws ProtocolError `bad-proof` if an empty tree is stated with entries in it. */
export function requireEmptyRoot(checkpoint: Checkpoint): void {
  if (checkpoint.size === 0n && !equalBytes(checkpoint.root, EMPTY_ROOT)) {
    throw new ProtocolError('bad-proof', 'an empty tree with another root')
  }
}

/**
 * A signed checkpoint. The log's key signs nothing else, and nothing before the entries are
 * committed: the same checkpoint signed again is the same note.
 */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  assert(signers.every(({ key }) => key.name === checkpoint.origin), 'a log signs under its origin')
  return signNote(formatCheckpoint(checkpoint), signers)
}

/**
 * The line that a witness adds. Refuses to sign any text that is not a checkpoint.
 * @throws ProtocolError `malformed-checkpoint` or `malformed-note`.
 */
export function cosignCheckpoint(note: string, witness: NoteSigner): string {
  const { text } = parseNote(note)
  parseCheckpoint(text)
  return formatSignatureBy(text, witness)
}
