/**
 * A bucket in any S3 (contract in bucket.ts). Every request has a deadline; a write whose outcome is
 * unknown is looked up, never guessed.
 */
import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command,
  PutObjectCommand,
  S3Client, S3ServiceException,
} from '@aws-sdk/client-s3'
import { encodeHex } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import {
  requireBytes, requireKey, type Bucket, type ByteRange, type PresignedPut, type PresignOptions,
  type StoredObject,
  type WriteOptions,
} from './bucket.js'
import type { S3Settings } from './config.js'
import type { Clock } from './world.js'

const MAX_ATTEMPTS = 3
const CONNECTION_TIMEOUT_MS = 1_000
const REQUEST_TIMEOUT_MS = 5_000
const MAX_LIST_KEYS = 1_000

export function openS3Bucket(settings: S3Settings, clock: Clock): Bucket {
  const { accessKeyId, secretAccessKey, endpoint, region, isPathStyle } = settings
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: isPathStyle,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: MAX_ATTEMPTS,
    // Otherwise the SDK adds checksums that some servers refuse, and that a presigned request cannot keep.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  })
  return new S3Bucket(client, settings, clock)
}

class S3Bucket implements Bucket {
  readonly kind = 's3'
  readonly #client: S3Client
  readonly #settings: S3Settings
  readonly #clock: Clock
  /**
   * Servers disagree whether If-Match takes an etag with its quotes (RFC 9110) or without (Ceph). What was
   * refused although the etag is current is tried the other way, which is then kept.
   */
  #isQuoting = true

  constructor(client: S3Client, settings: S3Settings, clock: Clock) {
    this.#client = client
    this.#settings = settings
    this.#clock = clock
  }

  async put(key: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<'stored' | 'exists'> {
    requireBytes(bytes, options)
    const etag = await this.#write(key, bytes, { IfNoneMatch: '*' }, options)
    return etag === undefined ? 'exists' : 'stored'
  }

  async replace(
    key: string, bytes: Uint8Array, etag: string | null, options: WriteOptions = {},
  ): Promise<string | undefined> {
    requireBytes(bytes, options)
    if (etag === null) return await this.#write(key, bytes, { IfNoneMatch: '*' }, options)
    const written = await this.#write(key, bytes, { IfMatch: this.#quote(etag) }, options)
    if (written !== undefined || (await this.head(key))?.etag !== etag) return written
    this.#isQuoting = !this.#isQuoting
    return await this.#write(key, bytes, { IfMatch: this.#quote(etag) }, options)
  }

  #quote(etag: string): string {
    const bare = etag.replaceAll('"', '')
    return this.#isQuoting ? `"${bare}"` : bare
  }

  /** @returns the etag, or `undefined` if the condition did not hold. */
  async #write(
    key: string, bytes: Uint8Array, condition: { IfNoneMatch?: string, IfMatch?: string },
    { contentType }: WriteOptions,
  ): Promise<string | undefined> {
    try {
      const { ETag } = await this.#client.send(new PutObjectCommand({
        ...this.#place(key), Body: bytes, ContentLength: bytes.length, ContentType: contentType ?? 'application/octet-stream',
        ...condition,
      }))
      assert(ETag !== undefined, 'a stored object has an etag')
      return ETag
    } catch (error) {
      const status = statusOf(error)
      // 404: the object that `IfMatch` names is gone.
      if (status === 412 || status === 409 ||
        (status === 404 && condition.IfMatch !== undefined)) return undefined
      throw error
    }
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array | null> {
    const body = await this.#get(key, range)
    if (body === null) return null
    const bytes = await body.output.transformToByteArray()
    assert(bytes.length === body.sizeBytes, 'an answer is as long as it says')
    return Uint8Array.from(bytes)
  }

  async readTagged(key: string): Promise<{ bytes: Uint8Array, etag: string } | null> {
    const body = await this.#get(key)
    return body === null
      ? null
      : { bytes: Uint8Array.from(await body.output.transformToByteArray()), etag: body.etag }
  }

  async stream(key: string, range?: ByteRange): Promise<Readable | null> {
    const body = await this.#get(key, range)
    if (body === null) return null
    assert(body.output instanceof Readable, 'on Node a body is a stream')
    return body.output
  }

  async #get(key: string, range?: ByteRange) {
    try {
      const { Body, ContentLength, ETag } = await this.#client.send(new GetObjectCommand({
        ...this.#place(key),
        ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.sizeBytes - 1}` }),
      }))
      assert(Body !== undefined && ContentLength !== undefined && ETag !== undefined, 'an object has a body, a length and an etag')
      // A range that reaches past the end is answered cut short: for us that is a bug, as in a folder.
      assert(range === undefined || ContentLength === range.sizeBytes, 'the range lies inside the object')
      return { output: Body, sizeBytes: ContentLength, etag: ETag }
    } catch (error) {
      if (statusOf(error) === 404) return null
      throw error
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    try {
      const {
        ContentLength, ETag,
      } = await this.#client.send(new HeadObjectCommand(this.#place(key)))
      assert(ContentLength !== undefined && ETag !== undefined, 'an object has a length and an etag')
      return { sizeBytes: ContentLength, etag: ETag }
    } catch (error) {
      if (statusOf(error) === 404) return null
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#place(key)))
  }

  async list(prefix: string, limit: number, after?: string): Promise<string[]> {
    const found: string[] = []
    let last = after
    while (found.length < limit) {
      const wanted = Math.min(MAX_LIST_KEYS, limit - found.length)
      const { Contents } = await this.#client.send(new ListObjectsV2Command({
        Bucket: this.#settings.bucket, Prefix: prefix, MaxKeys: wanted,
        ...(last === undefined ? {} : { StartAfter: last }),
      }))
      const keys = (Contents ?? []).flatMap(({ Key }) => Key === undefined ? [] : [Key])
      found.push(...keys)
      last = keys.at(-1)
      if (keys.length < wanted) break
    }
    return found
  }

  presignPut(key: string, put: PresignOptions): PresignedPut {
    return presignPut({ ...this.#settings, key: requireKey(key), atMs: this.#clock.nowMs() }, put)
  }

  async check(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#settings.bucket }))
  }

  close(): void {
    this.#client.destroy()
  }

  #place(key: string): { Bucket: string, Key: string } {
    return { Bucket: this.#settings.bucket, Key: requireKey(key) }
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}

// ---- Presigned requests (AWS Signature Version 4 in the query) ----

/**
 * Length, hash and "must not exist" are signed headers, so whoever holds the address can write exactly these
 * bytes, once, until it expires.
 */
function presignPut(
  place: S3Settings & { key: string, atMs: number }, put: PresignOptions,
): PresignedPut {
  const url = objectUrl(place)
  const time = new Date(place.atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${place.region}/s3/aws4_request`
  const sent = { 'if-none-match': '*', 'x-amz-content-sha256': encodeHex(put.sha256) }
  const signed = { 'content-length': String(put.sizeBytes), 'host': url.host, ...sent }
  const names = Object.keys(signed).sort().join(';')
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': `${place.accessKeyId}/${scope}`, 'X-Amz-Date': time,
    'X-Amz-Expires': String(put.expiresInSeconds), 'X-Amz-SignedHeaders': names,
  }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).sort().join('&')
  const headers = Object.entries(signed).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => `${name}:${value}\n`).join('')
  const canonical = ['PUT', url.pathname, query, headers, names, sent['x-amz-content-sha256']].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const signature = hmac(signingKey(place.secretAccessKey, scope), toSign).toString('hex')
  return { method: 'PUT', url: `${url.href}?${query}&X-Amz-Signature=${signature}`, headers: sent }
}

/** Keys are plain (`requireKey`), so the path needs no escaping. */
function objectUrl(
  { endpoint, region, bucket, isPathStyle, key }: S3Settings & { key: string },
): URL {
  const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  return isPathStyle ? new URL(`/${bucket}/${key}`, base) : new URL(`${base.protocol}//${bucket}.${base.host}/${key}`)
}

function signingKey(secret: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
