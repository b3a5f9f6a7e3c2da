/**
 * The plaintext of a version from what the page chose: an archive of the file where it lies, and its
 * thumbnails (SPEC.md § 3.8). The same input gives the same bytes in every worker that is handed it;
 * must not hold the file.
 */
import { buildArchive, type ArchiveInput, type ByteSource } from '../../protocol/deck/archive.js'
import { THUMBNAIL_TYPES } from '../../protocol/deck/manifest.js'
import { ProtocolError, assert } from '../../protocol/errors.js'
import type { SealInput } from '../crypto.js'

/** @throws ProtocolError `malformed-manifest`. */
export async function archiveOf(input: SealInput): Promise<ByteSource> {
  const thumbnails = await Promise.all(input.thumbnails.map(async ({ width, height, image }) =>
    ({ width, height, bytes: new Uint8Array(await image.arrayBuffer()) })))
  return buildArchive({
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
  })
}

function thumbnailTypeOf(input: SealInput): Pick<ArchiveInput, 'thumbnailType'> {
  const type = THUMBNAIL_TYPES.find((known) => known === input.thumbnails[0]?.image.type)
  return type === undefined ? {} : { thumbnailType: type }
}

/** As much as a browser gives at a time, at most. */
const PIECE_SIZE_BYTES = 1024 * 1024

/** A file on the disk, read where it lies: only the stretch asked for is in memory. */
function sourceOf(file: Blob): ByteSource {
  // One buffer goes to and fro: what a browser would make anew for each piece waits long to be collected.
  let spare: ArrayBuffer | null = null
  return {
    size: file.size,
    async read(offset, target) {
      const buffer = spare ?? new ArrayBuffer(PIECE_SIZE_BYTES)
      spare = null
      spare = await readInto(file.slice(offset, offset + target.length), target, buffer)
    },
  }
}

/** @returns the buffer, to be used again. @throws ProtocolError `source-changed`. */
async function readInto(
  slice: Blob, target: Uint8Array, buffer: ArrayBuffer,
): Promise<ArrayBuffer> {
  const read = readerOf(slice.stream())
  let size = 0
  let lent = buffer
  try {
    for (;;) {
      const piece = await read(lent)
      if (piece === null) break
      target.set(piece, size)
      size += piece.length
      lent = piece.buffer
    }
  } catch (error) {
    await requireReadable(slice)
    throw error
  }
  assert(size === target.length, 'a file gives the bytes that it has')
  return lent.byteLength === PIECE_SIZE_BYTES ? lent : new ArrayBuffer(PIECE_SIZE_BYTES)
}

type Piece = Uint8Array<ArrayBuffer>

/** Into the buffer that is lent, where the browser's streams can do that; `null` at the end. */
function readerOf(stream: ReadableStream<Piece>): (lent: ArrayBuffer) => Promise<Piece | null> {
  const lending = lendingReaderOf(stream)
  if (lending !== null) {
    return async (lent) => {
      const { done, value } = await lending.read(new Uint8Array(lent))
      return done ? null : value
    }
  }
  const reader = stream.getReader()
  return async () => (await reader.read()).value ?? null
}

function lendingReaderOf(stream: ReadableStream<Piece>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: 'byob' })
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/**
 * Browsers refuse to read on in a file that was changed, moved or unplugged since it was chosen. A
 * stream does not say why it broke off; a buffer does.
 */
async function requireReadable(slice: Blob): Promise<void> {
  try {
    await slice.slice(0, 1).arrayBuffer()
  } catch (error) {
    const isGone = error instanceof Error && ['NotReadableError', 'NotFoundError'].includes(error.name)
    throw isGone ? new ProtocolError('source-changed', error.message) : error
  }
}
