/**
 * Opening versions and serving their plaintext to the viewer's port, past the page (SPEC.md § 3,
 * "Open"; web/viewer/ports.ts). Must not send a byte that is not authentic, and must not believe what
 * arrives on the port: the viewer draws hostile files.
 */
import { decodeBase64Url } from '../../protocol/bytes.js'
import { openDeck, type VersionReader, type VersionToRead } from '../../protocol/deck/deck.js'
import type { Manifest } from '../../protocol/deck/manifest.js'
import { openOwnVersion } from '../../protocol/deck/own-version.js'
import { ProtocolError } from '../../protocol/errors.js'
import { wipe } from '../../protocol/sodium.js'
import type { CiphertextSource, CryptoWorker, OpenedVersion, OwnVersion } from '../crypto.js'
import { parseSourceRequest } from '../viewer/parse.js'
import {
  MAX_OPEN_READ_COUNT, SOURCE_ERROR_CODES, type SourceDocument, type SourceErrorCode,
  type SourceRequest,
} from '../viewer/ports.js'
import { earlySource } from './early-source.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'
import type { Received, Visiting } from './visiting.js'

type OpenMethods = Pick<CryptoWorker, 'openOwnVersion' | 'openVersion' | 'saveVersion'>
export type ToOpen = Pick<Received, 'record' | 'fileKey'>

export function createOpening(
  platform: Platform, owner: Owner, visiting: Visiting,
): { methods: OpenMethods, forget: () => void } {
  const readers = new Set<VersionReader>()

  async function open(version: ToOpen, source: CiphertextSource): Promise<VersionReader> {
    const reader = await openForReading(platform, version, source)
    readers.add(reader)
    return reader
  }
  function close(reader: VersionReader): void {
    reader.close()
    readers.delete(reader)
  }
  async function show(
    version: ToOpen, source: CiphertextSource, port: MessagePort,
  ): Promise<OpenedVersion> {
    const reader = await open(version, source)
    serve(reader, port, () => close(reader))
    return describe(reader.manifest)
  }
  return {
    methods: {
      async openOwnVersion(input, source, viewerPort) {
        const version = openOwn(owner, input)
        try {
          return await show(version, source, viewerPort)
        } finally {
          wipe(version.fileKey)
        }
      },
      openVersion: async ({ grantId, versionId }, source, viewerPort) =>
        show(visiting.received(grantId, versionId), source, viewerPort),
      async saveVersion({ grantId, versionId }, source, onBytes) {
        const reader = await open(visiting.received(grantId, versionId), source)
        try {
          return await save(reader, onBytes)
        } finally {
          close(reader)
        }
      },
    },
    forget() {
      for (const reader of readers) close(reader)
    },
  }
}

async function openForReading(
  platform: Platform, version: ToOpen, source: CiphertextSource,
): Promise<VersionReader> {
  const early = earlySource(source, version.record.payloadLength)
  const reader = await openDeck({
    ...await openingTools(platform, version.record.payloadLength),
    record: version.record, fileKey: version.fileKey, source: early.source,
  })
  for (const range of reader.manifest.prefetch) early.fetchFile(range)
  return reader
}

/** Below this a second worker costs more than it brings. */
const MIN_SHARED_SIZE_BYTES = 32 * 1024 * 1024

/** What this browser opens a payload of this length with. */
export async function openingTools(
  platform: Platform, payloadLength: number,
): Promise<Pick<VersionToRead, 'hash' | 'makeCipher' | 'share'>> {
  const isShared = payloadLength > MIN_SHARED_SIZE_BYTES
  return {
    hash: platform.hash,
    makeCipher: await platform.findCipher(),
    share: isShared ? platform.pool?.shareOpening() : undefined,
  }
}

/** @throws ProtocolError as `openOwnVersion`. */
export function openOwn(owner: Owner, { vaultId, version, previousRecords }: OwnVersion): ToOpen {
  const previous = previousRecords.map(({ record, signature }) =>
    ({ bytes: decodeBase64Url(record), signature: decodeBase64Url(signature) }))
  return openOwnVersion(owner.secrets(), vaultId, { version, previous })
}

function describe(manifest: Manifest): OpenedVersion {
  return {
    title: manifest.title,
    fileName: manifest.fileName,
    mediaType: manifest.mediaType,
    sizeBytes: manifest.fileSize,
    pageCount: manifest.pages.length === 0 ? null : manifest.pages.length,
  }
}

/** Written out in stretches, so that the browser may keep them off the heap. */
async function save(
  reader: VersionReader, onBytes: (doneBytes: number, totalBytes: number) => void,
) {
  const { fileName, mediaType, fileSize } = reader.manifest
  const stretches: Blob[] = []
  let doneBytes = 0
  for await (const stretch of reader.fileStretches()) {
    stretches.push(new Blob([stretch]))
    doneBytes += stretch.length
    onBytes(doneBytes, fileSize)
    wipe(stretch)
  }
  return { fileName, mediaType, file: new Blob(stretches, { type: mediaType }) }
}

// ---- The viewer's port ----

function serve(reader: VersionReader, port: MessagePort, onClosed: () => void): void {
  let openReadCount = 0
  port.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const request = parseSourceRequest(data)
    if (request === null) return
    if (openReadCount >= MAX_OPEN_READ_COUNT) return port.postMessage({ id: request.id, error: 'busy' })
    openReadCount++
    void answer(reader, port, request).finally(() => { openReadCount-- })
  })
  port.addEventListener('close', onClosed)
  port.postMessage(documentMessage(reader.manifest))
  port.start()
}

function documentMessage(manifest: Manifest): SourceDocument {
  const { thumbnailType } = manifest
  return {
    kind: 'document',
    size: manifest.fileSize,
    title: manifest.title,
    mediaType: manifest.mediaType,
    ...tailOf(manifest),
    ...(manifest.pages.length === 0 ? {} : { pageCount: manifest.pages.length }),
    ...(manifest.lockedPageCount === 0 ? {} : { lockedPageCount: manifest.lockedPageCount }),
    ...(thumbnailType === null ? {} : {
      thumbnails: manifest.thumbnails.map(
        ({ width, height }) => ({ mediaType: thumbnailType, width, height }),
      ),
    }),
  }
}

/** Whoever sealed the file said where its index begins: the last stretch to be fetched ahead. */
function tailOf({ prefetch, fileSize }: Manifest): Pick<SourceDocument, 'tailOffset'> {
  const last = prefetch.at(-1)
  const isTail = last !== undefined && last.offset > 0 && last.offset + last.length === fileSize
  return isTail ? { tailOffset: last.offset } : {}
}

async function answer(
  reader: VersionReader, port: MessagePort, request: SourceRequest,
): Promise<void> {
  try {
    const bytes = await read(reader, request)
    if (bytes === null) port.postMessage({ id: request.id, error: 'out-of-range' })
    else port.postMessage({ id: request.id, bytes }, [bytes.buffer])
  } catch (error) {
    port.postMessage({ id: request.id, error: sourceErrorCode(error) })
  }
}

/** `null` if the request lies outside the document. */
async function read(
  reader: VersionReader, request: SourceRequest,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const { fileSize, thumbnails } = reader.manifest
  if (request.kind === 'thumbnail') {
    return request.index < thumbnails.length ? reader.readThumbnail(request.index) : null
  }
  return request.offset + request.length <= fileSize
    ? reader.readFile(request.offset, request.length)
    : null
}

/** Bytes that were refused are tampering; a source says why it could not fetch; the rest is our fault. */
function sourceErrorCode(error: unknown): SourceErrorCode {
  if (error instanceof ProtocolError) return 'tampered'
  const stated = error instanceof Error ? error.message : ''
  return SOURCE_ERROR_CODES.find((code) => code === stated) ?? 'refused'
}
