/**
 * Objects by key: a folder or an S3 bucket behind one contract, tested as one (test/server/bucket.test.ts).
 * Knows neither decks nor logs; must not overwrite anything but what `replace` is asked to.
 *
 * An object is written once. Its SHA-256 is checked before the write is acknowledged, so that an
 * acknowledged object is there, whole.
 */
import type { Readable } from 'node:stream'

export interface ByteRange { readonly offset: number, readonly sizeBytes: number }

export interface StoredObject {
  readonly sizeBytes: number
  /** Names these very bytes to `replace`; not a hash to rely on. */
  readonly etag: string
}

export interface PresignedPut {
  readonly method: 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Bucket {
  readonly kind: 'folder' | 's3'
  /**
   * Write an object that does not exist yet.
   *
   * @returns `exists` if the key is taken, by whatever bytes; nothing was changed then.
   */
  put(key: string, bytes: Uint8Array, options?: { contentType?: string }): Promise<'stored' | 'exists'>
  /**
   * Write an object that is expected to be as `etag` says, or absent (`null`).
   *
   * @returns the new etag, or `undefined` if the object is another by now.
   */
  replace(key: string, bytes: Uint8Array, etag: string | null, options?: { contentType?: string }): Promise<string | undefined>
  /** The whole object, or one range of it, which must lie inside; `null` if there is none. */
  read(key: string, range?: ByteRange): Promise<Uint8Array | null>
  /** As `read`, without holding it in memory. Whoever stops reading must destroy the stream. */
  stream(key: string, range?: ByteRange): Promise<Readable | null>
  head(key: string): Promise<StoredObject | null>
  /** No error if there is none. */
  delete(key: string): Promise<void>
  /** Keys below a prefix in order, at most `limit`, all greater than `after`. */
  list(prefix: string, limit: number, after?: string): Promise<string[]>
  /** Let a client write one object itself; `undefined` where the bucket is a folder. */
  presignPut(key: string, put: { sizeBytes: number, sha256: Uint8Array, expiresInSeconds: number }): Promise<PresignedPut | undefined>
  /** Throws if the bucket cannot be reached or written. */
  check(): Promise<void>
  close(): Promise<void>
}
