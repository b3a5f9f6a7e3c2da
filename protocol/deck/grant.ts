/**
 * The grant G, its policy, and the wrap record W (SPEC.md § 3.5).
 * Must not decide who may have what: it says what the founder signed, and refuses the rest.
 *
 *   G = lp("sealdeck-grant-v1") ‖ lp(vaultId) ‖ lp(grantId) ‖ u32 revision ‖ lp(SHA-256(previous G) or "")
 *       ‖ lp(SHA-256(NDA) or "") ‖ lp(pkLinkAge) ‖ lp(pkLinkSign) ‖ lp(log vkey) ‖ lp(policy)
 *   W = lp("sealdeck-wrap-v1") ‖ lp(grantId) ‖ lp(SHA-256(M)) ‖ lp(recipient) ‖ lp(SHA-256(header))
 *       ‖ lp(SHA-256(acceptance) or "")
 *
 * pkLinkAge and recipient are the 1216 bytes of a hybrid recipient.
 */
import type { ByteReader } from '../bytes.js'
import {
  concatBytes, decodeUtf8, encodeLengthPrefixed, encodeU32, encodeUtf8, equalBytes,
} from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, sha256 } from '../hash.js'
import { MAX_GRANT_SIZE_BYTES, MAX_POLICY_SIZE_BYTES, MAX_WRAP_SIZE_BYTES } from '../limits.js'
import { KEY_SIZE_BYTES, XWING_PUBLIC_KEY_SIZE_BYTES, isLowOrderKey } from '../sodium.js'
import {
  malformedField, readAll, readExactly, readId, readOptionalHash, requireLabel,
} from './fields.js'
import { GRANT_ID_SIZE_BYTES, fingerprintOf, hybridRecipient } from './identity.js'
import type { Recipient } from './identity.js'
import { formatPolicy, parsePolicy } from './policy.js'
import type { GrantPolicy } from './policy.js'
import { signIn, verifyIn } from './signature.js'
import type { Signed } from './signature.js'

const GRANT_LABEL = 'sealdeck-grant-v1'
const WRAP_LABEL = 'sealdeck-wrap-v1'
const MAX_VKEY_SIZE_BYTES = 512
const MAX_REVISION = 1_000_000

/** pkF as the server tells it, 32 bytes, and `fpF` as the link pins it, 16 bytes. */
export interface Founder {
  readonly signingKey: Uint8Array
  readonly fingerprint: Uint8Array
}

export interface Grant {
  readonly vaultId: string
  /** 16 bytes. */
  readonly grantId: Uint8Array
  /** From 1. */
  readonly revision: number
  /** SHA-256 of the previous G; `null` for revision 1. */
  readonly previousSha256: Uint8Array | null
  /** SHA-256 of the NDA's text; `null` where no document of the vault asks for one. */
  readonly ndaSha256: Uint8Array | null
  readonly linkRecipient: Recipient
  /** 32 bytes: pkLinkSign. */
  readonly linkSigningKey: Uint8Array
  /** The log's verifier key, as c2sp.org/signed-note writes it. */
  readonly logVkey: string
  readonly policy: GrantPolicy
}

/** G in bytes. Asserts what `decodeGrant` would refuse. */
export function encodeGrant(grant: Grant): Uint8Array<ArrayBuffer> {
  const bytes = writeGrant(grant)
  assert(equalBytes(bytes, writeGrant(decodeGrant(bytes))), 'a grant reads back as it was written')
  return bytes
}

function writeGrant(grant: Grant): Uint8Array<ArrayBuffer> {
  return concatBytes(
    encodeLengthPrefixed(encodeUtf8(GRANT_LABEL)),
    encodeLengthPrefixed(encodeUtf8(grant.vaultId)),
    encodeLengthPrefixed(grant.grantId),
    encodeU32(grant.revision),
    encodeLengthPrefixed(grant.previousSha256 ?? new Uint8Array(0)),
    encodeLengthPrefixed(grant.ndaSha256 ?? new Uint8Array(0)),
    encodeLengthPrefixed(grant.linkRecipient.publicKey),
    encodeLengthPrefixed(grant.linkSigningKey),
    encodeLengthPrefixed(encodeUtf8(grant.logVkey)),
    encodeLengthPrefixed(encodeUtf8(formatPolicy(grant.policy))),
  )
}

/** @throws ProtocolError `malformed-grant`, `malformed-policy`, `low-order-key`. */
export function decodeGrant(bytes: Uint8Array): Grant {
  if (bytes.length > MAX_GRANT_SIZE_BYTES) throw new ProtocolError('malformed-grant', 'over its limit')
  return readAll(bytes, 'malformed-grant', readGrant)
}

function readGrant(reader: ByteReader): Grant {
  requireLabel(reader, GRANT_LABEL)
  const grant: Grant = {
    vaultId: readId(reader),
    grantId: readExactly(reader, GRANT_ID_SIZE_BYTES),
    revision: reader.takeU32(),
    previousSha256: readOptionalHash(reader),
    ndaSha256: readOptionalHash(reader),
    linkRecipient: hybridRecipient(readExactly(reader, XWING_PUBLIC_KEY_SIZE_BYTES)),
    linkSigningKey: readExactly(reader, KEY_SIZE_BYTES),
    logVkey: decodeUtf8(reader.takeLengthPrefixed(MAX_VKEY_SIZE_BYTES)),
    policy: parsePolicy(decodeUtf8(reader.takeLengthPrefixed(MAX_POLICY_SIZE_BYTES))),
  }
  requireSense(grant)
  return grant
}

function requireSense(grant: Grant): void {
  if (grant.revision < 1 || grant.revision > MAX_REVISION) throw malformedField('revision out of range')
  if ((grant.revision === 1) !== (grant.previousSha256 === null)) {
    throw malformedField('only the first revision has none before it')
  }
  if (grant.policy.gate === 'nda' && grant.ndaSha256 === null) throw malformedField('gate nda without an NDA')
  if (!/^[\x21-\x7e]+$/.test(grant.logVkey)) throw malformedField('log key is not printable')
  if (isLowOrderKey(grant.linkSigningKey)) throw new ProtocolError('low-order-key', 'link signing key')
}

/** G with `Sign("grant", G)`. `secretKey` is F's 64 bytes. */
export function signGrant(grant: Grant, secretKey: Uint8Array): Signed {
  return signIn('grant', encodeGrant(grant), secretKey)
}

/**
 * The grant, if the pinned founder signed it.
 *
 * @throws ProtocolError `wrong-founder`, `bad-founder-signature`, or as `decodeGrant`.
 */
export function verifyGrant(signed: Signed, founder: Founder): Grant {
  requireFounder(founder)
  if (!verifyIn('grant', signed, founder.signingKey)) {
    throw new ProtocolError('bad-founder-signature', 'grant')
  }
  return decodeGrant(signed.bytes)
}

/** SHA-256 of G: what requests, acceptances and the next revision name it by. */
export function grantSha256(signed: Signed): Uint8Array {
  return sha256(signed.bytes)
}

/**
 * Require that `next` is a later revision of `seen`, or `seen` itself. Gaps are allowed: a grantee
 * who stayed away sees only the newest.
 *
 * @throws ProtocolError `wrong-grant` for another grant or another link key; `stale-version` for an
 *   older revision; `broken-chain` for another text of the same or the directly following revision.
 */
export function requireNewerGrant(seen: Signed, next: Signed): void {
  const [before, after] = [decodeGrant(seen.bytes), decodeGrant(next.bytes)]
  const isSame = before.vaultId === after.vaultId && equalBytes(before.grantId, after.grantId) &&
    equalBytes(before.linkSigningKey, after.linkSigningKey) &&
    equalBytes(before.linkRecipient.publicKey, after.linkRecipient.publicKey)
  if (!isSame) throw new ProtocolError('wrong-grant', 'revision of another grant')
  if (after.revision < before.revision) throw new ProtocolError('stale-version', 'grant')
  if (after.revision === before.revision && !equalBytes(seen.bytes, next.bytes)) {
    throw new ProtocolError('broken-chain', 'two grants of one revision')
  }
  if (after.revision === before.revision + 1 &&
    !equalBytes(after.previousSha256 ?? new Uint8Array(0), grantSha256(seen))) {
    throw new ProtocolError('broken-chain', 'revision of another history')
  }
}

// ---- wrap record ----

export interface WrapRecord {
  /** 16 bytes. */
  readonly grantId: Uint8Array
  /** SHA-256 of M: one part version. */
  readonly recordSha256: Uint8Array
  readonly recipient: Recipient
  /** SHA-256 of the header. */
  readonly headerSha256: Uint8Array
  /** SHA-256 of the acceptance that earned it; `null` where the header was made before any. */
  readonly acceptanceSha256: Uint8Array | null
}

/** W in bytes. */
export function encodeWrap(wrap: WrapRecord): Uint8Array<ArrayBuffer> {
  const bytes = writeWrap(wrap)
  assert(equalBytes(bytes, writeWrap(decodeWrap(bytes))), 'a wrap record reads back as it was written')
  return bytes
}

function writeWrap(wrap: WrapRecord): Uint8Array<ArrayBuffer> {
  return concatBytes(
    encodeLengthPrefixed(encodeUtf8(WRAP_LABEL)),
    encodeLengthPrefixed(wrap.grantId),
    encodeLengthPrefixed(wrap.recordSha256),
    encodeLengthPrefixed(wrap.recipient.publicKey),
    encodeLengthPrefixed(wrap.headerSha256),
    encodeLengthPrefixed(wrap.acceptanceSha256 ?? new Uint8Array(0)),
  )
}

/** @throws ProtocolError `malformed-wrap`. */
export function decodeWrap(bytes: Uint8Array): WrapRecord {
  if (bytes.length > MAX_WRAP_SIZE_BYTES) throw new ProtocolError('malformed-wrap', 'over its limit')
  return readAll(bytes, 'malformed-wrap', readWrap)
}

function readWrap(reader: ByteReader): WrapRecord {
  requireLabel(reader, WRAP_LABEL)
  return {
    grantId: readExactly(reader, GRANT_ID_SIZE_BYTES),
    recordSha256: readExactly(reader, HASH_SIZE_BYTES),
    recipient: hybridRecipient(readExactly(reader, XWING_PUBLIC_KEY_SIZE_BYTES)),
    headerSha256: readExactly(reader, HASH_SIZE_BYTES),
    acceptanceSha256: readOptionalHash(reader),
  }
}

/** W with `Sign("wrap", W)`. `secretKey` is F's 64 bytes. */
export function signWrap(wrap: WrapRecord, secretKey: Uint8Array): Signed {
  return signIn('wrap', encodeWrap(wrap), secretKey)
}

/** @throws ProtocolError `wrong-founder`, `bad-founder-signature`, or as `decodeWrap`. */
export function verifyWrap(signed: Signed, founder: Founder): WrapRecord {
  requireFounder(founder)
  if (!verifyIn('wrap', signed, founder.signingKey)) {
    throw new ProtocolError('bad-founder-signature', 'wrap record')
  }
  return decodeWrap(signed.bytes)
}

function requireFounder(founder: Founder): void {
  const isPinned = founder.signingKey.length === KEY_SIZE_BYTES &&
    equalBytes(fingerprintOf(founder.signingKey), founder.fingerprint)
  if (!isPinned) throw new ProtocolError('wrong-founder')
}
