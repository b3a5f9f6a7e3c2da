/**
 * Keys: what they are, how they are written, and what each is derived from (SPEC.md § 3.1 and § 4).
 *
 *   R (root, 32 bytes, the owner's browser only)
 *   ├── owner/age-pq          the owner's age identity        ├── owner/ed25519   the signing key F
 *   ├── vault/tag-key         per vault, for the log          └── link/secret     L, per grant
 *   L ├── link/age-pq   ├── link/ed25519   └── link/card
 *
 * [Note: One key, one use] Every key has its own label and every label its own use; nothing derived
 * here is used for two things, and no label is a prefix of another's input.
 * Must not draw randomness except in `makeRoot`, `makeFileKey` and `makeDeviceSeed`.
 */
import {
  ByteReader, concatBytes, decodeBase64Url, encodeBase64Url, encodeUtf8,
} from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { sha256 } from '../hash.js'
import { FILE_KEY_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES, RECOVERY_CODE_SIZE_BYTES } from '../limits.js'
import {
  KEY_SIZE_BYTES, XWING_PUBLIC_KEY_SIZE_BYTES, hkdf, randomBytes, signKeyPairFromSeed, wipe,
  x25519Base, xwingPublicKey,
} from '../sodium.js'
import type { SignKeyPair } from '../sodium.js'
import { decodeBech32, encodeBech32 } from './bech32.js'

export const ROOT_SIZE_BYTES = 32
export const LINK_SECRET_SIZE_BYTES = 32
export const GRANT_ID_SIZE_BYTES = 16
export const FINGERPRINT_SIZE_BYTES = 16
const FRAGMENT_VERSION = 1
/** No hand-typed text is longer, whatever separators its owner added. */
const MAX_RECOVERY_TEXT_LENGTH = 100

const KEY_PREFIX = encodeUtf8('sealdeck/v1/')
const NO_SALT = new Uint8Array(0)

/** Every label a key is derived under. Closed, so that a label cannot be used twice by accident. */
export const KEY_LABELS = [
  'owner/age-pq', 'owner/ed25519', 'owner/private', 'vault/tag-key', 'link/secret',
  'link/age-pq', 'link/ed25519', 'link/card', 'device/age-pq', 'device/ed25519',
  'passkey/wrap', 'passphrase/wrap', 'recovery/wrap', 'recovery/auth',
  'keyring-commit', 'key-commit',
] as const
export type KeyLabel = typeof KEY_LABELS[number]

/** `HKDF(ikm, salt, info)` of SPEC.md § 1: HKDF-SHA-256, 32 bytes, info `sealdeck/v1/` ‖ label. */
export function deriveKey(
  inputKey: Uint8Array, salt: Uint8Array, label: KeyLabel,
): Uint8Array<ArrayBuffer> {
  return hkdf(inputKey, salt, concatBytes(KEY_PREFIX, encodeUtf8(label)))
}

// ---- age identities and recipients ----

export type KeyType = 'hybrid' | 'x25519'

/** A public encryption key: 1216 bytes (hybrid) or 32 (x25519). */
export interface Recipient {
  readonly type: KeyType
  readonly publicKey: Uint8Array
}

/** A secret encryption key, 32 bytes, with the recipient that follows from it. */
export interface Identity {
  readonly type: KeyType
  readonly secret: Uint8Array
  readonly recipient: Recipient
}

const RECIPIENT_PREFIXES: Readonly<Record<KeyType, string>> = { hybrid: 'age1pq', x25519: 'age' }
const IDENTITY_PREFIXES: Readonly<Record<KeyType, string>> = {
  hybrid: 'age-secret-key-pq-', x25519: 'age-secret-key-',
}
const PUBLIC_KEY_SIZES_BYTES: Readonly<Record<KeyType, number>> = {
  hybrid: XWING_PUBLIC_KEY_SIZE_BYTES, x25519: KEY_SIZE_BYTES,
}
const KEY_TYPES: readonly KeyType[] = ['hybrid', 'x25519']

/** The identity whose 32-byte secret (hybrid: the X-Wing seed) this is. The secret is copied. */
export function identityFromSecret(type: KeyType, secret: Uint8Array): Identity {
  assert(secret.length === KEY_SIZE_BYTES, 'an age secret is 32 bytes')
  const publicKey = type === 'hybrid' ? xwingPublicKey(secret) : x25519Base(secret)
  return { type, secret: new Uint8Array(secret), recipient: { type, publicKey } }
}

/** A fresh identity from the platform's random source. */
export function makeIdentity(type: KeyType): Identity {
  const secret = randomBytes(KEY_SIZE_BYTES)
  try {
    return identityFromSecret(type, secret)
  } finally {
    wipe(secret)
  }
}

/** @throws ProtocolError `malformed-encoding` unless it is 1216 bytes. */
export function hybridRecipient(publicKey: Uint8Array): Recipient {
  if (publicKey.length !== XWING_PUBLIC_KEY_SIZE_BYTES) throw malformed('not a hybrid recipient')
  return { type: 'hybrid', publicKey }
}

/** `age1pq1…` or `age1…`. */
export function formatRecipient(recipient: Recipient): string {
  return encodeBech32(RECIPIENT_PREFIXES[recipient.type], recipient.publicKey)
}

/** @throws ProtocolError `malformed-encoding` for anything but a native hybrid or X25519 recipient. */
export function parseRecipient(text: string): Recipient {
  const { prefix, bytes } = decodeBech32(text)
  const type = KEY_TYPES.find((candidate) => RECIPIENT_PREFIXES[candidate] === prefix)
  if (type === undefined || bytes.length !== PUBLIC_KEY_SIZES_BYTES[type]) {
    throw malformed('not an age recipient')
  }
  return { type, publicKey: bytes }
}

/** `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`: a line of an age identity file. */
export function formatIdentity(identity: Identity): string {
  return encodeBech32(IDENTITY_PREFIXES[identity.type], identity.secret).toUpperCase()
}

/** @throws ProtocolError `malformed-encoding` for anything but a native hybrid or X25519 identity. */
export function parseIdentity(text: string): Identity {
  const { prefix, bytes } = decodeBech32(text)
  const type = KEY_TYPES.find((candidate) => IDENTITY_PREFIXES[candidate].toUpperCase() === prefix)
  if (type === undefined || bytes.length !== KEY_SIZE_BYTES) throw malformed('not an age identity')
  return identityFromSecret(type, bytes)
}

// ---- the owner ----

/** A fresh root `R`, 32 bytes. It never leaves the client unlocked. */
export function makeRoot(): Uint8Array<ArrayBuffer> {
  return randomBytes(ROOT_SIZE_BYTES)
}

export interface OwnerKeys {
  readonly identity: Identity
  /** The founder's signing key F: signs records, grants, wraps and delegations, nothing else. */
  readonly signing: SignKeyPair
  /** `fpF`: what links and invitations pin. */
  readonly fingerprint: Uint8Array
}

/** What an unlocked owner holds: her root and what follows from it. */
export interface OwnerSecrets {
  readonly root: Uint8Array
  readonly keys: OwnerKeys
}

/** The owner's keys from the root `R`. */
export function deriveOwnerKeys(root: Uint8Array): OwnerKeys {
  assert(root.length === ROOT_SIZE_BYTES, 'a root is 32 bytes')
  const signing = signingKeyOf(root, NO_SALT, 'owner/ed25519')
  return {
    identity: hybridIdentityOf(root, NO_SALT, 'owner/age-pq'),
    signing,
    fingerprint: fingerprintOf(signing.publicKey),
  }
}

/** The key of a vault's tags in the log, 32 bytes; given to the server when the vault is made. */
export function deriveVaultTagKey(root: Uint8Array, vaultId: string): Uint8Array<ArrayBuffer> {
  assert(root.length === ROOT_SIZE_BYTES, 'a root is 32 bytes')
  return deriveKey(root, encodeUtf8(vaultId), 'vault/tag-key')
}

/** `fpF = SHA-256(pkF)[0..16]`, for the 32-byte public signing key of a founder. */
export function fingerprintOf(publicKey: Uint8Array): Uint8Array {
  assert(publicKey.length === KEY_SIZE_BYTES, 'an Ed25519 key is 32 bytes')
  return sha256(publicKey).slice(0, FINGERPRINT_SIZE_BYTES)
}

// ---- links ----

/** A fresh grant id, 16 bytes; it stands in the URL and is no secret. */
export function makeGrantId(): Uint8Array<ArrayBuffer> {
  return randomBytes(GRANT_ID_SIZE_BYTES)
}

/** `L`, 32 bytes: derived and not drawn, so that the founder can copy the link again. */
export function deriveLinkSecret(root: Uint8Array, grantId: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(root.length === ROOT_SIZE_BYTES, 'a root is 32 bytes')
  assert(grantId.length === GRANT_ID_SIZE_BYTES, 'a grant id is 16 bytes')
  return deriveKey(root, grantId, 'link/secret')
}

export interface LinkKeys {
  readonly identity: Identity
  /** Signs the link holder's notes: access request, enrolment, acceptance. */
  readonly signing: SignKeyPair
  /** Seals and opens the card shown at the gate, 32 bytes. */
  readonly cardKey: Uint8Array
}

/** The link's keys, for whoever holds its secret: the founder, and the investor by the fragment. */
export function deriveLinkKeys(linkSecret: Uint8Array, grantId: Uint8Array): LinkKeys {
  assert(linkSecret.length === LINK_SECRET_SIZE_BYTES, 'a link secret is 32 bytes')
  assert(grantId.length === GRANT_ID_SIZE_BYTES, 'a grant id is 16 bytes')
  return {
    identity: hybridIdentityOf(linkSecret, grantId, 'link/age-pq'),
    signing: signingKeyOf(linkSecret, grantId, 'link/ed25519'),
    cardKey: deriveKey(linkSecret, grantId, 'link/card'),
  }
}

export interface Fragment {
  readonly linkSecret: Uint8Array
  readonly fingerprint: Uint8Array
}

/** What stands after the `#` of a link: base64url(0x01 ‖ L ‖ fpF), 66 symbols. */
export function formatFragment(fragment: Fragment): string {
  assert(fragment.linkSecret.length === LINK_SECRET_SIZE_BYTES, 'a link secret is 32 bytes')
  assert(fragment.fingerprint.length === FINGERPRINT_SIZE_BYTES, 'a fingerprint is 16 bytes')
  return encodeBase64Url(
    concatBytes(Uint8Array.of(FRAGMENT_VERSION), fragment.linkSecret, fragment.fingerprint))
}

/**
 * @param text - without the `#`.
 * @throws ProtocolError `malformed-encoding`, or `unsupported-version` for any first byte but 0x01.
 */
export function parseFragment(text: string): Fragment {
  const expectedLength = Math.ceil((1 + LINK_SECRET_SIZE_BYTES + FINGERPRINT_SIZE_BYTES) * 4 / 3)
  if (text.length !== expectedLength) throw malformed('fragment of wrong length')
  const reader = new ByteReader(decodeBase64Url(text))
  if (reader.takeU8() !== FRAGMENT_VERSION) throw new ProtocolError('unsupported-version', 'fragment')
  const linkSecret = reader.take(LINK_SECRET_SIZE_BYTES)
  const fingerprint = reader.take(FINGERPRINT_SIZE_BYTES)
  reader.end()
  return { linkSecret, fingerprint }
}

// ---- devices ----

export interface DeviceKeys {
  readonly identity: Identity
  /** Signs this device's notes and session challenges. */
  readonly signing: SignKeyPair
}

/** A fresh device seed, 32 bytes; one a device and grant. */
export function makeDeviceSeed(): Uint8Array<ArrayBuffer> {
  return randomBytes(KEY_SIZE_BYTES)
}

/** The device's keys for one grant: the same seed under another grant has nothing in common. */
export function deriveDeviceKeys(seed: Uint8Array, grantId: Uint8Array): DeviceKeys {
  assert(seed.length === KEY_SIZE_BYTES, 'a device seed is 32 bytes')
  assert(grantId.length === GRANT_ID_SIZE_BYTES, 'a grant id is 16 bytes')
  return {
    identity: hybridIdentityOf(seed, grantId, 'device/age-pq'),
    signing: signingKeyOf(seed, grantId, 'device/ed25519'),
  }
}

// ---- file keys ----

/** A fresh file key, 16 bytes; a new version always has a new one. */
export function makeFileKey(): Uint8Array<ArrayBuffer> {
  return randomBytes(FILE_KEY_SIZE_BYTES)
}

/** A fresh payload nonce, 16 bytes. */
export function makePayloadNonce(): Uint8Array<ArrayBuffer> {
  return randomBytes(PAYLOAD_NONCE_SIZE_BYTES)
}

/** `keyCommit = HKDF(file key, nonce, "key-commit")`, 32 bytes. */
export function commitToFileKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(fileKey.length === FILE_KEY_SIZE_BYTES, 'a file key is 16 bytes')
  assert(nonce.length === PAYLOAD_NONCE_SIZE_BYTES, 'a payload nonce is 16 bytes')
  return deriveKey(fileKey, nonce, 'key-commit')
}

// ---- the recovery code ----

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const RECOVERY_SYMBOL_COUNT = RECOVERY_CODE_SIZE_BYTES * 8 / 5

/** A fresh recovery code, 20 bytes (160 bits: it needs no slow hash). */
export function makeRecoveryCode(): Uint8Array<ArrayBuffer> {
  return randomBytes(RECOVERY_CODE_SIZE_BYTES)
}

/** Eight groups of four Crockford base32 symbols: `7Q2M-K3V9-…`. */
export function formatRecoveryCode(code: Uint8Array): string {
  assert(code.length === RECOVERY_CODE_SIZE_BYTES, 'a recovery code is 20 bytes')
  let symbols = ''
  let accumulator = 0
  let bitCount = 0
  for (const byte of code) {
    accumulator = ((accumulator << 8) | byte) & 0xffff
    bitCount += 8
    while (bitCount >= 5) {
      bitCount -= 5
      symbols += CROCKFORD.charAt((accumulator >> bitCount) & 31)
    }
  }
  return symbols.match(/.{4}/g)?.join('-') ?? ''
}

/**
 * Read a code as a person types it: any case, spaces and hyphens anywhere, O for 0, I and L for 1.
 *
 * @throws ProtocolError `malformed-encoding`.
 */
export function parseRecoveryCode(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > MAX_RECOVERY_TEXT_LENGTH) throw malformed('recovery code too long')
  const symbols = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  if (symbols.length !== RECOVERY_SYMBOL_COUNT) throw malformed('recovery code of wrong length')
  const code = new Uint8Array(RECOVERY_CODE_SIZE_BYTES)
  for (const [index, symbol] of [...symbols].entries()) {
    const value = CROCKFORD.indexOf(symbol)
    if (value < 0) throw malformed('not a recovery symbol')
    for (let bit = 0; bit < 5; bit++) {
      const position = index * 5 + bit
      const byteIndex = position >> 3
      const isSet = (value >> (4 - bit)) & 1
      code[byteIndex] = (code[byteIndex] ?? 0) | (isSet << (7 - (position & 7)))
    }
  }
  return code
}

/** Shown to the server, which keeps its SHA-256 and returns the recovery row for it. 32 bytes. */
export function deriveRecoveryAuth(code: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(code.length === RECOVERY_CODE_SIZE_BYTES, 'a recovery code is 20 bytes')
  return deriveKey(code, NO_SALT, 'recovery/auth')
}

// ---- derivation ----

function hybridIdentityOf(inputKey: Uint8Array, salt: Uint8Array, label: KeyLabel): Identity {
  const seed = deriveKey(inputKey, salt, label)
  try {
    return identityFromSecret('hybrid', seed)
  } finally {
    wipe(seed)
  }
}

function signingKeyOf(inputKey: Uint8Array, salt: Uint8Array, label: KeyLabel): SignKeyPair {
  const seed = deriveKey(inputKey, salt, label)
  try {
    return signKeyPairFromSeed(seed)
  } finally {
    wipe(seed)
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-encoding', detail)
}
