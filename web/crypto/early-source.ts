/**
 * Ciphertext fetched before it is asked for: the first chunk together with the hash list, and what
 * the manifest says the first page needs. Saves round trips, nothing else; must not check or open.
 */
import { FILE_OFFSET_BYTES } from '../../protocol/deck/archive.js'
import type { PayloadSource } from '../../protocol/deck/deck.js'
import type { FileRange } from '../../protocol/deck/manifest.js'
import {
  CHUNK_SIZE_BYTES, PART_SIZE_BYTES, PAYLOAD_NONCE_SIZE_BYTES, SEALED_CHUNK_SIZE_BYTES,
} from '../../protocol/limits.js'
import type { CiphertextSource } from '../crypto.js'

interface Fetched {
  readonly start: number, readonly end: number, readonly bytes: Promise<Uint8Array>,
}

/** What is fetched early and not yet asked for; a viewer that never asks costs no more than this. */
const MAX_FETCHED_COUNT = 16

export function earlySource(source: CiphertextSource, payloadLength: number): {
  readonly source: PayloadSource
  readonly fetchFile: (range: FileRange) => void
} {
  const fetched: Fetched[] = []

  function fetchEarly(start: number, end: number): void {
    if (fetched.length === MAX_FETCHED_COUNT) fetched.shift()
    const bytes = source.readPayload(start, end)
    bytes.catch(() => undefined) // Whoever asks for these bytes gets the error, or asks again.
    fetched.push({ start, end, bytes })
  }
  fetchEarly(PAYLOAD_NONCE_SIZE_BYTES, Math.min(chunkStart(1), payloadLength))

  return {
    source: {
      readHashList: () => source.readHashList(),
      async readPayload(start, end) {
        const early = fetched.find((one) => one.start <= start && end <= one.end)
        if (early === undefined) return source.readPayload(start, end)
        const bytes = await early.bytes.catch(() => null)
        return bytes === null
          ? source.readPayload(start, end)
          : bytes.slice(start - early.start, end - early.start)
      },
    },
    fetchFile({ offset, length }) {
      const first = Math.floor((FILE_OFFSET_BYTES + offset) / CHUNK_SIZE_BYTES)
      const last = Math.floor((FILE_OFFSET_BYTES + offset + length - 1) / CHUNK_SIZE_BYTES)
      const start = chunkStart(first)
      const end = Math.min(chunkStart(last + 1), payloadLength, start + PART_SIZE_BYTES)
      fetchEarly(start, end)
    },
  }
}

function chunkStart(index: number): number {
  return PAYLOAD_NONCE_SIZE_BYTES + index * SEALED_CHUNK_SIZE_BYTES
}
