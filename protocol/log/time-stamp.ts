/**
 * What an authority's time-stamp says (RFC 3161; SPEC.md § 7.10): over which hash, when, with which certificates.
 * Pure. Must not say that it is true: whose signature it is needs the authority's certificates, and
 * server/time-stamp-token.ts or OpenSSL.
 *
 *   TimeStampResp = { { status, ... }, ContentInfo { signedData, SignedData } }
 *   SignedData    = { version, { digests }, { TSTInfo's OID, [0] TSTInfo }, [0] certificates, { SignerInfo } }
 *   TSTInfo       = { version, policy, { { digest }, hash }, serial, time, [accuracy], [ordering], [nonce], ... }
 */
import { encodeBase64 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { MAX_TIME_STAMP_SIZE_BYTES } from '../limits.js'
import {
  contentOf, contextTag, INTEGER, OCTET_STRING, openDer, readDer, readOid, readSmallInteger,
  readTime, SEQUENCE, SET, type Der,
} from './der.js'

export interface TimeStampToken {
  /** The hash that was stamped, 32 bytes. */
  readonly sha256: Uint8Array
  readonly atMs: number
  /** The query's number, as DER has it; `null` where none was asked for. */
  readonly nonce: Uint8Array | null
  /** X.509 in DER, in the token's order; seldom with the root that they lead to. */
  readonly certificates: readonly Uint8Array[]
  /** TSTInfo's bytes, whose hash is signed. */
  readonly content: Uint8Array
  /** SignerInfo, for whoever checks the signature. */
  readonly signer: Der
}

const MAX_CERTIFICATE_COUNT = 16

const SHA256_OID = '2.16.840.1.101.3.4.2.1'
const SIGNED_DATA_OID = '1.2.840.113549.1.7.2'
export const TST_INFO_OID = '1.2.840.113549.1.9.16.1.4'

/**
 * Read an authority's answer, or a `.tsr` file, which is the same.
 * @throws ProtocolError `bad-time-stamp` unless it was granted, over a SHA-256, by one signer.
 */
export function readTimeStamp(answer: Uint8Array): TimeStampToken {
  if (answer.length > MAX_TIME_STAMP_SIZE_BYTES) throw bad('the answer is too large')
  const [type, explicit] = openDer(readGranted(answer), SEQUENCE)
  if (readOid(type) !== SIGNED_DATA_OID) throw bad('not signed data')
  const [signedPart] = openDer(explicit, contextTag(0))
  const [, , encapsulated, ...rest] = openDer(signedPart, SEQUENCE)
  const [contentType, octets] = openDer(encapsulated, SEQUENCE)
  if (readOid(contentType) !== TST_INFO_OID) throw bad('not a time-stamp')
  const signers = openDer(rest.at(-1), SET)
  const [signer] = signers
  if (signer === undefined || signers.length !== 1) throw bad('not exactly one signer')
  const content = contentOf(openDer(octets, contextTag(0))[0], OCTET_STRING)
  const certificates = readCertificates(rest.find(({ tag }) => tag === contextTag(0)))
  return { ...readContent(content), content, certificates, signer }
}

function bad(detail: string): ProtocolError {
  return new ProtocolError('bad-time-stamp', detail)
}

/** The token out of the answer. */
function readGranted(answer: Uint8Array): Der {
  const [status, token] = openDer(readDer(answer), SEQUENCE)
  const [code] = openDer(status, SEQUENCE)
  const number = readSmallInteger(code)
  if (number > 1) throw bad(`the authority refused, status ${number}`)
  if (token === undefined) throw bad('no token in the answer')
  return token
}

function readCertificates(set: Der | undefined): Uint8Array[] {
  const certificates = set === undefined ? [] : openDer(set, contextTag(0))
  if (certificates.length > MAX_CERTIFICATE_COUNT) throw bad('too many certificates')
  return certificates.filter(({ tag }) => tag === SEQUENCE).map(({ bytes }) => bytes)
}

function readContent(content: Uint8Array): Pick<TimeStampToken, 'sha256' | 'atMs' | 'nonce'> {
  const [version, , imprint, , time, ...rest] = openDer(readDer(content), SEQUENCE)
  if (readSmallInteger(version) !== 1) throw bad('a token of another version')
  const [algorithm, hash] = openDer(imprint, SEQUENCE)
  const isSha256 = readOid(openDer(algorithm, SEQUENCE)[0]) === SHA256_OID
  const sha256 = contentOf(hash, OCTET_STRING)
  if (!isSha256 || sha256.length !== 32) throw bad('stamped is no SHA-256')
  const nonce = rest.find(({ tag }) => tag === INTEGER)?.content ?? null
  return { sha256, atMs: readTime(time), nonce }
}

/** Certificates as programs take them, one block after the other. */
export function formatPem(certificates: readonly Uint8Array[]): string {
  return certificates.map((bytes) => {
    const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? []
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
  }).join('')
}
