/**
 * The front of the sealed format: sealing a version part by part, and opening one by range after
 * everything about it was verified (SPEC.md § 3.3 and § 3.10).
 * Must not fetch, store or choose: bytes come and go through what the caller hands in.
 *
 *   plaintext   |chunk 0 |chunk 1 |  …                      64 KiB each
 *   payload     nonce|sealed 0 |sealed 1 |  …               64 KiB + 16 each
 *   parts       |part 0                 |part 1      |  …   4 MiB each, cut wherever that falls
 *
 * [Note: Parts] A part is sealed from its own stretch of plaintext and needs no other part: workers
 * share the parts of one version, and a resumed upload seals only what is missing. A chunk that a
 * part's edge cuts is sealed for both; it comes out the same.
 */
import { concatBytes, equalBytes } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, sha256 } from '../hash.js'
import type { HashBulk } from '../hash.js'
import {
  CHUNK_SIZE_BYTES, FILE_KEY_SIZE_BYTES, PART_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES,
  SEALED_CHUNK_SIZE_BYTES,
} from '../limits.js'
import { equalSecrets, wipe } from '../sodium.js'
import { layOut, readManifest, FILE_OFFSET_BYTES } from './archive.js'
import type { ArchiveLayout, ByteSource } from './archive.js'
import { makeSodiumCipher } from './cipher.js'
import type { ChunkCipher, MakeChunkCipher } from './cipher.js'
import { verifyWrap } from './grant.js'
import type { Grant } from './grant.js'
import { openHeader, parseSealdeckHeader } from './header.js'
import { commitToFileKey } from './identity.js'
import type { Identity } from './identity.js'
import type { Manifest } from './manifest.js'
import {
  MAX_PAYLOAD_SIZE_BYTES, chunkCountOf, chunkHashRoot, payloadLengthOf, plaintextSizeOf,
  recordSha256, verifyChain,
} from './record.js'
import type { SeenVersion, VersionRecord } from './record.js'
import type { Signed } from './signature.js'
import { identityUnwrapper } from './stanza.js'
import type { FileKey } from './stanza.js'
import { derivePayloadKey } from './stream.js'
import type { ChunkPlace } from './stream.js'

// ---------------------------------------------------------------- seal

/** One version to be sealed. File key and nonce are fresh, and of no other plaintext, ever. */
export interface SealInput {
  /** The archive of archive.ts. */
  readonly plaintext: ByteSource
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  readonly hash: HashBulk
  /** libsodium's if not given. */
  readonly makeCipher?: MakeChunkCipher
}

export interface SealedPart {
  /** From zero. */
  readonly index: number
  /** `PART_SIZE_BYTES` of the payload, fewer at its end. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** `h_i`, 32 bytes each, of the chunks that start in this part. */
  readonly chunkHashes: Uint8Array<ArrayBuffer>
}

/** Seals the parts of one version in any order, each once or again: the same bytes every time. */
export interface Sealer {
  readonly payloadLength: number
  readonly partCount: number
  sealPart(index: number): Promise<SealedPart>
  /** Forgets the key. */
  end(): void
}

/** How many parts a payload of this length is stored in. */
export function partCountOf(payloadLength: number): number {
  return Math.ceil(payloadLength / PART_SIZE_BYTES)
}

/** Prepare to seal; reads nothing yet. The file key may be wiped once this returns. */
export async function startSeal(input: SealInput): Promise<Sealer> {
  const payloadLength = payloadLengthOf(input.plaintext.size)
  assert(payloadLength <= MAX_PAYLOAD_SIZE_BYTES, 'a version over the limit is refused before this')
  const payloadKey = derivePayloadKey(input.fileKey, input.nonce)
  const cipher = await (input.makeCipher ?? makeSodiumCipher)(payloadKey)
  wipe(payloadKey)
  const partCount = partCountOf(payloadLength)
  return {
    payloadLength,
    partCount,
    sealPart(index) {
      assert(index >= 0 && index < partCount, 'the payload has this part')
      return sealPart({ ...input, cipher, payloadLength, index })
    },
    end: () => cipher.end(),
  }
}

/** All parts of a version in order, one in memory at a time. */
export async function * sealDeck(input: SealInput): AsyncGenerator<SealedPart> {
  const sealer = await startSeal(input)
  try {
    for (let index = 0; index < sealer.partCount; index++) yield await sealer.sealPart(index)
  } finally {
    sealer.end()
  }
}

interface PartInput extends SealInput {
  readonly cipher: ChunkCipher
  readonly payloadLength: number
  readonly index: number
}

async function sealPart(input: PartInput): Promise<SealedPart> {
  const start = input.index * PART_SIZE_BYTES
  const end = Math.min(start + PART_SIZE_BYTES, input.payloadLength)
  const span = chunkSpan(start, end, input.payloadLength)
  const sealed = await sealChunks(input, span)
  const firstOwn = span.first + (chunkStart(span.first) < start ? 1 : 0)
  const own = Array.from({ length: span.last + 1 - firstOwn }, (_, turn) => firstOwn + turn)
  const hashes = await Promise.all(
    own.map((chunk) => input.hash(sealedChunkOf(sealed, span, chunk))))
  const bytes = new Uint8Array(end - start)
  if (start === 0) bytes.set(input.nonce)
  const from = Math.max(start, PAYLOAD_NONCE_SIZE_BYTES)
  const offset = from - chunkStart(span.first)
  bytes.set(sealed.subarray(offset, offset + end - from), from - start)
  return { index: input.index, bytes, chunkHashes: concatBytes(...hashes) }
}

/** The chunks that lie in a stretch of payload, whole or in part, and the size of the last. */
interface ChunkSpan {
  readonly first: number
  readonly last: number
  /** Of the chunks' sealed bytes together. */
  readonly sealedSize: number
  readonly isLastFinal: boolean
}

function chunkSpan(start: number, end: number, payloadLength: number): ChunkSpan {
  const chunkAt = (offset: number) =>
    Math.max(0, Math.floor((offset - PAYLOAD_NONCE_SIZE_BYTES) / SEALED_CHUNK_SIZE_BYTES))
  const first = chunkAt(start)
  const last = chunkAt(end - 1)
  const sealedEnd = Math.min(chunkStart(last + 1), payloadLength)
  return {
    first,
    last,
    sealedSize: sealedEnd - chunkStart(first),
    isLastFinal: last === chunkCountOf(payloadLength) - 1,
  }
}

/** Where a sealed chunk starts in the payload. */
function chunkStart(index: number): number {
  return PAYLOAD_NONCE_SIZE_BYTES + index * SEALED_CHUNK_SIZE_BYTES
}

function sealedChunkOf(sealed: Uint8Array, span: ChunkSpan, index: number): Uint8Array {
  const offset = (index - span.first) * SEALED_CHUNK_SIZE_BYTES
  return sealed.subarray(offset, Math.min(offset + SEALED_CHUNK_SIZE_BYTES, span.sealedSize))
}

function placeOf(span: ChunkSpan, index: number): ChunkPlace {
  return { index, isFinal: span.isLastFinal && index === span.last }
}

async function sealChunks(input: PartInput, span: ChunkSpan): Promise<Uint8Array<ArrayBuffer>> {
  const offset = span.first * CHUNK_SIZE_BYTES
  const length = Math.min((span.last + 1) * CHUNK_SIZE_BYTES, input.plaintext.size) - offset
  const plaintext = await input.plaintext.read(offset, length)
  assert(plaintext.length === length, 'a source gives the bytes it was asked for')
  const sealed = new Uint8Array(span.sealedSize)
  const indexes = Array.from({ length: span.last + 1 - span.first }, (_, turn) => span.first + turn)
  await Promise.all(indexes.map((index, turn) => input.cipher.seal(
    placeOf(span, index),
    plaintext.subarray(turn * CHUNK_SIZE_BYTES, (turn + 1) * CHUNK_SIZE_BYTES),
    sealedChunkOf(sealed, span, index),
  )))
  return sealed
}

export interface SealedPromises {
  readonly root: Uint8Array
  readonly keyCommit: Uint8Array
}

/**
 * What the record promises about a sealed version, from what sealing gave.
 *
 * @param hashList - the parts' `chunkHashes`, one after another, all of them.
 */
export function promisesOf(sealed: {
  readonly fileKey: FileKey, readonly nonce: Uint8Array, readonly payloadLength: number,
  readonly hashList: Uint8Array,
}): SealedPromises {
  return {
    root: chunkHashRoot(sealed.hashList, sealed),
    keyCommit: commitToFileKey(sealed.fileKey, sealed.nonce),
  }
}

// ---------------------------------------------------------------- drafts

/** What an interrupted upload needs to go on; sealed under the root before the first part. */
export interface SealDraft {
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  /** From `hashPlaintext`: another plaintext under this key and nonce would be a two-time pad. */
  readonly plaintextSha256: Uint8Array
}

export function encodeDraft(draft: SealDraft): Uint8Array<ArrayBuffer> {
  const bytes = concatBytes(draft.fileKey, draft.nonce, draft.plaintextSha256)
  assert(bytes.length === DRAFT_SIZE_BYTES, 'a draft is key, nonce and hash')
  return bytes
}

const DRAFT_SIZE_BYTES = FILE_KEY_SIZE_BYTES + PAYLOAD_NONCE_SIZE_BYTES + HASH_SIZE_BYTES

/** @throws ProtocolError `malformed-encoding`. */
export function decodeDraft(bytes: Uint8Array): SealDraft {
  if (bytes.length !== DRAFT_SIZE_BYTES) throw new ProtocolError('malformed-encoding', 'draft')
  const nonceEnd = FILE_KEY_SIZE_BYTES + PAYLOAD_NONCE_SIZE_BYTES
  return {
    fileKey: new Uint8Array(bytes.subarray(0, FILE_KEY_SIZE_BYTES)),
    nonce: bytes.slice(FILE_KEY_SIZE_BYTES, nonceEnd),
    plaintextSha256: bytes.slice(nonceEnd),
  }
}

/**
 * The hash that tells whether a resumed upload's plaintext is the one that was begun: SHA-256 over
 * the SHA-256 of each 4 MiB, so that the platform's one-shot hash can do it in bounded memory.
 *
 * @param onHashed - called with how many bytes are done.
 */
export async function hashPlaintext(
  plaintext: ByteSource, hash: HashBulk, onHashed: (doneBytes: number) => void = () => undefined,
): Promise<Uint8Array> {
  const hashes: Uint8Array[] = []
  for (let offset = 0; offset < plaintext.size; offset += PART_SIZE_BYTES) {
    const length = Math.min(PART_SIZE_BYTES, plaintext.size - offset)
    hashes.push(await hash(await plaintext.read(offset, length)))
    onHashed(offset + length)
  }
  return sha256(concatBytes(...hashes))
}

// ---------------------------------------------------------------- open

/** A header and everything it is checked against. */
export interface HeaderToOpen {
  readonly header: Uint8Array
  /** The owner's, the link's or the device's. */
  readonly identity: Identity
  /** Every M of the document part, version 1 first, this version's last. */
  readonly records: readonly Signed[]
  /** `fpF`, 16 bytes: from the link's fragment, or the owner's own. */
  readonly fingerprint: Uint8Array
  readonly vaultId: string
  /** The newest version that this device, or an acceptance it holds, has seen. */
  readonly seen: SeenVersion | null
  /**
   * The founder's word that this header is for this grantee. `null` only for the owner's own headers
   * and those a device made for itself: MAC and key commitment vouch for them.
   */
  readonly wrap: WrapToCheck | null
}

export interface WrapToCheck {
  readonly signed: Signed
  /** Verified before. */
  readonly grant: Grant
  /** SHA-256 of the acceptance that this grantee signed, if any. */
  readonly acceptanceSha256: Uint8Array | null
}

export interface OpenedHeader {
  readonly record: VersionRecord
  /** To be remembered as seen. */
  readonly seen: SeenVersion
  /** To be wiped by the caller. */
  readonly fileKey: FileKey
}

/**
 * Open a header: the record and its chain, the wrap record, the MAC, the key commitment.
 * Nothing is opened before it is known whose it is.
 *
 * @throws ProtocolError `wrong-founder`, `bad-founder-signature`, `broken-chain`, `stale-version`,
 *   `wrong-vault`, `wrong-grant`, `wrong-header` (also: not for this identity), `header-too-large`,
 *   `malformed-…`, `bad-header-mac`, `bad-key-commitment`.
 */
export function openReleasedHeader(input: HeaderToOpen): OpenedHeader {
  const record = verifyChain(input.records, input.fingerprint, input.seen)
  if (record.vaultId !== input.vaultId) throw new ProtocolError('wrong-vault')
  const signedRecord = input.records.at(-1)
  assert(signedRecord !== undefined, 'a verified chain has a last record')
  const sha256OfRecord = recordSha256(signedRecord)
  if (input.wrap !== null) requireWrap(input, input.wrap, { record, sha256: sha256OfRecord })

  const header = parseSealdeckHeader(input.header)
  const fileKey = openHeader(header, [identityUnwrapper(input.identity)])
  if (fileKey === null) throw new ProtocolError('wrong-header', 'not for this identity')
  if (!equalSecrets(commitToFileKey(fileKey, record.nonce), record.keyCommit)) {
    wipe(fileKey)
    throw new ProtocolError('bad-key-commitment')
  }
  return { record, seen: { version: record.version, sha256: sha256OfRecord }, fileKey }
}

function requireWrap(
  input: HeaderToOpen, check: WrapToCheck, named: { record: VersionRecord, sha256: Uint8Array },
): void {
  const wrap = verifyWrap(check.signed,
    { signingKey: named.record.signingKey, fingerprint: input.fingerprint })
  const isForGrant = equalBytes(wrap.grantId, check.grant.grantId) &&
    check.grant.vaultId === input.vaultId
  if (!isForGrant) throw new ProtocolError('wrong-grant', 'wrap record')
  const isForHeader = equalBytes(wrap.recordSha256, named.sha256) &&
    equalBytes(wrap.headerSha256, sha256(input.header)) &&
    equalBytes(wrap.recipient.publicKey, input.identity.recipient.publicKey)
  if (!isForHeader) throw new ProtocolError('wrong-header', 'wrap record')
  requireAcceptance(wrap.acceptanceSha256, check, named.record)
}

/** On approval, the founder's client made the header after it saw this very acceptance. */
function requireAcceptance(
  named: Uint8Array | null, check: WrapToCheck, record: VersionRecord,
): void {
  const isDue = record.gate === 'nda' && check.grant.policy.release === 'on-approval'
  if (named === null && !isDue) return
  const isTheOne = named !== null && check.acceptanceSha256 !== null &&
    equalBytes(named, check.acceptanceSha256)
  if (!isTheOne) throw new ProtocolError('wrong-header', 'made for another acceptance')
}

/** Where a version's ciphertext comes from; what it gives is believed only after its hash fits. */
export interface PayloadSource {
  /** The stored hash list, whole. */
  readHashList(): Promise<Uint8Array>
  /** Bytes `start` up to but not including `end` of the payload; at most 4 MiB. */
  readPayload(start: number, end: number): Promise<Uint8Array>
}

export interface VersionToRead {
  /** From `openReleasedHeader`, with its file key. */
  readonly record: VersionRecord
  readonly fileKey: FileKey
  readonly source: PayloadSource
  readonly hash: HashBulk
  /** libsodium's if not given. */
  readonly makeCipher?: MakeChunkCipher
}

/** Chunks in one fetch: as many as 4 MiB hold. */
const MAX_FETCHED_CHUNK_COUNT = Math.floor(PART_SIZE_BYTES / SEALED_CHUNK_SIZE_BYTES)
/** One read; longer stretches are read in turns, so that memory stays bounded. */
export const MAX_READ_SIZE_BYTES = 16 * 1024 * 1024
/** A thumbnail's neighbours lie in its own chunk, mostly. */
const MAX_KEPT_CHUNK_COUNT = 16

/**
 * Open a version for reading: the hash list is fetched whole and checked against the signed root
 * before the first range, then the manifest is read.
 *
 * @throws ProtocolError `bad-root`, `malformed-manifest`, or as `VersionReader.read`.
 */
export async function openDeck(input: VersionToRead): Promise<VersionReader> {
  const { record } = input
  const hashList = await input.source.readHashList()
  if (!equalBytes(chunkHashRoot(hashList, record), record.root)) throw new ProtocolError('bad-root')
  const plaintextSize = plaintextSizeOf(record.payloadLength)
  assert(plaintextSize !== null, 'a decoded record has a possible payload length')

  const payloadKey = derivePayloadKey(input.fileKey, record.nonce)
  const cipher = await (input.makeCipher ?? makeSodiumCipher)(payloadKey)
  wipe(payloadKey)
  const chunks = new ChunkReader({ ...input, cipher, hashList })
  const first = await chunks.read(0, Math.min(CHUNK_SIZE_BYTES, plaintextSize))
  return new VersionReader(chunks, readManifest(first, plaintextSize), plaintextSize)
}

/** A version whose every byte is authentic before it is given out. */
export class VersionReader {
  readonly manifest: Manifest
  /** Of the whole archive. */
  readonly size: number
  readonly #chunks: ChunkReader
  readonly #layout: ArchiveLayout

  constructor(chunks: ChunkReader, manifest: Manifest, size: number) {
    this.#chunks = chunks
    this.manifest = manifest
    this.size = size
    this.#layout = layOut(manifest)
  }

  /**
   * A stretch of the archive: what `age -d` would give. `length` at most `MAX_READ_SIZE_BYTES`.
   *
   * @throws ProtocolError `bad-length`, `bad-chunk-hash`, `bad-chunk`; whatever the source throws.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    assert(isInside({ offset, length }, this.size), 'a read stays inside the archive')
    return this.#chunks.read(offset, length)
  }

  /** A stretch of the file itself. @throws as `read`. */
  readFile(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    assert(isInside({ offset, length }, this.manifest.fileSize), 'a read stays inside the file')
    return this.#chunks.read(FILE_OFFSET_BYTES + offset, length)
  }

  /** One page's thumbnail. @throws as `read`. */
  readThumbnail(pageIndex: number): Promise<Uint8Array<ArrayBuffer>> {
    const thumbnail = this.#layout.thumbnails[pageIndex]
    assert(thumbnail !== undefined, 'the manifest names this thumbnail')
    return this.#chunks.read(thumbnail.offset, thumbnail.size)
  }

  /** Forget what was opened. */
  close(): void {
    this.#chunks.close()
  }
}

function isInside(range: { offset: number, length: number }, size: number): boolean {
  return range.offset >= 0 && range.length >= 0 && range.offset + range.length <= size
}

interface ChunkReaderInput extends VersionToRead {
  readonly cipher: ChunkCipher
  readonly hashList: Uint8Array
}

/** Ranges of plaintext from whole chunks of ciphertext: never more than one beyond each end. */
class ChunkReader {
  readonly #input: ChunkReaderInput
  /** The chunks opened last, oldest first. */
  readonly #kept = new Map<number, Uint8Array>()

  constructor(input: ChunkReaderInput) {
    this.#input = input
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    assert(length <= MAX_READ_SIZE_BYTES, 'long stretches are read in turns')
    const bytes = new Uint8Array(length)
    if (length === 0) return bytes
    const last = Math.floor((offset + length - 1) / CHUNK_SIZE_BYTES)
    let index = Math.floor(offset / CHUNK_SIZE_BYTES)
    while (index <= last) {
      const opened = await this.#openFrom(index, last)
      for (const plaintext of opened) {
        copyOverlap(plaintext, index * CHUNK_SIZE_BYTES, { bytes, offset })
        index++
      }
    }
    return bytes
  }

  close(): void {
    wipe(...this.#kept.values())
    this.#kept.clear()
    this.#input.cipher.end()
  }

  /** Some chunks from `first` on, at least one: a kept one, or what one fetch brings up to `last`. */
  async #openFrom(first: number, last: number): Promise<Uint8Array[]> {
    const kept = this.#kept.get(first)
    if (kept !== undefined) return [kept]
    let end = first + 1
    while (end <= last && end - first < MAX_FETCHED_CHUNK_COUNT && !this.#kept.has(end)) end++
    return this.#fetch(first, end)
  }

  async #fetch(first: number, end: number): Promise<Uint8Array[]> {
    const { record, source } = this.#input
    const start = chunkStart(first)
    const stop = Math.min(chunkStart(end), record.payloadLength)
    const sealed = await source.readPayload(start, stop)
    if (sealed.length !== stop - start) throw new ProtocolError('bad-length', 'payload range')
    const span = chunkSpan(start, stop, record.payloadLength)
    const indexes = Array.from({ length: end - first }, (_, turn) => first + turn)
    const opened = await Promise.all(indexes.map((index) =>
      this.#open(placeOf(span, index), sealedChunkOf(sealed, span, index))))
    for (const [turn, plaintext] of opened.entries()) this.#keep(first + turn, plaintext)
    return opened
  }

  /** First the signed hash, then the AEAD with the right final flag. */
  async #open(place: ChunkPlace, sealed: Uint8Array): Promise<Uint8Array> {
    const { hashList, hash, cipher } = this.#input
    const expected = hashList.subarray(
      place.index * HASH_SIZE_BYTES, (place.index + 1) * HASH_SIZE_BYTES)
    if (!equalBytes(await hash(sealed), expected)) {
      throw new ProtocolError('bad-chunk-hash', `at ${place.index}`)
    }
    const plaintext = await cipher.open(place, sealed)
    if (plaintext === null) throw new ProtocolError('bad-chunk', `at ${place.index}`)
    return plaintext
  }

  #keep(index: number, plaintext: Uint8Array): void {
    this.#kept.delete(index)
    this.#kept.set(index, plaintext)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT_CHUNK_COUNT && oldest !== undefined) this.#kept.delete(oldest)
  }
}

function copyOverlap(
  plaintext: Uint8Array, at: number, target: { bytes: Uint8Array, offset: number },
): void {
  const start = Math.max(at, target.offset)
  const end = Math.min(at + plaintext.length, target.offset + target.bytes.length)
  target.bytes.set(plaintext.subarray(start - at, end - at), start - target.offset)
}
