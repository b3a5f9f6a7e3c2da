// Runs in the browser: the test kit, the platform's cipher beside libsodium's, and a version sealed and
// opened with each.
import * as kit from 'cctv-age'
import { concatBytes, encodeHex, equalBytes } from '../../../../protocol/bytes.js'
import { buildArchive, sourceOfBytes } from '../../../../protocol/deck/archive.js'
import { findPlatformCipher, makeSodiumCipher } from '../../../../protocol/deck/cipher.js'
import type { MakeChunkCipher } from '../../../../protocol/deck/cipher.js'
import { openDeck, sealDeck } from '../../../../protocol/deck/deck.js'
import type { VersionRecord } from '../../../../protocol/deck/record.js'
import { promisesOf } from '../../../../protocol/deck/upload.js'
import { ready } from '../../../../protocol/sodium.js'
import { MANNERS, findFault, parseVector, readVector } from '../kit.js'

async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(packed)]).stream()
    .pipeThrough(new DecompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

async function hash(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
}

async function runKit(): Promise<{ count: number, faults: string[] }> {
  const faults: string[] = []
  let count = 0
  for (const [name, bytes] of Object.entries<unknown>(kit)) {
    if (!(bytes instanceof Uint8Array)) continue
    const vector = await parseVector(bytes, inflate)
    count++
    for (const [manner, sizes] of Object.entries(MANNERS)) {
      const fault = findFault(vector, readVector(vector, sizes))
      if (fault !== null) faults.push(`${name}, ${manner}: ${fault}`)
    }
  }
  return { count, faults }
}

/** Seals and opens one version; answers the hash of its payload. */
async function sealAndOpen(makeCipher: MakeChunkCipher): Promise<string> {
  const fileKey = new Uint8Array(16).fill(1)
  const nonce = new Uint8Array(16).fill(2)
  const bytes = new Uint8Array(5_000_000).map((_, index) => index % 251)
  const plaintext = buildArchive({
    title: 'In a browser',
    fileName: 'deck.bin',
    mediaType: 'application/octet-stream',
    file: sourceOfBytes(bytes),
  })
  const parts = []
  const sealing = sealDeck({ plaintext, fileKey, nonce, hash, makeCipher })
  for await (const part of sealing) parts.push(part)
  const payload = concatBytes(...parts.map((part) => part.bytes))
  const hashList = concatBytes(...parts.map((part) => part.chunkHashes))
  const record: VersionRecord = {
    vaultId: 'v', documentId: 'd', part: 0, gate: 'nda', version: 1, previousSha256: null,
    payloadLength: payload.length, nonce, signingKey: new Uint8Array(32),
    ...promisesOf({ fileKey, nonce, payloadLength: payload.length, hashList }),
  }
  const source = {
    readHashList: async () => hashList,
    readPayload: async (start: number, end: number) => payload.slice(start, end),
  }
  const reader = await openDeck({ record, fileKey, source, hash, makeCipher })
  const opened = await reader.readFile(0, bytes.length)
  if (!equalBytes(opened, bytes)) throw new Error('other bytes came back')
  return encodeHex(await hash(payload))
}

async function runCiphers(): Promise<{ sodium: string, platform: string | null }> {
  const makePlatformCipher = await findPlatformCipher(crypto.subtle)
  return {
    sodium: await sealAndOpen(makeSodiumCipher),
    platform: makePlatformCipher === null ? null : await sealAndOpen(makePlatformCipher),
  }
}

await ready()
Object.assign(globalThis, { runKit, runCiphers })
