/**
 * An owner's links: terms signed as a grant and its card, read back from a server, and headers for
 * whoever holds the link (SPEC.md § 3.5 to § 3.7). Pure; must not make a header that the terms forbid.
 */
import type { GrantSummary, MakeGrant, StoredVersion, WrappedHeader } from '../api.js'
import { decodeBase64Url, encodeBase64Url } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { parseVkey } from '../log/note.js'
import { wipe } from '../sodium.js'
import { sealCard, type Card } from './card.js'
import { grantSha256, signGrant, verifyGrant, type Grant } from './grant.js'
import {
  deriveLinkKeys, deriveLinkSecret, formatFragment, type LinkKeys, type OwnerSecrets,
} from './identity.js'
import { readOwnRecord, wrapVersion } from './own-version.js'
import { isApprovalDue, type GrantPolicy } from './policy.js'
import type { Signed } from './signature.js'

/** The consent text that acceptances carry; the gate shows it. */
export const CONSENT_VERSION = 1

export interface Link {
  readonly grant: Grant
  readonly signed: Signed
  readonly keys: LinkKeys
  /** Opens what the link opens: it goes to people, never to a server. */
  readonly fragment: string
}

export interface LinkTerms {
  readonly vaultId: string
  readonly grantId: Uint8Array
  /** The grant as it is now; `null` for a new one. */
  readonly previous: { readonly grant: Grant, readonly signed: Signed } | null
  readonly policy: Omit<GrantPolicy, 'cardSha256'>
  /** SHA-256 of the agreement; `null` where nothing is signed. */
  readonly ndaSha256: Uint8Array | null
  readonly card: Card
  readonly logVkey: string
}

/** Grant and card as a server is sent them. */
export type SentTerms = Pick<MakeGrant, 'grant' | 'grantSignature' | 'cardSealed'>

/** @throws ProtocolError as `parseVkey`: no client could check against such a log. */
export function signLink(owner: OwnerSecrets, terms: LinkTerms): Link & { sent: SentTerms } {
  parseVkey(terms.logVkey)
  const { vaultId, grantId, previous, ndaSha256, logVkey } = terms
  const { keys, fragment } = linkOf(owner, grantId)
  const card = sealCard(terms.card, keys.cardKey, grantId)
  const grant: Grant = {
    vaultId, grantId, ndaSha256, logVkey,
    revision: (previous?.grant.revision ?? 0) + 1,
    previousSha256: previous === null ? null : grantSha256(previous.signed),
    linkRecipient: keys.identity.recipient,
    linkSigningKey: keys.signing.publicKey,
    policy: { ...terms.policy, cardSha256: card.sha256 },
  }
  const signed = signGrant(grant, owner.keys.signing.secretKey)
  const sent = {
    grant: encodeBase64Url(signed.bytes), grantSignature: encodeBase64Url(signed.signature),
    cardSealed: encodeBase64Url(card.sealed),
  }
  return { grant, signed, keys, fragment, sent }
}

function linkOf(
  { root, keys }: OwnerSecrets, grantId: Uint8Array,
): { keys: LinkKeys, fragment: string } {
  const linkSecret = deriveLinkSecret(root, grantId)
  const fragment = formatFragment({ linkSecret, fingerprint: keys.fingerprint })
  const linkKeys = deriveLinkKeys(linkSecret, grantId)
  wipe(linkSecret)
  return { keys: linkKeys, fragment }
}

/**
 * Her own link as the server returns it: hers by signature, of this vault, under the id that it is said
 * to have.
 *
 * @throws ProtocolError as `verifyGrant`; `wrong-vault`, `wrong-grant`.
 */
export function readOwnLink(
  owner: OwnerSecrets, vaultId: string, summary: Pick<GrantSummary, 'grantId' | 'grant' | 'grantSignature'>,
): Link {
  const signed = {
    bytes: decodeBase64Url(summary.grant), signature: decodeBase64Url(summary.grantSignature),
  }
  const { signing, fingerprint } = owner.keys
  const grant = verifyGrant(signed, { signingKey: signing.publicKey, fingerprint })
  if (grant.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'grant')
  if (encodeBase64Url(grant.grantId) !== summary.grantId) throw new ProtocolError('wrong-grant')
  return { grant, signed, ...linkOf(owner, grant.grantId) }
}

/**
 * The link's own headers of these versions, as its terms allow.
 *
 * [Note: No header before approval] Where release is on approval, no header of what waits behind the
 * NDA exists for the link anywhere: not even a dishonest server can hand out what was never made. Nor
 * does one where nothing can be signed that the version asks for.
 *
 * @throws ProtocolError as `wrapVersion`.
 */
export function headersForLink(
  owner: OwnerSecrets, grant: Grant, versions: readonly StoredVersion[],
): WrappedHeader[] {
  const { vaultId, grantId, linkRecipient, policy, ndaSha256 } = grant
  const mayServe = (version: StoredVersion): boolean => {
    const { record } = readOwnRecord(owner.keys, vaultId, version)
    return (record.gate !== 'nda' || ndaSha256 !== null) && !isApprovalDue(policy, record)
  }
  const to = { vaultId, grantId, recipient: linkRecipient, acceptanceSha256: null }
  return versions.filter(mayServe).map((version) => wrapVersion(owner, version, to))
}
