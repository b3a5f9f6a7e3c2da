/**
 * The payload: a nonce and chunks of 64 KiB, each sealed alone (SPEC.md § 3.3; source: c2sp.org/age).
 * Must not release a byte before its chunk is authentic, nor an end before the final chunk.
 *
 *   nonce (16) ‖ chunk 0 ‖ chunk 1 ‖ … ‖ final chunk
 *   chunk i = ChaCha20-Poly1305(HKDF(file key, nonce, "payload"), u88 i ‖ u8 final, plaintext)
 *
 * Chunks are independent, so they are sealed and opened out of order, in parallel, by range.
 */
import { encodeUtf8 } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import {
  AEAD_TAG_SIZE_BYTES, CHUNK_SIZE_BYTES, FILE_KEY_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES,
  SEALED_CHUNK_SIZE_BYTES,
} from '../limits.js'
import {
  CHACHA_NONCE_SIZE_BYTES, hkdf, openChaCha, openChaChaInto, sealChaCha, sealChaChaInto, wipe,
} from '../sodium.js'
import type { FileKey } from './stanza.js'

const PAYLOAD_LABEL = encodeUtf8('payload')
const FINAL_FLAG = 1

/** Where a chunk stands: the AEAD is bound to both. */
export interface ChunkPlace {
  /** From zero; below 2^53, far beyond any file. */
  readonly index: number
  readonly isFinal: boolean
}

/** `HKDF(file key, nonce, "payload")`, 32 bytes: age's own label, without Sealdeck's prefix. */
export function derivePayloadKey(fileKey: FileKey, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(fileKey.length === FILE_KEY_SIZE_BYTES, 'a file key is 16 bytes')
  assert(nonce.length === PAYLOAD_NONCE_SIZE_BYTES, 'a payload nonce is 16 bytes')
  return hkdf(fileKey, nonce, PAYLOAD_LABEL)
}

/** The AEAD nonce of a chunk: its index in 11 bytes, big-endian, then the final flag. */
export function chunkNonce({ index, isFinal }: ChunkPlace): Uint8Array<ArrayBuffer> {
  assert(Number.isSafeInteger(index) && index >= 0, 'a chunk index is a whole number')
  const nonce = new Uint8Array(CHACHA_NONCE_SIZE_BYTES)
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index))
  nonce[CHACHA_NONCE_SIZE_BYTES - 1] = isFinal ? FINAL_FLAG : 0
  return nonce
}

/** Seal one chunk: 64 KiB, or less if it is final; empty only if the whole payload is. */
export function sealChunk(
  payloadKey: Uint8Array, place: ChunkPlace, plaintext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  requireChunkSize(place, plaintext.length)
  return sealChaCha({ key: payloadKey, nonce: chunkNonce(place) }, plaintext)
}

/** As `sealChunk`, written into `target`: plaintext size + 16. */
export function sealChunkInto(
  payloadKey: Uint8Array, place: ChunkPlace, plaintext: Uint8Array, target: Uint8Array,
): void {
  requireChunkSize(place, plaintext.length)
  sealChaChaInto({ key: payloadKey, nonce: chunkNonce(place) }, plaintext, target)
}

function requireChunkSize(place: ChunkPlace, size: number): void {
  const fits = place.isFinal
    ? size <= CHUNK_SIZE_BYTES && (size > 0 || place.index === 0)
    : size === CHUNK_SIZE_BYTES
  assert(fits, 'only the final chunk is short, and only an empty payload has an empty one')
}

/**
 * The chunk's plaintext, or `null` if it is not authentic at this place.
 * A size that no chunk at this place has is not authentic either.
 */
export function openChunk(
  payloadKey: Uint8Array, place: ChunkPlace, sealed: Uint8Array,
): Uint8Array<ArrayBuffer> | null {
  if (!isChunkSize(place, sealed.length)) return null
  return openChaCha({ key: payloadKey, nonce: chunkNonce(place) }, sealed)
}

/** As `openChunk`, written into `target` (sealed size - 16); `false` if it is not authentic. */
export function openChunkInto(
  payloadKey: Uint8Array, place: ChunkPlace, sealed: Uint8Array, target: Uint8Array,
): boolean {
  if (!isChunkSize(place, sealed.length)) return false
  return openChaChaInto({ key: payloadKey, nonce: chunkNonce(place) }, sealed, target)
}

/** Whether a sealed chunk at this place can have this size. */
export function isChunkSize({ index, isFinal }: ChunkPlace, sealedSize: number): boolean {
  if (!isFinal) return sealedSize === SEALED_CHUNK_SIZE_BYTES
  const smallest = index === 0 ? AEAD_TAG_SIZE_BYTES : AEAD_TAG_SIZE_BYTES + 1
  return sealedSize >= smallest && sealedSize <= SEALED_CHUNK_SIZE_BYTES
}

/**
 * Opens a payload that arrives in order, in pieces of any size. Never releases more than the chunks
 * that are whole and authentic: a caller who must have all or nothing waits for `end`.
 */
export class PayloadReader {
  readonly #fileKey: FileKey
  #payloadKey: Uint8Array | null = null
  /** What is not opened yet: the nonce, or at most one sealed chunk. */
  readonly #pending = new Uint8Array(SEALED_CHUNK_SIZE_BYTES)
  #pendingSize = 0
  #index = 0
  #isFinished = false

  /** Takes over `fileKey` and wipes it once the nonce is known. */
  constructor(fileKey: FileKey) {
    this.#fileKey = fileKey
  }

  /**
   * @returns the plaintext that has become authentic, chunk by chunk; often none.
   * @throws ProtocolError `bad-chunk`, `trailing-data`. Chunks yielded before it stay good.
   */
  * push(piece: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    let offset = 0
    while (offset < piece.length) {
      if (this.#isFinished) throw new ProtocolError('trailing-data', 'after the final chunk')
      const wanted = this.#payloadKey === null ? PAYLOAD_NONCE_SIZE_BYTES : SEALED_CHUNK_SIZE_BYTES
      const taken = Math.min(wanted - this.#pendingSize, piece.length - offset)
      this.#pending.set(piece.subarray(offset, offset + taken), this.#pendingSize)
      this.#pendingSize += taken
      offset += taken
      if (this.#pendingSize < wanted) return
      if (this.#payloadKey === null) this.#takeNonce()
      else yield this.#openFull()
    }
  }

  /**
   * The final chunk's plaintext; empty if `push` has released it already.
   *
   * @throws ProtocolError `malformed-header` if the nonce is incomplete; `truncated-payload` if the
   *   payload ended on a chunk's edge without a final chunk; `bad-chunk` if its last chunk is not an
   *   authentic final one.
   */
  end(): Uint8Array<ArrayBuffer> {
    // Without its nonce a file has no payload at all: the test kit counts that to the header.
    if (this.#payloadKey === null) throw new ProtocolError('malformed-header', 'payload nonce missing')
    if (this.#pendingSize === 0 && !this.#isFinished) {
      throw new ProtocolError('truncated-payload', `at chunk ${this.#index}`)
    }
    const final = this.#isFinished ? new Uint8Array(0) : this.#open(true)
    wipe(this.#payloadKey)
    if (final === null) throw new ProtocolError('bad-chunk', `final, at ${this.#index}`)
    return final
  }

  #takeNonce(): void {
    this.#payloadKey = derivePayloadKey(this.#fileKey, this.#pending.slice(0, this.#pendingSize))
    wipe(this.#fileKey)
    this.#pendingSize = 0
  }

  /** A full chunk may be the final one: nothing but its authenticity tells. */
  #openFull(): Uint8Array<ArrayBuffer> {
    let plaintext = this.#open(false)
    if (plaintext === null) {
      plaintext = this.#open(true)
      this.#isFinished = true
    }
    if (plaintext === null) throw new ProtocolError('bad-chunk', `at ${this.#index}`)
    this.#index++
    this.#pendingSize = 0
    return plaintext
  }

  #open(isFinal: boolean): Uint8Array<ArrayBuffer> | null {
    assert(this.#payloadKey !== null, 'the nonce is read first')
    const sealed = this.#pending.subarray(0, this.#pendingSize)
    return openChunk(this.#payloadKey, { index: this.#index, isFinal }, sealed)
  }
}

/** Seals a payload that arrives in order, in pieces of any size. Nonce and key must be fresh. */
export class PayloadWriter {
  readonly #payloadKey: Uint8Array
  readonly #nonce: Uint8Array
  readonly #pending = new Uint8Array(CHUNK_SIZE_BYTES)
  #pendingSize = 0
  #index = 0
  #isNonceWritten = false

  constructor(fileKey: FileKey, nonce: Uint8Array) {
    this.#payloadKey = derivePayloadKey(fileKey, nonce)
    this.#nonce = nonce
  }

  /** @returns payload bytes in order; often none. */
  * push(piece: Uint8Array): Generator<Uint8Array> {
    let offset = 0
    while (offset < piece.length) {
      if (this.#pendingSize === CHUNK_SIZE_BYTES) yield * this.#seal(false)
      const taken = Math.min(CHUNK_SIZE_BYTES - this.#pendingSize, piece.length - offset)
      this.#pending.set(piece.subarray(offset, offset + taken), this.#pendingSize)
      this.#pendingSize += taken
      offset += taken
    }
  }

  /** The final chunk, and the nonce if nothing came before it. */
  * end(): Generator<Uint8Array> {
    yield * this.#seal(true)
    wipe(this.#payloadKey, this.#pending)
  }

  * #seal(isFinal: boolean): Generator<Uint8Array> {
    if (!this.#isNonceWritten) yield this.#nonce
    this.#isNonceWritten = true
    const plaintext = this.#pending.subarray(0, this.#pendingSize)
    yield sealChunk(this.#payloadKey, { index: this.#index, isFinal }, plaintext)
    this.#index++
    this.#pendingSize = 0
  }
}
