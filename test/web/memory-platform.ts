/** The crypto worker's platform in Node: real OPAQUE, real hashes, a store that lives as long as the test. */
import { webcrypto } from 'node:crypto'
import type { DeviceStore, Platform } from '../../web/crypto/platform.js'

export interface MemoryStore extends DeviceStore {
  readonly entries: Map<string, Uint8Array<ArrayBuffer>>,
}

export function createMemoryStore(): MemoryStore {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>()
  return {
    entries,
    read: async (name) => entries.get(name) ?? null,
    write: async (name, bytes) => { entries.set(name, new Uint8Array(bytes)) },
    remove: async (name) => { entries.delete(name) },
  }
}

/** `nowMs` stands still unless the test moves it. */
export function createMemoryPlatform(
  store: DeviceStore, nowMs = () => Date.UTC(2026, 10, 22, 14, 30),
): Platform {
  return {
    store,
    nowMs,
    hash: async (bytes) => new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes)),
    findCipher: async () => undefined,
    pool: null,
    async loadOpaque() {
      const opaque = await import('@serenity-kit/opaque')
      await opaque.ready
      return opaque.client
    },
  }
}
