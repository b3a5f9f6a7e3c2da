/** One of the workers that share a version's parts, in the browser that is measured. */
import { findPlatformCipher, makeSodiumCipher } from '../../../protocol/deck/cipher.ts'
import { openDeck, startSeal } from '../../../protocol/deck/deck.ts'
import { ready } from '../../../protocol/sodium.ts'

/** 63 chunks: what one fetch brings. */
const STRETCH_SIZE_BYTES = 63 * 65536

async function hash(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

async function readBlob(blob, offset, length) {
  return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
}

async function cipherOf({ cipher }) {
  if (cipher === 'sodium') return makeSodiumCipher
  const found = await findPlatformCipher(crypto.subtle)
  if (found === null) throw new Error('this browser has no ChaCha20-Poly1305')
  return found
}

/** Every `stride`-th part from `first` on. */
async function seal(share) {
  const { size } = share.plaintext
  const read = (offset, length) => readBlob(share.plaintext, offset, length)
  const sealer = await startSeal({
    plaintext: { size, read }, fileKey: share.fileKey, nonce: share.record.nonce, hash,
    makeCipher: await cipherOf(share),
  })
  for (let index = share.first; index < sealer.partCount; index += share.stride) {
    const { bytes, chunkHashes } = await sealer.sealPart(index)
    globalThis.postMessage({ index, bytes, chunkHashes }, { transfer: [bytes.buffer] })
  }
}

/** Every `stride`-th stretch from `first` on. */
async function open(share) {
  const source = {
    readHashList: async () => share.hashList,
    readPayload: (start, end) => readBlob(share.payload, start, end - start),
  }
  const { record, fileKey } = share
  const makeCipher = await cipherOf(share)
  const reader = await openDeck({ record, fileKey, hash, source, makeCipher })
  for (let index = share.first; index * STRETCH_SIZE_BYTES < reader.size; index += share.stride) {
    const offset = index * STRETCH_SIZE_BYTES
    await reader.read(offset, Math.min(STRETCH_SIZE_BYTES, reader.size - offset))
  }
}

await ready()
globalThis.addEventListener('message', async ({ data }) => {
  try {
    await (data.action === 'seal' ? seal(data) : open(data))
    globalThis.postMessage('done')
  } catch (error) {
    globalThis.postMessage({ error: String(error) })
  }
})
globalThis.postMessage('ready')
