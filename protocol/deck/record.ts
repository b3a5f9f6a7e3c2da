/**
 * The version record M: the founder's word on what one sealed version is (SPEC.md § 3.4).
 * Must not open payloads; what it promises is compared in deck.ts.
 *
 *   lp("sealdeck-manifest-v1") ‖ lp(vaultId) ‖ lp(documentId) ‖ u8 part ‖ u8 gate ‖ u32 version
 *   ‖ lp(SHA-256(previous M) or "") ‖ u64 payload length ‖ lp(nonce) ‖ lp(root) ‖ lp(keyCommit) ‖ lp(pkF)
 *
 * Ids are the UTF-8 of their canonical text. The payload is what age calls so: nonce and chunks.
 */
import type { ByteReader } from '../bytes.js'
import {
  concatBytes, encodeLengthPrefixed, encodeU32, encodeU64, encodeUtf8, equalBytes,
} from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, sha256 } from '../hash.js'
import {
  AEAD_TAG_SIZE_BYTES, CHUNK_SIZE_BYTES, MAX_FILE_SIZE_BYTES, MAX_RECORD_SIZE_BYTES,
  PAYLOAD_NONCE_SIZE_BYTES, SEALED_CHUNK_SIZE_BYTES,
} from '../limits.js'
import { KEY_SIZE_BYTES } from '../sodium.js'
import { readAll, readChoice, readExactly, readId, readOptionalHash, requireLabel } from './fields.js'
import { fingerprintOf } from './identity.js'
import { signIn, verifyIn } from './signature.js'
import type { Signed } from './signature.js'

const RECORD_LABEL = 'sealdeck-manifest-v1'
const ROOT_LABEL = 'sealdeck/v1/chunks\0'
const MAX_VERSION = 1_000_000
/** Versions of one document part that a client walks through, and that a server keeps. */
export const MAX_CHAIN_LENGTH = 1000
/** A file at its limit, its archive and its padding (Padmé adds at most 12 %). */
export const MAX_PAYLOAD_SIZE_BYTES = Math.floor(MAX_FILE_SIZE_BYTES * 1.15)

/** 0 the whole document, 1 its open slides: what stands above the lock line. */
export const PARTS = [0, 1] as const
export type Part = typeof PARTS[number]
export const WHOLE_PART: Part = 0
export const OPEN_PART: Part = 1

export const GATES = ['link', 'email', 'nda'] as const
export type Gate = typeof GATES[number]

export interface VersionRecord {
  readonly vaultId: string
  readonly documentId: string
  readonly part: Part
  readonly gate: Gate
  /** From 1; each version is one more than the last. */
  readonly version: number
  /** SHA-256 of the previous M of this document and part; `null` for version 1. */
  readonly previousSha256: Uint8Array | null
  readonly payloadLength: number
  /** 16 bytes: the payload's first. */
  readonly nonce: Uint8Array
  /** 32 bytes, from `chunkHashRoot`. */
  readonly root: Uint8Array
  /** 32 bytes, from `commitToFileKey`. */
  readonly keyCommit: Uint8Array
  /** 32 bytes: pkF. */
  readonly signingKey: Uint8Array
}

/** M in bytes. Asserts what `decodeRecord` would refuse: a record of ours is never malformed. */
export function encodeRecord(record: VersionRecord): Uint8Array<ArrayBuffer> {
  const bytes = writeRecord(record)
  assert(equalBytes(bytes, writeRecord(decodeRecord(bytes))), 'a record reads back as it was written')
  return bytes
}

function writeRecord(record: VersionRecord): Uint8Array<ArrayBuffer> {
  return concatBytes(
    encodeLengthPrefixed(encodeUtf8(RECORD_LABEL)),
    encodeLengthPrefixed(encodeUtf8(record.vaultId)),
    encodeLengthPrefixed(encodeUtf8(record.documentId)),
    Uint8Array.of(record.part, GATES.indexOf(record.gate)),
    encodeU32(record.version),
    encodeLengthPrefixed(record.previousSha256 ?? new Uint8Array(0)),
    encodeU64(record.payloadLength),
    ...[record.nonce, record.root, record.keyCommit, record.signingKey].map(encodeLengthPrefixed),
  )
}

/** @throws ProtocolError `malformed-record`. The signature is `verifyRecord`'s business. */
export function decodeRecord(bytes: Uint8Array): VersionRecord {
  if (bytes.length > MAX_RECORD_SIZE_BYTES) throw malformed('over its limit')
  return readAll(bytes, 'malformed-record', readRecord)
}

function readRecord(reader: ByteReader): VersionRecord {
  requireLabel(reader, RECORD_LABEL)
  const record: VersionRecord = {
    vaultId: readId(reader),
    documentId: readId(reader),
    part: readChoice(reader, PARTS),
    gate: readChoice(reader, GATES),
    version: readVersion(reader),
    previousSha256: readOptionalHash(reader),
    payloadLength: readPayloadLength(reader),
    nonce: readExactly(reader, PAYLOAD_NONCE_SIZE_BYTES),
    root: readExactly(reader, HASH_SIZE_BYTES),
    keyCommit: readExactly(reader, KEY_SIZE_BYTES),
    signingKey: readExactly(reader, KEY_SIZE_BYTES),
  }
  if ((record.version === 1) !== (record.previousSha256 === null)) {
    throw malformed('only the first version has none before it')
  }
  return record
}

function readVersion(reader: ByteReader): number {
  const version = reader.takeU32()
  if (version < 1 || version > MAX_VERSION) throw malformed('version out of range')
  return version
}

function readPayloadLength(reader: ByteReader): number {
  const length = reader.takeU64()
  if (length > BigInt(MAX_PAYLOAD_SIZE_BYTES)) throw malformed('payload over its limit')
  if (plaintextSizeOf(Number(length)) === null) throw malformed('no payload has this length')
  return Number(length)
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-record', detail)
}

/** M with `Sign("manifest", M)`. `secretKey` is F's 64 bytes; `record.signingKey` its public half. */
export function signRecord(record: VersionRecord, secretKey: Uint8Array): Signed {
  const signed = signIn('manifest', encodeRecord(record), secretKey)
  assert(verifyIn('manifest', signed, record.signingKey), 'a record names the key that signs it')
  return signed
}

/**
 * The record, if the pinned founder signed it.
 *
 * @param fingerprint - `fpF`, 16 bytes, from the link's fragment or the owner's own root.
 * @throws ProtocolError `malformed-record`; `wrong-founder` if another key than the pinned one is
 *   named; `bad-founder-signature` if the named key did not sign these bytes as a record.
 */
export function verifyRecord(signed: Signed, fingerprint: Uint8Array): VersionRecord {
  const record = decodeRecord(signed.bytes)
  if (!equalBytes(fingerprintOf(record.signingKey), fingerprint)) {
    throw new ProtocolError('wrong-founder', 'version record')
  }
  if (!verifyIn('manifest', signed, record.signingKey)) {
    throw new ProtocolError('bad-founder-signature', 'version record')
  }
  return record
}

/** SHA-256 of M: what wrap records, acceptances and the next version name it by. */
export function recordSha256(signed: Signed): Uint8Array {
  return sha256(signed.bytes)
}

/** A version that this device, or an acceptance or checkpoint it holds, has seen. */
export interface SeenVersion {
  readonly version: number
  /** SHA-256 of its M. */
  readonly sha256: Uint8Array
}

/**
 * Verify a document part's whole chain, version 1 first, and answer the last record.
 *
 * @param chain - every M of one document and part, 1 to `MAX_CHAIN_LENGTH`.
 * @param seen - the newest version seen before, or `null` on a first visit.
 * @throws ProtocolError as `verifyRecord`; `broken-chain` if a link does not fit, or history before
 *   the seen version was rewritten; `stale-version` if the last is older than the one seen.
 */
export function verifyChain(
  chain: readonly Signed[], fingerprint: Uint8Array, seen: SeenVersion | null,
): VersionRecord {
  if (chain.length > MAX_CHAIN_LENGTH) throw new ProtocolError('broken-chain', 'over its limit')
  let last: { record: VersionRecord, sha256: Uint8Array } | null = null
  let isSeenMet = seen === null
  for (const signed of chain) {
    const record = verifyRecord(signed, fingerprint)
    requireFollows(record, last)
    last = { record, sha256: recordSha256(signed) }
    if (seen?.version === record.version) isSeenMet = equalBytes(seen.sha256, last.sha256)
  }
  if (last === null) throw new ProtocolError('broken-chain', 'no record')
  if (seen !== null && last.record.version < seen.version) throw new ProtocolError('stale-version')
  if (!isSeenMet) throw new ProtocolError('broken-chain', 'another history than the one seen')
  return last.record
}

function requireFollows(
  record: VersionRecord, last: { record: VersionRecord, sha256: Uint8Array } | null,
): void {
  const follows = last === null
    ? record.version === 1
    : record.version === last.record.version + 1 &&
      record.previousSha256 !== null && equalBytes(record.previousSha256, last.sha256) &&
      record.vaultId === last.record.vaultId && record.documentId === last.record.documentId &&
      record.part === last.record.part
  if (!follows) throw new ProtocolError('broken-chain', `at version ${record.version}`)
}

// ---- chunks ----

/** How long a payload of this plaintext is: nonce, and each chunk with its tag. */
export function payloadLengthOf(plaintextSize: number): number {
  const chunkCount = Math.max(1, Math.ceil(plaintextSize / CHUNK_SIZE_BYTES))
  return PAYLOAD_NONCE_SIZE_BYTES + plaintextSize + chunkCount * AEAD_TAG_SIZE_BYTES
}

/** The plaintext size of a payload of this length, or `null` if no payload has it. */
export function plaintextSizeOf(payloadLength: number): number | null {
  const sealedSize = payloadLength - PAYLOAD_NONCE_SIZE_BYTES
  const chunkCount = Math.ceil(sealedSize / SEALED_CHUNK_SIZE_BYTES)
  const plaintextSize = sealedSize - chunkCount * AEAD_TAG_SIZE_BYTES
  if (plaintextSize < 0 || payloadLengthOf(plaintextSize) !== payloadLength) return null
  return plaintextSize
}

/** How many chunks a payload of this length has: the length of its hash list in hashes. */
export function chunkCountOf(payloadLength: number): number {
  return Math.ceil((payloadLength - PAYLOAD_NONCE_SIZE_BYTES) / SEALED_CHUNK_SIZE_BYTES)
}

/**
 * `root = SHA-256("sealdeck/v1/chunks\0" ‖ nonce ‖ u64 payload length ‖ h_0 ‖ h_1 ‖ …)`.
 *
 * @param hashList - `h_i = SHA-256(sealed chunk i)`, 32 bytes each, one after another.
 * @throws ProtocolError `bad-root` if there are more or fewer hashes than chunks.
 */
export function chunkHashRoot(
  hashList: Uint8Array, payload: { readonly nonce: Uint8Array, readonly payloadLength: number },
): Uint8Array {
  if (hashList.length !== chunkCountOf(payload.payloadLength) * HASH_SIZE_BYTES) {
    throw new ProtocolError('bad-root', 'hash list of wrong length')
  }
  return sha256(
    concatBytes(encodeUtf8(ROOT_LABEL), payload.nonce, encodeU64(payload.payloadLength), hashList))
}
