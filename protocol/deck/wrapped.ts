/**
 * File keys out of headers and into new ones (SPEC.md § 3.2, § 3.7), for founder and investor alike.
 * Must not release a file key that the founder's record does not commit to.
 */
import { equalBytes } from '../bytes.js'
import { signWrap } from './grant.js'
import { openHeader, parseSealdeckHeader, wrapFileKey } from './header.js'
import { commitToFileKey, type Identity, type Recipient } from './identity.js'
import type { VersionRecord } from './record.js'
import type { Signed } from './signature.js'
import { identityUnwrapper, type FileKey } from './stanza.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { equalSecrets } from '../sodium.js'

/**
 * The file key of one version, if the header is for this identity and holds the key that the record
 * commits to.
 * @throws ProtocolError `wrong-header`, `bad-key-commitment`, or as `parseSealdeckHeader`, `openHeader`.
 */
export function openFileKey(
  header: Uint8Array, identity: Identity, record: VersionRecord,
): FileKey {
  const fileKey = openHeader(parseSealdeckHeader(header), [identityUnwrapper(identity)])
  if (fileKey === null) throw new ProtocolError('wrong-header', 'for somebody else')
  if (!equalSecrets(commitToFileKey(fileKey, record.nonce), record.keyCommit)) {
    throw new ProtocolError('bad-key-commitment', 'another file key')
  }
  return fileKey
}

export interface WrapInput {
  readonly fileKey: FileKey
  readonly recipient: Recipient
  readonly grantId: Uint8Array
  readonly recordSha256: Uint8Array
  readonly acceptanceSha256: Uint8Array | null
  /** F's 64 bytes. */
  readonly secretKey: Uint8Array
}

/** A header to a recipient, and the founder's word over it. */
export function wrapAndSign(input: WrapInput): { header: Uint8Array<ArrayBuffer>, wrap: Signed } {
  const { fileKey, recipient, grantId, recordSha256, acceptanceSha256, secretKey } = input
  const header = wrapFileKey(fileKey, recipient)
  const record = {
    grantId, recordSha256, recipient, headerSha256: sha256(header), acceptanceSha256,
  }
  return { header, wrap: signWrap(record, secretKey) }
}

export function equalRecipients(a: Recipient, b: Recipient): boolean {
  return a.type === b.type && equalBytes(a.publicKey, b.publicKey)
}
