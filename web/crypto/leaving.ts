/**
 * The way out of a browser: the owner's versions as plain age files, and her age identity to open them
 * with (protocol/deck/way-out.ts). The one place where a secret of hers leaves the worker, because she
 * asked for it; must not give out a file that was not opened on the way.
 */
import { decodeBase64Url } from '../../protocol/bytes.js'
import { openDeck, type PayloadSource, type VersionReader } from '../../protocol/deck/deck.js'
import { formatKeyFile } from '../../protocol/deck/way-out.js'
import { wipe } from '../../protocol/sodium.js'
import type { CiphertextSource, CryptoWorker } from '../crypto.js'
import { openingTools, openOwn, type ToOpen } from './opening.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'

type LeaveMethods = Pick<CryptoWorker, 'exportVersion' | 'exportKeyFile'>

export function createLeaving(platform: Platform, owner: Owner): LeaveMethods {
  return {
    async exportVersion(input, source, onBytes) {
      const version = openOwn(owner, input)
      const header = decodeBase64Url(input.version.ownerHeader)
      const pieces = new Map([[0, new Blob([header, version.record.nonce.slice()])]])
      const reader = await openKept(platform, version, keeping(source, pieces))
      try {
        await readThrough(reader, onBytes)
      } finally {
        reader.close()
      }
      return new Blob(inOrder(pieces), { type: 'application/octet-stream' })
    },
    exportKeyFile: async () => formatKeyFile(owner.keys().identity),
  }
}

/** Its file key is gone after this, whether it opened or not. */
async function openKept(
  platform: Platform, version: ToOpen, source: PayloadSource,
): Promise<VersionReader> {
  try {
    const tools = await openingTools(platform, version.record.payloadLength)
    return await openDeck({ ...version, ...tools, source })
  } finally {
    wipe(version.fileKey)
  }
}

async function readThrough(
  reader: VersionReader, onBytes: (doneBytes: number, totalBytes: number) => void,
): Promise<void> {
  let doneBytes = 0
  for await (const stretch of reader.stretches()) {
    doneBytes += stretch.length
    onBytes(doneBytes, reader.size)
    wipe(stretch)
  }
}

/**
 * What is fetched to be opened is what is kept, by where it starts. Blobs may be put on the disk by the
 * browser, so that the heap holds a few ranges.
 */
function keeping(source: CiphertextSource, pieces: Map<number, Blob>): PayloadSource {
  return {
    readHashList: () => source.readHashList(),
    async readPayload(start, end) {
      const bytes = await source.readPayload(start, end)
      pieces.set(start, new Blob([bytes]))
      return bytes
    },
  }
}

function inOrder(pieces: ReadonlyMap<number, Blob>): Blob[] {
  return [...pieces].sort(([one], [other]) => one - other).map(([, piece]) => piece)
}
