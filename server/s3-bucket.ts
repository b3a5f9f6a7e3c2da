/**
 * A bucket in any S3 (contract in bucket.ts). Every request has a deadline; a write whose outcome is
 * unknown is looked up, never guessed.
 */
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command,
  PutBucketCorsCommand, PutObjectCommand, S3Client, S3ServiceException,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { encodeHex } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import {
  requireBytes, requireKey, type Bucket, type ByteRange, type DirectAccess, type DirectRequest,
  type StoredObject, type WriteOptions,
} from './bucket.js'
import type { S3Settings } from './config.js'

const MAX_ATTEMPTS = 3
const CONNECTION_TIMEOUT_MS = 1_000
const REQUEST_TIMEOUT_MS = 5_000
const MAX_LIST_KEYS = 1_000
const CORS_MAX_AGE_SECONDS = 600

export function openS3Bucket(settings: S3Settings): Bucket {
  return new S3Bucket(openClient(settings, settings.endpoint), settings)
}

function openClient(settings: S3Settings, endpoint: string | undefined): S3Client {
  const { accessKeyId, secretAccessKey, region, isPathStyle } = settings
  return new S3Client({
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
}

class S3Bucket implements Bucket {
  readonly kind = 's3'
  readonly #client: S3Client
  readonly #settings: S3Settings
  readonly direct: S3DirectAccess
  /**
   * Servers disagree whether If-Match takes an etag with its quotes (RFC 9110) or without (Ceph). What was
   * refused although the etag is current is tried the other way, which is then kept.
   */
  #isQuoting = true

  constructor(client: S3Client, settings: S3Settings) {
    this.#client = client
    this.#settings = settings
    this.direct = new S3DirectAccess(client, settings)
  }

  async put(key: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<'stored' | 'exists'> {
    requireBytes(bytes)
    const etag = await this.#write(key, bytes, { IfNoneMatch: '*' }, options)
    return etag === undefined ? 'exists' : 'stored'
  }

  async replace(
    key: string, bytes: Uint8Array, etag: string | null, options: WriteOptions = {},
  ): Promise<string | undefined> {
    requireBytes(bytes)
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
    { contentType, sha256 }: WriteOptions,
  ): Promise<string | undefined> {
    const command = new PutObjectCommand({
      ...this.#place(key), Body: bytes, ContentLength: bytes.length, ContentType: contentType ?? 'application/octet-stream',
      ...condition,
    })
    if (sha256 !== undefined) signHash(command, sha256)
    try {
      const { ETag } = await this.#client.send(command)
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

  async check(): Promise<number | undefined> {
    const command = new HeadBucketCommand({ Bucket: this.#settings.bucket })
    let atMs = Number.NaN
    command.middlewareStack.add((next) => async (args) => {
      const answer = await next(args)
      atMs = dateOf(answer.response)
      return answer
    }, { step: 'deserialize', priority: 'low' })
    await this.#client.send(command)
    return Number.isNaN(atMs) ? undefined : atMs
  }

  close(): void {
    this.#client.destroy()
    this.direct.close()
  }

  #place(key: string): { Bucket: string, Key: string } {
    return { Bucket: this.#settings.bucket, Key: requireKey(key) }
  }
}

/** Presigned requests, for the address under which browsers reach the bucket. */
class S3DirectAccess implements DirectAccess {
  readonly #client: S3Client
  readonly #signer: S3Client
  readonly #bucket: string

  constructor(client: S3Client, settings: S3Settings) {
    this.#client = client
    this.#signer = openClient(settings, settings.publicEndpoint)
    this.#bucket = settings.bucket
  }

  async presignPut(
    key: string, put: DirectRequest & { sizeBytes: number },
  ): Promise<{ url: string, headers: Readonly<Record<string, string>> }> {
    const command = new PutObjectCommand({
      Bucket: this.#bucket, Key: requireKey(key), ContentLength: put.sizeBytes, IfNoneMatch: '*',
    })
    const signableHeaders = new Set(['host', 'content-length', 'if-none-match'])
    const url = await getSignedUrl(this.#signer, command, { ...lifeOf(put), signableHeaders })
    return { url, headers: { 'if-none-match': '*' } }
  }

  async presignGet(key: string, get: DirectRequest): Promise<string> {
    const command = new GetObjectCommand({
      Bucket: this.#bucket, Key: requireKey(key), ResponseContentType: 'application/octet-stream',
      ResponseContentDisposition: 'attachment', ResponseCacheControl: 'no-store',
    })
    return await getSignedUrl(this.#signer, command, lifeOf(get))
  }

  async allowOrigin(origin: string): Promise<void> {
    await this.#client.send(new PutBucketCorsCommand({
      Bucket: this.#bucket,
      CORSConfiguration: {
        CORSRules: [{
          AllowedOrigins: [origin], AllowedMethods: ['PUT', 'GET'], AllowedHeaders: ['*'], MaxAgeSeconds: CORS_MAX_AGE_SECONDS,
        }],
      },
    }))
  }

  close(): void {
    this.#signer.destroy()
  }
}

/** The signature covers the body by this hash, which the SDK would otherwise make once more. */
function signHash(command: PutObjectCommand, sha256: Uint8Array): void {
  command.middlewareStack.add((next) => async (args) => {
    const headers: unknown = Reflect.get(Object(args.request), 'headers')
    Object.assign(Object(headers), { 'x-amz-content-sha256': encodeHex(sha256) })
    return await next(args)
  }, { step: 'build' })
}

function lifeOf({ fromMs, seconds }: DirectRequest) {
  return { signingDate: new Date(fromMs), expiresIn: seconds }
}

/** The answer's Date header in milliseconds; NaN if it has none. */
function dateOf(response: unknown): number {
  const headers: unknown = Reflect.get(Object(response), 'headers')
  return Date.parse(String(Reflect.get(Object(headers), 'date')))
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}
