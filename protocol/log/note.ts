/**
 * Signed notes: a text that people read, and signature lines under it (SPEC.md § 7, source:
 * c2sp.org/signed-note and c2sp.org/tlog-cosignature). Pure; must not know what a text says.
 *
 *   text lines ... each ending \n          <- these bytes are signed
 *   \n
 *   — <key name> <base64(keyId[4] ‖ payload)>\n
 *
 * [Note: Strict notes] One text, one meaning: base64 is canonical, nothing below U+0020 but \n, no
 * lone surrogates. Others' parsers accept stray base64 bits, so the hash of a whole note never
 * names anything.
 */
import {
  ByteReader, concatBytes, decodeBase64, encodeBase64, encodeU32, encodeU64, encodeUtf8,
  equalBytes,
} from '../bytes.js'
import { assert, ProtocolError, type ProtocolErrorCode } from '../errors.js'
import { sha256 } from '../hash.js'
import {
  MAX_KEY_NAME_LENGTH, MAX_NOTE_SIGNATURE_COUNT, MAX_NOTE_SIZE_BYTES, MAX_TREE_SIZE,
} from '../limits.js'
import { signDetached, signKeyPairFromSeed, verifyDetached } from '../sodium.js'

/** Key types: Ed25519 over the text; Ed25519 over time and text (`cosignature/v1`). */
export const ED25519_KEY_TYPE = 0x01
export const COSIGNATURE_KEY_TYPE = 0x04

const KEY_ID_SIZE_BYTES = 4
const PUBLIC_KEY_SIZE_BYTES = 32
const ED25519_SIGNATURE_SIZE_BYTES = 64
const SECRET_KEY_PREFIX = 'PRIVATE+KEY+'

/** A public key with its name, as a vkey states it. `id` is the 32-bit key ID. */
export interface NoteKey {
  readonly name: string
  readonly id: number
  readonly type: number
  readonly publicKey: Uint8Array
}

/** One signature line. `payload` is what follows the key ID; its layout is the key type's. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly payload: Uint8Array
}

/** `text` ends with \n and excludes the empty line before the signatures. */
export interface Note {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A signature that its key has made. `timeSeconds` only for cosignatures. */
export interface VerifiedSignature {
  readonly key: NoteKey
  readonly payload: Uint8Array
  readonly timeSeconds?: bigint
}

export interface VerifiedNote {
  readonly text: string
  readonly signatures: readonly VerifiedSignature[]
}

/** Signs note texts with one key. `sign` returns the payload of its line. */
export interface NoteSigner {
  readonly key: NoteKey
  readonly sign: (text: string) => Uint8Array
}

// ---- Keys ----

/** @throws ProtocolError `malformed-key` if the name is empty, too long, or has a space or `+`. */
export function noteKey(key: { name: string, type: number, publicKey: Uint8Array }): NoteKey {
  requireKeyName(key.name, 'malformed-key')
  if (key.name.length > MAX_KEY_NAME_LENGTH) throw new ProtocolError('malformed-key', 'name too long')
  if (key.type !== ED25519_KEY_TYPE && key.type !== COSIGNATURE_KEY_TYPE) {
    throw new ProtocolError('malformed-key', 'unknown key type')
  }
  if (key.publicKey.length !== PUBLIC_KEY_SIZE_BYTES) {
    throw new ProtocolError('malformed-key', 'not 32 bytes')
  }
  return { ...key, id: keyId(key) }
}

function keyId(key: { name: string, type: number, publicKey: Uint8Array }): number {
  const hashed = sha256(concatBytes(
    encodeUtf8(`${key.name}\n`), Uint8Array.of(key.type), key.publicKey))
  return new ByteReader(hashed).takeU32()
}

function requireKeyName(name: string, code: ProtocolErrorCode): void {
  if (name === '' || /[\p{White_Space}\p{Surrogate}+]/u.test(name)) {
    throw new ProtocolError(code, 'key name')
  }
}

/** `name+hex8(keyId)+base64(type ‖ key)`. */
export function formatVkey(key: NoteKey): string {
  const typed = concatBytes(Uint8Array.of(key.type), key.publicKey)
  return `${key.name}+${formatKeyId(key.id)}+${encodeBase64(typed)}`
}

/** @throws ProtocolError `malformed-key`, also when the stated key ID is not the key's. */
export function parseVkey(text: string): NoteKey {
  const { name, id, typed } = splitKey(text)
  const key = noteKey({ name, type: typed[0] ?? 0, publicKey: typed.subarray(1) })
  if (formatKeyId(key.id) !== id) throw new ProtocolError('malformed-key', 'key ID of another key')
  return key
}

// The base64 part may hold `+` itself, so only the first two separate.
function splitKey(text: string): { name: string, id: string, typed: Uint8Array } {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([^\n]+)$/.exec(text)
  const [, name, id, base64] = match ?? []
  if (name === undefined || id === undefined || base64 === undefined) {
    throw new ProtocolError('malformed-key', 'not name+id+key')
  }
  return { name, id, typed: decodeOr('malformed-key', base64) }
}

/** The name in a key's line, before the line is parsed: for what is looked up by it. */
export function originOfVkey(vkey: string): string {
  return vkey.split('+', 1)[0] ?? ''
}

export function formatKeyId(id: number): string {
  return id.toString(16).padStart(8, '0')
}

export function equalKeys(a: NoteKey, b: NoteKey): boolean {
  return a.name === b.name && a.type === b.type && equalBytes(a.publicKey, b.publicKey)
}

function decodeOr(code: ProtocolErrorCode, base64: string): Uint8Array {
  try {
    return decodeBase64(base64)
  } catch (error) {
    throw new ProtocolError(code, error instanceof Error ? error.message : 'base64')
  }
}

// ---- Signers ----

/** Signs texts with Ed25519 (type 01). `seed` is 32 bytes; needs sodium's `ready()`. */
export function ed25519Signer(name: string, seed: Uint8Array): NoteSigner {
  const pair = signKeyPairFromSeed(seed)
  const key = noteKey({ name, type: ED25519_KEY_TYPE, publicKey: pair.publicKey })
  return { key, sign: (text) => signDetached(encodeUtf8(text), pair.secretKey) }
}

/**
 * Cosigns checkpoints at a time (type 04). The message does not name the witness, so one seed
 * serves one witness name only.
 */
export function cosigner(name: string, seed: Uint8Array, nowSeconds: () => number): NoteSigner {
  const pair = signKeyPairFromSeed(seed)
  const key = noteKey({ name, type: COSIGNATURE_KEY_TYPE, publicKey: pair.publicKey })
  function sign(text: string): Uint8Array {
    const timeSeconds = BigInt(nowSeconds())
    assert(timeSeconds > 0n && timeSeconds <= MAX_TREE_SIZE, 'a cosignature has a time')
    const signature = signDetached(cosignedMessage(text, timeSeconds), pair.secretKey)
    return concatBytes(encodeU64(timeSeconds), signature)
  }
  return { key, sign }
}

function cosignedMessage(text: string, timeSeconds: bigint): Uint8Array {
  return encodeUtf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`)
}

/** `PRIVATE+KEY+name+hex8+base64(type ‖ seed)`, the form Go's note package writes. A secret. */
export function formatSecretKey(key: NoteKey, seed: Uint8Array): string {
  const typed = concatBytes(Uint8Array.of(key.type), seed)
  return `${SECRET_KEY_PREFIX}${key.name}+${formatKeyId(key.id)}+${encodeBase64(typed)}`
}

/**
 * @returns the key and its seed, for `ed25519Signer` or `cosigner` by `key.type`.
 * @throws ProtocolError `malformed-key`; the message never quotes the text.
 */
export function parseSecretKey(text: string): { key: NoteKey, seed: Uint8Array } {
  if (!text.startsWith(SECRET_KEY_PREFIX)) throw new ProtocolError('malformed-key', 'not a secret key')
  const { name, id, typed } = splitKey(text.slice(SECRET_KEY_PREFIX.length))
  const seed = typed.subarray(1)
  if (seed.length !== 32) throw new ProtocolError('malformed-key', 'a seed is 32 bytes')
  const { publicKey } = signKeyPairFromSeed(seed)
  const key = noteKey({ name, type: typed[0] ?? 0, publicKey })
  if (formatKeyId(key.id) !== id) throw new ProtocolError('malformed-key', 'key ID of another key')
  return { key, seed }
}

// ---- Notes ----

/** Decimal without sign or leading zeros, at most 2^63-1. @throws ProtocolError with `code`. */
export function parseDecimal(text: string, code: ProtocolErrorCode): bigint {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) throw new ProtocolError(code, 'not a decimal number')
  const value = BigInt(text)
  if (value > MAX_TREE_SIZE) throw new ProtocolError(code, 'number over 2^63-1')
  return value
}

/** @throws ProtocolError `malformed-note` if the text could not be signed. */
export function requireNoteText(text: string): void {
  if (!text.endsWith('\n')) throw new ProtocolError('malformed-note', 'text without its last newline')
  requireCleanText(text)
}

function requireCleanText(text: string): void {
  // Size in UTF-16 units is at most the size in bytes, so the limit is checked cheaply first.
  if (text.length > MAX_NOTE_SIZE_BYTES || encodeUtf8(text).length > MAX_NOTE_SIZE_BYTES) {
    throw new ProtocolError('malformed-note', 'over its size limit')
  }
  // The specification forbids only these: U+007F and above may stand in a text.
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 && unit !== 0x0a) throw new ProtocolError('malformed-note', 'control character')
  }
  if (/\p{Surrogate}/u.test(text)) throw new ProtocolError('malformed-note', 'lone surrogate')
}

/** One line with its newline. */
export function formatSignature(signature: NoteSignature): string {
  const bytes = concatBytes(encodeU32(signature.keyId), signature.payload)
  return `— ${signature.name} ${encodeBase64(bytes)}\n`
}

/** @throws ProtocolError `malformed-note`. */
export function formatNote(note: Note): string {
  requireNoteText(note.text)
  return `${note.text}\n${note.signatures.map(formatSignature).join('')}`
}

/**
 * Split at the last empty line: the text may hold empty lines of its own.
 * @throws ProtocolError `malformed-note`. Verifies nothing.
 */
export function parseNote(noteText: string): Note {
  requireCleanText(noteText)
  const split = noteText.lastIndexOf('\n\n')
  if (split < 0) throw new ProtocolError('malformed-note', 'no empty line before signatures')
  return {
    text: noteText.slice(0, split + 1),
    signatures: parseSignatures(noteText.slice(split + 2)),
  }
}

/** Signature lines alone, at least one. @throws ProtocolError `malformed-note`. */
export function parseSignatures(lines: string): NoteSignature[] {
  if (!lines.endsWith('\n')) throw new ProtocolError('malformed-note', 'no last newline')
  const split = lines.slice(0, -1).split('\n')
  if (split.length > MAX_NOTE_SIGNATURE_COUNT) {
    throw new ProtocolError('malformed-note', 'too many signatures')
  }
  return split.map(parseSignature)
}

function parseSignature(line: string): NoteSignature {
  const match = /^— ([^ ]+) ([^ ]+)$/.exec(line)
  const [, name, base64] = match ?? []
  if (name === undefined || base64 === undefined) {
    throw new ProtocolError('malformed-note', 'not a signature line')
  }
  requireKeyName(name, 'malformed-note')
  const bytes = decodeOr('malformed-note', base64)
  if (bytes.length <= KEY_ID_SIZE_BYTES) throw new ProtocolError('malformed-note', 'empty signature')
  const reader = new ByteReader(bytes)
  return { name, keyId: reader.takeU32(), payload: bytes.subarray(KEY_ID_SIZE_BYTES) }
}

/** The text with one line by each signer, in order. Ed25519 is deterministic: same text, same note. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  requireNoteText(text)
  return formatNote({ text, signatures: signers.map((signer) => signText(text, signer)) })
}

function signText(text: string, signer: NoteSigner): NoteSignature {
  return { name: signer.key.name, keyId: signer.key.id, payload: signer.sign(text) }
}

/** The signature line (with newline) that a signer would put under a text. */
export function formatSignatureBy(text: string, signer: NoteSigner): string {
  return formatSignature(signText(text, signer))
}

/**
 * Which of `keys` signed the note. Lines by unknown keys (name and ID must both match) are
 * ignored; of several lines by one key the first counts.
 *
 * @returns at least one signature, in the note's order.
 * @throws ProtocolError `malformed-note`; `bad-signature` if a line of a known key is wrong;
 * `unknown-signer` if no known key signed.
 */
export function verifyNote(noteText: string, keys: readonly NoteKey[]): VerifiedNote {
  const note = parseNote(noteText)
  const signatures: VerifiedSignature[] = []
  for (const line of note.signatures) {
    const key = keys.find(({ name, id }) => name === line.name && id === line.keyId)
    if (key === undefined || signatures.some((signature) => signature.key === key)) continue
    signatures.push(verifySignature(note.text, line, key))
  }
  if (signatures.length === 0) throw new ProtocolError('unknown-signer', 'signed by no known key')
  return { text: note.text, signatures }
}

function verifySignature(text: string, line: NoteSignature, key: NoteKey): VerifiedSignature {
  const verified = key.type === COSIGNATURE_KEY_TYPE
    ? verifyCosignature(text, line.payload, key)
    : verifyEd25519(text, line.payload, key)
  if (verified === null) throw new ProtocolError('bad-signature', `signature by ${key.name}`)
  return verified
}

function verifyEd25519(text: string, payload: Uint8Array, key: NoteKey): VerifiedSignature | null {
  return verifyDetached(payload, encodeUtf8(text), key.publicKey) ? { key, payload } : null
}

// payload = u64 seconds ‖ ed25519[64]
function verifyCosignature(
  text: string, payload: Uint8Array, key: NoteKey,
): VerifiedSignature | null {
  if (payload.length !== 8 + ED25519_SIGNATURE_SIZE_BYTES) return null
  const timeSeconds = new ByteReader(payload).takeU64()
  if (timeSeconds === 0n || timeSeconds > MAX_TREE_SIZE) return null
  const message = cosignedMessage(text, timeSeconds)
  return verifyDetached(payload.subarray(8), message, key.publicKey)
    ? { key, payload, timeSeconds }
    : null
}
