/**
 * The owner's root in the worker: made or unlocked by a way in, held in memory only (SPEC.md § 4).
 * Must not hand it out: other parts of the worker borrow it through `root()` and `keys()`.
 */
import type { KeyringRow } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../protocol/bytes.js'
import {
  deriveOwnerKeys, deriveRecoveryAuth, deriveVaultTagKey, formatRecipient, formatRecoveryCode,
  makeRecoveryCode,
  makeRoot, parseRecoveryCode, type OwnerKeys, type OwnerSecrets,
} from '../../protocol/deck/identity.js'
import {
  deriveRootWrapKey, lockRoot, openLabel, sealLabel, unlockRoot, type KeyringMethod,
  type PrivatePlace,
} from '../../protocol/deck/keyring.js'
import { ProtocolError, assert } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { wipe } from '../../protocol/sodium.js'
import type { CryptoWorker, LabelContext, OwnerPublic } from '../crypto.js'
import type { Platform } from './platform.js'

const KEY_STRETCHING = 'memory-constrained'
const PRF_SIZE_BYTES = 32

/** What the owner's part lends to the others. */
export interface Owner {
  root(): Uint8Array
  keys(): OwnerKeys
  /** Both. */
  secrets(): OwnerSecrets
}

type OwnerMethods = Pick<CryptoWorker,
  'createRoot' | 'lockRootWithPasskey' | 'unlockRootWithPasskey' | 'startPassphraseRegistration' |
  'finishPassphraseRegistration' | 'startPassphraseLogin' | 'finishPassphraseLogin' |
  'unlockRootWithPassphrase' | 'createRecoveryCode' | 'readRecoveryCode' | 'unlockRootWithRecovery' |
  'owner' | 'sealLabel' | 'openLabel' | 'vaultTagKey'>

/** Half of an OPAQUE exchange, between its two messages. */
interface PassphraseStep { passphrase: string, state: string }

interface Held {
  root: Uint8Array<ArrayBuffer> | null
  keys: OwnerKeys | null
  passphrase: PassphraseStep | null
  exportKey: Uint8Array | null
  recoveryCode: Uint8Array | null
}

export function createOwner(
  platform: Platform,
): { methods: OwnerMethods, owner: Owner, forget: () => void } {
  const held: Held = {
    root: null, keys: null, passphrase: null, exportKey: null, recoveryCode: null,
  }
  const owner = lend(held)
  return {
    owner,
    methods: {
      ...rootMethods(held, owner),
      ...passphraseMethods(held, owner, platform),
      ...recoveryMethods(held, owner),
      ...privateMethods(owner),
    },
    forget: () => forget(held),
  }
}

function lend(held: Held): Owner {
  return {
    root() {
      assert(held.root !== null, 'the root is unlocked before it is used')
      return held.root
    },
    keys() {
      assert(held.keys !== null, 'the root is unlocked before its keys are used')
      return held.keys
    },
    secrets() {
      return { root: this.root(), keys: this.keys() }
    },
  }
}

function forget(held: Held): void {
  forgetRoot(held)
  if (held.exportKey !== null) wipe(held.exportKey)
  if (held.recoveryCode !== null) wipe(held.recoveryCode)
  Object.assign(held, { passphrase: null, exportKey: null, recoveryCode: null })
}

function forgetRoot(held: Held): void {
  if (held.root !== null) wipe(held.root)
  if (held.keys !== null) wipe(held.keys.identity.secret, held.keys.signing.secretKey)
  Object.assign(held, { root: null, keys: null })
}

/** Leaves an exchange that has begun: a new account's root is made between its two messages. */
function hold(held: Held, root: Uint8Array<ArrayBuffer>): OwnerPublic {
  forgetRoot(held)
  held.root = root
  held.keys = deriveOwnerKeys(root)
  return publicOf(held.keys)
}

function publicOf(keys: OwnerKeys): OwnerPublic {
  return {
    signingKey: encodeBase64Url(keys.signing.publicKey),
    recipient: formatRecipient(keys.identity.recipient),
    fingerprint: encodeBase64Url(keys.fingerprint),
  }
}

// ---- One way in, three kinds of secret ----

interface Way { method: KeyringMethod, userId: string }

function lock(root: Uint8Array, secret: Uint8Array, way: Way & { rowId: string }): KeyringRow {
  const wrapKey = deriveRootWrapKey(way.method, secret)
  try {
    const locked = lockRoot(root, wrapKey, way)
    return {
      rowId: way.rowId,
      method: way.method,
      version: 1,
      sealed: encodeBase64Url(locked.sealed),
      commit: encodeBase64Url(locked.commit),
    }
  } finally {
    wipe(wrapKey, secret)
  }
}

/** @throws ProtocolError `bad-key-commitment` if the row was locked with another secret, or changed. */
function unlock(row: KeyringRow, secret: Uint8Array, way: Way): Uint8Array<ArrayBuffer> {
  // A row of another kind would be tried with a key that was never meant for it.
  if (row.method !== way.method) throw new ProtocolError('bad-key-commitment', 'row of another way in')
  const wrapKey = deriveRootWrapKey(way.method, secret)
  try {
    const locked = {
      sealed: decodeBase64Url(row.sealed), commit: decodeBase64Url(row.commit),
      version: row.version,
    }
    const root = unlockRoot(locked, wrapKey, { ...way, rowId: row.rowId })
    if (root === null) throw new ProtocolError('bad-key-commitment', 'another secret')
    return root
  } finally {
    wipe(wrapKey, secret)
  }
}

function rootMethods(held: Held, owner: Owner) {
  return {
    async createRoot() {
      return hold(held, makeRoot())
    },
    async lockRootWithPasskey({ userId, rowId, secret }) {
      assert(secret.length === PRF_SIZE_BYTES, 'a PRF result is 32 bytes')
      return lock(owner.root(), secret, { method: 'passkey', userId, rowId })
    },
    async unlockRootWithPasskey({ userId, row, secret }) {
      assert(secret.length === PRF_SIZE_BYTES, 'a PRF result is 32 bytes')
      return hold(held, unlock(row, secret, { method: 'passkey', userId }))
    },
    async owner() {
      return held.keys === null ? null : publicOf(held.keys)
    },
  } satisfies Partial<CryptoWorker>
}

// ---- Passphrase through OPAQUE: the server learns nothing to guess against ----

/** Keyboards compose letters differently: one passphrase, one spelling (RFC 8265, OpaqueString). */
function composed(passphrase: string): string {
  return passphrase.normalize('NFC')
}

function passphraseMethods(held: Held, owner: Owner, platform: Platform) {
  function takeStep(): PassphraseStep {
    const step = held.passphrase
    assert(step !== null, 'an OPAQUE exchange is started before it is finished')
    held.passphrase = null
    return step
  }
  return {
    async startPassphraseRegistration(passphrase) {
      const opaque = await platform.loadOpaque()
      const started = opaque.startRegistration({ password: composed(passphrase) })
      held.passphrase = { passphrase: composed(passphrase), state: started.clientRegistrationState }
      return { registrationRequest: started.registrationRequest }
    },
    async finishPassphraseRegistration({ registrationResponse, userId, rowId }) {
      const opaque = await platform.loadOpaque()
      const step = takeStep()
      const finished = opaque.finishRegistration({
        password: step.passphrase, registrationResponse, clientRegistrationState: step.state,
        keyStretching: KEY_STRETCHING,
      })
      const secret = decodeBase64Url(finished.exportKey)
      const row = lock(owner.root(), secret, { method: 'passphrase', userId, rowId })
      return { registrationRecord: finished.registrationRecord, row }
    },
    async startPassphraseLogin(passphrase) {
      const opaque = await platform.loadOpaque()
      const started = opaque.startLogin({ password: composed(passphrase) })
      held.passphrase = { passphrase: composed(passphrase), state: started.clientLoginState }
      return { startLoginRequest: started.startLoginRequest }
    },
    async finishPassphraseLogin({ loginResponse }) {
      const opaque = await platform.loadOpaque()
      const step = takeStep()
      const finished = opaque.finishLogin({
        password: step.passphrase, loginResponse, clientLoginState: step.state,
        keyStretching: KEY_STRETCHING,
      })
      if (finished === undefined) return null
      held.exportKey = decodeBase64Url(finished.exportKey)
      return { finishLoginRequest: finished.finishLoginRequest }
    },
    async unlockRootWithPassphrase({ userId, row }) {
      const secret = held.exportKey
      assert(secret !== null, 'a passphrase login is finished before its row is opened')
      held.exportKey = null
      return hold(held, unlock(row, secret, { method: 'passphrase', userId }))
    },
  } satisfies Partial<CryptoWorker>
}

// ---- Recovery code ----

function recoveryMethods(held: Held, owner: Owner) {
  return {
    async createRecoveryCode({ userId, rowId }) {
      const code = makeRecoveryCode()
      const text = formatRecoveryCode(code)
      const authSha256 = encodeBase64Url(sha256(deriveRecoveryAuth(code)))
      return { code: text, row: lock(owner.root(), code, { method: 'recovery', userId, rowId }), authSha256 }
    },
    async readRecoveryCode(text) {
      const code = findRecoveryCode(text)
      if (code === null) return null
      held.recoveryCode = code
      return { recoveryAuth: encodeBase64Url(deriveRecoveryAuth(code)) }
    },
    async unlockRootWithRecovery({ userId, row }) {
      const code = held.recoveryCode
      assert(code !== null, 'a recovery code is read before its row is opened')
      held.recoveryCode = null
      return hold(held, unlock(row, code, { method: 'recovery', userId }))
    },
  } satisfies Partial<CryptoWorker>
}

function findRecoveryCode(text: string): Uint8Array | null {
  try {
    return parseRecoveryCode(text)
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

// ---- What only the owner reads ----

function privateMethods(owner: Owner) {
  return {
    async sealLabel({ label, context }) {
      return sealLabel(owner.root(), placeOf(context), label)
    },
    async openLabel({ sealed, context }) {
      const label = openLabel(owner.root(), placeOf(context), sealed)
      if (label === null) throw new ProtocolError('bad-chunk', 'a label of another place or owner')
      return label
    },
    async vaultTagKey(vaultId) {
      return encodeBase64Url(deriveVaultTagKey(owner.root(), vaultId))
    },
  } satisfies Partial<CryptoWorker>
}

const LABEL_PURPOSES = ['vault-title', 'document-name', 'grant-name'] as const

function placeOf(context: LabelContext): PrivatePlace {
  const split = context.indexOf(':')
  const purpose = LABEL_PURPOSES.find((known) => known === context.slice(0, split))
  assert(purpose !== undefined, 'a label names its place')
  return { purpose, id: context.slice(split + 1) }
}
