/**
 * The founder's links: making and changing grants, headers for links and devices, approving
 * (SPEC.md § 3.5 to § 3.7). Must not wrap to a key that only the server vouches for: a device's keys
 * count when the link key of her own grant has signed for them.
 */
import type { AccessRequest, GrantSummary, StoredVersion, WrappedHeader } from '../../protocol/api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { openCard, sealCard, type Card as SealedCardText } from '../../protocol/deck/card.js'
import { grantSha256, signGrant, verifyGrant, type Grant } from '../../protocol/deck/grant.js'
import {
  deriveLinkKeys, deriveLinkSecret, formatFragment, makeGrantId, parseRecipient, type LinkKeys,
  type Recipient,
} from '../../protocol/deck/identity.js'
import { isApprovalDue, type GrantPolicy } from '../../protocol/deck/policy.js'
import { recordSha256, verifyRecord, type VersionRecord } from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import { ProtocolError } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { hashRecipient, roleKey, verifyAcceptance, verifyEnrolment } from '../../protocol/log/acceptance.js'
import { formatVkey, parseVkey } from '../../protocol/log/note.js'
import { isLowOrderKey, wipe } from '../../protocol/sodium.js'
import type { Card, CryptoWorker, Policy } from '../crypto.js'
import type { Owner } from './owner.js'
import { equalRecipients, openFileKey, wrapAndSign } from '../../protocol/deck/wrapped.js'

/** The consent text that acceptances carry; see copy of the gate. */
export const CONSENT_VERSION = 1
const LOG_PIN_SIZE_BYTES = 16

type GrantMethods = Pick<CryptoWorker,
  'makeGrant' | 'reviseGrant' | 'readGrant' | 'headersForGrant' | 'approve' | 'auditorFragment'>

export function createGranting(owner: Owner): GrantMethods {
  return {
    async makeGrant(input) {
      const grantId = makeGrantId()
      const made = signTerms(owner, { ...input, grantId, revision: 1, previous: null })
      const headers = wrapForLink(owner, made, input.versions)
      return {
        grantId: encodeBase64Url(grantId), ...encodeTerms(made), headers, fragment: made.fragment,
      }
    },
    async reviseGrant(input) {
      const previous = readOwnGrant(owner, input.vaultId, input.previous)
      const made = signTerms(owner, {
        ...input, grantId: previous.grant.grantId, revision: previous.grant.revision + 1,
        previous: previous.signed,
      })
      return { ...encodeTerms(made), headers: wrapForLink(owner, made, input.versions) }
    },
    async readGrant({ vaultId, summary }) {
      const { grant, link, fragment } = readOwnGrant(owner, vaultId, summary)
      const card = openCard(decodeBase64Url(summary.cardSealed), link.cardKey, grant)
      return {
        policy: describePolicy(grant.policy), ndaSha256: encodeHash(grant.ndaSha256),
        card: describeCard(card), fragment,
      }
    },
    async headersForGrant({ vaultId, summary, versions }) {
      return wrapForLink(owner, readOwnGrant(owner, vaultId, summary), versions)
    },
    async approve({ vaultId, summary, request, versions }) {
      return {
        headers: wrapForDevice(owner, readOwnGrant(owner, vaultId, summary), request, versions),
      }
    },
    async auditorFragment(logVkey) {
      const pin = sha256(encodeUtf8(logVkey)).subarray(0, LOG_PIN_SIZE_BYTES)
      return encodeBase64Url(concatBytes(owner.keys().fingerprint, pin))
    },
  }
}

// ---- Terms: G, its policy and card ----

interface Terms {
  readonly grant: Grant
  readonly signed: Signed
  readonly link: LinkKeys
  readonly fragment: string
}

interface TermsInput {
  readonly vaultId: string, readonly grantId: Uint8Array, readonly revision: number,
  readonly previous: Signed | null
  readonly policy: Policy, readonly ndaSha256: string | null, readonly card: Card,
  readonly logVkey: string
}

function linkOf(owner: Owner, grantId: Uint8Array): { link: LinkKeys, fragment: string } {
  const linkSecret = deriveLinkSecret(owner.root(), grantId)
  const fragment = formatFragment({ linkSecret, fingerprint: owner.keys().fingerprint })
  const link = deriveLinkKeys(linkSecret, grantId)
  wipe(linkSecret)
  return { link, fragment }
}

function signTerms(owner: Owner, input: TermsInput): Terms & { cardSealed: Uint8Array } {
  parseVkey(input.logVkey) // Refuses what no client could check against.
  const { link, fragment } = linkOf(owner, input.grantId)
  const card = sealCard(
    { ...input.card, pageCount: input.card.pageCount ?? null }, link.cardKey, input.grantId,
  )
  const grant: Grant = {
    vaultId: input.vaultId,
    grantId: input.grantId,
    revision: input.revision,
    previousSha256: input.previous === null ? null : grantSha256(input.previous),
    ndaSha256: input.ndaSha256 === null ? null : decodeBase64Url(input.ndaSha256),
    linkRecipient: link.identity.recipient,
    linkSigningKey: link.signing.publicKey,
    logVkey: input.logVkey,
    policy: encodePolicy(input.policy, card.sha256),
  }
  return {
    grant, signed: signGrant(grant, owner.keys().signing.secretKey), link, fragment,
    cardSealed: card.sealed,
  }
}

function encodeTerms(made: { signed: Signed, cardSealed: Uint8Array }) {
  return {
    grant: encodeBase64Url(made.signed.bytes),
    grantSignature: encodeBase64Url(made.signed.signature),
    cardSealed: encodeBase64Url(made.cardSealed),
  }
}

function encodePolicy(policy: Policy, cardSha256: Uint8Array): GrantPolicy {
  return {
    cardSha256,
    mayDownload: policy.download,
    expiresAtMs: policy.expiresAtMs,
    gate: policy.gate,
    ndaConsentVersion: policy.gate === 'nda' ? CONSENT_VERSION : null,
    openPagesGate: policy.gate === 'nda' ? policy.openGate : null,
    release: policy.release,
    hasWatermark: policy.watermark,
    witnessesSha256: policy.witnessesSha256 === null ? null
      : decodeBase64Url(policy.witnessesSha256),
  }
}

export function describePolicy(policy: GrantPolicy): Policy {
  return {
    gate: policy.gate,
    openGate: policy.openPagesGate ?? (policy.gate === 'link' ? 'link' : 'email'),
    release: policy.release,
    expiresAtMs: policy.expiresAtMs,
    watermark: policy.hasWatermark,
    witnessesSha256: encodeHash(policy.witnessesSha256),
    download: policy.mayDownload,
  }
}

export function describeCard({ founder, title, pageCount }: SealedCardText): Card {
  return pageCount === null ? { founder, title } : { founder, title, pageCount }
}

export function encodeHash(hash: Uint8Array | null): string | null {
  return hash === null ? null : encodeBase64Url(hash)
}

/** Her own grant as the server returns it: hers by signature, and of this vault. */
function readOwnGrant(owner: Owner, vaultId: string, summary: GrantSummary): Terms {
  const signed = {
    bytes: decodeBase64Url(summary.grant), signature: decodeBase64Url(summary.grantSignature),
  }
  const { signing, fingerprint } = owner.keys()
  const grant = verifyGrant(signed, { signingKey: signing.publicKey, fingerprint })
  if (grant.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'grant')
  if (encodeBase64Url(grant.grantId) !== summary.grantId) throw new ProtocolError('wrong-grant')
  return { grant, signed, ...linkOf(owner, grant.grantId) }
}

// ---- Headers ----

/** Her own version as the server returns it: hers by signature, and what it is said to be. */
export function readOwnRecord(
  owner: Owner, vaultId: string, version: StoredVersion,
): { record: VersionRecord, signed: Signed } {
  const signed = {
    bytes: decodeBase64Url(version.record), signature: decodeBase64Url(version.recordSignature),
  }
  const record = verifyRecord(signed, owner.keys().fingerprint)
  if (record.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'version record')
  const isStated = record.documentId === version.documentId && record.version === version.version &&
    record.part === version.part && record.gate === version.gate &&
    record.payloadLength === version.payloadLength
  if (!isStated) throw new ProtocolError('broken-chain', 'the server states another version')
  return { record, signed }
}

interface HeaderPurpose { recipient: Recipient, acceptanceSha256: Uint8Array | null }

function wrapVersion(
  owner: Owner, terms: Terms, version: StoredVersion, purpose: HeaderPurpose,
): WrappedHeader {
  const { record, signed } = readOwnRecord(owner, terms.grant.vaultId, version)
  const fileKey = openFileKey(decodeBase64Url(version.ownerHeader), owner.keys().identity, record)
  const { header, wrap } = wrapAndSign({
    ...purpose, fileKey, grantId: terms.grant.grantId, recordSha256: recordSha256(signed),
    secretKey: owner.keys().signing.secretKey,
  })
  wipe(fileKey)
  return {
    versionId: version.versionId,
    header: encodeBase64Url(header),
    wrap: encodeBase64Url(wrap.bytes),
    wrapSignature: encodeBase64Url(wrap.signature),
  }
}

/**
 * [Note: No header before approval] Where release is on approval, no header of an `nda` part to the
 * link exists anywhere: not even a dishonest server can hand out what was never made.
 */
function wrapForLink(
  owner: Owner, terms: Terms, versions: readonly StoredVersion[],
): WrappedHeader[] {
  const { policy, linkRecipient } = terms.grant
  const mayWrap = (version: StoredVersion): boolean =>
    !isApprovalDue(policy, readOwnRecord(owner, terms.grant.vaultId, version).record)
  return versions.filter(mayWrap).map((version) =>
    wrapVersion(owner, terms, version, { recipient: linkRecipient, acceptanceSha256: null }))
}

// ---- Approving ----

function wrapForDevice(
  owner: Owner, terms: Terms, request: AccessRequest, versions: readonly StoredVersion[],
): WrappedHeader[] {
  const recipient = requireEnrolled(terms, request)
  requireAccepted(owner, terms, request)
  const acceptanceSha256 = hashNote(request.acceptance)
  return versions.map(
    (version) => wrapVersion(owner, terms, version, { recipient, acceptanceSha256 }),
  )
}

/** What wrap records name an acceptance by: the whole note, which has one spelling here ([Note: Strict notes]). */
export function hashNote(note: string): Uint8Array {
  return sha256(encodeUtf8(note))
}

/** The device's recipient, vouched for by the link key of her own grant. */
function requireEnrolled(terms: Terms, request: AccessRequest): Recipient {
  const enrolment = verifyEnrolment(request.enrolment)
  if (enrolment.vault !== terms.grant.vaultId) throw new ProtocolError('wrong-vault', 'enrolment')
  const isOfGrant = enrolment.grant === encodeBase64Url(terms.grant.grantId) &&
    enrolment.linkKey === linkVkey(terms)
  if (!isOfGrant) throw new ProtocolError('wrong-grant', 'enrolment')
  const deviceKey = parseVkey(enrolment.deviceKey).publicKey
  if (isLowOrderKey(deviceKey)) throw new ProtocolError('low-order-key', 'device key')
  // What the server says beside the notes must be what the notes say, or the screen would show a lie.
  const isStated = request.recipient === enrolment.recipient &&
    request.deviceSigningKey === encodeBase64Url(deviceKey)
  if (!isStated) throw new ProtocolError('bad-details', 'the server names another device')
  const recipient = parseRecipient(enrolment.recipient)
  // Or what she makes for one device would open for all who have the link.
  if (equalRecipients(recipient, terms.grant.linkRecipient)) throw new ProtocolError('wrong-grant', 'the link\'s own recipient')
  return recipient
}

function requireAccepted(owner: Owner, terms: Terms, request: AccessRequest): void {
  const acceptance = verifyAcceptance(request.acceptance)
  const enrolment = verifyEnrolment(request.enrolment)
  const { grant, signed } = terms
  if (acceptance.vault !== grant.vaultId) throw new ProtocolError('wrong-vault', 'acceptance')
  const isOfGrant = acceptance.linkKey === linkVkey(terms) &&
    acceptance.deviceKey === enrolment.deviceKey &&
    acceptance.recipientSha256 === hashRecipient(enrolment.recipient) &&
    acceptance.founderKey === formatVkey(roleKey('founder', owner.keys().signing.publicKey)) &&
    // An acceptance holds for later revisions under the same NDA; of the first there is only one.
    (grant.revision > 1 || acceptance.grantSha256 === encodeHex(grantSha256(signed)))
  if (!isOfGrant) throw new ProtocolError('wrong-grant', 'acceptance')
  const isOfNda = grant.ndaSha256 !== null &&
    acceptance.agreementSha256 === encodeHex(grant.ndaSha256)
  if (!isOfNda) throw new ProtocolError('bad-details', 'another agreement')
  if (acceptance.log !== parseVkey(grant.logVkey).name) throw new ProtocolError('wrong-origin', 'acceptance')
  const isStated = acceptance.name === request.name && acceptance.email === request.email
  if (!isStated) throw new ProtocolError('bad-details', 'the server names another person')
}

function linkVkey(terms: Terms): string {
  return formatVkey(roleKey('link', terms.grant.linkSigningKey))
}
