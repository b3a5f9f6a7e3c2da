/**
 * Parts that a browser put into the bucket by itself. The server has not seen their bytes, so it reads
 * them once before the upload becomes a version: every chunk must be the one in the hash list, which the
 * founder's record vouches for. Must not store a part that does not fit, nor leave one in the way.
 */
import { createHash, type Hash } from 'node:crypto'
import { insertParts, type UploadPart, type Version } from '../db/queries/versions.js'
import { equalBytes } from '../protocol/bytes.js'
import { HASH_SIZE_BYTES } from '../protocol/hash.js'
import { PAYLOAD_NONCE_SIZE_BYTES, SEALED_CHUNK_SIZE_BYTES } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import { partKey } from './object-keys.js'
import { partSizeOf } from './uploads.js'
import type { World } from './world.js'

type Checked = Pick<Version, 'id' | 'objectPrefix' | 'payloadSizeBytes' | 'partCount' | 'nonce'>

/**
 * Read the payload in order and note its parts as stored.
 * Refuses: upload-incomplete; part-mismatch, after which the parts that do not fit are gone from the
 * bucket and can be sent again.
 */
export async function takeInParts(
  world: World, version: Checked, hashList: Uint8Array,
): Promise<void> {
  const chunks = new ChunkCheck(version.nonce, hashList)
  const parts: UploadPart[] = []
  for (let index = 0; index < version.partCount; index++) {
    const part = await readPart(world, version, index, chunks)
    parts.push({ ...part, versionId: version.id, index, storedAtMs: world.clock.nowMs() })
    if (chunks.isBroken) await refuseParts(world, version, [index - 1, index])
  }
  if (!chunks.isComplete()) await refuseParts(world, version, [version.partCount - 1])
  if (!await insertParts(world.db, version.id, parts)) throw new Refusal('upload-not-found')
}

async function readPart(
  world: World, version: Checked, index: number, chunks: ChunkCheck,
): Promise<{ sizeBytes: number, sha256: Uint8Array }> {
  const stream = await world.bucket.stream(partKey(version.objectPrefix, index))
  if (stream === null) throw new Refusal('upload-incomplete')
  const whole = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of stream) {
    const bytes: Uint8Array = piece
    sizeBytes += bytes.length
    whole.update(bytes)
    chunks.take(bytes)
  }
  if (sizeBytes !== partSizeOf(version, index)) await refuseParts(world, version, [index])
  return { sizeBytes, sha256: Uint8Array.from(whole.digest()) }
}

/** A chunk may lie across two parts; which of them is wrong cannot be told. */
async function refuseParts(
  world: World, { objectPrefix }: Checked, indexes: readonly number[],
): Promise<never> {
  for (const index of indexes.filter((one) => one >= 0)) {
    await world.bucket.delete(partKey(objectPrefix, index))
  }
  throw new Refusal('part-mismatch')
}

/** The payload as it streams by: the nonce, then chunks, each against its hash. */
class ChunkCheck {
  readonly #nonce: Uint8Array
  readonly #hashList: Uint8Array
  #offset = 0
  #index = 0
  #filled = 0
  #hash: Hash = createHash('sha256')
  isBroken = false

  constructor(nonce: Uint8Array, hashList: Uint8Array) {
    this.#nonce = nonce
    this.#hashList = hashList
  }

  take(bytes: Uint8Array): void {
    const rest = this.#takeNonce(bytes)
    for (let at = 0; at < rest.length;) {
      const piece = rest.subarray(at, at + SEALED_CHUNK_SIZE_BYTES - this.#filled)
      this.#hash.update(piece)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled === SEALED_CHUNK_SIZE_BYTES) this.#endChunk()
    }
  }

  /** The last chunk may be a short one. @returns whether the payload was what the list says. */
  isComplete(): boolean {
    if (this.#filled > 0) this.#endChunk()
    return !this.isBroken && this.#index * HASH_SIZE_BYTES === this.#hashList.length
  }

  #takeNonce(bytes: Uint8Array): Uint8Array {
    const size = Math.min(bytes.length, Math.max(0, PAYLOAD_NONCE_SIZE_BYTES - this.#offset))
    const expected = this.#nonce.subarray(this.#offset, this.#offset + size)
    if (!equalBytes(bytes.subarray(0, size), expected)) this.isBroken = true
    this.#offset += size
    return bytes.subarray(size)
  }

  #endChunk(): void {
    const start = this.#index * HASH_SIZE_BYTES
    const expected = this.#hashList.subarray(start, start + HASH_SIZE_BYTES)
    if (!equalBytes(this.#hash.digest(), expected)) this.isBroken = true
    this.#hash = createHash('sha256')
    this.#index++
    this.#filled = 0
  }
}
