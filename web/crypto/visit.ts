/**
 * What one device keeps of one link between visits, as bytes for the device store. Kept whole or not
 * at all; read strictly, for only this code writes it. Must not be sent anywhere.
 *
 *   u8 1 ‖ lp(L) ‖ lp(fpF) ‖ lp(device seed) ‖ lp(name) ‖ lp(e-mail) ‖ lp(G) ‖ lp(signature of G)
 *   ‖ u32 n ‖ n × lp(SHA-256(acceptance)) ‖ u32 m ‖ m × (lp(document part) ‖ u32 version ‖ lp(SHA-256(M)))
 */
import {
  ByteReader, concatBytes, decodeUtf8, encodeLengthPrefixed, encodeU32, encodeUtf8, equalBytes,
} from '../../protocol/bytes.js'
import { decodeGrant } from '../../protocol/deck/grant.js'
import type { SeenVersion } from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import { ProtocolError } from '../../protocol/errors.js'
import { MAX_GRANT_SIZE_BYTES } from '../../protocol/limits.js'

const KEPT_VERSION = 1
const MAX_FIELD_SIZE_BYTES = 1024
const MAX_ACCEPTANCE_COUNT = 32
const MAX_SEEN_COUNT = 10_000

export interface KeptVisit {
  readonly linkSecret: Uint8Array
  readonly fingerprint: Uint8Array
  readonly deviceSeed: Uint8Array
  /** As signed in the access request; `null` where the link asks for no e-mail. */
  readonly signatory: { readonly name: string, readonly email: string } | null
  /** The newest grant that was verified here. */
  readonly grant: Signed
  /** SHA-256 of each acceptance signed here, oldest first. */
  readonly acceptances: readonly Uint8Array[]
  /** Newest version seen, by document and part. */
  readonly seen: ReadonlyMap<string, SeenVersion>
}

export function encodeVisit(visit: KeptVisit): Uint8Array<ArrayBuffer> {
  const acceptances = visit.acceptances.slice(-MAX_ACCEPTANCE_COUNT)
  return concatBytes(
    Uint8Array.of(KEPT_VERSION),
    ...[visit.linkSecret, visit.fingerprint, visit.deviceSeed].map(encodeLengthPrefixed),
    lineOf(visit.signatory?.name ?? ''),
    lineOf(visit.signatory?.email ?? ''),
    ...[visit.grant.bytes, visit.grant.signature].map(encodeLengthPrefixed),
    encodeU32(acceptances.length),
    ...acceptances.map(encodeLengthPrefixed),
    encodeU32(visit.seen.size),
    ...[...visit.seen].map(([key, seen]) =>
      concatBytes(lineOf(key), encodeU32(seen.version), encodeLengthPrefixed(seen.sha256))),
  )
}

function lineOf(text: string): Uint8Array {
  return encodeLengthPrefixed(encodeUtf8(text))
}

/** @throws ProtocolError `malformed-encoding`, `unsupported-version`. */
export function decodeVisit(bytes: Uint8Array): KeptVisit {
  const reader = new ByteReader(bytes)
  if (reader.takeU8() !== KEPT_VERSION) throw new ProtocolError('unsupported-version', 'kept visit')
  const take = () => reader.takeLengthPrefixed(MAX_FIELD_SIZE_BYTES)
  const visit = {
    linkSecret: take(),
    fingerprint: take(),
    deviceSeed: take(),
    signatory: signatoryOf(decodeUtf8(take()), decodeUtf8(take())),
    grant: { bytes: reader.takeLengthPrefixed(MAX_GRANT_SIZE_BYTES), signature: take() },
    acceptances: takeList(reader, MAX_ACCEPTANCE_COUNT, take),
    seen: new Map(takeList(reader, MAX_SEEN_COUNT, (): [string, SeenVersion] =>
      [decodeUtf8(take()), { version: reader.takeU32(), sha256: take() }])),
  }
  reader.end()
  return visit
}

function signatoryOf(name: string, email: string): KeptVisit['signatory'] {
  return email === '' ? null : { name, email }
}

function takeList<T>(reader: ByteReader, maxCount: number, take: () => T): T[] {
  const count = reader.takeU32()
  if (count > maxCount) throw new ProtocolError('malformed-encoding', 'kept visit: too many')
  return Array.from({ length: count }, take)
}

/**
 * Both together: every acceptance, the newer grant, and of each document part the newest version. The
 * rest is `b`'s.
 */
export function mergeVisits(a: KeptVisit, b: KeptVisit): KeptVisit {
  const added = b.acceptances.filter((hash) => !a.acceptances.some((own) => equalBytes(own, hash)))
  const seen = new Map(a.seen)
  for (const [key, version] of b.seen) {
    if ((seen.get(key)?.version ?? 0) <= version.version) seen.set(key, version)
  }
  const grant = revisionOf(a) > revisionOf(b) ? a.grant : b.grant
  return { ...b, grant, acceptances: [...a.acceptances, ...added], seen }
}

function revisionOf({ grant }: KeptVisit): number {
  return decodeGrant(grant.bytes).revision
}
