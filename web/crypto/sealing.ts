/**
 * Sealing one file as one part of a version (SPEC.md § 3.3): twice over the file, once to fingerprint
 * it, once to seal it, in stretches of 4 MiB. Must not hold the file, and must not seal a second
 * plaintext under a key and nonce that were used.
 */
import { concatBytes, decodeBase64Url, encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { startSeal, type Sealer } from '../../protocol/deck/deck.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import type { SealedPart as PartOfDeck } from '../../protocol/deck/parts.js'
import {
  describeUpload, openDraft, signUpload, type SealDraft,
} from '../../protocol/deck/upload.js'
import { ProtocolError, assert } from '../../protocol/errors.js'
import { wipe } from '../../protocol/sodium.js'
import type { CryptoWorker, SealBegun, SealFinished, SealInput, SealedPart } from '../crypto.js'
import type { Owner } from './owner.js'
import { archiveOf } from './plaintext.js'
import type { Platform } from './platform.js'

type SealMethods = Pick<CryptoWorker, 'beginSeal' | 'resumeSeal' | 'nextPart' | 'finishSeal' | 'cancelSeal'>
type OnHashed = (doneBytes: number, totalBytes: number) => void

/** Below this a second worker costs more than it brings. */
const MIN_SHARED_SIZE_BYTES = 32 * 1024 * 1024
/** Parts that are sealed while the page sends others: one for each worker. */
const AHEAD_COUNT = 2

interface Seal {
  readonly input: SealInput
  readonly draft: SealDraft
  readonly sealer: Sealer
  readonly chunkHashes: Uint8Array[]
  /** In order; asked for and not yet taken. */
  readonly ahead: Promise<PartOfDeck>[]
  askedCount: number
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
  function keep(input: SealInput, draft: SealDraft, sealer: Sealer): SealBegun {
    const sealId = crypto.randomUUID()
    seals.set(sealId, { input, draft, sealer, chunkHashes: [], ahead: [], askedCount: 0 })
    const { partCount, payloadLength } = sealer
    const beginUpload = describeUpload(
      owner.secrets(), input, { title: input.title, payloadLength, draft })
    return { sealId, partCount, beginUpload }
  }
  function end(sealId: string): void {
    const seal = seals.get(sealId)
    if (seal !== undefined) endSeal(seal)
    seals.delete(sealId)
  }
  return {
    methods: {
      async beginSeal(input, onHashed) {
        const keys = { fileKey: makeFileKey(), nonce: makePayloadNonce() }
        const { sealer, plaintextSha256 } = await start(platform, { input, keys, onHashed })
        return keep(input, { ...keys, plaintextSha256 }, sealer)
      },
      async resumeSeal(input, onHashed) {
        const draft = openDraft(owner.secrets(), input)
        if (draft === null) throw new ProtocolError('bad-key-commitment', 'draft of another upload')
        const { sealer, plaintextSha256 } = await start(platform, { input, keys: draft, onHashed })
        if (!equalBytes(plaintextSha256, draft.plaintextSha256)) {
          endSeal({ draft, sealer })
          return null
        }
        const begun = keep(input, draft, sealer)
        const { ownerHeader, draftSealed } = input
        return { ...begun, beginUpload: { ...begun.beginUpload, ownerHeader, draftSealed } }
      },
      nextPart: async (sealId) => nextPart(sealOf(sealId)),
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

function endSeal({ draft, sealer }: Pick<Seal, 'draft' | 'sealer'>): void {
  wipe(draft.fileKey)
  sealer.end()
}

type Keys = Pick<SealDraft, 'fileKey' | 'nonce'>

/** Ready to seal, and the plaintext's fingerprint. Keys are wiped if the file cannot be read. */
async function start(
  platform: Platform,
  { input, keys, onHashed }: { input: SealInput, keys: Keys, onHashed: OnHashed },
): Promise<{ sealer: Sealer, plaintextSha256: Uint8Array }> {
  const plaintext = await archiveOf(input)
  const isShared = plaintext.size > MIN_SHARED_SIZE_BYTES
  const sealer = await startSeal({
    plaintext, fileKey: keys.fileKey, nonce: keys.nonce, hash: platform.hash,
    makeCipher: await platform.findCipher(),
    share: isShared ? platform.pool?.shareSealing({ input, nonce: keys.nonce }) : undefined,
  })
  try {
    const onDone = (doneBytes: number) => onHashed(doneBytes, plaintext.size)
    return { sealer, plaintextSha256: await sealer.fingerprint(onDone) }
  } catch (error) {
    wipe(keys.fileKey)
    sealer.end()
    throw error
  }
}

async function nextPart(seal: Seal): Promise<SealedPart | null> {
  const { ahead, sealer } = seal
  // Filled before the first wait: whoever asks meanwhile gets the part after this one.
  while (ahead.length <= AHEAD_COUNT && seal.askedCount < sealer.partCount) {
    const sealing = sealer.sealPart(seal.askedCount++)
    sealing.catch(() => undefined) // Whoever asks for the part gets the error.
    ahead.push(sealing)
  }
  const part = await ahead.shift()
  if (part === undefined) return null
  seal.chunkHashes[part.index] = part.chunkHashes
  return { index: part.index, bytes: part.bytes, sha256: encodeBase64Url(part.sha256) }
}

function finish(owner: Owner, { input, draft, sealer, chunkHashes }: Seal): SealFinished {
  const sealedCount = Object.keys(chunkHashes).length
  assert(sealedCount === sealer.partCount, 'a seal is finished after its last part')
  const hashList = concatBytes(...chunkHashes)
  const previousRecord =
    input.previousRecord === null ? null : decodeBase64Url(input.previousRecord)
  const { payloadLength } = sealer
  return {
    hashList,
    ...signUpload(
      owner.secrets(), input, { payloadLength, draft, hashList, previousRecord }),
  }
}
