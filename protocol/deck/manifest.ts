/**
 * The manifest: what a sealed version says about itself, read before anything else in it
 * (SPEC.md § 3.8). Must not be trusted before the chunk it stands in is authentic.
 *
 * JSON in one spelling, filled up with spaces to a fixed size: the file behind it then starts on a
 * chunk's edge, and the length of a title shows nowhere.
 */
import { decodeUtf8, encodeUtf8 } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import {
  CHUNK_SIZE_BYTES, MAX_FILE_SIZE_BYTES, MAX_PAGE_COUNT, MAX_TITLE_LENGTH,
} from '../limits.js'
import { isPlainLine } from './card.js'
import { TAR_BLOCK_SIZE_BYTES } from './tar.js'

const FORMAT = 'sealdeck-manifest/v1'
/** With its own header before it and the file's after it: exactly the first chunk. */
export const MANIFEST_SIZE_BYTES = CHUNK_SIZE_BYTES - 2 * TAR_BLOCK_SIZE_BYTES
const MAX_FILE_NAME_LENGTH = 255
const MAX_PAGE_SIZE_PT = 20_000
const MAX_THUMBNAIL_SIDE_PX = 4096
const MAX_THUMBNAIL_SIZE_BYTES = 999_999
const MAX_PREFETCH_COUNT = 16

export const THUMBNAIL_TYPES = ['image/webp', 'image/png', 'image/jpeg'] as const
export type ThumbnailType = typeof THUMBNAIL_TYPES[number]

/** In PDF points, rounded to whole ones: enough to lay out a page before it is read. */
export interface PageSize { readonly width: number, readonly height: number }

export interface ThumbnailEntry {
  /** In pixels. */
  readonly width: number
  readonly height: number
  readonly sizeBytes: number
}

/** A stretch of the file. */
export interface FileRange { readonly offset: number, readonly length: number }

export interface Manifest {
  readonly title: string
  /** As the founder named it; how it stands in the archive is `memberNameOf`. */
  readonly fileName: string
  readonly mediaType: string
  readonly fileSize: number
  /** Pages below the lock line that are not in this file; 0 for the whole document. */
  readonly lockedPageCount: number
  /** In page order; empty where there is no viewer for the type. */
  readonly pages: readonly PageSize[]
  /** What a viewer reads for its first page, so that it can be fetched at once; may be empty. */
  readonly prefetch: readonly FileRange[]
  /** All of one type; `null` where there are none. */
  readonly thumbnailType: ThumbnailType | null
  /** In page order. */
  readonly thumbnails: readonly ThumbnailEntry[]
}

/**
 * The manifest in `MANIFEST_SIZE_BYTES` bytes.
 *
 * @throws ProtocolError `malformed-manifest` for values out of range, or too many of them to fit.
 */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const text = formatManifest(manifest)
  const bytes = encodeUtf8(text)
  if (bytes.length > MANIFEST_SIZE_BYTES - 1) throw malformed('does not fit')
  const padded = new Uint8Array(MANIFEST_SIZE_BYTES).fill(0x20)
  padded.set(bytes)
  padded[MANIFEST_SIZE_BYTES - 1] = 0x0a
  assert(formatManifest(decodeManifest(padded)) === text, 'a manifest reads back as it was written')
  return padded
}

/** @throws ProtocolError `malformed-manifest`. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length !== MANIFEST_SIZE_BYTES) throw malformed('of wrong size')
  const text = decodeUtf8(bytes).replace(/ *\n$/, '')
  const manifest = readManifest(parseObject(text))
  // One spelling: unknown and repeated keys, odd numbers and other padding end here.
  if (formatManifest(manifest) !== text) throw malformed('not written canonically')
  return manifest
}

function formatManifest(manifest: Manifest): string {
  const { thumbnails, thumbnailType } = manifest
  return JSON.stringify({
    format: FORMAT,
    title: manifest.title,
    fileName: manifest.fileName,
    mediaType: manifest.mediaType,
    fileOffset: CHUNK_SIZE_BYTES,
    fileSize: manifest.fileSize,
    lockedPageCount: manifest.lockedPageCount,
    pages: toRuns(manifest.pages),
    prefetch: manifest.prefetch.map(({ offset, length }) => [offset, length]),
    thumbnailType,
    thumbnails: thumbnails.map(({ width, height, sizeBytes }) => [width, height, sizeBytes]),
  })
}

/** `[count, width, height]` for each run of pages of one size: decks have one, mostly. */
function toRuns(pages: readonly PageSize[]): number[][] {
  const runs: { count: number, size: PageSize }[] = []
  for (const size of pages) {
    const last = runs.at(-1)
    if (last?.size.width === size.width && last.size.height === size.height) last.count++
    else runs.push({ count: 1, size })
  }
  return runs.map(({ count, size }) => [count, size.width, size.height])
}

function readManifest(value: object): Manifest {
  const fileSize = wholeNumber(Reflect.get(value, 'fileSize'), { min: 0, max: MAX_FILE_SIZE_BYTES })
  const thumbnails = readThumbnails(Reflect.get(value, 'thumbnails'))
  return {
    title: line(Reflect.get(value, 'title'), MAX_TITLE_LENGTH),
    fileName: line(Reflect.get(value, 'fileName'), MAX_FILE_NAME_LENGTH),
    mediaType: readMediaType(Reflect.get(value, 'mediaType')),
    fileSize,
    lockedPageCount: wholeNumber(
      Reflect.get(value, 'lockedPageCount'), { min: 0, max: MAX_PAGE_COUNT }),
    pages: readPages(Reflect.get(value, 'pages')),
    prefetch: readPrefetch(Reflect.get(value, 'prefetch'), fileSize),
    thumbnailType: readThumbnailType(Reflect.get(value, 'thumbnailType'), thumbnails.length),
    thumbnails,
  }
}

function readPages(value: unknown): PageSize[] {
  const side = { min: 1, max: MAX_PAGE_SIZE_PT }
  const pages = list(value, MAX_PAGE_COUNT).flatMap((run) => {
    const [count, width, height] = list(run, 3)
    const size = { width: wholeNumber(width, side), height: wholeNumber(height, side) }
    return new Array<PageSize>(wholeNumber(count, { min: 1, max: MAX_PAGE_COUNT })).fill(size)
  })
  if (pages.length > MAX_PAGE_COUNT) throw malformed('too many pages')
  return pages
}

function readPrefetch(value: unknown, fileSize: number): FileRange[] {
  return list(value, MAX_PREFETCH_COUNT).map((entry) => {
    const [offset, length] = list(entry, 2)
    const start = wholeNumber(offset, { min: 0, max: fileSize })
    return { offset: start, length: wholeNumber(length, { min: 1, max: fileSize - start }) }
  })
}

function readThumbnails(value: unknown): ThumbnailEntry[] {
  const side = { min: 1, max: MAX_THUMBNAIL_SIDE_PX }
  return list(value, MAX_PAGE_COUNT).map((entry) => {
    const [width, height, size] = list(entry, 3)
    return {
      width: wholeNumber(width, side),
      height: wholeNumber(height, side),
      sizeBytes: wholeNumber(size, { min: 1, max: MAX_THUMBNAIL_SIZE_BYTES }),
    }
  })
}

function readThumbnailType(value: unknown, thumbnailCount: number): ThumbnailType | null {
  const type = THUMBNAIL_TYPES.find((candidate) => candidate === value) ?? null
  if ((type === null) !== (thumbnailCount === 0) || type !== value) throw malformed('thumbnail type')
  return type
}

function readMediaType(value: unknown): string {
  const type = line(value, 100)
  if (!/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/.test(type)) {
    throw malformed('media type')
  }
  return type
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw malformed('not a JSON object')
}

function line(value: unknown, maxLength: number): string {
  const isLine = typeof value === 'string' && value.length > 0 && value.length <= maxLength &&
    isPlainLine(value)
  if (!isLine) throw malformed('line missing, too long or with control characters')
  return value
}

function wholeNumber(
  value: unknown, bounds: { readonly min: number, readonly max: number },
): number {
  const isInside = typeof value === 'number' && Number.isInteger(value) &&
    value >= bounds.min && value <= bounds.max
  if (!isInside) throw malformed('number missing or out of range')
  return value
}

function list(value: unknown, maxLength: number): unknown[] {
  if (!Array.isArray(value) || value.length > maxLength) throw malformed('list missing or too long')
  return value
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-manifest', detail)
}
