/**
 * The browser under the crypto worker: WebCrypto's hash, IndexedDB for device secrets, OPAQUE on
 * demand. Must not be imported by tests in Node; they bring their own platform.
 *
 * [Note: Locked at rest] Each entry is AES-256-GCM under a key that IndexedDB keeps as an object and
 * WebCrypto never gives out. It protects a copied profile's files, not a running browser. The entry's
 * name is authenticated, so that entries cannot be exchanged.
 */
import { concatBytes, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { findPlatformCipher, type MakeChunkCipher } from '../../protocol/deck/cipher.js'
import { assert } from '../../protocol/errors.js'
import type { HashBulk } from '../../protocol/hash.js'
import type { DeviceStore, OpaqueClient, Platform } from './platform.js'
import { createPool, SECOND_NAME, type SecondWorker } from './pool.js'

const DATABASE_NAME = 'sealdeck-device'
const ENTRIES = 'entries'
const KEYS = 'keys'
const LOCK_KEY = 'lock'
const IV_SIZE_BYTES = 12

export function createBrowserPlatform(): Platform {
  let cipher: Promise<MakeChunkCipher | undefined> | undefined
  const pool = createPool(startSecondWorker)
  return {
    hash: hashNatively,
    store: createDeviceStore(),
    nowMs: () => Date.now(),
    findCipher: () => (cipher ??= findOwnCipher()),
    pool,
    loadOpaque,
  }
}

/** By WebCrypto: many times faster than any other in a browser. */
export const hashNatively: HashBulk = async (bytes) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', ownBytes(bytes)))

/** What one thread of a browser seals and opens by; `undefined`: libsodium. */
export async function findOwnCipher(): Promise<MakeChunkCipher | undefined> {
  return await findPlatformCipher(crypto.subtle) ?? undefined
}

/** The same script again: its response has the same policy, so it has no network either. */
function startSecondWorker(): SecondWorker {
  const worker = new Worker(location.href, { type: 'module', name: SECOND_NAME })
  return {
    post: (message, moved) => worker.postMessage(message, moved),
    listen(onMessage, onGone) {
      worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => onMessage(data))
      worker.addEventListener('error', onGone)
      worker.addEventListener('messageerror', onGone)
    },
    end: () => worker.terminate(),
  }
}

/** WebCrypto refuses views of shared memory; the types ask for proof that this is none. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}

async function loadOpaque(): Promise<OpaqueClient> {
  const opaque = await import('@serenity-kit/opaque')
  await opaque.ready
  return opaque.client
}

/**
 * [Note: Forgetful browsers] Private windows and strict settings may refuse storage, or keys in it. What
 * they refuse lives as long as the page: this visit goes on, and the next one starts from the link.
 */
function createDeviceStore(): DeviceStore {
  const lasting = createLastingStore()
  const passing = new Map<string, Uint8Array<ArrayBuffer>>()
  return {
    async read(name) {
      return passing.get(name) ?? await lasting.read(name).catch(() => null)
    },
    async write(name, bytes) {
      passing.delete(name)
      await lasting.write(name, bytes).catch(() => passing.set(name, new Uint8Array(bytes)))
    },
    async remove(name) {
      // What could not be written is not there; what was must be gone, or the person must know.
      if (!passing.delete(name)) await lasting.remove(name)
    },
  }
}

function createLastingStore(): DeviceStore {
  let opening: Promise<IDBDatabase> | undefined
  const database = () => (opening ??= openDatabase())
  return {
    async read(name) {
      const locked: unknown = await run(await database(), ENTRIES, 'readonly', (entries) => entries.get(name))
      return locked instanceof Uint8Array
        ? unlockEntry(await lockKey(await database()), name, locked)
        : null
    },
    async write(name, bytes) {
      const db = await database()
      const locked = await lockEntry(await lockKey(db), name, bytes)
      await run(db, ENTRIES, 'readwrite', (entries) => entries.put(locked, name))
      // A browser that only pretends to keep things would lock its reader out on the next visit.
      const kept: unknown = await run(db, ENTRIES, 'readonly', (entries) => entries.get(name))
      assert(kept instanceof Uint8Array && equalBytes(kept, locked), 'this browser keeps what it stored')
    },
    async remove(name) {
      await run(await database(), ENTRIES, 'readwrite', (entries) => entries.delete(name))
    },
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE_NAME, 1)
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(ENTRIES)
      opening.result.createObjectStore(KEYS)
    }
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error ?? new Error('this browser keeps no storage for us'))
  })
}

/** One request in one transaction; resolves when it is committed, not when it was asked. */
function run(db: IDBDatabase, store: string, mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, mode, { durability: 'strict' })
    const asked = ask(transaction.objectStore(store))
    transaction.oncomplete = () => resolve(asked.result)
    transaction.onabort = () => reject(transaction.error ?? new Error('storage refused'))
  })
}

/** The browser's own key. Two tabs may make one at once: whichever was kept first counts. */
async function lockKey(db: IDBDatabase): Promise<CryptoKey> {
  const kept: unknown = await run(db, KEYS, 'readonly', (keys) => keys.get(LOCK_KEY))
  if (kept instanceof CryptoKey) return kept
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  try {
    await run(db, KEYS, 'readwrite', (keys) => keys.add(made, LOCK_KEY))
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'ConstraintError') throw error
  }
  const first: unknown = await run(db, KEYS, 'readonly', (keys) => keys.get(LOCK_KEY))
  assert(first instanceof CryptoKey, 'this browser keeps the key it stored')
  return first
}

async function lockEntry(
  key: CryptoKey, name: string, bytes: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_SIZE_BYTES))
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: encodeUtf8(name) }, key, ownBytes(bytes))
  return concatBytes(iv, new Uint8Array(sealed))
}

/** `null` if it does not open: the browser lost its key, so the entry is as good as gone. */
async function unlockEntry(
  key: CryptoKey, name: string, locked: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const iv = locked.slice(0, IV_SIZE_BYTES)
  try {
    return new Uint8Array(await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData: encodeUtf8(name) }, key, locked.slice(IV_SIZE_BYTES)))
  } catch (error) {
    if (error instanceof DOMException && error.name === 'OperationError') return null
    throw error
  }
}
