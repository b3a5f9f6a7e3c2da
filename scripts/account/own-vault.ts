/** A vault as its owner reads it: labels opened, versions in order, and headers for its links. */
import type {
  GrantSummary, PublishedNda, StoredVersion, VaultDetail, WrappedHeader,
} from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../protocol/bytes.js'
import { verifyGrant, type Grant } from '../../protocol/deck/grant.js'
import type { Recipient } from '../../protocol/deck/identity.js'
import { isApprovalDue } from '../../protocol/deck/policy.js'
import { recordSha256, verifyRecord, type Part, type VersionRecord } from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import { openFileKey, wrapAndSign } from '../../protocol/deck/wrapped.js'
import { ProtocolError } from '../../protocol/errors.js'
import { wipe } from '../../protocol/sodium.js'
import { UsageError } from '../command.js'
import { openLabel, type Owner } from './owner.js'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface OwnDocument {
  readonly documentId: string
  readonly name: string
  /** Oldest first, of both parts. */
  readonly versions: readonly StoredVersion[]
}

export interface OwnVault {
  readonly vaultId: string
  readonly title: string
  readonly documents: readonly OwnDocument[]
  readonly grants: readonly GrantSummary[]
  readonly ndas: readonly PublishedNda[]
}

/** @throws Refused `vault-not-found`. */
export async function readOwnVault(owner: Owner, vaultId: string): Promise<OwnVault> {
  if (!UUID.test(vaultId)) throw new UsageError(`${vaultId}: not the id of a vault`)
  const vault = await owner.line.get<VaultDetail>(`/api/vaults/${vaultId}`)
  return {
    vaultId: vault.vaultId, grants: vault.grants, ndas: vault.ndas,
    title: openLabel(owner, { purpose: 'vault-title', id: vaultId }, vault.titleSealed) ?? vaultId,
    documents: vault.documents.map(({ documentId, nameSealed, versions }) => ({
      documentId,
      name: openLabel(owner, { purpose: 'document-name', id: documentId }, nameSealed) ?? documentId,
      versions: [...versions].sort((a, b) => a.version - b.version),
    })),
  }
}

/** `null` if there is none of this part. */
export function newestOf(versions: readonly StoredVersion[], part: Part): StoredVersion | null {
  return versions.filter((version) => version.part === part).at(-1) ?? null
}

/** The newest of each document and part: what a link serves. */
export function currentVersions(documents: readonly OwnDocument[]): StoredVersion[] {
  return documents.flatMap(({ versions }) =>
    ([0, 1] as const).flatMap((part) => newestOf(versions, part) ?? []))
}

export function signedRecordOf({ record, recordSignature }: StoredVersion): Signed {
  return { bytes: decodeBase64Url(record), signature: decodeBase64Url(recordSignature) }
}

/** Her own version as the server returns it: hers by signature, and what it is said to be. */
export function readOwnRecord(
  owner: Owner, vaultId: string, version: StoredVersion,
): VersionRecord {
  const record = verifyRecord(signedRecordOf(version), owner.keys.fingerprint)
  if (record.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'version record')
  const isStated = record.documentId === version.documentId && record.version === version.version &&
    record.part === version.part && record.gate === version.gate
  if (!isStated) throw new ProtocolError('broken-chain', 'the server states another version')
  return record
}

/** Her own grant as the server returns it. @throws ProtocolError. */
export function readOwnGrant(owner: Owner, vaultId: string, summary: GrantSummary): Grant {
  const signed = {
    bytes: decodeBase64Url(summary.grant), signature: decodeBase64Url(summary.grantSignature),
  }
  const { signing, fingerprint } = owner.keys
  const grant = verifyGrant(signed, { signingKey: signing.publicKey, fingerprint })
  if (grant.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'grant')
  if (encodeBase64Url(grant.grantId) !== summary.grantId) throw new ProtocolError('wrong-grant')
  return grant
}

/**
 * The link's headers of these versions, as its policy allows: on approval none of what waits behind
 * the NDA, which then exists nowhere; without an NDA none of what asks for one.
 */
export function headersForLink(
  owner: Owner, grant: Pick<Grant, 'vaultId' | 'grantId' | 'linkRecipient' | 'policy' | 'ndaSha256'>,
  versions: readonly StoredVersion[],
): WrappedHeader[] {
  const mayServe = (record: VersionRecord): boolean =>
    (record.gate !== 'nda' || grant.ndaSha256 !== null) && !isApprovalDue(grant.policy, record)
  return versions.filter((version) => mayServe(readOwnRecord(owner, grant.vaultId, version)))
    .map((version) => wrapVersion(owner, grant, version))
}

function wrapVersion(
  owner: Owner, grant: { vaultId: string, grantId: Uint8Array, linkRecipient: Recipient },
  version: StoredVersion,
): WrappedHeader {
  const record = readOwnRecord(owner, grant.vaultId, version)
  const fileKey = openFileKey(decodeBase64Url(version.ownerHeader), owner.keys.identity, record)
  const { header, wrap } = wrapAndSign({
    fileKey, recipient: grant.linkRecipient, grantId: grant.grantId, acceptanceSha256: null,
    recordSha256: recordSha256(signedRecordOf(version)), secretKey: owner.keys.signing.secretKey,
  })
  wipe(fileKey)
  return {
    versionId: version.versionId, header: encodeBase64Url(header),
    wrap: encodeBase64Url(wrap.bytes), wrapSignature: encodeBase64Url(wrap.signature),
  }
}
