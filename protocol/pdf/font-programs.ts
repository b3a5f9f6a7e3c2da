/**
 * Empties the outlines of letters that open slides do not show, inside embedded font programs:
 * TrueType `glyf` (OpenType 1.9) and CFF (Adobe Technical Note 5176). Sizes and places stay, so no
 * offset needs changing; only the drawings go. Pure.
 *
 * Must never empty a glyph that may be shown: what is not understood is kept whole (`null`).
 */

/** Table by tag: where it lies. */
type Tables = ReadonlyMap<string, { offset: number, length: number }>

const MAX_TABLE_COUNT = 64
const MAX_COMPONENT_COUNT = 64
/** Type 2 charstrings: the operator that ends a glyph. */
const END_OF_GLYPH = 14

class OutOfBounds extends Error {}

/** Big-endian numbers, never past the end. */
class FontView {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  uint(offset: number, size: number): number {
    if (offset < 0 || offset + size > this.bytes.length) throw new OutOfBounds()
    let value = 0
    for (let at = offset; at < offset + size; at++) value = value * 256 + (this.bytes[at] ?? 0)
    return value
  }

  int16(offset: number): number {
    return (this.uint(offset, 2) << 16) >> 16
  }

  tag(offset: number): string {
    return String.fromCharCode(...this.bytes.subarray(offset, offset + 4))
  }
}

/** Runs `work` on a copy; `null` if the program is not what it seems. */
function onCopy(bytes: Uint8Array, work: (font: FontView) => boolean): Uint8Array | null {
  const font = new FontView(new Uint8Array(bytes))
  try {
    return work(font) ? font.bytes : null
  } catch (error) {
    if (error instanceof OutOfBounds) return null
    throw error
  }
}

function readTables(font: FontView): Tables {
  const count = Math.min(font.uint(4, 2), MAX_TABLE_COUNT)
  const tables = new Map<string, { offset: number, length: number }>()
  for (let at = 12; at < 12 + count * 16; at += 16) {
    tables.set(font.tag(at), { offset: font.uint(at + 8, 4), length: font.uint(at + 12, 4) })
  }
  return tables
}

// ---------------------------------------------------------------------------- TrueType

interface GlyphPlaces { count: number, span(gid: number): { start: number, end: number } }

function glyphPlaces(font: FontView, tables: Tables): GlyphPlaces | null {
  const [head, maxp, loca, glyf] = ['head', 'maxp', 'loca', 'glyf'].map((tag) => tables.get(tag))
  if (head === undefined || maxp === undefined) return null
  if (loca === undefined || glyf === undefined) return null
  const isLong = font.uint(head.offset + 50, 2) === 1
  const at = (gid: number): number => glyf.offset +
    (isLong ? font.uint(loca.offset + gid * 4, 4) : font.uint(loca.offset + gid * 2, 2) * 2)
  const count = font.uint(maxp.offset + 4, 2)
  return { count, span: (gid) => ({ start: at(gid), end: at(gid + 1) }) }
}

/**
 * Keeps the outlines of `gids`, of what they are composed of, and of glyph 0.
 * `isIndexedByGlyph`: the PDF finds glyphs without the font's own character map, so that goes too.
 */
export function blankTrueType(
  bytes: Uint8Array, gids: Iterable<number>, { isIndexedByGlyph }: { isIndexedByGlyph: boolean },
): Uint8Array | null {
  return onCopy(bytes, (font) => {
    const tables = readTables(font)
    const places = glyphPlaces(font, tables)
    if (places === null) return false
    const kept = withComponents(font, places, gids)
    for (let gid = 0; gid < places.count; gid++) {
      const { start, end } = places.span(gid)
      if (end > font.bytes.length || end < start) throw new OutOfBounds()
      if (!kept.has(gid)) font.bytes.fill(0, start, end)
    }
    const cmap = tables.get('cmap')
    if (isIndexedByGlyph && cmap !== undefined) {
      font.bytes.fill(0, cmap.offset, cmap.offset + cmap.length)
    }
    return true
  })
}

function withComponents(font: FontView, places: GlyphPlaces, gids: Iterable<number>): Set<number> {
  const kept = new Set([0, ...gids])
  for (const gid of kept) {
    if (gid >= places.count) continue
    for (const component of componentsOf(font, places.span(gid))) kept.add(component)
  }
  return kept
}

const [HAS_WORDS, HAS_SCALE, HAS_MORE, HAS_XY_SCALE, HAS_MATRIX] = [0x1, 0x8, 0x20, 0x40, 0x80]

function componentsOf(font: FontView, { start, end }: { start: number, end: number }): number[] {
  const components: number[] = []
  if (end - start < 10 || font.int16(start) >= 0) return components
  let at = start + 10
  for (let left = MAX_COMPONENT_COUNT; left > 0; left--) {
    const flags = font.uint(at, 2)
    components.push(font.uint(at + 2, 2))
    at += 4 + ((flags & HAS_WORDS) !== 0 ? 4 : 2)
    if ((flags & HAS_SCALE) !== 0) at += 2
    else if ((flags & HAS_XY_SCALE) !== 0) at += 4
    else if ((flags & HAS_MATRIX) !== 0) at += 8
    if ((flags & HAS_MORE) === 0) return components
  }
  throw new OutOfBounds()
}

// ---------------------------------------------------------------------------- CFF

/** Where an INDEX's items lie, and where it ends. */
interface Index { count: number, end: number, span(item: number): { start: number, end: number } }

function readIndex(font: FontView, offset: number): Index {
  const count = font.uint(offset, 2)
  if (count === 0) return { count, end: offset + 2, span: () => ({ start: offset, end: offset }) }
  const size = font.uint(offset + 2, 1)
  if (size < 1 || size > 4) throw new OutOfBounds()
  const base = offset + 2 + (count + 1) * size
  const at = (item: number): number => base + font.uint(offset + 3 + item * size, size)
  return { count, end: at(count), span: (item) => ({ start: at(item), end: at(item + 1) }) }
}

interface TopDict { charStrings: number, charset: number, isCidKeyed: boolean }
const [CHARSET, CHAR_STRINGS, ESCAPE, ROS] = [15, 17, 12, 30]

/** A DICT is operands, then an operator; only these three operators matter here. */
function readTopDict(font: FontView, { start, end }: { start: number, end: number }): TopDict {
  const top: TopDict = { charStrings: 0, charset: 0, isCidKeyed: false }
  let operand = 0
  for (let at = start; at < end;) {
    const byte = font.uint(at, 1)
    if (byte <= 21) {
      const isEscaped = byte === ESCAPE
      if (isEscaped && font.uint(at + 1, 1) === ROS) top.isCidKeyed = true
      if (byte === CHARSET) top.charset = operand
      if (byte === CHAR_STRINGS) top.charStrings = operand
      at += isEscaped ? 2 : 1
      continue
    }
    operand = readOperand(font, at)
    at += operandSize(font, at)
  }
  return top
}

const [SHORT, LONG, REAL] = [28, 29, 30]

function operandSize(font: FontView, at: number): number {
  const byte = font.uint(at, 1)
  if (byte === REAL) return realSize(font, at)
  if (byte === LONG) return 5
  if (byte === SHORT) return 3
  return byte >= 247 ? 2 : 1
}

/** Integers; real numbers and negative ones, which are no offsets, come out as anything. */
function readOperand(font: FontView, at: number): number {
  const byte = font.uint(at, 1)
  if (byte === LONG) return font.uint(at + 1, 4)
  if (byte === SHORT) return font.uint(at + 1, 2)
  if (byte < 247) return byte - 139
  return byte < 251 ? (byte - 247) * 256 + font.uint(at + 1, 1) + 108 : 0
}

/** A real number runs until a half-byte of 15. */
function realSize(font: FontView, at: number): number {
  for (let size = 1; size < 20; size++) {
    const byte = font.uint(at + size, 1)
    if ((byte & 0xf) === 0xf || byte >> 4 === 0xf) return size + 1
  }
  throw new OutOfBounds()
}

/** Keeps glyphs by CID: through the charset where the program is CID-keyed, else CID is glyph. */
export function blankCff(bytes: Uint8Array, cids: ReadonlySet<number>): Uint8Array | null {
  return onCopy(bytes, (font) => blankCffAt(font, cids))
}

function blankCffAt(font: FontView, cids: ReadonlySet<number>): boolean {
  const names = readIndex(font, font.uint(2, 1))
  const tops = readIndex(font, names.end)
  if (tops.count !== 1) return false
  const top = readTopDict(font, tops.span(0))
  if (top.charStrings === 0) return false
  const glyphs = readIndex(font, top.charStrings)
  const cidOf = top.isCidKeyed ? readCharset(font, top.charset, glyphs.count) : null
  if (top.isCidKeyed && cidOf === null) return false
  for (let gid = 1; gid < glyphs.count; gid++) {
    const { start, end } = glyphs.span(gid)
    if (end > font.bytes.length || end < start) throw new OutOfBounds()
    const isKept = cids.has(cidOf?.[gid] ?? gid)
    if (isKept && isAccentOf(font, { start, end })) return false
    if (isKept || end === start) continue
    font.bytes.fill(0, start, end)
    font.bytes[start] = END_OF_GLYPH
  }
  return true
}

/** CIDs by glyph; `null` for the predefined charsets, which CID-keyed programs do not have. */
function readCharset(font: FontView, offset: number, glyphCount: number): number[] | null {
  if (offset <= 2) return null
  const format = font.uint(offset, 1)
  const cids = [0]
  let at = offset + 1
  while (cids.length < glyphCount) {
    const first = font.uint(at, 2)
    const more = format === 0 ? 0 : font.uint(at + 2, format === 1 ? 1 : 2)
    for (let by = 0; by <= more && cids.length < glyphCount; by++) cids.push(first + by)
    at += format === 0 ? 2 : format === 1 ? 3 : 4
  }
  return cids
}

/** Nothing but four numbers or more and an end: a letter and an accent taken from other glyphs. */
function isAccentOf(font: FontView, { start, end }: { start: number, end: number }): boolean {
  let count = 0
  for (let at = start; at < end; count++) {
    const byte = font.uint(at, 1)
    if (byte === END_OF_GLYPH) return count >= 4
    if (byte < 32 && byte !== 28) return false
    at += byte === 255 ? 5 : byte === 28 ? 3 : byte >= 247 ? 2 : 1
  }
  return false
}

/** An OpenType file around a CFF program, or the program itself. */
export function blankOpenTypeOrCff(
  bytes: Uint8Array, cids: ReadonlySet<number>,
): Uint8Array | null {
  const font = new FontView(bytes)
  if (bytes.length < 12 || font.tag(0) !== 'OTTO') return blankCff(bytes, cids)
  return onCopy(bytes, (copy) => {
    const table = readTables(copy).get('CFF ')
    if (table === undefined || table.offset + table.length > bytes.length) return false
    const blank = blankCff(copy.bytes.slice(table.offset, table.offset + table.length), cids)
    if (blank !== null) copy.bytes.set(blank, table.offset)
    return blank !== null
  })
}

// ---------------------------------------------------------------------------- character maps

/**
 * Every glyph that a simple font's `codes` may mean under any of the program's character maps;
 * `toUnicode` says what a code is in the PDF's own encoding. `null` if a map cannot be read.
 */
export function glyphsOfCodes(
  bytes: Uint8Array, codes: readonly number[], toUnicode: (code: number) => number,
): Set<number> | null {
  const font = new FontView(bytes)
  try {
    const cmap = readTables(font).get('cmap')
    if (cmap === undefined) return null
    const gids = new Set<number>()
    const count = Math.min(font.uint(cmap.offset + 2, 2), MAX_TABLE_COUNT)
    for (let record = cmap.offset + 4; record < cmap.offset + 4 + count * 8; record += 8) {
      const map = readCharacterMap(font, cmap.offset + font.uint(record + 4, 4))
      if (map === null) return null
      for (const code of codes) {
        const characters = [...SYMBOL_BASES.map((base) => base + code), toUnicode(code)]
        for (const character of characters) gids.add(map(character))
      }
    }
    return gids
  } catch (error) {
    if (error instanceof OutOfBounds) return null
    throw error
  }
}

/** Symbol fonts have their codes here, by the habits of different makers. */
const SYMBOL_BASES = [0, 0xf000, 0xf100, 0xf200] as const

type CharacterMap = (character: number) => number

function readCharacterMap(font: FontView, offset: number): CharacterMap | null {
  switch (font.uint(offset, 2)) {
    case 0: return (character) => character < 256 ? font.uint(offset + 6 + character, 1) : 0
    case 4: return (character) => findInSegments(font, offset, character)
    case 12: return (character) => findInGroups(font, offset, character)
    case 6: {
      const [first, count] = [font.uint(offset + 6, 2), font.uint(offset + 8, 2)]
      return (character) => {
        const at = character - first
        return at >= 0 && at < count ? font.uint(offset + 10 + at * 2, 2) : 0
      }
    }
    default: return null
  }
}

/** Format 12: groups of characters whose glyphs follow each other. */
function findInGroups(font: FontView, offset: number, character: number): number {
  const count = font.uint(offset + 12, 4)
  for (let group = 0; group < count; group++) {
    const at = offset + 16 + group * 12
    const start = font.uint(at, 4)
    if (character >= start && character <= font.uint(at + 4, 4)) {
      return font.uint(at + 8, 4) + character - start
    }
  }
  return 0
}

/** Format 4: four parallel arrays of segments. */
function findInSegments(font: FontView, offset: number, character: number): number {
  const count = font.uint(offset + 6, 2) / 2
  const ends = offset + 14
  const starts = ends + count * 2 + 2
  const deltas = starts + count * 2
  const ranges = deltas + count * 2
  for (let segment = 0; segment < count; segment++) {
    if (character > font.uint(ends + segment * 2, 2)) continue
    const start = font.uint(starts + segment * 2, 2)
    if (character < start) return 0
    const delta = font.uint(deltas + segment * 2, 2)
    const range = font.uint(ranges + segment * 2, 2)
    if (range === 0) return (character + delta) & 0xffff
    const gid = font.uint(ranges + segment * 2 + range + (character - start) * 2, 2)
    return gid === 0 ? 0 : (gid + delta) & 0xffff
  }
  return 0
}
