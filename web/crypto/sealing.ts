/**
 * Sealing one file as one part of a version (SPEC.md § 3, "Seal"): twice over the file, once to hash,
 * once to seal, in stretches of 4 MiB. Must not hold the file, and must not seal a second plaintext
 * under a key and nonce that were used.
 */
import { concatBytes, decodeBase64Url, encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { buildArchive, type ArchiveInput, type ByteSource } from '../../protocol/deck/archive.js'
import {
  decodeDraft, encodeDraft, hashPlaintext, promisesOf, startSeal, type SealDraft,
  type SealedPart as PartOfDeck, type Sealer,
} from '../../protocol/deck/deck.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import { openPrivate, sealPrivate, type PrivatePlace } from '../../protocol/deck/keyring.js'
import { THUMBNAIL_TYPES } from '../../protocol/deck/manifest.js'
import { PARTS, payloadLengthOf, signRecord } from '../../protocol/deck/record.js'
import { ProtocolError, assert } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { wipe } from '../../protocol/sodium.js'
import type { CryptoWorker, SealBegun, SealFinished, SealInput, SealedPart } from '../crypto.js'
import { sealLabel, type Owner } from './owner.js'
import type { Platform } from './platform.js'

type SealMethods = Pick<CryptoWorker, 'beginSeal' | 'resumeSeal' | 'nextPart' | 'finishSeal' | 'cancelSeal'>
type OnHashed = (doneBytes: number, totalBytes: number) => void

interface Seal {
  readonly input: SealInput
  readonly draft: SealDraft
  readonly sealer: Sealer
  readonly chunkHashes: Uint8Array[]
  nextIndex: number
  /** Sealed while the page still sends the one before it. */
  ahead: Promise<PartOfDeck> | null
}

export function createSealing(
  platform: Platform, owner: Owner,
): { methods: SealMethods, forget: () => void } {
  const seals = new Map<string, Seal>()
  function sealOf(sealId: string): Seal {
    const seal = seals.get(sealId)
    assert(seal !== undefined, 'a seal is begun before its parts are asked for')
    return seal
  }
  async function begin(
    input: SealInput, archive: ByteSource, draft: SealDraft,
  ): Promise<{ sealId: string, sealer: Sealer }> {
    const sealer = await start(platform, archive, draft)
    const sealId = crypto.randomUUID()
    seals.set(sealId, { input, draft, sealer, chunkHashes: [], nextIndex: 0, ahead: null })
    return { sealId, sealer }
  }
  function end(sealId: string): void {
    const seal = seals.get(sealId)
    if (seal !== undefined) {
      wipe(seal.draft.fileKey)
      seal.sealer.end()
    }
    seals.delete(sealId)
  }
  return {
    methods: {
      async beginSeal(input, onHashed) {
        const archive = await archiveOf(input)
        const draft = await makeDraft(platform, archive, onHashed)
        const { sealId, sealer } = await begin(input, archive, draft)
        return describeBegun(owner, input, { sealId, sealer, draft })
      },
      async resumeSeal(input, onHashed) {
        const archive = await archiveOf(input)
        const draft = openDraft(owner, input)
        const isSame = equalBytes(await hash(platform, archive, onHashed), draft.plaintextSha256)
        if (!isSame) {
          wipe(draft.fileKey)
          return null
        }
        const { sealId, sealer } = await begin(input, archive, draft)
        const begun = describeBegun(owner, input, { sealId, sealer, draft })
        return { ...begun, beginUpload: {
          ...begun.beginUpload, ownerHeader: input.ownerHeader, draftSealed: input.draftSealed,
        } }
      },
      nextPart: async (sealId) => nextPart(platform, sealOf(sealId)),
      async finishSeal(sealId) {
        const finished = finish(owner, sealOf(sealId))
        end(sealId)
        return finished
      },
      async cancelSeal(sealId) {
        end(sealId)
      },
    },
    forget() {
      for (const sealId of [...seals.keys()]) end(sealId)
    },
  }
}

// ---- What is sealed ----

async function archiveOf(input: SealInput): Promise<ByteSource> {
  const thumbnails = await Promise.all(input.thumbnails.map(async ({ width, height, image }) =>
    ({ width, height, bytes: new Uint8Array(await image.arrayBuffer()) })))
  const archive: ArchiveInput = {
    title: input.title,
    fileName: input.fileName,
    mediaType: input.mediaType,
    file: sourceOf(input.file),
    pages: input.pageSizes.map(
      ({ widthPt, heightPt }) => ({ width: Math.round(widthPt), height: Math.round(heightPt) }),
    ),
    ...thumbnailTypeOf(input),
    thumbnails,
    ...(input.lockedPageCount === undefined ? {} : { lockedPageCount: input.lockedPageCount }),
    ...(input.prefetch === undefined ? {} : { prefetch: input.prefetch }),
  }
  return buildArchive(archive)
}

function thumbnailTypeOf(input: SealInput): Pick<ArchiveInput, 'thumbnailType'> {
  const type = THUMBNAIL_TYPES.find((known) => known === input.thumbnails[0]?.image.type)
  return type === undefined ? {} : { thumbnailType: type }
}

/** A file on the disk, read where it lies: only the stretch asked for is in memory. */
function sourceOf(file: Blob): ByteSource {
  return {
    size: file.size,
    read: (offset, length) => readSlice(file.slice(offset, offset + length)),
  }
}

/**
 * Browsers refuse to read on in a file that was changed, moved or unplugged since it was chosen.
 * @throws ProtocolError `source-changed`.
 */
async function readSlice(slice: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await slice.arrayBuffer())
  } catch (error) {
    const isGone = error instanceof Error && ['NotReadableError', 'NotFoundError'].includes(error.name)
    throw isGone ? new ProtocolError('source-changed', error.message) : error
  }
}

function hash(platform: Platform, archive: ByteSource, onHashed: OnHashed): Promise<Uint8Array> {
  return hashPlaintext(archive, platform.hash, (doneBytes) => onHashed(doneBytes, archive.size))
}

async function makeDraft(
  platform: Platform, archive: ByteSource, onHashed: OnHashed,
): Promise<SealDraft> {
  const plaintextSha256 = await hash(platform, archive, onHashed)
  return { fileKey: makeFileKey(), nonce: makePayloadNonce(), plaintextSha256 }
}

async function start(platform: Platform, archive: ByteSource, draft: SealDraft): Promise<Sealer> {
  const makeCipher = await platform.findCipher(payloadLengthOf(archive.size))
  return startSeal({
    plaintext: archive, fileKey: draft.fileKey, nonce: draft.nonce, hash: platform.hash,
    ...(makeCipher === undefined ? {} : { makeCipher }),
  })
}

// ---- The draft ----

function draftPlace(input: SealInput): PrivatePlace {
  return { purpose: 'upload-draft', id: [input.vaultId, input.documentId, input.part, input.version].join('/') }
}

/** @throws ProtocolError `bad-key-commitment` if the draft is not of this owner and upload. */
function openDraft(
  owner: Owner, input: SealInput & { draftSealed: string, nonce: string },
): SealDraft {
  const opened = openPrivate(owner.root(), draftPlace(input), decodeBase64Url(input.draftSealed))
  if (opened === null) throw new ProtocolError('bad-key-commitment', 'draft of another upload')
  const draft = decodeDraft(opened)
  wipe(opened)
  if (encodeBase64Url(draft.nonce) !== input.nonce) throw new ProtocolError('bad-key-commitment', 'another nonce')
  return draft
}

function describeBegun(
  owner: Owner, input: SealInput, begun: { sealId: string, sealer: Sealer, draft: SealDraft },
): SealBegun {
  const { documentId, part, gate, version } = input
  const { sealId, sealer, draft } = begun
  return {
    sealId,
    partCount: sealer.partCount,
    beginUpload: {
      documentId, part, gate, version,
      nameSealed: sealLabel(owner, input.title, `document-name:${documentId}`),
      payloadLength: sealer.payloadLength,
      nonce: encodeBase64Url(draft.nonce),
      ownerHeader: encodeBase64Url(wrapFileKey(draft.fileKey, owner.keys().identity.recipient)),
      draftSealed: encodeBase64Url(
        sealPrivate(owner.root(), draftPlace(input), encodeDraft(draft)),
      ),
    },
  }
}

// ---- Parts and the record ----

async function nextPart(platform: Platform, seal: Seal): Promise<SealedPart | null> {
  if (seal.nextIndex === seal.sealer.partCount) return null
  // Taken before the first wait: whoever asks meanwhile gets the part after this one.
  const sealing = seal.ahead ?? seal.sealer.sealPart(seal.nextIndex)
  seal.nextIndex++
  const hasMore = seal.nextIndex < seal.sealer.partCount
  seal.ahead = hasMore ? seal.sealer.sealPart(seal.nextIndex) : null
  seal.ahead?.catch(() => undefined) // Whoever asks for the part gets the error.
  const part = await sealing
  seal.chunkHashes[part.index] = part.chunkHashes
  return {
    index: part.index, bytes: part.bytes, sha256: encodeBase64Url(await platform.hash(part.bytes)),
  }
}

function finish(owner: Owner, seal: Seal): SealFinished {
  const { input, draft, sealer } = seal
  const sealedCount = Object.keys(seal.chunkHashes).length
  assert(sealedCount === sealer.partCount, 'a seal is finished after its last part')
  const hashList = concatBytes(...seal.chunkHashes)
  const { payloadLength } = sealer
  const { signing } = owner.keys()
  const signed = signRecord({
    vaultId: input.vaultId,
    documentId: input.documentId,
    part: PARTS[input.part],
    gate: input.gate,
    version: input.version,
    previousSha256: input.previousRecord === null
      ? null
      : sha256(decodeBase64Url(input.previousRecord)),
    payloadLength,
    nonce: draft.nonce,
    ...promisesOf({ fileKey: draft.fileKey, nonce: draft.nonce, payloadLength, hashList }),
    signingKey: signing.publicKey,
  }, signing.secretKey)
  return {
    hashList, record: encodeBase64Url(signed.bytes),
    recordSignature: encodeBase64Url(signed.signature),
  }
}
