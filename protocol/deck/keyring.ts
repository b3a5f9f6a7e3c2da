/**
 * The root behind each way in, and what the owner keeps private on the server (SPEC.md § 4).
 * Must not know how a way in gets its secret: passkeys and OPAQUE live in the client.
 *
 *   locked root:    nonce (24) ‖ XChaCha20-Poly1305(wrapKey, R, AAD = userId, method, rowId, version)
 *   commitment:     HKDF(wrapKey, rowId, "keyring-commit"), checked before opening (SPEC.md § 4.1)
 *   private bytes:  nonce (24) ‖ XChaCha20-Poly1305(HKDF(R, salt, "owner/private"), bytes, AAD)
 */
import {
  concatBytes, decodeBase64Url, decodeUtf8, encodeBase64Url, encodeLengthPrefixed, encodeUtf8,
} from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import {
  TAG_SIZE_BYTES, XCHACHA_NONCE_SIZE_BYTES, equalSecrets, openXChaCha, randomBytes, sealXChaCha,
  wipe,
} from '../sodium.js'
import { ROOT_SIZE_BYTES, deriveKey } from './identity.js'

export const KEYRING_METHODS = ['passkey', 'passphrase', 'recovery'] as const
export type KeyringMethod = typeof KEYRING_METHODS[number]

export const KEYRING_VERSION = 1
const LOCKED_ROOT_SIZE_BYTES = XCHACHA_NONCE_SIZE_BYTES + ROOT_SIZE_BYTES + TAG_SIZE_BYTES
const MAX_PRIVATE_SIZE_BYTES = 64 * 1024

/** What a row is bound to: moved to another account, way in or row, it does not open. */
export interface KeyringPlace {
  readonly userId: string
  readonly method: KeyringMethod
  readonly rowId: string
}

export interface LockedRoot {
  /** 72 bytes: nonce ‖ ciphertext ‖ tag. */
  readonly sealed: Uint8Array
  /** 32 bytes. */
  readonly commit: Uint8Array
  readonly version: number
}

/**
 * The key that locks the root, 32 bytes, from what a way in yields: a passkey's PRF output, the
 * export key of OPAQUE, or the recovery code's 20 bytes.
 */
export function deriveRootWrapKey(
  method: KeyringMethod, secret: Uint8Array,
): Uint8Array<ArrayBuffer> {
  assert(secret.length >= 16, 'a way in yields at least 128 bits')
  return deriveKey(secret, new Uint8Array(0), `${method}/wrap`)
}

/** Lock the root `R` (32 bytes) for one way in. `wrapKey` is from `deriveRootWrapKey`. */
export function lockRoot(root: Uint8Array, wrapKey: Uint8Array, place: KeyringPlace): LockedRoot {
  assert(root.length === ROOT_SIZE_BYTES, 'a root is 32 bytes')
  const nonce = randomBytes(XCHACHA_NONCE_SIZE_BYTES)
  const sealed = sealXChaCha({ key: wrapKey, nonce, additional: encodePlace(place) }, root)
  return {
    sealed: concatBytes(nonce, sealed),
    commit: commitToWrapKey(wrapKey, place),
    version: KEYRING_VERSION,
  }
}

/**
 * The root `R`, or `null` if this row was locked with another key (a wrong code, another passkey).
 *
 * The commitment is checked first: without it, one row could be made to open under many keys, and a
 * dishonest server could sieve passphrases by watching which rows open.
 *
 * @throws ProtocolError `unsupported-version`; `bad-key-commitment` if the commitment fits and the
 *   row still does not open: somebody changed it.
 */
export function unlockRoot(
  locked: LockedRoot, wrapKey: Uint8Array, place: KeyringPlace,
): Uint8Array<ArrayBuffer> | null {
  if (locked.version !== KEYRING_VERSION) {
    throw new ProtocolError('unsupported-version', 'keyring row')
  }
  if (!equalSecrets(locked.commit, commitToWrapKey(wrapKey, place))) return null
  if (locked.sealed.length !== LOCKED_ROOT_SIZE_BYTES) {
    throw new ProtocolError('bad-key-commitment', 'locked root of wrong size')
  }
  const nonce = locked.sealed.subarray(0, XCHACHA_NONCE_SIZE_BYTES)
  const sealed = locked.sealed.subarray(XCHACHA_NONCE_SIZE_BYTES)
  const root = openXChaCha({ key: wrapKey, nonce, additional: encodePlace(place) }, sealed)
  if (root === null) throw new ProtocolError('bad-key-commitment', 'locked root was changed')
  return root
}

function commitToWrapKey(wrapKey: Uint8Array, place: KeyringPlace): Uint8Array {
  return deriveKey(wrapKey, encodeUtf8(place.rowId), 'keyring-commit')
}

function encodePlace(place: KeyringPlace): Uint8Array {
  return concatBytes(
    encodeLengthPrefixed(encodeUtf8(place.userId)),
    encodeLengthPrefixed(encodeUtf8(place.method)),
    encodeLengthPrefixed(encodeUtf8(place.rowId)),
    Uint8Array.of(KEYRING_VERSION),
  )
}

// ---- what only the owner reads ----

/** What private bytes are; `id` is the row's own. Both are authenticated. */
export interface PrivatePlace {
  readonly purpose: 'vault-title' | 'document-name' | 'grant-name' | 'upload-draft'
  readonly id: string
}

/** Seal a title, a name or an upload's draft so that only the root's owner reads it (64 KiB at most). */
export function sealPrivate(
  root: Uint8Array, place: PrivatePlace, plaintext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  assert(plaintext.length <= MAX_PRIVATE_SIZE_BYTES, 'private bytes stay small')
  const nonce = randomBytes(XCHACHA_NONCE_SIZE_BYTES)
  const key = privateKeyOf(root, place)
  try {
    const additional = encodePrivatePlace(place)
    return concatBytes(nonce, sealXChaCha({ key, nonce, additional }, plaintext))
  } finally {
    wipe(key)
  }
}

/** What `sealPrivate` sealed, or `null` if it is not authentic for this root and place. */
export function openPrivate(
  root: Uint8Array, place: PrivatePlace, sealed: Uint8Array,
): Uint8Array<ArrayBuffer> | null {
  const size = sealed.length - XCHACHA_NONCE_SIZE_BYTES - TAG_SIZE_BYTES
  if (size < 0 || size > MAX_PRIVATE_SIZE_BYTES) return null
  const nonce = sealed.subarray(0, XCHACHA_NONCE_SIZE_BYTES)
  const key = privateKeyOf(root, place)
  try {
    return openXChaCha({ key, nonce, additional: encodePrivatePlace(place) },
      sealed.subarray(XCHACHA_NONCE_SIZE_BYTES))
  } finally {
    wipe(key)
  }
}

/** As `sealPrivate`, for a line of text; base64url. */
export function sealLabel(root: Uint8Array, place: PrivatePlace, label: string): string {
  return encodeBase64Url(sealPrivate(root, place, encodeUtf8(label)))
}

/** What `sealLabel` sealed, or `null` if it is not authentic for this root and place. */
export function openLabel(root: Uint8Array, place: PrivatePlace, sealed: string): string | null {
  const opened = openPrivate(root, place, decodeBase64Url(sealed))
  return opened === null ? null : decodeUtf8(opened)
}

function privateKeyOf(root: Uint8Array, place: PrivatePlace): Uint8Array {
  assert(root.length === ROOT_SIZE_BYTES, 'a root is 32 bytes')
  return deriveKey(root, encodeUtf8(place.purpose), 'owner/private')
}

function encodePrivatePlace(place: PrivatePlace): Uint8Array {
  return concatBytes(
    encodeLengthPrefixed(encodeUtf8(place.purpose)), encodeLengthPrefixed(encodeUtf8(place.id)))
}
