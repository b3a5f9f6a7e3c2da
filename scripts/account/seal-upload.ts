/**
 * Seals one part of a version and uploads it, part by part; goes on where an interrupted upload of the
 * same file stopped (SPEC.md § 3, § 6). Must not seal a second plaintext under a key and nonce that were
 * used: a draft is taken up only if the plaintext's hash is the one that was begun.
 */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { CompleteUpload, PartTarget, StoredVersion, Upload } from '../../protocol/api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { buildArchive, type ArchiveInput } from '../../protocol/deck/archive.js'
import { hashPlaintext, startSeal, type Sealer } from '../../protocol/deck/deck.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import type { Gate, Part } from '../../protocol/deck/record.js'
import {
  describeUpload, openDraft, signUpload, type SealDraft, type VersionPlace,
} from '../../protocol/deck/upload.js'
import { ProtocolError } from '../../protocol/errors.js'
import type { HashBulk } from '../../protocol/hash.js'
import { wipe } from '../../protocol/sodium.js'
import { Refused } from '../command.js'
import type { Line } from './line.js'
import type { Owner } from './owner.js'

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
  readonly place: VersionPlace
  readonly draft: SealDraft
  readonly sealer: Sealer
  readonly upload: Upload
}

/** @param onSent - called with the share of the payload that the server has. */
export async function sealAndSend(
  owner: Owner, input: PartToSeal, onSent: (doneBytes: number, totalBytes: number) => void,
): Promise<SentPart> {
  const { place, draft, sealer, upload } = await begin(owner, input)
  const hashList = await sendParts(owner, { sealer, upload }, onSent).finally(() => sealer.end())
  const address = `/api/uploads/${upload.versionId}`
  await owner.line.bytes({ method: 'PUT', path: `${address}/hash-list`, body: hashList })
  const body = signUpload(owner, place, {
    payloadLength: sealer.payloadLength, draft, hashList,
    previousRecord: input.previous === null ? null : decodeBase64Url(input.previous.record),
  })
  wipe(draft.fileKey)
  return {
    documentId: place.documentId,
    complete: () => completeUpload(owner.line, address, body),
  }
}

/** @throws ProtocolError `broken-chain` for another record than the one that was signed now. */
export async function completeUpload(
  line: Pick<Line, 'post'>, address: string, body: CompleteUpload,
): Promise<StoredVersion> {
  const stored = await line.post<StoredVersion>(`${address}/complete`, body)
  // Links are given what was sealed now, not a version that the server would rather have them serve.
  if (stored.record !== body.record) throw new ProtocolError('broken-chain', 'the server stored another version')
  return stored
}

// ---- beginning

async function begin(owner: Owner, input: PartToSeal): Promise<Begun> {
  const plaintext = buildArchive(input.archive)
  const plaintextSha256 = await hashPlaintext(plaintext, hashNatively)
  const resumed = findDraft(owner, input, plaintextSha256)
  const draft = resumed?.draft ??
    { fileKey: makeFileKey(), nonce: makePayloadNonce(), plaintextSha256 }
  const sealer = await startSeal({ plaintext, ...draft, hash: hashNatively })
  const place: VersionPlace = {
    vaultId: input.vaultId, documentId: resumed?.upload.documentId ?? input.documentId ?? uuidv7(),
    part: input.part, gate: input.gate, version: nextVersion(input),
  }
  const upload = resumed?.upload ?? await owner.line.post<Upload>(
    `/api/vaults/${input.vaultId}/uploads`, describeUpload(owner, place, {
      title: input.archive.title, payloadLength: sealer.payloadLength, draft,
    }))
  return { place, draft, sealer, upload }
}

function nextVersion({ previous }: PartToSeal): number {
  return (previous?.version ?? 0) + 1
}

/** The unfinished upload of this very plaintext. */
function findDraft(
  owner: Owner, input: PartToSeal, plaintextSha256: Uint8Array,
): { draft: SealDraft, upload: Upload } | null {
  const candidates = input.unfinished.filter(({ part, gate, documentId, version }) =>
    part === input.part && gate === input.gate && version === nextVersion(input) &&
    (input.documentId === null || documentId === input.documentId))
  for (const upload of candidates) {
    const draft = openDraft(owner, upload)
    if (draft === null) continue
    if (equalBytes(draft.plaintextSha256, plaintextSha256)) return { draft, upload }
    wipe(draft.fileKey)
  }
  return null
}

// ---- parts

/** @returns the hash list: every part is sealed again even where it is there, for its hashes. */
async function sendParts(
  owner: Owner, { sealer, upload }: Pick<Begun, 'sealer' | 'upload'>,
  onSent: (doneBytes: number, totalBytes: number) => void,
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
        const sha256 = encodeBase64Url(part.sha256)
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
