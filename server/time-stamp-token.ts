/**
 * Time-stamp queries, and the signatures of tokens (RFC 3161, with RFC 5652 and RFC 5816; SPEC.md § 7.10); what a token
 * says is read in protocol/log/time-stamp.ts. Pure but for the platform's signatures and certificates.
 * Must not decide what is stamped, or when: time-stamper.ts does.
 *
 *   SignerInfo    = { version, sid, digest, [0] signed attributes, signature algorithm, signature }
 *
 * [Note: What signs a token] The signature is over the signed attributes, and these hold the hash of TSTInfo and
 * the hash of the signer's certificate. The certificate is found by that hash alone: what else
 * stands beside the signature names a signer but is not signed.
 */
import { constants, createHash, verify, X509Certificate } from 'node:crypto'
import { concatBytes, equalBytes } from '../protocol/bytes.js'
import { assert, ProtocolError } from '../protocol/errors.js'
import {
  contentOf, contextTag, OCTET_STRING, openDer, readOid, SEQUENCE, SET, type Der,
} from '../protocol/log/der.js'
import {
  readTimeStamp, TST_INFO_OID, type TimeStampToken,
} from '../protocol/log/time-stamp.js'

/** Why a token proves nothing; the message says what is wrong. */
export class BadTimeStamp extends Error {
  override readonly name = 'BadTimeStamp'
}

export interface TimeStamp {
  /** What the authority's clock said. */
  readonly atMs: number
  /** The signer's name, as its certificate states it. */
  readonly signer: string
  /** Whether the signer's certificate leads to one of the trusted ones. */
  readonly isTrusted: boolean
}

export interface Expected {
  readonly sha256: Uint8Array
  /** That of the query, 8 bytes; left out where a token is read from a file. */
  readonly nonce?: Uint8Array
  /** Certificates in PEM; without them the signature is checked, but not whose it is. */
  readonly trustedPem?: string | undefined
}

export const NONCE_SIZE_BYTES = 8
const MAX_CHAIN_LENGTH = 6

const SHA256_OID = '2.16.840.1.101.3.4.2.1'
const CONTENT_TYPE_OID = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST_OID = '1.2.840.113549.1.9.4'
const SIGNING_CERTIFICATE_OID = '1.2.840.113549.1.9.16.2.12'
const SIGNING_CERTIFICATE_V2_OID = '1.2.840.113549.1.9.16.2.47'
const TIME_STAMPING_OID = '1.3.6.1.5.5.7.3.8'
const RSA_PSS_OID = '1.2.840.113549.1.1.10'

const DIGESTS: Readonly<Record<string, string>> = {
  [SHA256_OID]: 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512',
}

// ---- The query ----

// version 1, { { SHA-256, NULL }, 32 bytes }, nonce of 8 bytes, certificates please: 69 bytes in all.
const QUERY_HEAD = Buffer.from('3043020101' + '3031' + '300d06096086480165030402010500' + '0420', 'hex')
const QUERY_NONCE_HEAD = Buffer.from('0208', 'hex')
const QUERY_END = Buffer.from('0101ff', 'hex')

/** A TimeStampReq for one hash. `nonce` is 8 random bytes; its first is 01 to 7f, so that it is a number in DER. */
export function encodeQuery(
  { sha256, nonce }: { sha256: Uint8Array, nonce: Uint8Array },
): Uint8Array {
  const first = nonce[0] ?? 0
  assert(sha256.length === 32 && nonce.length === NONCE_SIZE_BYTES, 'a query has a fixed size')
  assert(first > 0 && first < 0x80, 'a nonce is a positive number in its shortest form')
  return concatBytes(QUERY_HEAD, sha256, QUERY_NONCE_HEAD, nonce, QUERY_END)
}

// ---- The answer ----

/**
 * Check an authority's answer, or a `.tsr` file, which is the same: granted, over this hash, with this nonce, signed by
 * a certificate made for time-stamping and, where `trustedPem` is given, issued by one that is trusted.
 * Certificates count as they stood at the stamped time. Revocation lists are not asked.
 *
 * @throws BadTimeStamp.
 */
export function verifyTimeStamp(answer: Uint8Array, expected: Expected): TimeStamp {
  try {
    const token = readTimeStamp(answer)
    requireAnswered(token, expected)
    const signed = { ...token, certificates: token.certificates.map(readCertificate) }
    const signer = requireSigned(signed)
    const { trustedPem } = expected
    if (trustedPem !== undefined) requireChain(signer, { ...signed, trustedPem })
    return { atMs: token.atMs, signer: signer.subject.replaceAll('\n', ', '), isTrusted: trustedPem !== undefined }
  } catch (error) {
    if (error instanceof ProtocolError) throw new BadTimeStamp(error.message, { cause: error })
    throw error
  }
}

/** Over this hash and no other, for this query and no other. */
function requireAnswered({ sha256, nonce }: TimeStampToken, expected: Expected): void {
  if (!equalBytes(sha256, expected.sha256)) throw new BadTimeStamp('stamped is something else')
  if (expected.nonce !== undefined && (nonce === null || !equalBytes(nonce, expected.nonce))) {
    throw new BadTimeStamp('the answer to another query')
  }
}

function readCertificate(bytes: Uint8Array | string): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (error) {
    throw new BadTimeStamp('a certificate that cannot be read', { cause: error })
  }
}

// ---- The signature ----

interface SignedPart extends Pick<TimeStampToken, 'content' | 'signer'> {
  readonly certificates: readonly X509Certificate[]
}

/** See [Note: What signs a token]. @returns the signer's certificate. */
function requireSigned({ content, certificates, signer }: SignedPart): X509Certificate {
  const [, , digest, attributes, algorithm, signature] = openDer(signer, SEQUENCE)
  const digestName = nameDigest(digest)
  const signed = readAttributes(attributes)
  const isOfContent = readOid(signed.get(CONTENT_TYPE_OID)) === TST_INFO_OID &&
    equalBytes(contentOf(signed.get(MESSAGE_DIGEST_OID), OCTET_STRING), hashOf(digestName, content))
  if (!isOfContent) throw new BadTimeStamp('the signature is over another content')
  const certificate = findSigner(signed, certificates)
  // Signed as the SET that it is, not under the tag that carries it (RFC 5652 § 5.4).
  const message = concatBytes(Uint8Array.of(SET), attributes?.bytes.subarray(1) ?? new Uint8Array())
  const isRight = isSignedBy(certificate, {
    digestName, message, signature: contentOf(signature, OCTET_STRING),
    isPss: readOid(openDer(algorithm, SEQUENCE)[0]) === RSA_PSS_OID,
  })
  if (!isRight) throw new BadTimeStamp('the signature is wrong')
  const uses: readonly string[] = certificate.keyUsage ?? []
  if (uses.length !== 1 || uses[0] !== TIME_STAMPING_OID) throw new BadTimeStamp('signed by a key that is not for time-stamps')
  return certificate
}

function nameDigest(algorithm: Der | undefined): string {
  const name = DIGESTS[readOid(openDer(algorithm, SEQUENCE)[0])]
  if (name === undefined) throw new BadTimeStamp('signed with a hash that is not trusted')
  return name
}

/** By OID, the one value of each. */
function readAttributes(attributes: Der | undefined): ReadonlyMap<string, Der> {
  const read = openDer(attributes, contextTag(0)).map((attribute): [string, Der] => {
    const [type, values] = openDer(attribute, SEQUENCE)
    const [value, ...more] = openDer(values, SET)
    if (value === undefined || more.length > 0) throw new BadTimeStamp('an attribute with several values')
    return [readOid(type), value]
  })
  const byOid = new Map(read)
  if (byOid.size !== read.length) throw new BadTimeStamp('an attribute stands twice')
  return byOid
}

function findSigner(
  signed: ReadonlyMap<string, Der>, certificates: readonly X509Certificate[],
): X509Certificate {
  const { digestName, hash } = readCertificateHash(signed)
  const found = certificates.find(({ raw }) => equalBytes(hashOf(digestName, raw), hash))
  if (found === undefined) throw new BadTimeStamp('the signer\'s certificate is not in the token')
  return found
}

/** SigningCertificate(V2) = { { ESSCertID = { [hash algorithm, by default SHA-256], hash, ... }, ... }, ... }. */
function readCertificateHash(
  signed: ReadonlyMap<string, Der>,
): { digestName: string, hash: Uint8Array } {
  const second = signed.get(SIGNING_CERTIFICATE_V2_OID)
  const [list] = openDer(second ?? signed.get(SIGNING_CERTIFICATE_OID), SEQUENCE)
  const [first, next] = openDer(openDer(list, SEQUENCE)[0], SEQUENCE)
  if (second === undefined) return { digestName: 'sha1', hash: contentOf(first, OCTET_STRING) }
  return first?.tag === SEQUENCE
    ? { digestName: nameDigest(first), hash: contentOf(next, OCTET_STRING) }
    : { digestName: 'sha256', hash: contentOf(first, OCTET_STRING) }
}

function hashOf(name: string, bytes: Uint8Array): Uint8Array {
  return createHash(name).update(bytes).digest()
}

interface Signature {
  readonly digestName: string
  readonly isPss: boolean
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

function isSignedBy(
  { publicKey }: X509Certificate, { digestName, isPss, message, signature }: Signature,
): boolean {
  const kind = publicKey.asymmetricKeyType
  if (kind === 'ed25519') return verify(null, message, publicKey, signature)
  if (kind === 'ec') return verify(digestName, message, publicKey, signature)
  if (kind !== 'rsa') throw new BadTimeStamp('signed with a kind of key that is not known here')
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants
  const pss = { padding, saltLength }
  return verify(digestName, message, { key: publicKey, ...isPss ? pss : {} }, signature)
}

// ---- The signer ----

interface ChainSource extends Pick<SignedPart, 'certificates'> {
  readonly atMs: number
  readonly trustedPem: string
}

function requireChain(
  signer: X509Certificate, { certificates, atMs, trustedPem }: ChainSource,
): void {
  const trusted = readTrusted(trustedPem)
  let current = signer
  for (let length = 1; length <= MAX_CHAIN_LENGTH; length++) {
    if (!isValidAt(current, atMs)) throw new BadTimeStamp('a certificate was not valid at that time')
    if (trusted.some((anchor) => isAnchoredIn(anchor, current, atMs))) return
    const issuer = certificates.find((other) => other.ca && isIssuedBy(current, other))
    if (issuer === undefined) break
    current = issuer
  }
  throw new BadTimeStamp('signed by nobody who is trusted')
}

function isAnchoredIn(anchor: X509Certificate, current: X509Certificate, atMs: number): boolean {
  return anchor.fingerprint256 === current.fingerprint256 ||
    (isIssuedBy(current, anchor) && isValidAt(anchor, atMs))
}

/** @throws BadTimeStamp if there is none. */
export function readTrusted(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new BadTimeStamp('no certificate in PEM to trust')
  return blocks.map(readCertificate)
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function isValidAt({ validFrom, validTo }: X509Certificate, atMs: number): boolean {
  return Date.parse(validFrom) <= atMs && atMs <= Date.parse(validTo)
}
