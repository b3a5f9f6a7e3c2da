/**
 * What is said of a version while it is sealed and uploaded: its draft, the body that begins its
 * upload, the signed record that ends it (SPEC.md § 3.3, § 3.4). Browser and command line take up each
 * other's uploads, so both say it here. Pure; must not read plaintext or talk to a server.
 */
import type { BeginUpload, CompleteUpload } from '../api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { HASH_SIZE_BYTES, sha256 } from '../hash.js'
import { FILE_KEY_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES } from '../limits.js'
import { wipe } from '../sodium.js'
import { wrapFileKey } from './header.js'
import { commitToFileKey, type OwnerSecrets } from './identity.js'
import { openPrivate, sealLabel, sealPrivate, type PrivatePlace } from './keyring.js'
import { chunkHashRoot, signRecord, type Gate, type Part } from './record.js'
import type { FileKey } from './stanza.js'

/** Which version of what is sealed. */
export interface VersionPlace {
  readonly vaultId: string
  readonly documentId: string
  readonly part: Part
  readonly gate: Gate
  /** From 1. */
  readonly version: number
}

// ---- drafts

/** What an interrupted upload needs to go on; sealed under the root before the first part. */
export interface SealDraft {
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  /** From `Sealer.fingerprint`: another plaintext under this key and nonce would be a two-time pad. */
  readonly plaintextSha256: Uint8Array
}

const DRAFT_SIZE_BYTES = FILE_KEY_SIZE_BYTES + PAYLOAD_NONCE_SIZE_BYTES + HASH_SIZE_BYTES

export function encodeDraft(draft: SealDraft): Uint8Array<ArrayBuffer> {
  const bytes = concatBytes(draft.fileKey, draft.nonce, draft.plaintextSha256)
  assert(bytes.length === DRAFT_SIZE_BYTES, 'a draft is key, nonce and hash')
  return bytes
}

/** @throws ProtocolError `malformed-encoding`. */
export function decodeDraft(bytes: Uint8Array): SealDraft {
  if (bytes.length !== DRAFT_SIZE_BYTES) throw new ProtocolError('malformed-encoding', 'draft')
  const nonceEnd = FILE_KEY_SIZE_BYTES + PAYLOAD_NONCE_SIZE_BYTES
  return {
    fileKey: new Uint8Array(bytes.subarray(0, FILE_KEY_SIZE_BYTES)),
    nonce: bytes.slice(FILE_KEY_SIZE_BYTES, nonceEnd),
    plaintextSha256: bytes.slice(nonceEnd),
  }
}

function draftPlace(place: Omit<VersionPlace, 'gate'>): PrivatePlace {
  const { vaultId, documentId, part, version } = place
  return { purpose: 'upload-draft', id: [vaultId, documentId, part, version].join('/') }
}

/**
 * The draft of an upload that was begun, its file key to be wiped by the caller; `null` if it is not
 * this owner's or not this upload's.
 */
export function openDraft(
  { root }: Pick<OwnerSecrets, 'root'>,
  upload: Omit<VersionPlace, 'gate'> & { readonly draftSealed: string, readonly nonce: string },
): SealDraft | null {
  const opened = openPrivate(root, draftPlace(upload), decodeBase64Url(upload.draftSealed))
  if (opened === null) return null
  const draft = decodeDraft(opened)
  wipe(opened)
  if (encodeBase64Url(draft.nonce) === upload.nonce) return draft
  wipe(draft.fileKey)
  return null
}

// ---- what the server is told

/** The body that begins an upload. `title` is sealed: the server reads no names. */
export function describeUpload(
  owner: OwnerSecrets, place: VersionPlace,
  sealing: { readonly title: string, readonly payloadLength: number, readonly draft: SealDraft },
): BeginUpload {
  const { documentId, part, gate, version } = place
  const { title, payloadLength, draft } = sealing
  const { recipient } = owner.keys.identity
  return {
    documentId, part, gate, version, payloadLength,
    nameSealed: sealLabel(owner.root, { purpose: 'document-name', id: documentId }, title),
    nonce: encodeBase64Url(draft.nonce),
    ownerHeader: encodeBase64Url(wrapFileKey(draft.fileKey, recipient)),
    draftSealed: encodeBase64Url(sealPrivate(owner.root, draftPlace(place), encodeDraft(draft))),
  }
}

export interface SealedVersion {
  readonly payloadLength: number
  readonly draft: Pick<SealDraft, 'fileKey' | 'nonce'>
  /** The parts' `chunkHashes`, one after another, all of them. */
  readonly hashList: Uint8Array
  /** M of the version before, of the same document and part; `null` for the first. */
  readonly previousRecord: Uint8Array | null
}

/** The body that ends it: M and the founder's word on it. */
export function signUpload(
  { keys }: Pick<OwnerSecrets, 'keys'>, place: VersionPlace, sealed: SealedVersion,
): CompleteUpload {
  const { payloadLength, draft, previousRecord } = sealed
  const { vaultId, documentId, part, gate, version } = place
  const signed = signRecord({
    vaultId, documentId, part, gate, version, payloadLength,
    previousSha256: previousRecord === null ? null : sha256(previousRecord),
    nonce: draft.nonce, signingKey: keys.signing.publicKey,
    ...promisesOf({ ...draft, payloadLength, hashList: sealed.hashList }),
  }, keys.signing.secretKey)
  return {
    record: encodeBase64Url(signed.bytes), recordSignature: encodeBase64Url(signed.signature),
  }
}

export interface SealedPromises {
  readonly root: Uint8Array
  readonly keyCommit: Uint8Array
}

/** What the record promises about a sealed version, from what sealing gave. */
export function promisesOf(sealed: {
  readonly fileKey: FileKey, readonly nonce: Uint8Array, readonly payloadLength: number,
  readonly hashList: Uint8Array,
}): SealedPromises {
  return {
    root: chunkHashRoot(sealed.hashList, sealed),
    keyCommit: commitToFileKey(sealed.fileKey, sealed.nonce),
  }
}
