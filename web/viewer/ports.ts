/**
 * The messages between the app's page, the crypto worker and the viewer's frame (SPEC.md § 6.2).
 *
 *   page ──────── control port ──────── viewer      what is shown, how, and what the reader asks for
 *   worker (or file) ── source port ─── viewer      plaintext, past the page
 *
 * The page creates the frame, waits for its `load`, and posts one `OpenViewer` message to it with
 * two ports in this order: [control, source]. It keeps the other end of `control` and hands the
 * other end of `source` to whoever holds the plaintext. Nothing else is ever posted to a window.
 *
 * What arrives is parsed before it is used, on both sides: the viewer draws hostile files, so the
 * page must believe nothing it says, and the page may be older or newer than the viewer. Must not
 * hold state, touch the DOM, or import anything.
 */

export const VIEWER_PROTOCOL_VERSION = 1
/** The viewer never asks for more at once; a longer range is asked for in pieces. */
export const MAX_READ_SIZE_BYTES = 1024 * 1024
/** Reads that the viewer keeps open at a time. The answering side may refuse more as `busy`. */
export const MAX_OPEN_READ_COUNT = 16
/** Nothing said for this long after a `ping`: the page removes the frame (A31). */
export const WATCHDOG_TIMEOUT_MS = 15_000
export const PING_INTERVAL_MS = 2_000

// ---------------------------------------------------------------------------- opening

/** `read`: a person reads a document. `prepare`: the founder's page has a file inspected and drawn. */
export type ViewerMode = 'read' | 'prepare'
export type Theme = 'light' | 'dark'
export type Locale = 'en' | 'ru'

/** Drawn over every page. `atMs`: the moment the reading began, shown in UTC. */
export interface Watermark { email: string, atMs: number }

/** Posted once to the frame's window, after its `load`, with [control, source] transferred. */
export interface OpenViewer {
  kind: 'open-viewer'
  version: number
  mode: ViewerMode
  theme: Theme
  locale: Locale
  /** `null` where none is wanted (the founder's own preview). */
  watermark: Watermark | null
}

// ---------------------------------------------------------------------------- source port

/** First message on the source port, from whoever answers reads, as soon as it knows. */
export interface SourceDocument {
  kind: 'document'
  /** Bytes of the plaintext file alone (not of the archive around it). */
  size: number
  title: string
  mediaType: string
  /** Where the file's index begins, if that is known: from there to the end is read at once. */
  tailOffset?: number
  /** From the sealed manifest; shown before the file itself could be opened. */
  pageCount?: number
  /** Pages that exist below the lock line and are not in this file; shown as a last card. */
  lockedPageCount?: number
  /** One per page, in page order; the bytes are asked for with `kind: 'thumbnail'` when in view. */
  thumbnails?: readonly SourceThumbnail[]
}

export interface SourceThumbnail { mediaType: string, width: number, height: number }

/** viewer -> source. `offset` and `length` lie inside the document; ids rise from 1. */
export type SourceRequest =
  | { id: number, kind: 'read', offset: number, length: number }
  | { id: number, kind: 'thumbnail', index: number }

/** Why plaintext cannot be had. `offline` and `busy` may pass; the others are final. */
export const SOURCE_ERROR_CODES = ['offline', 'busy', 'refused', 'tampered', 'out-of-range'] as const
export type SourceErrorCode = typeof SOURCE_ERROR_CODES[number]

/** source -> viewer. Exactly `length` bytes (a whole thumbnail), their buffer transferred. */
export type SourceAnswer =
  | { id: number, bytes: Uint8Array<ArrayBuffer> }
  | { id: number, error: SourceErrorCode }

// ---------------------------------------------------------------------------- control port

/** page -> viewer. */
export type PageMessage =
  | { kind: 'watermark', watermark: Watermark | null }
  | { kind: 'theme', theme: Theme }
  | { kind: 'locale', locale: Locale }
  | { kind: 'go-to', index: number }
  | { kind: 'fullscreen', isOn: boolean }
  /** Answered by `pong` with the same id; the page's watchdog. */
  | { kind: 'ping', id: number }
  /** `prepare` only, after `inspected`: draw these pages for a fresh document. */
  | { kind: 'rasterise', indexes: readonly number[] }
  /** Answered by `closed`; then the page removes the frame. */
  | { kind: 'close' }

/** What the viewer found true of itself before it asked for the first byte (A32, A40). */
export interface ViewerSettings {
  pdfjsVersion: string
  isScriptingOff: boolean
  isXfaOff: boolean
  isAnnotationLayerOff: boolean
  maxImageSizePixels: number
  /** The policy of its own response, as checked: present, complete, and shown to bite by a probe. */
  isPolicyEffective: boolean
  areTrustedTypesEnforced: boolean
}

/** Why the document cannot be shown. The viewer shows the sentence itself; the page may act. */
export const VIEWER_ERROR_CODES = [
  'not-a-pdf', 'empty-file', 'encrypted', 'damaged', 'zero-pages', 'too-many-pages',
  'unprotected', 'watchdog', 'page-failed', ...SOURCE_ERROR_CODES,
] as const
export type ViewerErrorCode = typeof VIEWER_ERROR_CODES[number]

/** What a file is, to the founder's page. Only `opens` is followed by thumbnails. */
export const VERDICTS = [
  'opens', 'not-a-pdf', 'empty-file', 'encrypted', 'damaged', 'zero-pages', 'too-many-pages',
] as const
export type Verdict = typeof VERDICTS[number]

/** In PDF points, as seen (rotation applied). */
export interface PageSize { width: number, height: number }

/** One drawn page: a thumbnail to be sealed, or a slide to stand in for the original page. */
export interface DrawnPage {
  index: number
  /** In pixels. */
  width: number
  height: number
  mediaType: 'image/webp' | 'image/png' | 'image/jpeg'
  bytes: Uint8Array<ArrayBuffer>
}

/** viewer -> page. */
export type ViewerMessage =
  /** First message. The page checks `settings` and closes the frame if it does not like them. */
  | { kind: 'ready', settings: ViewerSettings }
  | { kind: 'opened', pageCount: number }
  /** `elapsedMs` since the document message arrived; `fetchedBytes` asked for until then. */
  | { kind: 'rendered-first-page', elapsedMs: number, fetchedBytes: number }
  | { kind: 'page-shown', index: number, pageCount: number }
  | { kind: 'error', code: ViewerErrorCode }
  | { kind: 'pong', id: number }
  | { kind: 'closed' }
  /** What only the page can do; all follow a person's own key or click inside the frame. */
  | { kind: 'asked', what: 'fullscreen' | 'unlock' | 'leave' }
  /** A link on a page was followed. The frame may open no window (it could carry plaintext out in
      the address by itself), so the page does, after a person's act, without opener or referrer. */
  | { kind: 'link', url: string }
  // `prepare` only:
  | { kind: 'inspected', verdict: Verdict, pageSizes: readonly PageSize[] }
  | { kind: 'thumbnail', page: DrawnPage }
  | { kind: 'thumbnails-done' }
  | { kind: 'raster', page: DrawnPage }
  | { kind: 'rasters-done' }
