/**
 * The plaintext of a sealed version: a ustar archive laid out for reading by range (SPEC.md § 3.8).
 * Must not hold the file: it is read from where it lies, piece by piece.
 *
 *   0        tar header, manifest.json (64,512 bytes), tar header of the file
 *   65,536   the file, on a chunk's edge: a viewer's 64 KiB is one chunk
 *   …        thumbnails/0001.webp, …   each with its header
 *   …        .pad up to the Padmé size, two empty blocks
 *
 * [Note: Padmé] A size is rounded up so that only its leading bits show: at most 12 % more bytes, and
 * of a deck's length hardly more is told than its order of magnitude (source: Nikitin et al., PURBs).
 */
import { encodeUtf8 } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { CHUNK_SIZE_BYTES, MAX_FILE_SIZE_BYTES } from '../limits.js'
import { MANIFEST_SIZE_BYTES, decodeManifest, encodeManifest } from './manifest.js'
import type { FileRange, Manifest, PageSize, ThumbnailType } from './manifest.js'
import { TAR_BLOCK_SIZE_BYTES, formatTarHeader, paddedSize, parseTarHeader } from './tar.js'

/** Bytes that lie somewhere else: a Blob, a file, an archive made of others. */
export interface ByteSource {
  readonly size: number
  /** Fills `target` with the bytes from `offset` on; the caller asks for nothing beyond `size`. */
  read(offset: number, target: Uint8Array<ArrayBuffer>): Promise<void>
}

/** Bytes in memory. */
export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, target) {
      assert(offset + target.length <= bytes.length, 'a read stays inside its source')
      target.set(bytes.subarray(offset, offset + target.length))
    },
  }
}

/** A stretch of a source in memory of its own. */
export async function readBytes(
  source: ByteSource, { offset, length }: FileRange,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  await source.read(offset, bytes)
  return bytes
}

export interface Thumbnail {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

export interface ArchiveInput {
  readonly title: string
  readonly fileName: string
  readonly mediaType: string
  readonly file: ByteSource
  readonly lockedPageCount?: number
  readonly pages?: readonly PageSize[]
  readonly prefetch?: readonly FileRange[]
  readonly thumbnailType?: ThumbnailType
  readonly thumbnails?: readonly Thumbnail[]
}

/** Where the file starts in every archive. */
export const FILE_OFFSET_BYTES = CHUNK_SIZE_BYTES
const MANIFEST_NAME = 'manifest.json'
const PAD_NAME = '.pad'
const END_SIZE_BYTES = 2 * TAR_BLOCK_SIZE_BYTES
const MAX_MEMBER_NAME_SIZE_BYTES = 100
const EXTENSIONS: Readonly<Record<ThumbnailType, string>> = {
  'image/webp': 'webp', 'image/png': 'png', 'image/jpeg': 'jpg',
}

/**
 * The archive of one file, as bytes that can be read in any order; the same input, the same bytes.
 *
 * @throws ProtocolError `malformed-manifest` if the manifest's values are out of range or do not fit.
 */
export function buildArchive(input: ArchiveInput): ByteSource {
  assert(input.file.size <= MAX_FILE_SIZE_BYTES, 'a file over the limit is refused before this')
  const manifest = describe(input)
  const layout = layOut(manifest)
  const segments: Segment[] = [
    bytesAt(0, formatTarHeader({ name: MANIFEST_NAME, size: MANIFEST_SIZE_BYTES })),
    bytesAt(TAR_BLOCK_SIZE_BYTES, encodeManifest(manifest)),
    bytesAt(FILE_OFFSET_BYTES - TAR_BLOCK_SIZE_BYTES, fileHeaderOf(manifest)),
    { offset: FILE_OFFSET_BYTES, source: input.file },
    ...layout.thumbnails.flatMap(({ offset, name }, index) => {
      const bytes = input.thumbnails?.[index]?.bytes ?? new Uint8Array(0)
      const header = formatTarHeader({ name, size: bytes.length })
      return [bytesAt(offset - TAR_BLOCK_SIZE_BYTES, header), bytesAt(offset, bytes)]
    }),
    bytesAt(layout.pad.offset - TAR_BLOCK_SIZE_BYTES,
      formatTarHeader({ name: PAD_NAME, size: layout.pad.size })),
  ]
  return { size: layout.size, read: (offset, target) => readSegments(segments, offset, target) }
}

function describe(input: ArchiveInput): Manifest {
  const thumbnails = input.thumbnails ?? []
  return {
    title: input.title,
    fileName: input.fileName,
    mediaType: input.mediaType,
    fileSize: input.file.size,
    lockedPageCount: input.lockedPageCount ?? 0,
    pages: input.pages ?? [],
    prefetch: input.prefetch ?? [],
    thumbnailType: thumbnails.length === 0 ? null : input.thumbnailType ?? 'image/webp',
    thumbnails: thumbnails.map(({ width, height, bytes }) =>
      ({ width, height, sizeBytes: bytes.length })),
  }
}

// ---- layout ----

export interface PlacedMember {
  readonly name: string
  /** Where its content starts; its header stands before that. */
  readonly offset: number
  readonly size: number
}

export interface ArchiveLayout {
  /** In page order, where their bytes lie. */
  readonly thumbnails: readonly PlacedMember[]
  readonly pad: { readonly offset: number, readonly size: number }
  /** Of the whole archive. */
  readonly size: number
}

/** Where everything lies; it follows from the manifest alone. */
export function layOut(manifest: Manifest): ArchiveLayout {
  let end = FILE_OFFSET_BYTES + paddedSize(manifest.fileSize)
  const thumbnails = manifest.thumbnails.map(({ sizeBytes }, index) => {
    const offset = end + TAR_BLOCK_SIZE_BYTES
    end = offset + paddedSize(sizeBytes)
    return { name: thumbnailName(manifest.thumbnailType, index), offset, size: sizeBytes }
  })
  const padOffset = end + TAR_BLOCK_SIZE_BYTES
  const size = padmeSize(padOffset + END_SIZE_BYTES)
  return { thumbnails, pad: { offset: padOffset, size: size - padOffset - END_SIZE_BYTES }, size }
}

function thumbnailName(type: ThumbnailType | null, index: number): string {
  return `thumbnails/${String(index + 1).padStart(4, '0')}.${EXTENSIONS[type ?? 'image/webp']}`
}

/**
 * [Note: Padmé]. From 64 KiB on the answer is a multiple of 2 KiB, so of tar's blocks too.
 *
 * @param size - at least one chunk, as every archive is.
 */
export function padmeSize(size: number): number {
  const exponent = Math.floor(Math.log2(size))
  const keptBitCount = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** (exponent - keptBitCount)
  return Math.ceil(size / step) * step
}

/**
 * The file's name in the archive: the founder's own, made safe to unpack anywhere.
 * Long names are cut before their extension; names of other members are kept apart.
 */
export function memberNameOf(fileName: string): string {
  const safe = fileName.replace(/[/\\:*?"<>|]/g, '_').replace(/^\.+/, '_')
  const isTaken = safe === MANIFEST_NAME || safe === 'thumbnails'
  const name = isTaken ? `deck-${safe}` : safe
  const extension = /\.[0-9A-Za-z]{1,10}$/.exec(name)?.[0] ?? ''
  let stem = name.slice(0, name.length - extension.length)
  while (encodeUtf8(stem + extension).length > MAX_MEMBER_NAME_SIZE_BYTES) {
    stem = [...stem].slice(0, -1).join('')
  }
  return stem + extension
}

function fileHeaderOf(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return formatTarHeader({ name: memberNameOf(manifest.fileName), size: manifest.fileSize })
}

// ---- reading ----

/**
 * The manifest from the archive's first chunk.
 *
 * @param firstChunk - the first 65,536 bytes, authentic.
 * @param archiveSize - what the record promises; the manifest's layout must come to the same.
 * @throws ProtocolError `malformed-manifest`.
 */
export function readManifest(firstChunk: Uint8Array, archiveSize: number): Manifest {
  if (firstChunk.length !== CHUNK_SIZE_BYTES) throw new ProtocolError('malformed-manifest', 'too short')
  const member = parseTarHeader(firstChunk.subarray(0, TAR_BLOCK_SIZE_BYTES))
  if (member.name !== MANIFEST_NAME || member.size !== MANIFEST_SIZE_BYTES) {
    throw new ProtocolError('malformed-manifest', 'not the first member')
  }
  const fileHeaderOffset = FILE_OFFSET_BYTES - TAR_BLOCK_SIZE_BYTES
  const manifest = decodeManifest(firstChunk.subarray(TAR_BLOCK_SIZE_BYTES, fileHeaderOffset))
  const file = parseTarHeader(firstChunk.subarray(fileHeaderOffset))
  if (file.name !== memberNameOf(manifest.fileName) || file.size !== manifest.fileSize) {
    throw new ProtocolError('malformed-manifest', 'another file than it names')
  }
  if (layOut(manifest).size !== archiveSize) {
    throw new ProtocolError('malformed-manifest', 'another size than it adds up to')
  }
  return manifest
}

/** A stretch of the archive that is not zeros; they stand in the archive's order. */
interface Segment {
  readonly offset: number
  readonly source: ByteSource
}

function bytesAt(offset: number, bytes: Uint8Array): Segment {
  return { offset, source: sourceOfBytes(bytes) }
}

async function readSegments(
  segments: readonly Segment[], offset: number, target: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const end = offset + target.length
  let filled = offset
  for (const { offset: segmentStart, source } of segments) {
    const start = Math.max(offset, segmentStart)
    const stop = Math.min(end, segmentStart + source.size)
    if (stop <= start) continue
    target.fill(0, filled - offset, start - offset)
    await source.read(start - segmentStart, target.subarray(start - offset, stop - offset))
    filled = stop
  }
  target.fill(0, filled - offset)
}
