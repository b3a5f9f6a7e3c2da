/**
 * Seals one part of a version and uploads it, part by part; goes on where an interrupted upload of the
 * same file stopped (SPEC.md § 3, § 6). Must not seal a second plaintext under a key and nonce that were
 * used: a draft is taken up only if the plaintext's hash is the one that was begun.
 */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { BeginUpload, PartTarget, StoredVersion, Upload } from '../../protocol/api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { buildArchive, type ArchiveInput } from '../../protocol/deck/archive.js'
import {
  decodeDraft, encodeDraft, hashPlaintext, promisesOf, startSeal, type SealDraft, type Sealer,
} from '../../protocol/deck/deck.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import { openPrivate, sealPrivate, type PrivatePlace } from '../../protocol/deck/keyring.js'
import { signRecord, type Gate, type Part } from '../../protocol/deck/record.js'
import type { HashBulk } from '../../protocol/hash.js'
import { wipe } from '../../protocol/sodium.js'
import { Refused } from '../command.js'
import { sealLabel, type Owner } from './owner.js'

/** On their way at a time; each holds 4 MiB. */
const LANE_COUNT = 2
/** The share of a presigned address's life after which it is not used any more. */
const USED_LIFE = 0.75

export interface PartToSeal {
  readonly vaultId: string
  /** `null`: a new one. */
  readonly documentId: string | null
  readonly part: Part
  readonly gate: Gate
  readonly previous: StoredVersion | null
  readonly archive: ArchiveInput
  /** Unfinished uploads of the vault, to go on with if one fits. */
  readonly unfinished: readonly Upload[]
}

/** Uploaded but for its record: a version appears when all of its parts are there. */
export interface SentPart {
  /** The one asked for, or that of the upload that was gone on with. */
  readonly documentId: string
  complete(): Promise<StoredVersion>
}

export const hashNatively: HashBulk = async (bytes) =>
  new Uint8Array(createHash('sha256').update(bytes).digest())

interface Begun {
  readonly input: PartToSeal & { readonly documentId: string }
  readonly version: number
  readonly draft: SealDraft
  readonly sealer: Sealer
  readonly upload: Upload
}

/** @param onSent - called with the share of the payload that the server has. */
export async function sealAndSend(
  owner: Owner, input: PartToSeal, onSent: (doneBytes: number, totalBytes: number) => void,
): Promise<SentPart> {
  const begun = await begin(owner, input)
  const hashList = await sendParts(owner, begun, onSent).finally(() => begun.sealer.end())
  const { versionId } = begun.upload
  await owner.line.bytes({ method: 'PUT', path: `/api/uploads/${versionId}/hash-list`, body: hashList })
  const body = signedRecord(owner, begun, hashList)
  wipe(begun.draft.fileKey)
  return {
    documentId: begun.input.documentId,
    complete: () => owner.line.post<StoredVersion>(`/api/uploads/${versionId}/complete`, body),
  }
}

// ---- beginning

async function begin(owner: Owner, input: PartToSeal): Promise<Begun> {
  const plaintext = buildArchive(input.archive)
  const plaintextSha256 = await hashPlaintext(plaintext, hashNatively)
  const place = {
    documentId: input.documentId ?? uuidv7(), version: (input.previous?.version ?? 0) + 1,
  }
  const resumed = findDraft(owner, input, plaintextSha256)
  const draft = resumed?.draft ??
    { fileKey: makeFileKey(), nonce: makePayloadNonce(), plaintextSha256 }
  const sealer = await startSeal({ plaintext, ...draft, hash: hashNatively })
  const upload = resumed?.upload ?? await owner.line.post<Upload>(
    `/api/vaults/${input.vaultId}/uploads`, describe(owner, { ...input, ...place }, { draft, sealer }))
  const { documentId, version } = upload
  return { input: { ...input, documentId }, version, draft, sealer, upload }
}

/** The unfinished upload of this very plaintext. */
function findDraft(
  owner: Owner, input: PartToSeal, plaintextSha256: Uint8Array,
): { draft: SealDraft, upload: Upload } | null {
  const candidates = input.unfinished.filter(({ part, gate, documentId, version }) =>
    part === input.part && gate === input.gate &&
    version === (input.previous?.version ?? 0) + 1 &&
    (input.documentId === null || documentId === input.documentId))
  for (const upload of candidates) {
    const opened = openPrivate(owner.root, draftPlace(upload), decodeBase64Url(upload.draftSealed))
    if (opened === null) continue
    const draft = decodeDraft(opened)
    wipe(opened)
    if (equalBytes(draft.plaintextSha256, plaintextSha256) &&
      encodeBase64Url(draft.nonce) === upload.nonce) return { draft, upload }
    wipe(draft.fileKey)
  }
  return null
}

function draftPlace(
  { vaultId, documentId, part, version }: Pick<Upload, 'vaultId' | 'documentId' | 'part' | 'version'>,
): PrivatePlace {
  return { purpose: 'upload-draft', id: [vaultId, documentId, part, version].join('/') }
}

function describe(
  owner: Owner, input: PartToSeal & { documentId: string, version: number },
  { draft, sealer }: { draft: SealDraft, sealer: Sealer },
): BeginUpload {
  const { documentId, part, gate, version } = input
  return {
    documentId, part, gate, version,
    nameSealed: sealLabel(owner, { purpose: 'document-name', id: documentId }, input.archive.title),
    payloadLength: sealer.payloadLength,
    nonce: encodeBase64Url(draft.nonce),
    ownerHeader: encodeBase64Url(wrapFileKey(draft.fileKey, owner.keys.identity.recipient)),
    draftSealed: encodeBase64Url(sealPrivate(
      owner.root, draftPlace(input), encodeDraft(draft))),
  }
}

// ---- parts

/** @returns the hash list: every part is sealed again even where it is there, for its hashes. */
async function sendParts(
  owner: Owner, { sealer, upload }: Begun, onSent: (doneBytes: number, totalBytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunkHashes: Uint8Array[] = []
  const places = new PartPlaces(owner, upload)
  let nextIndex = 0
  let sentBytes = 0

  async function lane(): Promise<void> {
    while (nextIndex < sealer.partCount) {
      const index = nextIndex++
      const part = await sealer.sealPart(index)
      chunkHashes[index] = part.chunkHashes
      const target = await places.of(index)
      if (!target.isStored) {
        const sha256 = encodeBase64Url(await hashNatively(part.bytes))
        await owner.line.putPart(target, { bytes: part.bytes, sha256 })
      }
      sentBytes += part.bytes.length
      onSent(sentBytes, sealer.payloadLength)
    }
  }
  // Nothing runs on after a failure: what was on its way arrives, and no more is begun.
  function stop(error: unknown): never {
    nextIndex = sealer.partCount
    throw error
  }
  const lanes = Array.from({ length: LANE_COUNT }, () => lane().catch(stop))
  const failed = (await Promise.allSettled(lanes)).find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return concatBytes(...chunkHashes)
}

/** Where parts go. Addresses in a bucket are good for a while; then the upload is read again. */
class PartPlaces {
  readonly #owner: Owner
  #upload: Upload
  #askedAtMs = -Infinity

  constructor(owner: Owner, upload: Upload) {
    this.#owner = owner
    this.#upload = upload
  }

  async of(index: number): Promise<PartTarget> {
    const target = this.#find(index)
    const lifeMs = (target.expiresInSeconds ?? Number.POSITIVE_INFINITY) * 1_000
    if (performance.now() - this.#askedAtMs < lifeMs * USED_LIFE) return target
    this.#askedAtMs = performance.now()
    this.#upload = await this.#owner.line.get<Upload>(`/api/uploads/${this.#upload.versionId}`)
    return this.#find(index)
  }

  #find(index: number): PartTarget {
    const target = this.#upload.parts.find((one) => one.index === index)
    if (target === undefined) throw new Refused('the server names no place for a part')
    return target
  }
}

function signedRecord(
  owner: Owner, { input, version, draft, sealer }: Begun, hashList: Uint8Array,
): { record: string, recordSignature: string } {
  const { signing } = owner.keys
  const { payloadLength } = sealer
  const { vaultId, documentId, part, gate } = input
  const signed = signRecord({
    vaultId, documentId, part, gate, version,
    previousSha256: input.previous === null
      ? null
      : createHash('sha256').update(decodeBase64Url(input.previous.record)).digest(),
    payloadLength, nonce: draft.nonce, signingKey: signing.publicKey,
    ...promisesOf({ fileKey: draft.fileKey, nonce: draft.nonce, payloadLength, hashList }),
  }, signing.secretKey)
  return {
    record: encodeBase64Url(signed.bytes), recordSignature: encodeBase64Url(signed.signature),
  }
}
