/**
 * An owner's own versions as a server returns them: read, opened, and wrapped for others (SPEC.md § 3.5,
 * § 3.10). Pure; must not believe what stands beside a record: the record is signed, the rest is said.
 */
import type { StoredVersion, WrappedHeader } from '../api.js'
import { decodeBase64Url, encodeBase64Url } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { wipe } from '../sodium.js'
import { openReleasedHeader, type OpenedHeader } from './deck.js'
import type { OwnerKeys, OwnerSecrets, Recipient } from './identity.js'
import { recordSha256, verifyRecord, type VersionRecord } from './record.js'
import type { Signed } from './signature.js'
import { openFileKey, wrapAndSign } from './wrapped.js'

type SignedRecord = Pick<StoredVersion, 'record' | 'recordSignature'>

export function signedRecordOf({ record, recordSignature }: SignedRecord): Signed {
  return { bytes: decodeBase64Url(record), signature: decodeBase64Url(recordSignature) }
}

/**
 * Her record: hers by signature, of this vault, and of the version that it is said to be.
 *
 * @throws ProtocolError as `verifyRecord`; `wrong-vault`; `broken-chain` if another version is stated.
 */
export function readOwnRecord(
  { fingerprint }: OwnerKeys, vaultId: string, version: StoredVersion,
): { record: VersionRecord, signed: Signed } {
  const signed = signedRecordOf(version)
  const record = verifyRecord(signed, fingerprint)
  if (record.vaultId !== vaultId) throw new ProtocolError('wrong-vault', 'version record')
  const isStated = record.documentId === version.documentId && record.version === version.version &&
    record.part === version.part && record.gate === version.gate &&
    record.payloadLength === version.payloadLength
  if (!isStated) throw new ProtocolError('broken-chain', 'the server states another version')
  return { record, signed }
}

/**
 * Her own header opened, after record and chain.
 *
 * @param previous - the records before it, of the same document and part, oldest first.
 * @throws ProtocolError as `readOwnRecord` and `openReleasedHeader`.
 */
export function openOwnVersion(
  { keys }: Pick<OwnerSecrets, 'keys'>, vaultId: string,
  { version, previous }: { readonly version: StoredVersion, readonly previous: readonly Signed[] },
): OpenedHeader {
  const { signed } = readOwnRecord(keys, vaultId, version)
  return openReleasedHeader({
    header: decodeBase64Url(version.ownerHeader), identity: keys.identity,
    records: [...previous, signed], fingerprint: keys.fingerprint, vaultId, seen: null, wrap: null,
  })
}

export interface HeaderFor {
  readonly vaultId: string
  readonly grantId: Uint8Array
  readonly recipient: Recipient
  /** SHA-256 of the acceptance that the founder has checked, where one is due. */
  readonly acceptanceSha256: Uint8Array | null
}

/**
 * A header of her version for somebody else, with her word on it: the body that a server is sent.
 *
 * @throws ProtocolError as `readOwnRecord` and `openFileKey`.
 */
export function wrapVersion(
  { keys }: Pick<OwnerSecrets, 'keys'>, version: StoredVersion, to: HeaderFor,
): WrappedHeader {
  const { record, signed } = readOwnRecord(keys, to.vaultId, version)
  const fileKey = openFileKey(decodeBase64Url(version.ownerHeader), keys.identity, record)
  const { header, wrap } = wrapAndSign({
    fileKey, recipient: to.recipient, grantId: to.grantId, acceptanceSha256: to.acceptanceSha256,
    recordSha256: recordSha256(signed), secretKey: keys.signing.secretKey,
  })
  wipe(fileKey)
  return {
    versionId: version.versionId, header: encodeBase64Url(header),
    wrap: encodeBase64Url(wrap.bytes), wrapSignature: encodeBase64Url(wrap.signature),
  }
}
