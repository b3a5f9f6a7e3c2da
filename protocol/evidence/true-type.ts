/**
 * A TrueType font as far as a certificate needs it: which glyph a character has, how wide it is, and a
 * copy with those glyphs alone (OpenType 1.9: cmap format 4, head, hhea, hmtx, glyf). Pure; must be given
 * a font of our own build, never one that a stranger sends.
 */
import { concatBytes, encodeUtf8 } from '../bytes.js'
import { assert } from '../errors.js'
import { blankTrueType } from '../pdf/font-programs.js'

export interface Typeface {
  readonly unitsPerEm: number
  /** In font units, above and below the line. */
  readonly ascent: number
  readonly descent: number
  /** 0 where the font has no such character. */
  glyphOf(codePoint: number): number
  /** In font units. */
  widthOf(glyph: number): number
}

const DIRECTORY_SIZE_BYTES = 12
const ENTRY_SIZE_BYTES = 16
/** What draws glyphs that are found by number; the rest is for layout and for people. */
const KEPT_TABLES = ['cvt ', 'fpgm', 'glyf', 'head', 'hhea', 'hmtx', 'loca', 'maxp', 'prep']

interface Table { readonly offset: number, readonly length: number }

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function readTables(bytes: Uint8Array): ReadonlyMap<string, Table> {
  const view = viewOf(bytes)
  const tables = new Map<string, Table>()
  for (let index = 0; index < view.getUint16(4); index++) {
    const at = DIRECTORY_SIZE_BYTES + index * ENTRY_SIZE_BYTES
    const tag = String.fromCharCode(...bytes.subarray(at, at + 4))
    tables.set(tag, { offset: view.getUint32(at + 8), length: view.getUint32(at + 12) })
  }
  return tables
}

function tableOf(tables: ReadonlyMap<string, Table>, tag: string): Table {
  const table = tables.get(tag)
  assert(table !== undefined, `the font has a table ${tag}`)
  return table
}

export function parseTypeface(bytes: Uint8Array): Typeface {
  const view = viewOf(bytes)
  const tables = readTables(bytes)
  const [head, hhea, hmtx] = ['head', 'hhea', 'hmtx'].map((tag) => tableOf(tables, tag).offset)
  assert(head !== undefined && hhea !== undefined && hmtx !== undefined, 'the font has metrics')
  const metricCount = view.getUint16(hhea + 34)
  return {
    unitsPerEm: view.getUint16(head + 18),
    ascent: view.getInt16(hhea + 4),
    descent: view.getInt16(hhea + 6),
    glyphOf: characterMap(view, tableOf(tables, 'cmap').offset),
    widthOf: (glyph) => view.getUint16(hmtx + 4 * Math.min(glyph, metricCount - 1)),
  }
}

const [WINDOWS, UNICODE_BMP, SEGMENTS] = [3, 1, 4]

/** The segments of format 4 for the basic plane, read once. */
function characterMap(view: DataView, cmap: number): Typeface['glyphOf'] {
  const at = subtableOf(view, cmap)
  const count = view.getUint16(at + 6) / 2
  const [ends, starts] = [at + 14, at + 16 + 2 * count]
  const [deltas, ranges] = [starts + 2 * count, starts + 4 * count]
  return (codePoint) => {
    for (let segment = 0; segment < count; segment++) {
      if (codePoint > view.getUint16(ends + 2 * segment)) continue
      const start = view.getUint16(starts + 2 * segment)
      if (codePoint < start) return 0
      const delta = view.getUint16(deltas + 2 * segment)
      const rangeAt = ranges + 2 * segment
      const range = view.getUint16(rangeAt)
      if (range === 0) return (codePoint + delta) & 0xffff
      const glyph = view.getUint16(rangeAt + range + 2 * (codePoint - start))
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff
    }
    return 0
  }
}

function subtableOf(view: DataView, cmap: number): number {
  for (let index = 0; index < view.getUint16(cmap + 2); index++) {
    const record = cmap + 4 + 8 * index
    const at = cmap + view.getUint32(record + 4)
    const isOurs = view.getUint16(record) === WINDOWS &&
      view.getUint16(record + 2) === UNICODE_BMP && view.getUint16(at) === SEGMENTS
    if (isOurs) return at
  }
  throw new Error('the font maps no characters in format 4')
}

/**
 * The font with these glyphs' outlines and no others. Glyphs keep their numbers, so that a text in
 * glyph numbers stays what it was.
 */
export function subsetTypeface(bytes: Uint8Array, glyphs: Iterable<number>): Uint8Array {
  const blank = blankTrueType(bytes, glyphs, { isIndexedByGlyph: true })
  assert(blank !== null, 'a font of our own is understood')
  const tables = readTables(blank)
  const kept = KEPT_TABLES.flatMap((tag) => {
    const table = tables.get(tag)
    return table === undefined
      ? []
      : [{ tag, bytes: blank.subarray(table.offset, table.offset + table.length) }]
  })
  return writeFont(viewOf(blank).getUint32(0), kept)
}

interface WrittenTable { readonly tag: string, readonly bytes: Uint8Array }

function writeFont(version: number, tables: readonly WrittenTable[]): Uint8Array {
  let offset = DIRECTORY_SIZE_BYTES + ENTRY_SIZE_BYTES * tables.length
  const power = Math.floor(Math.log2(tables.length))
  const search = 16 * 2 ** power
  const head = new DataView(new ArrayBuffer(DIRECTORY_SIZE_BYTES))
  head.setUint32(0, version)
  const counts = [tables.length, search, power, 16 * tables.length - search]
  counts.forEach((count, index) => { head.setUint16(4 + 2 * index, count) })
  const entries = tables.map((table) => {
    const entry = entryOf(table, offset)
    offset += padded(table.bytes.length)
    return entry
  })
  const contents = tables.map((table) => {
    const content = new Uint8Array(padded(table.bytes.length))
    content.set(table.bytes)
    return content
  })
  return concatBytes(new Uint8Array(head.buffer), ...entries, ...contents)
}

function entryOf({ tag, bytes }: WrittenTable, offset: number): Uint8Array {
  const entry = new DataView(new ArrayBuffer(12))
  entry.setUint32(0, checksumOf(bytes))
  entry.setUint32(4, offset)
  entry.setUint32(8, bytes.length)
  return concatBytes(encodeUtf8(tag), new Uint8Array(entry.buffer))
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4
}

function checksumOf(bytes: Uint8Array): number {
  const whole = new Uint8Array(padded(bytes.length))
  whole.set(bytes)
  const view = viewOf(whole)
  let sum = 0
  for (let at = 0; at < whole.length; at += 4) sum = (sum + view.getUint32(at)) >>> 0
  return sum
}
