/**
 * The front of the sealed format: sealing a version part by part, and opening one by range after
 * everything about it was verified (SPEC.md § 3.3 and § 3.10; the bytes' own work is in parts.ts).
 * Must not fetch, store or choose: bytes come and go through what the caller hands in.
 */
import { concatBytes, equalBytes } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, sha256 } from '../hash.js'
import type { HashBulk } from '../hash.js'
import {
  CHUNK_SIZE_BYTES, PART_SIZE_BYTES, SEALED_CHUNK_SIZE_BYTES,
} from '../limits.js'
import { equalSecrets, wipe } from '../sodium.js'
import { layOut, readManifest, FILE_OFFSET_BYTES } from './archive.js'
import type { ArchiveLayout, ByteSource } from './archive.js'
import { makeSodiumCipher } from './cipher.js'
import type { MakeChunkCipher } from './cipher.js'
import { verifyWrap } from './grant.js'
import type { Grant } from './grant.js'
import { openHeader, parseSealdeckHeader } from './header.js'
import { commitToFileKey } from './identity.js'
import type { Identity } from './identity.js'
import type { FileRange, Manifest } from './manifest.js'
import { chunkStart, hashStretch, makePartSealer, makeRangeOpener, partCountOf } from './parts.js'
import type { PartSealer, RangeOpener, SealedPart, SealedRange } from './parts.js'
import { isApprovalDue } from './policy.js'
import {
  MAX_PAYLOAD_SIZE_BYTES, chunkCountOf, chunkHashRoot, payloadLengthOf, plaintextSizeOf,
  recordSha256, verifyChain,
} from './record.js'
import type { SeenVersion, VersionRecord } from './record.js'
import type { Signed } from './signature.js'
import { identityUnwrapper } from './stanza.js'
import type { FileKey } from './stanza.js'
import { derivePayloadKey } from './stream.js'

/** How much of a version is worked on at a time: a range or part for each thread that there may be. */
const LANE_COUNT = 2

/**
 * [Note: Sharing] Given one thread's worker on a payload and the payload's key, answers one that shares
 * the work with other threads. It may keep the key until its end, in a copy, and ends the one it got.
 */
export type Share<Worker> = (own: Worker, payloadKey: Uint8Array<ArrayBuffer>) => Worker

/** The payload's key exists only inside this call and inside what it makes. */
async function withPayloadKey<Worker>(
  input: {
    readonly fileKey: FileKey, readonly nonce: Uint8Array,
    readonly makeCipher?: MakeChunkCipher | undefined,
    readonly share?: Share<Worker> | undefined,
  },
  make: (cipher: Awaited<ReturnType<MakeChunkCipher>>) => Worker,
): Promise<Worker> {
  const payloadKey = derivePayloadKey(input.fileKey, input.nonce)
  try {
    const own = make(await (input.makeCipher ?? makeSodiumCipher)(payloadKey))
    return input.share === undefined ? own : input.share(own, payloadKey)
  } finally {
    wipe(payloadKey)
  }
}

// ---------------------------------------------------------------- seal

/** One version to be sealed. File key and nonce are fresh, and of no other plaintext, ever. */
export interface SealInput {
  /** The archive of archive.ts. */
  readonly plaintext: ByteSource
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  readonly hash: HashBulk
  /** libsodium's if not given. */
  readonly makeCipher?: MakeChunkCipher | undefined
  /** This thread works alone if not given. */
  readonly share?: Share<PartSealer> | undefined
}

/** Seals the parts of one version in any order, each once or again: the same bytes every time. */
export interface Sealer {
  readonly payloadLength: number
  readonly partCount: number
  /** As `hashPlaintext`. */
  fingerprint(onHashed?: OnHashed): Promise<Uint8Array>
  sealPart(index: number): Promise<SealedPart>
  /** Forgets the key. */
  end(): void
}

/** How many bytes of plaintext are hashed. */
export type OnHashed = (doneBytes: number) => void

/** Prepare to seal; reads nothing yet. The file key may be wiped once this returns. */
export async function startSeal(input: SealInput): Promise<Sealer> {
  const { size } = input.plaintext
  const payloadLength = payloadLengthOf(size)
  assert(payloadLength <= MAX_PAYLOAD_SIZE_BYTES, 'a version over the limit is refused before this')
  const parts = await withPayloadKey(input, (cipher) => makePartSealer(cipher, input))
  return {
    payloadLength,
    partCount: partCountOf(payloadLength),
    fingerprint: (onHashed) => fingerprint(
      { size, hashOf: (index) => parts.hashStretch(index), laneCount: LANE_COUNT }, onHashed),
    sealPart: (index) => parts.sealPart(index),
    end: () => parts.end(),
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

/**
 * The hash that tells whether a resumed upload's plaintext is the one that was begun: SHA-256 over
 * the SHA-256 of each 4 MiB, so that the platform's one-shot hash can do it in bounded memory.
 */
export async function hashPlaintext(
  plaintext: ByteSource, hash: HashBulk, onHashed?: OnHashed,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(Math.min(PART_SIZE_BYTES, plaintext.size))
  const hashOf = (index: number) => hashStretch({ plaintext, hash, buffer }, index)
  return await fingerprint({ size: plaintext.size, hashOf, laneCount: 1 }, onHashed)
}

interface Fingerprinting {
  readonly size: number
  readonly hashOf: (index: number) => Promise<Uint8Array>
  /** Stretches asked for at a time. */
  readonly laneCount: number
}

async function fingerprint(
  { size, hashOf, laneCount }: Fingerprinting, onHashed: OnHashed = () => undefined,
): Promise<Uint8Array> {
  const stretchCount = Math.ceil(size / PART_SIZE_BYTES)
  const hashes: Uint8Array[] = []
  let nextIndex = 0
  let doneBytes = 0
  async function lane(): Promise<void> {
    while (nextIndex < stretchCount) {
      const index = nextIndex++
      hashes[index] = await hashOf(index)
      doneBytes += Math.min(PART_SIZE_BYTES, size - index * PART_SIZE_BYTES)
      onHashed(doneBytes)
    }
  }
  await Promise.all(Array.from({ length: laneCount }, lane))
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
  const isDue = isApprovalDue(check.grant.policy, record)
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
  readPayload(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>
}

export interface VersionToRead {
  /** From `openReleasedHeader`, with its file key. */
  readonly record: VersionRecord
  readonly fileKey: FileKey
  readonly source: PayloadSource
  readonly hash: HashBulk
  /** libsodium's if not given. */
  readonly makeCipher?: MakeChunkCipher | undefined
  /** This thread works alone if not given. */
  readonly share?: Share<RangeOpener> | undefined
}

/** Chunks in one fetch: as many as 4 MiB hold. */
const MAX_FETCHED_CHUNK_COUNT = Math.floor(PART_SIZE_BYTES / SEALED_CHUNK_SIZE_BYTES)
/** What `stretches` gives at a time. */
const STRETCH_SIZE_BYTES = MAX_FETCHED_CHUNK_COUNT * CHUNK_SIZE_BYTES
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
  const { record, source } = input
  const hashList = await source.readHashList()
  if (!equalBytes(chunkHashRoot(hashList, record), record.root)) throw new ProtocolError('bad-root')
  const plaintextSize = plaintextSizeOf(record.payloadLength)
  assert(plaintextSize !== null, 'a decoded record has a possible payload length')

  const opener = await withPayloadKey({ ...input, nonce: record.nonce },
    (cipher) => makeRangeOpener(cipher, input.hash))
  const chunks = new ChunkReader({ record, source, opener, hashList })
  try {
    const first = await chunks.read(0, Math.min(CHUNK_SIZE_BYTES, plaintextSize))
    return new VersionReader(chunks, readManifest(first, plaintextSize), plaintextSize)
  } catch (error) {
    chunks.close()
    throw error
  }
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

  /** The whole archive in order, the next stretch on its way while one is used. @throws as `read`. */
  stretches(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    return this.#chunks.stretches({ offset: 0, length: this.size })
  }

  /** The whole file, as `stretches`. */
  fileStretches(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    return this.#chunks.stretches({ offset: FILE_OFFSET_BYTES, length: this.manifest.fileSize })
  }

  /** Forget what was opened. */
  close(): void {
    this.#chunks.close()
  }
}

function isInside(range: FileRange, size: number): boolean {
  return range.offset >= 0 && range.length >= 0 && range.offset + range.length <= size
}

interface ChunkReaderInput {
  readonly record: VersionRecord
  readonly source: PayloadSource
  readonly opener: RangeOpener
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
    const end = length === 0 ? 0 : Math.ceil((offset + length) / CHUNK_SIZE_BYTES)
    let index = Math.floor(offset / CHUNK_SIZE_BYTES)
    while (index < end) {
      const opened = this.#kept.get(index) ?? await this.#open(index, this.#endOfFetch(index, end))
      copyOverlap(opened, index * CHUNK_SIZE_BYTES, { bytes, offset })
      index += Math.ceil(opened.length / CHUNK_SIZE_BYTES)
    }
    return bytes
  }

  async * stretches({ offset, length }: FileRange): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    assert(offset % CHUNK_SIZE_BYTES === 0, 'stretches start on an edge of chunks')
    const first = offset / CHUNK_SIZE_BYTES
    const end = Math.ceil((offset + length) / CHUNK_SIZE_BYTES)
    const ahead: Promise<Uint8Array<ArrayBuffer>>[] = []
    let asked = first
    for (let done = 0; done < length; done += STRETCH_SIZE_BYTES) {
      while (ahead.length <= LANE_COUNT && asked < end) {
        const stop = Math.min(asked + MAX_FETCHED_CHUNK_COUNT, end)
        const opening = this.#openRange(asked, stop)
        opening.catch(() => undefined) // Whoever comes to it gets the error.
        ahead.push(opening)
        asked = stop
      }
      const opened = await ahead.shift()
      assert(opened !== undefined, 'a stretch is asked for before its turn')
      yield opened.subarray(0, length - done)
    }
  }

  close(): void {
    wipe(...this.#kept.values())
    this.#kept.clear()
    this.#input.opener.end()
  }

  /** What one fetch brings from `first` on, at most up to `end` and to what is there already. */
  #endOfFetch(first: number, end: number): number {
    let stop = first + 1
    while (stop < end && stop - first < MAX_FETCHED_CHUNK_COUNT && !this.#kept.has(stop)) stop++
    return stop
  }

  async #open(first: number, end: number): Promise<Uint8Array> {
    const opened = await this.#openRange(first, end)
    // Long ranges are read through, not around.
    if (end - first > MAX_KEPT_CHUNK_COUNT) return opened
    for (let index = first; index < end; index++) {
      const at = (index - first) * CHUNK_SIZE_BYTES
      this.#keep(index, opened.subarray(at, at + CHUNK_SIZE_BYTES))
    }
    return opened
  }

  #openRange(first: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { record, source, opener, hashList } = this.#input
    const start = chunkStart(first)
    const stop = Math.min(chunkStart(end), record.payloadLength)
    const range: SealedRange = {
      firstIndex: first,
      chunkCount: end - first,
      isLastFinal: end === chunkCountOf(record.payloadLength),
      hashes: hashList.slice(first * HASH_SIZE_BYTES, end * HASH_SIZE_BYTES),
      async read() {
        const sealed = await source.readPayload(start, stop)
        if (sealed.length !== stop - start) throw new ProtocolError('bad-length', 'payload range')
        return sealed
      },
    }
    return opener.open(range)
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
