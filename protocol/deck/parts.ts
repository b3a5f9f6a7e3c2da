/**
 * What one thread does for a version's payload: fingerprints a stretch of its plaintext, seals a part,
 * opens a range (SPEC.md § 3.3). Must not know file keys, records, or where bytes are kept: a second
 * thread is given no more than this.
 *
 *   plaintext   |chunk 0 |chunk 1 |  …                      64 KiB each
 *   payload     nonce|sealed 0 |sealed 1 |  …               64 KiB + 16 each
 *   parts       |part 0                 |part 1      |  …   4 MiB each, cut wherever that falls
 *
 * [Note: Parts] A part is sealed from its own stretch of plaintext and needs no other part: threads
 * share the parts of one version, and a resumed upload seals only what is missing. A chunk that a
 * part's edge cuts is sealed for both; it comes out the same.
 *
 * [Note: One buffer] Fresh memory costs more than the work on it: a system gives it page by page, and
 * zeroed. Plaintext is read into one buffer, over and over, and sealed from there straight into the
 * part that is given away; so a sealer does one thing at a time.
 */
import { equalBytes } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, type HashBulk } from '../hash.js'
import {
  AEAD_TAG_SIZE_BYTES, CHUNK_SIZE_BYTES, PART_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES,
  SEALED_CHUNK_SIZE_BYTES,
} from '../limits.js'
import { wipe } from '../sodium.js'
import type { ByteSource } from './archive.js'
import type { ChunkCipher } from './cipher.js'
import { chunkCountOf, payloadLengthOf } from './record.js'
import type { ChunkPlace } from './stream.js'

type Bytes = Uint8Array<ArrayBuffer>

export interface SealedPart {
  /** From zero. */
  readonly index: number
  /** `PART_SIZE_BYTES` of the payload, fewer at its end. */
  readonly bytes: Bytes
  /** Of `bytes`: what a server is told before it takes them. */
  readonly sha256: Uint8Array
  /** `h_i`, 32 bytes each, of the chunks that start in this part. */
  readonly chunkHashes: Bytes
}

/** One who works on a version's plaintext. */
export interface PartSealer {
  /** SHA-256 of a stretch of `PART_SIZE_BYTES`, fewer at the plaintext's end. */
  hashStretch(index: number): Promise<Uint8Array>
  /** The same bytes every time. */
  sealPart(index: number): Promise<SealedPart>
  /** Forgets key and plaintext. */
  end(): void
}

/** Whole chunks of the payload, one after another. */
export interface SealedRange {
  readonly firstIndex: number
  readonly chunkCount: number
  /** Whether its last chunk is the payload's. */
  readonly isLastFinal: boolean
  /** `h_i` of each, as signed. */
  readonly hashes: Uint8Array
  /** May be asked for again; what it gives is the caller's. */
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>
}

/** One who opens a version's chunks. */
export interface RangeOpener {
  /**
   * @returns the chunks' plaintext, whole and authentic; the caller's.
   * @throws ProtocolError `bad-length`, `bad-chunk-hash`, `bad-chunk`; whatever the range's `read` throws.
   */
  open(range: SealedRange): Promise<Bytes>
  /** Forgets the key. */
  end(): void
}

// ---- places

/** Where a sealed chunk starts in the payload. */
export function chunkStart(index: number): number {
  return PAYLOAD_NONCE_SIZE_BYTES + index * SEALED_CHUNK_SIZE_BYTES
}

/** How many parts a payload of this length is stored in. */
export function partCountOf(payloadLength: number): number {
  return Math.ceil(payloadLength / PART_SIZE_BYTES)
}

/** Where part `index` lies in the payload, and which chunks lie in it, whole or cut. */
function describePart(index: number, plaintextSize: number) {
  const payloadLength = payloadLengthOf(plaintextSize)
  assert(index >= 0 && index < partCountOf(payloadLength), 'the payload has this part')
  const start = index * PART_SIZE_BYTES
  const size = Math.min(PART_SIZE_BYTES, payloadLength - start)
  const firstChunk = chunkAt(start)
  const lastChunk = chunkAt(start + size - 1)
  const isCut = chunkStart(firstChunk) < start
  const finalChunk = chunkCountOf(payloadLength) - 1
  return { start, size, firstChunk, lastChunk, finalChunk, ownChunk: firstChunk + (isCut ? 1 : 0) }
}

function chunkAt(offset: number): number {
  return Math.max(0, Math.floor((offset - PAYLOAD_NONCE_SIZE_BYTES) / SEALED_CHUNK_SIZE_BYTES))
}

// ---- sealing

export interface PlaintextToSeal {
  /** The archive of archive.ts. */
  readonly plaintext: ByteSource
  /** Fresh, and of no other plaintext, ever. */
  readonly nonce: Uint8Array
  readonly hash: HashBulk
}

/** Takes over the cipher. */
export function makePartSealer(cipher: ChunkCipher, input: PlaintextToSeal): PartSealer {
  const { plaintext, hash } = input
  // A part's chunks and the two that its edges cut.
  const buffer = new Uint8Array(Math.min(PART_SIZE_BYTES + 2 * CHUNK_SIZE_BYTES, plaintext.size))
  const inTurn = makeTurns()
  return {
    hashStretch: (index) => inTurn(() => hashStretch({ plaintext, hash, buffer }, index)),
    sealPart: (index) => inTurn(() => sealPart({ ...input, cipher, buffer }, index)),
    end() {
      cipher.end()
      wipe(buffer)
    },
  }
}

/** One thing after another, in the order in which they were asked for. */
function makeTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work)
    // Whoever asked hears of a failure; whoever comes next has a turn all the same.
    last = next.catch(() => undefined)
    return next
  }
}

/** SHA-256 of one stretch of plaintext, read into `buffer`. */
export async function hashStretch(
  { plaintext, hash, buffer }: Pick<PartInput, 'plaintext' | 'hash' | 'buffer'>, index: number,
): Promise<Uint8Array> {
  const offset = index * PART_SIZE_BYTES
  const stretch = buffer.subarray(0, Math.min(PART_SIZE_BYTES, plaintext.size - offset))
  await plaintext.read(offset, stretch)
  return await hash(stretch)
}

interface PartInput extends PlaintextToSeal {
  readonly cipher: ChunkCipher
  readonly buffer: Bytes
}

async function sealPart(input: PartInput, index: number): Promise<SealedPart> {
  const { plaintext, cipher, hash, nonce, buffer } = input
  const part = describePart(index, plaintext.size)
  const offset = part.firstChunk * CHUNK_SIZE_BYTES
  const text = buffer.subarray(
    0, Math.min((part.lastChunk + 1) * CHUNK_SIZE_BYTES, plaintext.size) - offset)
  await plaintext.read(offset, text)
  const bytes = new Uint8Array(part.size)
  if (index === 0) bytes.set(nonce)
  const hashing: Promise<Uint8Array>[] = []
  for (let chunk = part.firstChunk; chunk <= part.lastChunk; chunk++) {
    const at = chunk * CHUNK_SIZE_BYTES - offset
    const chunkText = text.subarray(at, at + CHUNK_SIZE_BYTES)
    const place = { index: chunk, isFinal: chunk === part.finalChunk }
    const start = chunkStart(chunk) - part.start
    const sealed = await sealInto(bytes, start, { cipher, place, chunkText })
    if (chunk >= part.ownChunk) hashing.push(hash(sealed))
  }
  const [sha256, ...hashes] = await Promise.all([hash(bytes), ...hashing])
  return { index, bytes, sha256, chunkHashes: joinHashes(hashes) }
}

/** Straight to where it belongs, unless the part's edge cuts it. */
async function sealInto(
  bytes: Bytes, at: number,
  { cipher, place, chunkText }: { cipher: ChunkCipher, place: ChunkPlace, chunkText: Bytes },
): Promise<Bytes> {
  const size = chunkText.length + AEAD_TAG_SIZE_BYTES
  const isWhole = at >= 0 && at + size <= bytes.length
  const sealed = isWhole ? bytes.subarray(at, at + size) : new Uint8Array(size)
  await cipher.seal(place, chunkText, sealed)
  if (!isWhole) bytes.set(sealed.subarray(Math.max(0, -at), bytes.length - at), Math.max(0, at))
  return sealed
}

function joinHashes(hashes: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(hashes.length * HASH_SIZE_BYTES)
  for (const [turn, hash] of hashes.entries()) joined.set(hash, turn * HASH_SIZE_BYTES)
  return joined
}

// ---- opening

/** Takes over the cipher. */
export function makeRangeOpener(cipher: ChunkCipher, hash: HashBulk): RangeOpener {
  return {
    open: (range) => openRange({ cipher, hash }, range),
    end: () => cipher.end(),
  }
}

/** For each chunk first the signed hash, then the AEAD with the final flag that its place demands. */
async function openRange(
  { cipher, hash }: { cipher: ChunkCipher, hash: HashBulk }, range: SealedRange,
): Promise<Bytes> {
  const sealed = await range.read()
  const bytes = new Uint8Array(sealed.length - range.chunkCount * AEAD_TAG_SIZE_BYTES)
  for (let turn = 0; turn < range.chunkCount; turn++) {
    const index = range.firstIndex + turn
    const at = turn * SEALED_CHUNK_SIZE_BYTES
    const chunk = sealed.subarray(at, at + SEALED_CHUNK_SIZE_BYTES)
    const expected = range.hashes.subarray(turn * HASH_SIZE_BYTES, (turn + 1) * HASH_SIZE_BYTES)
    if (!equalBytes(await hash(chunk), expected)) {
      throw new ProtocolError('bad-chunk-hash', `at ${index}`)
    }
    const isFinal = range.isLastFinal && turn === range.chunkCount - 1
    const start = turn * CHUNK_SIZE_BYTES
    const target = bytes.subarray(start, start + chunk.length - AEAD_TAG_SIZE_BYTES)
    if (!await cipher.open({ index, isFinal }, chunk, target)) {
      throw new ProtocolError('bad-chunk', `at ${index}`)
    }
  }
  return bytes
}
