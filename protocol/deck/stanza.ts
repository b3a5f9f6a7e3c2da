/**
 * Recipient stanzas: the file key wrapped for one recipient each (SPEC.md § 3.2; source: c2sp.org/age).
 * Must not read or write the header's text: that is header.ts.
 *
 *   -> X25519 <share>                  body: ChaCha20-Poly1305(HKDF(X25519(e, recipient)), file key)
 *   -> mlkem768x25519 <encapsulated>   body: HPKE SealBase (X-Wing, HKDF-SHA-256, ChaCha20-Poly1305)
 *   -> scrypt <salt> <log N>           body: ChaCha20-Poly1305(scrypt(passphrase), file key)
 *
 * [Note: Skip or refuse] Anyone may add stanzas, so a stranger's stanza is skipped but a broken one is
 * fatal: answering "no match" to both would pass tampering off as an ordinary refusal.
 */
import { concatBytes, decodeBase64NoPad, encodeBase64NoPad, encodeUtf8 } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { AEAD_TAG_SIZE_BYTES, FILE_KEY_SIZE_BYTES } from '../limits.js'
import {
  CHACHA_NONCE_SIZE_BYTES, KEY_SIZE_BYTES, XWING_CIPHERTEXT_SIZE_BYTES, decapsulateXwing,
  encapsulateXwing, hkdf, hkdfExpand, hmacSha256, openChaCha, randomBytes, sealChaCha, wipe, x25519,
  x25519Base,
} from '../sodium.js'
import type { Identity, Recipient } from './identity.js'

export interface Stanza {
  readonly type: string
  readonly args: readonly string[]
  readonly body: Uint8Array
}

/** age's 16-byte symmetric key of one file. */
export type FileKey = Uint8Array<ArrayBuffer>

/** Finds the file key among a header's stanzas; `null` if none of them is for it. */
export type Unwrapper = (stanzas: readonly Stanza[]) => FileKey | null

const WRAPPED_SIZE_BYTES = FILE_KEY_SIZE_BYTES + AEAD_TAG_SIZE_BYTES
const ZERO_NONCE = new Uint8Array(CHACHA_NONCE_SIZE_BYTES)
const EMPTY = new Uint8Array(0)
const X25519_LABEL = encodeUtf8('age-encryption.org/v1/X25519')
const HYBRID_LABEL = encodeUtf8('age-encryption.org/mlkem768x25519')
const SCRYPT_LABEL = encodeUtf8('age-encryption.org/v1/scrypt')
const SCRYPT_SALT_SIZE_BYTES = 16
/** 4 GiB of memory: no stock program writes more than 18, and more would stop the machine. */
const MAX_SCRYPT_LOG_N = 22

/** Wrap the file key for one recipient, with fresh randomness. */
export function wrapFor(recipient: Recipient, fileKey: FileKey): Stanza {
  assert(fileKey.length === FILE_KEY_SIZE_BYTES, 'a file key is 16 bytes')
  return recipient.type === 'hybrid' ? wrapHybrid(recipient, fileKey) : wrapX25519(recipient, fileKey)
}

/**
 * Recover the file key from the stanza addressed to this identity, if there is one.
 *
 * @param stanzas - every stanza of one header, in header order.
 * @returns the file key, or `null` if no stanza is addressed to `identity`.
 * @throws ProtocolError `malformed-stanza` if a stanza of the identity's type has the wrong shape
 *   ([Note: Skip or refuse]).
 */
export function unwrapFileKey(stanzas: readonly Stanza[], identity: Identity): FileKey | null {
  const type = identity.type === 'hybrid' ? 'mlkem768x25519' : 'X25519'
  const unwrap = identity.type === 'hybrid' ? unwrapHybrid : unwrapX25519
  for (const stanza of stanzas) {
    if (stanza.type !== type) continue
    const fileKey = unwrap(stanza, identity)
    if (fileKey !== null) return fileKey
  }
  return null
}

/** `unwrapFileKey` for one identity, as the age reader takes it. */
export function identityUnwrapper(identity: Identity): Unwrapper {
  return (stanzas) => unwrapFileKey(stanzas, identity)
}

// ---- X25519 ----

function wrapX25519(recipient: Recipient, fileKey: FileKey): Stanza {
  const ephemeral = randomBytes(KEY_SIZE_BYTES)
  const share = x25519Base(ephemeral)
  const shared = x25519(ephemeral, recipient.publicKey)
  wipe(ephemeral)
  if (shared === null) throw new ProtocolError('low-order-key', 'X25519 recipient')
  const body = sealOnce(x25519WrapKey(shared, { share, recipient: recipient.publicKey }), fileKey)
  return { type: 'X25519', args: [encodeBase64NoPad(share)], body }
}

function unwrapX25519(stanza: Stanza, identity: Identity): FileKey | null {
  requireShape(stanza, { argCount: 1 })
  const share = decodeArgument(stanza.args[0], KEY_SIZE_BYTES)
  const shared = x25519(identity.secret, share)
  if (shared === null) throw malformed('low-order share')
  const wrapKey = x25519WrapKey(shared, { share, recipient: identity.recipient.publicKey })
  return openOnce(wrapKey, stanza.body)
}

function x25519WrapKey(
  shared: Uint8Array, sides: { readonly share: Uint8Array, readonly recipient: Uint8Array },
): Uint8Array {
  const wrapKey = hkdf(shared, concatBytes(sides.share, sides.recipient), X25519_LABEL)
  wipe(shared)
  return wrapKey
}

// ---- hybrid: HPKE base mode (RFC 9180) with X-Wing ----

function wrapHybrid(recipient: Recipient, fileKey: FileKey): Stanza {
  const encapsulation = encapsulateXwing(recipient.publicKey)
  if (encapsulation === null) throw new ProtocolError('malformed-encoding', 'hybrid recipient')
  const { key, nonce } = hpkeContext(encapsulation.sharedSecret, HYBRID_LABEL)
  const body = sealChaCha({ key, nonce }, fileKey)
  wipe(key, encapsulation.sharedSecret)
  return { type: 'mlkem768x25519', args: [encodeBase64NoPad(encapsulation.ciphertext)], body }
}

function unwrapHybrid(stanza: Stanza, identity: Identity): FileKey | null {
  requireShape(stanza, { argCount: 1 })
  const encapsulated = decodeArgument(stanza.args[0], XWING_CIPHERTEXT_SIZE_BYTES)
  const shared = decapsulateXwing(encapsulated, identity.secret)
  if (shared === null) throw malformed('not an encapsulated key')
  const { key, nonce } = hpkeContext(shared, HYBRID_LABEL)
  const fileKey = openChaCha({ key, nonce }, stanza.body)
  wipe(key, shared)
  return fileKey
}

/** "HPKE" ‖ KEM 0x647a (X-Wing) ‖ KDF 0x0001 (HKDF-SHA-256) ‖ AEAD 0x0003 (ChaCha20-Poly1305). */
const HPKE_SUITE = concatBytes(encodeUtf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3))
const HPKE_VERSION = encodeUtf8('HPKE-v1')
const HPKE_MODE_BASE = 0

/** The key schedule of RFC 9180 section 5.1, for one message: its nonce is the base nonce. */
function hpkeContext(
  sharedSecret: Uint8Array, info: Uint8Array,
): { key: Uint8Array, nonce: Uint8Array } {
  const context = concatBytes(
    Uint8Array.of(HPKE_MODE_BASE),
    labeledExtract(EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(EMPTY, 'info_hash', info),
  )
  const secret = labeledExtract(sharedSecret, 'secret', EMPTY)
  const key = labeledExpand(secret, 'key', { context, size: KEY_SIZE_BYTES })
  const nonce = labeledExpand(secret, 'base_nonce', { context, size: CHACHA_NONCE_SIZE_BYTES })
  wipe(secret)
  return { key, nonce }
}

function labeledExtract(salt: Uint8Array, label: string, inputKey: Uint8Array): Uint8Array {
  return hmacSha256(salt, concatBytes(HPKE_VERSION, HPKE_SUITE, encodeUtf8(label), inputKey))
}

function labeledExpand(
  key: Uint8Array, label: string, output: { readonly context: Uint8Array, readonly size: number },
): Uint8Array {
  const size = Uint8Array.of(output.size >> 8, output.size & 0xff)
  const info = concatBytes(size, HPKE_VERSION, HPKE_SUITE, encodeUtf8(label), output.context)
  return hkdfExpand(key, info, output.size)
}

// ---- scrypt: in the command line only ----

/** scrypt with r = 8, p = 1 and 32 bytes out. Injected: libsodium's standard build has none. */
export type Scrypt = (passphrase: Uint8Array, salt: Uint8Array, logN: number) => Uint8Array

/** Wrap the file key with a passphrase. The stanza must stand alone in its header. */
export function wrapWithPassphrase(
  fileKey: FileKey, passphrase: string, cost: { readonly scrypt: Scrypt, readonly logN: number },
): Stanza {
  const salt = randomBytes(SCRYPT_SALT_SIZE_BYTES)
  const wrapKey = cost.scrypt(encodeUtf8(passphrase), concatBytes(SCRYPT_LABEL, salt), cost.logN)
  const body = sealOnce(wrapKey, fileKey)
  return { type: 'scrypt', args: [encodeBase64NoPad(salt), String(cost.logN)], body }
}

/**
 * The file key of a header wrapped with this passphrase, or `null` if it is another's.
 *
 * @throws ProtocolError `malformed-stanza`, also for a work factor that would stop the machine.
 */
export function passphraseUnwrapper(passphrase: string, scrypt: Scrypt): Unwrapper {
  return (stanzas) => {
    const [stanza] = stanzas
    if (stanza?.type !== 'scrypt') return null
    requireShape(stanza, { argCount: 2 })
    const salt = decodeArgument(stanza.args[0], SCRYPT_SALT_SIZE_BYTES)
    const logN = parseLogN(stanza.args[1])
    const wrapKey = scrypt(encodeUtf8(passphrase), concatBytes(SCRYPT_LABEL, salt), logN)
    return openOnce(wrapKey, stanza.body)
  }
}

function parseLogN(text: string | undefined): number {
  if (text === undefined || !/^[1-9][0-9]?$/.test(text)) throw malformed('work factor')
  const logN = Number(text)
  if (logN > MAX_SCRYPT_LOG_N) throw malformed('work factor too high')
  return logN
}

// ---- shapes ----

function requireShape(stanza: Stanza, shape: { readonly argCount: number }): void {
  if (stanza.args.length !== shape.argCount) throw malformed('wrong number of arguments')
  // Before opening: a body of another size is how one stanza is made to fit many keys.
  if (stanza.body.length !== WRAPPED_SIZE_BYTES) throw malformed('body of wrong size')
}

function decodeArgument(text: string | undefined, size: number): Uint8Array {
  try {
    const bytes = decodeBase64NoPad(text ?? '')
    if (bytes.length === size) return bytes
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  throw malformed('argument of wrong size or spelling')
}

/** One wrap key seals one file key, so the nonce is zero. */
function sealOnce(wrapKey: Uint8Array, fileKey: FileKey): Uint8Array {
  const body = sealChaCha({ key: wrapKey, nonce: ZERO_NONCE }, fileKey)
  wipe(wrapKey)
  return body
}

function openOnce(wrapKey: Uint8Array, body: Uint8Array): FileKey | null {
  const fileKey = openChaCha({ key: wrapKey, nonce: ZERO_NONCE }, body)
  wipe(wrapKey)
  return fileKey
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-stanza', detail)
}
