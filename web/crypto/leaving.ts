/**
 * The way out of a browser: the owner's versions as plain age files, and her age identity to open them
 * with (protocol/deck/way-out.ts). The one place where a secret of hers leaves the worker, because she
 * asked for it; must not give out a file that was not opened on the way.
 */
import { decodeBase64Url } from '../../protocol/bytes.js'
import { openDeck, type PayloadSource } from '../../protocol/deck/deck.js'
import { formatKeyFile } from '../../protocol/deck/way-out.js'
import { CHUNK_SIZE_BYTES, PART_SIZE_BYTES, SEALED_CHUNK_SIZE_BYTES } from '../../protocol/limits.js'
import { wipe } from '../../protocol/sodium.js'
import type { CiphertextSource, CryptoWorker } from '../crypto.js'
import { openOwn } from './opening.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'

type LeaveMethods = Pick<CryptoWorker, 'exportVersion' | 'exportKeyFile'>

/** As many whole chunks as one range may hold. */
const STRETCH_SIZE_BYTES = Math.floor(PART_SIZE_BYTES / SEALED_CHUNK_SIZE_BYTES) * CHUNK_SIZE_BYTES

export function createLeaving(platform: Platform, owner: Owner): LeaveMethods {
  return {
    async exportVersion(input, source, onBytes) {
      const version = openOwn(owner, input)
      const header = decodeBase64Url(input.version.ownerHeader)
      const pieces = [new Blob([header, version.record.nonce.slice()])]
      const makeCipher = await platform.findCipher(version.record.payloadLength)
      const reader = await openDeck({
        ...version, source: keeping(source, pieces), hash: platform.hash,
        ...(makeCipher === undefined ? {} : { makeCipher }),
      })
      wipe(version.fileKey)
      for (let offset = 0; offset < reader.size; offset += STRETCH_SIZE_BYTES) {
        const length = Math.min(STRETCH_SIZE_BYTES, reader.size - offset)
        wipe(await reader.read(offset, length))
        onBytes(offset + length, reader.size)
      }
      reader.close()
      return new Blob(pieces, { type: 'application/octet-stream' })
    },
    exportKeyFile: async () => formatKeyFile(owner.keys().identity),
  }
}

/**
 * What is fetched to be opened is what is kept, in order: a reader that reads on fetches on. Blobs may
 * be put on the disk by the browser, so that the heap holds one range.
 */
function keeping(source: CiphertextSource, pieces: Blob[]): PayloadSource {
  return {
    readHashList: () => source.readHashList(),
    async readPayload(start, end) {
      const bytes = await source.readPayload(start, end)
      pieces.push(new Blob([bytes]))
      return bytes
    },
  }
}
