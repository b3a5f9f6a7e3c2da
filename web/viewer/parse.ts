/**
 * Reads what arrives on the viewer's ports; `null` means "not such a message". See ports.ts.
 * Pure. Must not trust a field it did not look at: objects are rebuilt, never passed on.
 */
import {
  MAX_READ_SIZE_BYTES, SOURCE_ERROR_CODES, VERDICTS, VIEWER_ERROR_CODES, VIEWER_PROTOCOL_VERSION,
} from './ports.js'
import type {
  DrawnPage, OpenViewer, PageMessage, PageSize, SourceAnswer, SourceDocument, SourceRequest,
  SourceThumbnail, Theme, Locale, ViewerMessage, ViewerSettings, Watermark,
} from './ports.js'

export const MAX_TEXT_LENGTH = 512
export const MAX_URL_LENGTH = 2048
export const MAX_PAGE_COUNT = 2000
const MAX_ELAPSED_MS = 86_400_000
const MAX_DRAWN_SIZE_BYTES = 64 * 1024 * 1024
const PICTURE_TYPES = ['image/webp', 'image/png', 'image/jpeg'] as const
const ASKED = ['fullscreen', 'unlock', 'leave'] as const

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
}

function isText(value: unknown, maxLength = MAX_TEXT_LENGTH): value is string {
  return typeof value === 'string' && value.length <= maxLength
}

function isExtent(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e6
}

function isOneOf<T extends string>(value: unknown, allowed: readonly T[]): value is T {
  return allowed.some((one) => one === value)
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer
}

/** `null` if any element is not understood, or there are more than `maxCount`. */
function parseList<T>(
  value: unknown, maxCount: number, parse: (one: unknown) => T | null,
): T[] | null {
  if (!Array.isArray(value) || value.length > maxCount) return null
  const parsed: T[] = []
  for (const one of value) {
    const item = parse(one)
    if (item === null) return null
    parsed.push(item)
  }
  return parsed
}

function parseIndex(value: unknown): number | null {
  return isCount(value, MAX_PAGE_COUNT - 1) ? value : null
}

const isTheme = (value: unknown): value is Theme => isOneOf(value, ['light', 'dark'])
const isLocale = (value: unknown): value is Locale => isOneOf(value, ['en', 'ru'])

function parseWatermark(value: unknown): Watermark | null {
  if (!isFields(value) || !isText(value.email) || !isCount(value.atMs, 8.64e15)) return null
  return { email: value.email, atMs: value.atMs }
}

/** What the page posts to the frame's window, once. */
export function parseOpenViewer(value: unknown): OpenViewer | null {
  if (!isFields(value) || value.kind !== 'open-viewer') return null
  if (value.version !== VIEWER_PROTOCOL_VERSION) return null
  if (!isOneOf(value.mode, ['read', 'prepare'])) return null
  if (!isTheme(value.theme) || !isLocale(value.locale)) return null
  const watermark = parseWatermark(value.watermark)
  // A watermark that was meant but not understood must not become "none".
  if (watermark === null && value.watermark !== null) return null
  const { mode, theme, locale } = value
  return { kind: 'open-viewer', version: VIEWER_PROTOCOL_VERSION, mode, theme, locale, watermark }
}

function parseSourceThumbnail(value: unknown): SourceThumbnail | null {
  if (!isFields(value) || !isOneOf(value.mediaType, PICTURE_TYPES)) return null
  if (!isExtent(value.width) || !isExtent(value.height)) return null
  return { mediaType: value.mediaType, width: value.width, height: value.height }
}

/** The first message on the source port. */
export function parseSourceDocument(value: unknown): SourceDocument | null {
  if (!isFields(value) || value.kind !== 'document') return null
  if (!isCount(value.size, Number.MAX_SAFE_INTEGER)) return null
  if (!isText(value.title) || !isText(value.mediaType)) return null
  const parsed: SourceDocument = {
    kind: 'document', size: value.size, title: value.title, mediaType: value.mediaType,
  }
  if (isCount(value.tailOffset, value.size)) parsed.tailOffset = value.tailOffset
  if (isCount(value.pageCount, MAX_PAGE_COUNT)) parsed.pageCount = value.pageCount
  if (isCount(value.lockedPageCount, MAX_PAGE_COUNT)) parsed.lockedPageCount = value.lockedPageCount
  const thumbnails = parseList(value.thumbnails, MAX_PAGE_COUNT, parseSourceThumbnail)
  if (thumbnails !== null) parsed.thumbnails = thumbnails
  return parsed
}

/** What the answering side of the source port receives. */
export function parseSourceRequest(value: unknown): SourceRequest | null {
  if (!isFields(value) || !isCount(value.id, Number.MAX_SAFE_INTEGER)) return null
  if (value.kind === 'thumbnail') {
    const index = parseIndex(value.index)
    return index === null ? null : { id: value.id, kind: 'thumbnail', index }
  }
  if (value.kind !== 'read' || !isCount(value.offset, Number.MAX_SAFE_INTEGER)) return null
  if (!isCount(value.length, MAX_READ_SIZE_BYTES) || value.length === 0) return null
  return { id: value.id, kind: 'read', offset: value.offset, length: value.length }
}

/** What the viewer receives for a request. */
export function parseSourceAnswer(value: unknown): SourceAnswer | null {
  if (!isFields(value) || !isCount(value.id, Number.MAX_SAFE_INTEGER)) return null
  if (isBytes(value.bytes)) return { id: value.id, bytes: value.bytes }
  if (isOneOf(value.error, SOURCE_ERROR_CODES)) return { id: value.id, error: value.error }
  return null
}

/** What the viewer receives from the page. */
export function parsePageMessage(value: unknown): PageMessage | null {
  if (!isFields(value)) return null
  switch (value.kind) {
    case 'watermark': {
      const watermark = parseWatermark(value.watermark)
      return watermark === null && value.watermark !== null ? null : { kind: 'watermark', watermark }
    }
    case 'theme': return isTheme(value.theme) ? { kind: 'theme', theme: value.theme } : null
    case 'locale': return isLocale(value.locale) ? { kind: 'locale', locale: value.locale } : null
    case 'go-to': {
      const index = parseIndex(value.index)
      return index === null ? null : { kind: 'go-to', index }
    }
    case 'fullscreen':
      return typeof value.isOn === 'boolean' ? { kind: 'fullscreen', isOn: value.isOn } : null
    case 'ping':
      return isCount(value.id, Number.MAX_SAFE_INTEGER) ? { kind: 'ping', id: value.id } : null
    case 'rasterise': {
      const indexes = parseList(value.indexes, MAX_PAGE_COUNT, parseIndex)
      return indexes === null ? null : { kind: 'rasterise', indexes }
    }
    case 'close': return { kind: 'close' }
    default: return null
  }
}

function parseSettings(value: unknown): ViewerSettings | null {
  if (!isFields(value) || !isText(value.pdfjsVersion)) return null
  if (!isCount(value.maxImageSizePixels, Number.MAX_SAFE_INTEGER)) return null
  return {
    pdfjsVersion: value.pdfjsVersion,
    maxImageSizePixels: value.maxImageSizePixels,
    isScriptingOff: value.isScriptingOff === true,
    isXfaOff: value.isXfaOff === true,
    isAnnotationLayerOff: value.isAnnotationLayerOff === true,
    isPolicyEffective: value.isPolicyEffective === true,
    areTrustedTypesEnforced: value.areTrustedTypesEnforced === true,
  }
}

function parsePageSize(value: unknown): PageSize | null {
  if (!isFields(value) || !isExtent(value.width) || !isExtent(value.height)) return null
  return { width: value.width, height: value.height }
}

function parseDrawnPage(value: unknown): DrawnPage | null {
  if (!isFields(value) || !isExtent(value.width) || !isExtent(value.height)) return null
  if (!isOneOf(value.mediaType, PICTURE_TYPES)) return null
  const index = parseIndex(value.index)
  if (index === null || !isBytes(value.bytes)) return null
  if (value.bytes.length > MAX_DRAWN_SIZE_BYTES) return null
  const { width, height, mediaType, bytes } = value
  return { index, width, height, mediaType, bytes }
}

/** An address that may be opened in a new tab, or `null`: only these schemes, and no surprises. */
export function parseLinkUrl(value: unknown): string | null {
  if (!isText(value, MAX_URL_LENGTH) || !URL.canParse(value)) return null
  const url = new URL(value)
  return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null
}

/** What the page receives from the viewer: drawn pages of `prepare`. */
function parsePrepareMessage(value: Fields): ViewerMessage | null {
  switch (value.kind) {
    case 'inspected': {
      const pageSizes = parseList(value.pageSizes, MAX_PAGE_COUNT, parsePageSize)
      if (pageSizes === null || !isOneOf(value.verdict, VERDICTS)) return null
      return { kind: 'inspected', verdict: value.verdict, pageSizes }
    }
    case 'thumbnail':
    case 'raster': {
      const page = parseDrawnPage(value.page)
      return page === null ? null : { kind: value.kind, page }
    }
    case 'thumbnails-done':
    case 'rasters-done': return { kind: value.kind }
    default: return null
  }
}

function parseFirstPage(value: Fields): ViewerMessage | null {
  const { elapsedMs, fetchedBytes } = value
  if (typeof elapsedMs !== 'number' || !(elapsedMs >= 0 && elapsedMs < MAX_ELAPSED_MS)) return null
  if (!isCount(fetchedBytes, Number.MAX_SAFE_INTEGER)) return null
  return { kind: 'rendered-first-page', elapsedMs, fetchedBytes }
}

/** What the page receives from the viewer. The viewer draws hostile files: believe nothing else. */
export function parseViewerMessage(value: unknown): ViewerMessage | null {
  if (!isFields(value)) return null
  switch (value.kind) {
    case 'ready': {
      const settings = parseSettings(value.settings)
      return settings === null ? null : { kind: 'ready', settings }
    }
    case 'opened':
      if (!isCount(value.pageCount, MAX_PAGE_COUNT)) return null
      return { kind: 'opened', pageCount: value.pageCount }
    case 'rendered-first-page': return parseFirstPage(value)
    case 'page-shown': {
      const index = parseIndex(value.index)
      if (index === null || !isCount(value.pageCount, MAX_PAGE_COUNT)) return null
      return { kind: 'page-shown', index, pageCount: value.pageCount }
    }
    case 'error':
      return isOneOf(value.code, VIEWER_ERROR_CODES) ? { kind: 'error', code: value.code } : null
    case 'pong':
      return isCount(value.id, Number.MAX_SAFE_INTEGER) ? { kind: 'pong', id: value.id } : null
    case 'closed': return { kind: 'closed' }
    case 'asked':
      return isOneOf(value.what, ASKED) ? { kind: 'asked', what: value.what } : null
    case 'link': {
      const url = parseLinkUrl(value.url)
      return url === null ? null : { kind: 'link', url }
    }
    default: return parsePrepareMessage(value)
  }
}
