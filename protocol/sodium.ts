/**
 * The one file that touches libsodium (SPEC.md § 1.1). Everything is checked for size here,
 * and every secret that crosses into the WASM heap is wiped from it before the call returns.
 * Must not know any format: no labels, no prefixes, no Sealdeck word.
 *
 * [Note: Standard build] The standard build of libsodium-wrappers declares more than it has: no
 * SHA-256, HMAC or password hash. It has HKDF only as raw exports. HMAC-SHA-256 is HKDF-Extract (RFC 5869
 * section 2.2), SHA-256 is protocol/hash.ts.
 *
 * [Note: Scratch] Arguments are laid into one scratch area of the heap, in order, and results read
 * out of it. The area is kept between calls (an allocation a chunk would cost more than the chunk)
 * and wiped after each. `HEAPU8` is read afresh after each allocation: growing memory detaches it.
 */
import sodium from 'libsodium-wrappers'
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from './bytes.js'
import { assert } from './errors.js'

export const KEY_SIZE_BYTES = 32
export const SIGNATURE_SIZE_BYTES = 64
export const SIGN_SECRET_SIZE_BYTES = 64
export const CHACHA_NONCE_SIZE_BYTES = 12
export const XCHACHA_NONCE_SIZE_BYTES = 24
export const TAG_SIZE_BYTES = 16
export const XWING_PUBLIC_KEY_SIZE_BYTES = 1216
export const XWING_CIPHERTEXT_SIZE_BYTES = 1120
const XWING_ENCAPS_SEED_SIZE_BYTES = 64
const MAX_HKDF_INFO_SIZE_BYTES = 8192

/** More than any header that the age reader takes, and its results beside it. */
const MAX_SCRATCH_SIZE_BYTES = 40 * 1024 * 1024
const FIRST_SCRATCH_SIZE_BYTES = 256 * 1024
const MAX_RANDOM_SIZE_BYTES = 1024 * 1024

/** What the platform gives in one draw. */
const MAX_DRAW_SIZE_BYTES = 65_536

type Bytes = Uint8Array<ArrayBuffer>

/** The platform's, in browsers and in Node. */
declare const crypto: { getRandomValues(into: Bytes): Bytes }

/** The raw exports used here. Pointers and lengths are numbers; a u64 length is (low, high). */
interface RawSodium {
  readonly HEAPU8: Uint8Array
  _malloc(size: number): number
  _free(pointer: number): void
  _crypto_aead_chacha20poly1305_ietf_encrypt(...args: (number | null)[]): number
  _crypto_aead_chacha20poly1305_ietf_decrypt(...args: (number | null)[]): number
  _crypto_aead_xchacha20poly1305_ietf_encrypt(...args: (number | null)[]): number
  _crypto_aead_xchacha20poly1305_ietf_decrypt(...args: (number | null)[]): number
  _crypto_kdf_hkdf_sha256_extract(...args: number[]): number
  _crypto_kdf_hkdf_sha256_expand(...args: number[]): number
  _crypto_kem_xwing_seed_keypair(...args: number[]): number
  _crypto_kem_xwing_enc(...args: number[]): number
  _crypto_kem_xwing_enc_deterministic(...args: number[]): number
  _crypto_kem_xwing_dec(...args: number[]): number
  _crypto_scalarmult(...args: number[]): number
  _crypto_scalarmult_base(...args: number[]): number
  _crypto_sign_seed_keypair(...args: number[]): number
  _crypto_sign_detached(...args: (number | null)[]): number
  _crypto_sign_verify_detached(...args: number[]): number
  _crypto_sign_ed25519_pk_to_curve25519(...args: number[]): number
}

const RAW_NAMES = [
  '_malloc', '_free',
  '_crypto_aead_chacha20poly1305_ietf_encrypt', '_crypto_aead_chacha20poly1305_ietf_decrypt',
  '_crypto_aead_xchacha20poly1305_ietf_encrypt', '_crypto_aead_xchacha20poly1305_ietf_decrypt',
  '_crypto_kdf_hkdf_sha256_extract', '_crypto_kdf_hkdf_sha256_expand',
  '_crypto_kem_xwing_seed_keypair', '_crypto_kem_xwing_enc', '_crypto_kem_xwing_enc_deterministic',
  '_crypto_kem_xwing_dec', '_crypto_scalarmult', '_crypto_scalarmult_base',
  '_crypto_sign_seed_keypair', '_crypto_sign_detached', '_crypto_sign_verify_detached',
  '_crypto_sign_ed25519_pk_to_curve25519',
]

function isRawSodium(value: unknown): value is RawSodium {
  if (typeof value !== 'object' || value === null) return false
  if (!(Reflect.get(value, 'HEAPU8') instanceof Uint8Array)) return false
  return RAW_NAMES.every((name) => typeof Reflect.get(value, name) === 'function')
}

let loaded: RawSodium | undefined
let loading: Promise<void> | undefined

/**
 * Load libsodium and prove it: known answers for every primitive, and a random source that moves.
 * Call it once before anything else here; later calls share the first one's promise.
 *
 * @throws Error if a primitive is missing or answers wrongly: nothing may be sealed or opened then.
 */
export function ready(): Promise<void> {
  loading ??= load()
  return loading
}

async function load(): Promise<void> {
  await sodium.ready
  const candidate: unknown = Reflect.get(sodium, 'libsodium')
  assert(isRawSodium(candidate), 'this build of libsodium has the primitives we use')
  loaded = candidate
  try {
    checkKnownAnswers()
    checkRandomSource()
  } catch (error) {
    loaded = undefined
    throw error
  }
}

function raw(): RawSodium {
  assert(loaded !== undefined, 'ready() is awaited before the first primitive')
  return loaded
}

// ---- The scratch area of the heap ([Note: Scratch]) ----

let scratchStart = 0
let scratchSize = 0
let scratchUsed = 0

function reserveScratch(size: number): void {
  assert(size <= MAX_SCRATCH_SIZE_BYTES, 'arguments fit the scratch area')
  if (size <= scratchSize) return
  const wanted = Math.max(size, FIRST_SCRATCH_SIZE_BYTES)
  if (scratchStart !== 0) raw()._free(scratchStart)
  scratchStart = 0
  scratchSize = 0
  const start = raw()._malloc(wanted)
  assert(start !== 0, 'the heap has room')
  scratchStart = start
  scratchSize = wanted
}

function aligned(size: number): number {
  return (size + 15) & ~15
}

function put(bytes: Uint8Array): number {
  const pointer = room(bytes.length)
  raw().HEAPU8.set(bytes, pointer)
  return pointer
}

function room(size: number): number {
  const pointer = scratchStart + scratchUsed
  scratchUsed += aligned(size)
  assert(scratchUsed <= scratchSize, 'scratch was reserved for all arguments')
  return pointer
}

function take(pointer: number, size: number): Bytes {
  return new Uint8Array(raw().HEAPU8.subarray(pointer, pointer + size))
}

/** Run one primitive on the scratch area, then wipe it. `size` counts arguments and results. */
function onScratch<T>(size: number, run: () => T): T {
  assert(scratchUsed === 0, 'primitives do not nest')
  // Every argument may be rounded up; no primitive here has more than eight.
  reserveScratch(size + 8 * 16)
  try {
    return run()
  } finally {
    raw().HEAPU8.fill(0, scratchStart, scratchStart + scratchUsed)
    scratchUsed = 0
  }
}

function requireSize(bytes: Uint8Array, size: number, what: string): void {
  assert(bytes.length === size, `${what} is ${size} bytes`)
}

// ---- Random bytes, comparison, wiping ----

/** `size` bytes (1 to 1 MiB) from the platform's random source, through libsodium. */
export function randomBytes(size: number): Bytes {
  assert(size > 0 && size <= MAX_RANDOM_SIZE_BYTES, 'a sensible number of random bytes')
  assert(loaded !== undefined, 'the random source was tried by ready()')
  // From where libsodium draws, but at once: it asks anew for every four bytes.
  const drawn = new Uint8Array(size)
  for (let start = 0; start < size; start += MAX_DRAW_SIZE_BYTES) {
    crypto.getRandomValues(drawn.subarray(start, start + MAX_DRAW_SIZE_BYTES))
  }
  // A source that repeats one byte is broken; by chance this happens once in 2^120 draws.
  assert(size < 16 || drawn.some((byte) => byte !== drawn[0]), 'the random source moves')
  return drawn
}

/** Compare in time that depends on the lengths only. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0)
  return difference === 0
}

/** Overwrite secrets with zeros once they are used. Copies made by the engine are out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

// ---- HKDF and HMAC ----

/** HMAC-SHA-256, 32 bytes, any key size. It is HKDF-Extract with the key as salt. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Bytes {
  return onScratch(key.length + message.length + KEY_SIZE_BYTES, () => {
    const out = room(KEY_SIZE_BYTES)
    const status = raw()._crypto_kdf_hkdf_sha256_extract(
      out, put(key), key.length, put(message), message.length)
    assert(status === 0, 'HKDF-Extract cannot fail')
    return take(out, KEY_SIZE_BYTES)
  })
}

/** HKDF-Expand with SHA-256 (RFC 5869) of a 32-byte pseudo-random key; `size` up to 255 * 32. */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, size: number): Bytes {
  requireSize(key, KEY_SIZE_BYTES, 'a pseudo-random key')
  assert(info.length <= MAX_HKDF_INFO_SIZE_BYTES, 'HKDF info stays small')
  assert(size > 0 && size <= 255 * 32, 'HKDF output within RFC 5869')
  return onScratch(key.length + info.length + size, () => {
    const out = room(size)
    const status = raw()._crypto_kdf_hkdf_sha256_expand(out, size, put(info), info.length, put(key))
    assert(status === 0, 'HKDF-Expand cannot fail within its limits')
    return take(out, size)
  })
}

/**
 * HKDF-SHA-256 (RFC 5869), 32 bytes. `info` goes in as it is: Sealdeck's prefix is added by
 * `deriveKey` in protocol/deck/identity.ts, age's labels have none.
 */
export function hkdf(inputKey: Uint8Array, salt: Uint8Array, info: Uint8Array): Bytes {
  const extracted = hmacSha256(salt, inputKey)
  try {
    return hkdfExpand(extracted, info, KEY_SIZE_BYTES)
  } finally {
    wipe(extracted)
  }
}

// ---- ChaCha20-Poly1305 and XChaCha20-Poly1305 ----

type AeadName = 'chacha20poly1305' | 'xchacha20poly1305'

const NONCE_SIZES_BYTES: Readonly<Record<AeadName, number>> = {
  chacha20poly1305: CHACHA_NONCE_SIZE_BYTES,
  xchacha20poly1305: XCHACHA_NONCE_SIZE_BYTES,
}

interface AeadInput {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly additional?: Uint8Array
}

const NOTHING = new Uint8Array(0)

function sealWith(
  aead: AeadName, input: AeadInput, plaintext: Uint8Array, target: Uint8Array,
): void {
  checkAeadInput(aead, input)
  const additional = input.additional ?? NOTHING
  const sealedSize = plaintext.length + TAG_SIZE_BYTES
  requireSize(target, sealedSize, 'the target of a seal')
  onScratch(sealedSize + additional.length + 64, () => {
    const text = room(sealedSize)
    raw().HEAPU8.set(plaintext, text)
    // Sealed in place: libsodium allows ciphertext over plaintext when they start together.
    const status = raw()[`_crypto_aead_${aead}_ietf_encrypt`](text, null, text, plaintext.length, 0,
      put(additional), additional.length, 0, null, put(input.nonce), put(input.key))
    assert(status === 0, 'sealing cannot fail within its limits')
    target.set(raw().HEAPU8.subarray(text, text + sealedSize))
  })
}

/** `false` if it is not authentic: `target` is left as it was. */
function openWith(
  aead: AeadName, input: AeadInput, sealed: Uint8Array, target: Uint8Array,
): boolean {
  checkAeadInput(aead, input)
  if (sealed.length < TAG_SIZE_BYTES) return false
  const additional = input.additional ?? NOTHING
  const size = sealed.length - TAG_SIZE_BYTES
  requireSize(target, size, 'the target of an opening')
  return onScratch(sealed.length + additional.length + 64, () => {
    const text = put(sealed)
    const status = raw()[`_crypto_aead_${aead}_ietf_decrypt`](text, null, null, text,
      sealed.length, 0, put(additional), additional.length, 0, put(input.nonce), put(input.key))
    if (status === 0) target.set(raw().HEAPU8.subarray(text, text + size))
    return status === 0
  })
}

function openAfresh(aead: AeadName, input: AeadInput, sealed: Uint8Array): Bytes | null {
  const plaintext = new Uint8Array(Math.max(0, sealed.length - TAG_SIZE_BYTES))
  return openWith(aead, input, sealed, plaintext) ? plaintext : null
}

function checkAeadInput(aead: AeadName, input: AeadInput): void {
  requireSize(input.key, KEY_SIZE_BYTES, 'an AEAD key')
  requireSize(input.nonce, NONCE_SIZES_BYTES[aead], 'an AEAD nonce')
}

/** ChaCha20-Poly1305 (RFC 8439), nonce 12 bytes. Answers ciphertext ‖ 16-byte tag. */
export function sealChaCha(input: AeadInput, plaintext: Uint8Array): Bytes {
  const sealed = new Uint8Array(plaintext.length + TAG_SIZE_BYTES)
  sealWith('chacha20poly1305', input, plaintext, sealed)
  return sealed
}

/** As `sealChaCha`, written into `target` (plaintext size + 16): spares a copy of every chunk. */
export function sealChaChaInto(input: AeadInput, plaintext: Uint8Array, target: Uint8Array): void {
  sealWith('chacha20poly1305', input, plaintext, target)
}

/** The plaintext, or `null` if the ciphertext is not authentic under this key, nonce and text. */
export function openChaCha(input: AeadInput, sealed: Uint8Array): Bytes | null {
  return openAfresh('chacha20poly1305', input, sealed)
}

/** As `openChaCha`, written into `target` (sealed size - 16); `false` if it is not authentic. */
export function openChaChaInto(input: AeadInput, sealed: Uint8Array, target: Uint8Array): boolean {
  return openWith('chacha20poly1305', input, sealed, target)
}

/** XChaCha20-Poly1305, nonce 24 bytes. Answers ciphertext ‖ 16-byte tag. */
export function sealXChaCha(input: AeadInput, plaintext: Uint8Array): Bytes {
  const sealed = new Uint8Array(plaintext.length + TAG_SIZE_BYTES)
  sealWith('xchacha20poly1305', input, plaintext, sealed)
  return sealed
}

/** The plaintext, or `null` if the ciphertext is not authentic under this key, nonce and text. */
export function openXChaCha(input: AeadInput, sealed: Uint8Array): Bytes | null {
  return openAfresh('xchacha20poly1305', input, sealed)
}

// ---- Ed25519 ----

export interface SignKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes
  /** 64 bytes: seed ‖ public key, as libsodium keeps it. */
  readonly secretKey: Bytes
}

/** The Ed25519 key pair of a 32-byte seed (RFC 8032). */
export function signKeyPairFromSeed(seed: Uint8Array): SignKeyPair {
  requireSize(seed, KEY_SIZE_BYTES, 'an Ed25519 seed')
  return onScratch(32 + 32 + 64, () => {
    const publicKey = room(KEY_SIZE_BYTES)
    const secretKey = room(SIGN_SECRET_SIZE_BYTES)
    const status = raw()._crypto_sign_seed_keypair(publicKey, secretKey, put(seed))
    assert(status === 0, 'a key pair follows from its seed')
    return {
      publicKey: take(publicKey, KEY_SIZE_BYTES),
      secretKey: take(secretKey, SIGN_SECRET_SIZE_BYTES),
    }
  })
}

/** Ed25519 signature, 64 bytes, deterministic. `secretKey` is the 64 bytes of `SignKeyPair`. */
export function signDetached(message: Uint8Array, secretKey: Uint8Array): Bytes {
  requireSize(secretKey, SIGN_SECRET_SIZE_BYTES, 'an Ed25519 secret key')
  return onScratch(64 + 64 + message.length, () => {
    const out = room(SIGNATURE_SIZE_BYTES)
    const status = raw()._crypto_sign_detached(
      out, null, put(message), message.length, 0, put(secretKey))
    assert(status === 0, 'signing cannot fail')
    return take(out, SIGNATURE_SIZE_BYTES)
  })
}

/**
 * Verify as libsodium does, which is stricter than most: a low-order or non-canonical key, a
 * non-canonical `R` or an `S` out of range never verifies. Wrong sizes are `false`, not an error.
 */
export function verifyDetached(
  signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_SIZE_BYTES || publicKey.length !== KEY_SIZE_BYTES) return false
  return onScratch(64 + 32 + message.length, () => raw()._crypto_sign_verify_detached(
    put(signature), put(message), message.length, 0, put(publicKey)) === 0)
}

/**
 * `true` for an Ed25519 key that must not be enrolled: not on the curve, of low or mixed order, or
 * written non-canonically. One signature by a low-order key fits every message.
 */
export function isLowOrderKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== KEY_SIZE_BYTES || !isCanonicalPoint(publicKey)) return true
  return onScratch(64, () => {
    const out = room(KEY_SIZE_BYTES)
    return raw()._crypto_sign_ed25519_pk_to_curve25519(out, put(publicKey)) !== 0
  })
}

/** Whether y < 2^255 - 19 (little-endian, the sign of x in the top bit). */
function isCanonicalPoint(point: Uint8Array): boolean {
  if (((point[31] ?? 0) & 0x7f) !== 0x7f) return true
  if (point.subarray(1, 31).some((byte) => byte !== 0xff)) return true
  return (point[0] ?? 0) < 0xed
}

// ---- X25519 ----

/** X25519 (RFC 7748) of two 32-byte strings, or `null` if the result is all zeros. */
export function x25519(secret: Uint8Array, point: Uint8Array): Bytes | null {
  requireSize(secret, KEY_SIZE_BYTES, 'an X25519 secret')
  requireSize(point, KEY_SIZE_BYTES, 'an X25519 point')
  return onScratch(96, () => {
    const out = room(KEY_SIZE_BYTES)
    const status = raw()._crypto_scalarmult(out, put(secret), put(point))
    return status === 0 ? take(out, KEY_SIZE_BYTES) : null
  })
}

/** The X25519 public key of a 32-byte secret. */
export function x25519Base(secret: Uint8Array): Bytes {
  requireSize(secret, KEY_SIZE_BYTES, 'an X25519 secret')
  return onScratch(64, () => {
    const out = room(KEY_SIZE_BYTES)
    const status = raw()._crypto_scalarmult_base(out, put(secret))
    assert(status === 0, 'a public key follows from its secret')
    return take(out, KEY_SIZE_BYTES)
  })
}

// ---- X-Wing (ML-KEM-768 with X25519) ----

/** The X-Wing public key, 1216 bytes, of a 32-byte seed. The seed itself is the secret key. */
export function xwingPublicKey(seed: Uint8Array): Bytes {
  requireSize(seed, KEY_SIZE_BYTES, 'an X-Wing seed')
  return onScratch(XWING_PUBLIC_KEY_SIZE_BYTES + 64, () => {
    const publicKey = room(XWING_PUBLIC_KEY_SIZE_BYTES)
    const status = raw()._crypto_kem_xwing_seed_keypair(publicKey, room(KEY_SIZE_BYTES), put(seed))
    assert(status === 0, 'a key pair follows from its seed')
    return take(publicKey, XWING_PUBLIC_KEY_SIZE_BYTES)
  })
}

export interface Encapsulation {
  /** 1120 bytes. */
  readonly ciphertext: Bytes
  /** 32 bytes. */
  readonly sharedSecret: Bytes
}

/**
 * A fresh X-Wing encapsulation, or `null` if the public key cannot be one (coefficients out of
 * range). `seed` (64 bytes) makes it reproducible, for known answers and vectors only.
 */
export function encapsulateXwing(publicKey: Uint8Array, seed?: Uint8Array): Encapsulation | null {
  requireSize(publicKey, XWING_PUBLIC_KEY_SIZE_BYTES, 'an X-Wing public key')
  if (seed !== undefined) requireSize(seed, XWING_ENCAPS_SEED_SIZE_BYTES, 'an encapsulation seed')
  return onScratch(XWING_CIPHERTEXT_SIZE_BYTES + XWING_PUBLIC_KEY_SIZE_BYTES + 128, () => {
    const ciphertext = room(XWING_CIPHERTEXT_SIZE_BYTES)
    const secret = room(KEY_SIZE_BYTES)
    const status = seed === undefined
      ? raw()._crypto_kem_xwing_enc(ciphertext, secret, put(publicKey))
      : raw()._crypto_kem_xwing_enc_deterministic(ciphertext, secret, put(publicKey), put(seed))
    if (status !== 0) return null
    return {
      ciphertext: take(ciphertext, XWING_CIPHERTEXT_SIZE_BYTES),
      sharedSecret: take(secret, KEY_SIZE_BYTES),
    }
  })
}

/** The shared secret of an X-Wing ciphertext, or `null` if libsodium refuses it outright. */
export function decapsulateXwing(ciphertext: Uint8Array, seed: Uint8Array): Bytes | null {
  requireSize(ciphertext, XWING_CIPHERTEXT_SIZE_BYTES, 'an X-Wing ciphertext')
  requireSize(seed, KEY_SIZE_BYTES, 'an X-Wing seed')
  return onScratch(XWING_CIPHERTEXT_SIZE_BYTES + 64, () => {
    const secret = room(KEY_SIZE_BYTES)
    const status = raw()._crypto_kem_xwing_dec(secret, put(ciphertext), put(seed))
    return status === 0 ? take(secret, KEY_SIZE_BYTES) : null
  })
}

// ---- Proof at start ----

function expectBytes(actual: Uint8Array | null, hex: string, what: string): void {
  assert(actual !== null && encodeHex(actual) === hex, `${what} gives its known answer`)
}

function checkKnownAnswers(): void {
  checkHkdf()
  checkAeads()
  checkEd25519()
  checkX25519()
  checkXwing()
}

/** RFC 4231 test case 2 and RFC 5869 test case 1, cut to 32 bytes. */
function checkHkdf(): void {
  expectBytes(hmacSha256(encodeUtf8('Jefe'), encodeUtf8('what do ya want for nothing?')),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843', 'HMAC-SHA-256')
  expectBytes(hkdf(new Uint8Array(22).fill(0x0b), decodeHex('000102030405060708090a0b0c'),
    decodeHex('f0f1f2f3f4f5f6f7f8f9')),
  '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf', 'HKDF-SHA-256')
}

const AEAD_KEY = '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'
const AEAD_ADDITIONAL = '50515253c0c1c2c3c4c5c6c7'
const AEAD_TEXT = 'Ladies and Gentlemen of the class of \'99: If I could offer you only one tip for ' +
  'the future, sunscreen would be it.'

/** RFC 8439 section 2.8.2 and draft-irtf-cfrg-xchacha-03 appendix A.3.1: the tags, then back. */
function checkAeads(): void {
  const shared = { key: decodeHex(AEAD_KEY), additional: decodeHex(AEAD_ADDITIONAL) }
  const plaintext = encodeUtf8(AEAD_TEXT)
  const chacha = { ...shared, nonce: decodeHex('070000004041424344454647') }
  const sealed = sealChaCha(chacha, plaintext)
  expectBytes(sealed.subarray(-16), '1ae10b594f09e26a7e902ecbd0600691', 'ChaCha20-Poly1305')
  expectBytes(openChaCha(chacha, sealed), encodeHex(plaintext), 'ChaCha20-Poly1305')
  sealed[0] = (sealed[0] ?? 0) ^ 1
  assert(openChaCha(chacha, sealed) === null, 'ChaCha20-Poly1305 refuses a flipped bit')

  const nonce = decodeHex('404142434445464748494a4b4c4d4e4f5051525354555657')
  const sealedWide = sealXChaCha({ ...shared, nonce }, plaintext)
  expectBytes(sealedWide.subarray(-16), 'c0875924c1c7987947deafd8780acf49', 'XChaCha20-Poly1305')
  expectBytes(openXChaCha({ ...shared, nonce }, sealedWide), encodeHex(plaintext), 'XChaCha20-Poly1305')
}

/** RFC 8032 section 7.1 test 2; and the identity point, whose one signature would fit all messages. */
function checkEd25519(): void {
  const pair = signKeyPairFromSeed(
    decodeHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
  expectBytes(pair.publicKey,
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'an Ed25519 key')
  const message = decodeHex('72')
  const signature = signDetached(message, pair.secretKey)
  expectBytes(signature, '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00', 'Ed25519')
  assert(verifyDetached(signature, message, pair.publicKey), 'Ed25519 accepts its own signature')
  assert(!verifyDetached(signature, decodeHex('73'), pair.publicKey), 'Ed25519 refuses other bytes')

  const identityPoint = concatBytes(Uint8Array.of(1), new Uint8Array(31))
  const universal = concatBytes(identityPoint, new Uint8Array(32))
  assert(!verifyDetached(universal, message, identityPoint), 'Ed25519 refuses a low-order key')
  assert(isLowOrderKey(identityPoint) && !isLowOrderKey(pair.publicKey), 'low order is told apart')
}

/** RFC 7748 section 5.2, first vector; and the point zero, whose product with anything is zero. */
function checkX25519(): void {
  const secret = decodeHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
  const point = decodeHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
  const product = 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'
  expectBytes(x25519(secret, point), product, 'X25519')
  const base = concatBytes(Uint8Array.of(9), new Uint8Array(31))
  expectBytes(x25519(secret, base), encodeHex(x25519Base(secret)), 'X25519 of the base point')
  assert(x25519(secret, new Uint8Array(32)) === null, 'X25519 refuses a low-order point')
}

/** draft-connolly-cfrg-xwing-kem appendix C, first vector. */
function checkXwing(): void {
  const seed = decodeHex('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
  const publicKey = xwingPublicKey(seed)
  expectBytes(publicKey.subarray(0, 32),
    'e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5', 'an X-Wing key')
  const encapsulation = encapsulateXwing(publicKey, decodeHex(
    '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
    '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2'))
  assert(encapsulation !== null, 'X-Wing encapsulates to its own key')
  const secret = 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384'
  expectBytes(encapsulation.sharedSecret, secret, 'X-Wing')
  expectBytes(decapsulateXwing(encapsulation.ciphertext, seed), secret, 'X-Wing')
}

/** A constant or repeating source is refused before any key is made with it. */
function checkRandomSource(): void {
  const draws = Array.from({ length: 4 }, () => encodeHex(randomBytes(KEY_SIZE_BYTES)))
  assert(new Set(draws).size === draws.length, 'the random source does not repeat')
  const distinct = new Set(randomBytes(256))
  // 256 fair draws hit about 162 values; under 100 is one in 2^100.
  assert(distinct.size >= 100, 'the random source uses all its values')
}
