/**
 * What is done to a PDF before it is sealed, by whoever seals it: browser and command line make the
 * same bytes of the same file, so that one can go on where the other stopped. The work is in
 * normalise.ts and open-slides.ts. Must not be imported where a page first loads: pdf-lib is large.
 */

/** Why a file cannot be sealed as a deck. Nothing of it has left the browser. */
export type RefusalReason = 'empty-file' | 'not-a-pdf' | 'zero-pages' | 'too-large'

/** Why a PDF is sealed as it is, without a lock line. */
export type KeepReason =
  /** Too large to be rewritten in a browser's memory. */
  | 'over-limit'
  /** It is encrypted. If the viewer opens it without a password, it may be sealed as it is. */
  | 'encrypted'
  /** Its makers signed it, and a rewritten file would break their signature. */
  | 'signed'
  /** It cannot be read well enough to be rewritten. If the viewer opens it, it may be sealed. */
  | 'unreadable'
  /** Rewriting lost or won pages. */
  | 'page-count-changed'

export interface ByteRange { offset: number, length: number }

/** `firstPage`: what a viewer reads before it shows the first page, to be fetched ahead of it. */
export type Normalised =
  | { kind: 'normalised', bytes: Uint8Array<ArrayBuffer>, firstPage: ByteRange[], pageCount: number }
  | { kind: 'kept', reason: KeepReason }
  | { kind: 'refused', reason: RefusalReason }

/** Why pages above the lock line are drawn instead of copied: what they use cannot be taken apart. */
export type RasteriseReason =
  | 'optional-content' | 'unreadable-content' | 'unknown-structure' | 'nested-too-deep'

/** A page drawn by the viewer (ports.ts, `raster`), to stand in for the original. */
export interface RasterPage {
  index: number
  mediaType: 'image/png' | 'image/jpeg'
  bytes: Uint8Array<ArrayBuffer>
}

export interface OpenSlidesInput {
  /** The whole deck, as normalised. */
  bytes: Uint8Array<ArrayBuffer>
  /** Pages above the lock line, in the order they are shown. */
  indexes: readonly number[]
  /** Drawn pages, from the second call on. */
  rasters: readonly RasterPage[]
}

export type OpenSlides =
  | { kind: 'built', bytes: Uint8Array<ArrayBuffer>, firstPage: ByteRange[], pageCount: number }
  /** Have the viewer draw these pages, and call again with them. */
  | { kind: 'rasterise-needed', pages: readonly { index: number, reason: RasteriseReason }[] }
