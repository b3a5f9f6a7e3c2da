/**
 * Objects by key: a folder or an S3 bucket behind one contract, tested as one (test/server/bucket.test.ts).
 * Knows neither decks nor logs; must not overwrite anything but what `replace` is asked to.
 *
 * [Note: Write once] An object is written once, whole, and is durable before the write is acknowledged.
 * So a repeated write is harmless, and what was acknowledged never changes.
 */
import type { Readable } from 'node:stream'
import { assert } from '../protocol/errors.js'

export interface ByteRange { readonly offset: number, readonly sizeBytes: number }

export interface StoredObject {
  readonly sizeBytes: number
  /** Names these very bytes to `replace`; not a hash to rely on. */
  readonly etag: string
}

export interface WriteOptions {
  readonly contentType?: string
  /** Of these bytes, from a caller who has hashed them already: spares whoever else would need it. */
  readonly sha256?: Uint8Array
}

/** From when and for how long a presigned address is good, by the bucket's clock. */
export interface DirectRequest { readonly fromMs: number, readonly seconds: number }

/** Addresses at which a client reaches single objects by itself. Whoever holds one needs nothing else. */
export interface DirectAccess {
  /** To write one object of exactly this size, once: the size and "must not exist" are signed. */
  presignPut(key: string, put: DirectRequest & { sizeBytes: number }):
  Promise<{ url: string, headers: Readonly<Record<string, string>> }>
  /** To read one object, or ranges of it. */
  presignGet(key: string, get: DirectRequest): Promise<string>
  /** Let pages of this origin use such addresses (CORS). Replaces what the bucket allowed before. */
  allowOrigin(origin: string): Promise<void>
}

export interface Bucket {
  readonly kind: 'folder' | 's3'
  /**
   * Write an object that does not exist yet ([Note: Write once]).
   *
   * @returns `exists` if the key is taken, by whatever bytes; nothing was changed then.
   */
  put(key: string, bytes: Uint8Array, options?: WriteOptions): Promise<'stored' | 'exists'>
  /**
   * Write an object that is expected to be as `etag` says, or absent (`null`).
   *
   * @returns the new etag, or `undefined` if the object is another by now.
   */
  replace(
    key: string, bytes: Uint8Array, etag: string | null, options?: WriteOptions,
  ): Promise<string | undefined>
  /** The whole object, or one range of it; `null` if there is none. Throws if the range is not inside. */
  read(key: string, range?: ByteRange): Promise<Uint8Array | null>
  /** As `read`, with the etag of these bytes. */
  readTagged(key: string): Promise<{ bytes: Uint8Array, etag: string } | null>
  /** As `read`, without holding it in memory. Whoever stops early must destroy the stream. */
  stream(key: string, range?: ByteRange): Promise<Readable | null>
  head(key: string): Promise<StoredObject | null>
  /** No error if there is none. */
  delete(key: string): Promise<void>
  /** Keys that start with a prefix, in order, greater than `after`; at most `limit`. */
  list(prefix: string, limit: number, after?: string): Promise<string[]>
  /** `undefined` where the bucket is a folder. */
  readonly direct: DirectAccess | undefined
  /** Throws if the bucket cannot be reached and written. @returns the time by its own clock, where it tells one. */
  check(): Promise<number | undefined>
  close(): void
}

const MAX_KEY_LENGTH = 200
const KEY = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*$/

/** Lower-case segments that start with a letter or digit: no `..`, nothing hidden, the same on every disk. */
export function requireKey(key: string): string {
  assert(key.length <= MAX_KEY_LENGTH && KEY.test(key), `an object key is made of plain segments: ${key}`)
  return key
}

/** An object is never empty. */
export function requireBytes(bytes: Uint8Array): void {
  assert(bytes.length > 0, 'an object has bytes')
}
