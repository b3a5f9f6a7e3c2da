/**
 * SHA-256, the one hash of every format here (SPEC.md § 1).
 * Pure; must not know which platform it runs on: faster hashes are passed in as `Hash` or `HashBulk`.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

export const HASH_SIZE_BYTES = 32

/** Same answer as `sha256`; callers pass the platform's where many small inputs are hashed (trees). */
export type Hash = (bytes: Uint8Array) => Uint8Array

/** Same answer again, for large inputs: the platform's may run off the caller's thread (chunks, files). */
export type HashBulk = (bytes: Uint8Array) => Promise<Uint8Array>

/** @returns the 32-byte digest. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}

/** Hashes without leaving the thread: the `HashBulk` of a runtime that offers nothing faster. */
export async function hashBulk(bytes: Uint8Array): Promise<Uint8Array> {
  return sha256(bytes)
}
