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

/** A file on the disk, read where it lies: only the stretch asked for is in memory. */
function sourceOf(file: Blob): ByteSource {
  return {
    size: file.size,
    read: (offset, target) => readInto(file.slice(offset, offset + target.length), target),
  }
}

/**
 * As a stream, which costs half of what `arrayBuffer` does: no buffer of its own to fill.
 *
 * @throws ProtocolError `source-changed`.
 */
async function readInto(slice: Blob, target: Uint8Array): Promise<void> {
  let size = 0
  try {
    for await (const piece of piecesOf(slice.stream())) {
      target.set(piece, size)
      size += piece.length
    }
  } catch (error) {
    await requireReadable(slice)
    throw error
  }
  assert(size === target.length, 'a file gives the bytes that it has')
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

/** Not every browser's streams can be iterated over. */
async function * piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
