/**
 * What the crypto worker needs from where it runs. The browser's is in web/worker.ts; tests in Node
 * bring their own. Must not hold keys itself.
 */
import type { MakeChunkCipher } from '../../protocol/deck/cipher.js'
import type { HashBulk } from '../../protocol/hash.js'
import type { Pool } from './pool.js'

/** Small secrets that outlive the page: each entry is locked by a key that cannot leave the browser. */
export interface DeviceStore {
  read(name: string): Promise<Uint8Array<ArrayBuffer> | null>
  /** Resolves after the entry was read back and found equal. */
  write(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}

/** The part of OPAQUE that a client uses (@serenity-kit/opaque, loaded when first needed). */
export interface OpaqueClient {
  startRegistration(
    input: { password: string },
  ): { clientRegistrationState: string, registrationRequest: string }
  finishRegistration(input: {
    password: string, registrationResponse: string, clientRegistrationState: string, keyStretching: 'memory-constrained',
  }): { registrationRecord: string, exportKey: string }
  startLogin(input: { password: string }): { clientLoginState: string, startLoginRequest: string }
  finishLogin(input: {
    password: string, loginResponse: string, clientLoginState: string, keyStretching: 'memory-constrained',
  }): { finishLoginRequest: string, exportKey: string } | undefined
}

export interface Platform {
  readonly hash: HashBulk
  readonly store: DeviceStore
  readonly nowMs: () => number
  /** The platform's own cipher where it proved itself; `undefined`: libsodium's. */
  readonly findCipher: () => Promise<MakeChunkCipher | undefined>
  /** A second worker for what is large, or `null` where there is none. */
  readonly pool: Pool | null
  readonly loadOpaque: () => Promise<OpaqueClient>
}
