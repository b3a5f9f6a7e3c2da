/**
 * The founder's links: making and changing grants, headers for links and devices, approving
 * (SPEC.md § 3.5 to § 3.7). Must not wrap to a key that only the server vouches for: a device's keys
 * count when the link key of her own grant has signed for them.
 */
import type {
  AccessRequest, Approval, GrantSummary, StoredVersion, WrappedHeader,
} from '../../protocol/api.js'
import {
  concatBytes, decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8, equalBytes,
} from '../../protocol/bytes.js'
import { openCard, type Card as SealedCardText } from '../../protocol/deck/card.js'
import { grantSha256, verifyWrap } from '../../protocol/deck/grant.js'
import {
  formatRecipient, makeGrantId, parseRecipient, type Recipient,
} from '../../protocol/deck/identity.js'
import {
  CONSENT_VERSION, headersForLink, readOwnLink, signLink, type Link, type LinkTerms,
} from '../../protocol/deck/link.js'
import { wrapVersion } from '../../protocol/deck/own-version.js'
import type { GrantPolicy } from '../../protocol/deck/policy.js'
import { equalRecipients } from '../../protocol/deck/wrapped.js'
import { ProtocolError } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { hashRecipient, roleKey, verifyAcceptance, verifyEnrolment } from '../../protocol/log/acceptance.js'
import { formatVkey, parseVkey } from '../../protocol/log/note.js'
import { isLowOrderKey } from '../../protocol/sodium.js'
import type { Card, CryptoWorker, GrantTerms, Policy } from '../crypto.js'
import type { History } from './checking.js'
import type { Newest } from './newest.js'
import type { Owner } from './owner.js'

const LOG_PIN_SIZE_BYTES = 16
const NO_HASH = new Uint8Array(0)

type GrantMethods = Pick<CryptoWorker,
  'makeGrant' | 'reviseGrant' | 'readGrant' | 'headersForGrant' | 'approve' | 'approveAgain' |
  'auditorFragment'>

/** A link of hers, and the names of the logs that its own one belongs to. */
type LinkOfLine = Link & { readonly origins: readonly string[] }

export function createGranting(owner: Owner, newest: Newest, history: History): GrantMethods {
  /** Her own link, and no older state of it than this device has seen: nothing is made for that. */
  async function requireLink(vaultId: string, summary: GrantSummary): Promise<LinkOfLine> {
    const link = readOwnLink(owner.secrets(), vaultId, summary)
    await newest.requireNewest(summary, link.grant.revision)
    const { logVkey } = link.grant
    await history.requireNoFork(logVkey)
    const origins = history.keys.linkedTo(logVkey).map((vkey) => parseVkey(vkey).name)
    return { ...link, origins }
  }
  return {
    async makeGrant(input) {
      await history.requireNoFork(input.logVkey)
      const grantId = makeGrantId()
      const link = signLink(owner.secrets(), { ...termsOf(input), grantId, previous: null })
      const headers = headersForLink(owner.secrets(), link.grant, input.versions)
      return { grantId: encodeBase64Url(grantId), ...link.sent, headers, fragment: link.fragment }
    },
    async reviseGrant(input) {
      const previous = await requireLink(input.vaultId, input.previous)
      const { grantId } = previous.grant
      const link = signLink(owner.secrets(), { ...termsOf(input), grantId, previous })
      return { ...link.sent, headers: headersForLink(owner.secrets(), link.grant, input.versions) }
    },
    async readGrant({ vaultId, summary }) {
      const { grant, keys, fragment } = readOwnLink(owner.secrets(), vaultId, summary)
      const card = openCard(decodeBase64Url(summary.cardSealed), keys.cardKey, grant)
      return {
        policy: describePolicy(grant.policy), ndaSha256: encodeHash(grant.ndaSha256),
        card: describeCard(card), fragment,
      }
    },
    async headersForGrant({ vaultId, summary, versions }) {
      const { grant } = await requireLink(vaultId, summary)
      return headersForLink(owner.secrets(), grant, versions)
    },
    async approve({ vaultId, summary, request, versions }) {
      const link = await requireLink(vaultId, summary)
      await newest.requireNotRevoked([request.personId, deviceId(request)])
      return { headers: wrapForDevice(owner, link, request, versions) }
    },
    async approveAgain({ vaultId, summary, approval, versions }) {
      const link = await requireLink(vaultId, summary)
      const { request } = approval
      await newest.requireNotRevoked([request.personId, deviceId(request)])
      requireApproved(owner, link, approval)
      return { headers: wrapForDevice(owner, link, request, versions) }
    },
    async auditorFragment(logVkey) {
      const pin = sha256(encodeUtf8(logVkey)).subarray(0, LOG_PIN_SIZE_BYTES)
      return encodeBase64Url(concatBytes(owner.keys().fingerprint, pin))
    },
  }
}

// ---- The page's words for terms ----

function termsOf(
  { vaultId, policy, ndaSha256, card, logVkey }: GrantTerms,
): Omit<LinkTerms, 'grantId' | 'previous'> {
  return {
    vaultId, logVkey, policy: encodePolicy(policy),
    ndaSha256: ndaSha256 === null ? null : decodeBase64Url(ndaSha256),
    card: { ...card, pageCount: card.pageCount ?? null },
  }
}

function encodePolicy(policy: Policy): LinkTerms['policy'] {
  return {
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

// ---- Approving ----

function wrapForDevice(
  owner: Owner, link: LinkOfLine, request: AccessRequest, versions: readonly StoredVersion[],
): WrappedHeader[] {
  const recipient = requireEnrolled(link, request)
  requireAccepted(owner, link, request)
  const { vaultId, grantId } = link.grant
  const to = { vaultId, grantId, recipient, acceptanceSha256: hashNote(request.acceptance) }
  return versions.map((version) => wrapVersion(owner.secrets(), version, to))
}

/**
 * [Note: Approved by her] That somebody was let in is the server's word, until a wrap record of hers names this very
 * acceptance and this device: only her own yes made such a one.
 */
function requireApproved(owner: Owner, link: Link, { request, approval }: Approval): void {
  const { signing, fingerprint } = owner.keys()
  const signed = {
    bytes: decodeBase64Url(approval.wrap), signature: decodeBase64Url(approval.signature),
  }
  const wrap = verifyWrap(signed, { signingKey: signing.publicKey, fingerprint })
  const isForThis = equalBytes(wrap.grantId, link.grant.grantId) &&
    formatRecipient(wrap.recipient) === request.recipient &&
    equalBytes(wrap.acceptanceSha256 ?? NO_HASH, hashNote(request.acceptance))
  if (!isForThis) throw new ProtocolError('wrong-header', 'an approval of something else')
}

/** As a revocation that the log proves is remembered. */
function deviceId({ recipient }: AccessRequest): string {
  return `recipient/${hashRecipient(recipient)}`
}

/** What wrap records name an acceptance by: the whole note, which has one spelling here ([Note: Strict notes]). */
export function hashNote(note: string): Uint8Array {
  return sha256(encodeUtf8(note))
}

/** The device's recipient, vouched for by the link key of her own grant. */
function requireEnrolled(link: Link, request: AccessRequest): Recipient {
  const enrolment = verifyEnrolment(request.enrolment)
  if (enrolment.vault !== link.grant.vaultId) throw new ProtocolError('wrong-vault', 'enrolment')
  const isOfGrant = enrolment.grant === encodeBase64Url(link.grant.grantId) &&
    enrolment.linkKey === linkVkey(link)
  if (!isOfGrant) throw new ProtocolError('wrong-grant', 'enrolment')
  const deviceKey = parseVkey(enrolment.deviceKey).publicKey
  if (isLowOrderKey(deviceKey)) throw new ProtocolError('low-order-key', 'device key')
  // What the server says beside the notes must be what the notes say, or the screen would show a lie.
  const isStated = request.recipient === enrolment.recipient &&
    request.deviceSigningKey === encodeBase64Url(deviceKey)
  if (!isStated) throw new ProtocolError('bad-details', 'the server names another device')
  const recipient = parseRecipient(enrolment.recipient)
  // Or what she makes for one device would open for all who have the link.
  if (equalRecipients(recipient, link.grant.linkRecipient)) throw new ProtocolError('wrong-grant', 'the link\'s own recipient')
  return recipient
}

function requireAccepted(owner: Owner, link: LinkOfLine, request: AccessRequest): void {
  const acceptance = verifyAcceptance(request.acceptance)
  const enrolment = verifyEnrolment(request.enrolment)
  const { grant, signed } = link
  if (acceptance.vault !== grant.vaultId) throw new ProtocolError('wrong-vault', 'acceptance')
  const isOfGrant = acceptance.linkKey === linkVkey(link) &&
    acceptance.deviceKey === enrolment.deviceKey &&
    acceptance.recipientSha256 === hashRecipient(enrolment.recipient) &&
    acceptance.founderKey === formatVkey(roleKey('founder', owner.keys().signing.publicKey)) &&
    // An acceptance holds for later revisions under the same NDA; of the first there is only one.
    (grant.revision > 1 || acceptance.grantSha256 === encodeHex(grantSha256(signed)))
  if (!isOfGrant) throw new ProtocolError('wrong-grant', 'acceptance')
  const isOfNda = grant.ndaSha256 !== null &&
    acceptance.agreementSha256 === encodeHex(grant.ndaSha256)
  if (!isOfNda) throw new ProtocolError('bad-details', 'another agreement')
  if (!link.origins.includes(acceptance.log)) throw new ProtocolError('wrong-origin', 'acceptance')
  const isStated = acceptance.name === request.name && acceptance.email === request.email
  if (!isStated) throw new ProtocolError('bad-details', 'the server names another person')
}

function linkVkey(link: Link): string {
  return formatVkey(roleKey('link', link.grant.linkSigningKey))
}
