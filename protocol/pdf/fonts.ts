/**
 * Copies fonts, cut down to the codes that were shown: widths, names, texts and outlines of other
 * letters stay behind, and so do a Type 3 font's other drawings. Programs: font-programs.ts.
 *
 * [Note: Whole fonts] Where the codes cannot be told (a text in a font without a name, an encoding
 * other than Identity), or a program cannot be read (Type 1, simple CFF), the font is copied whole:
 * then it shows which letters the deck's other slides have, never their order.
 */
import { PDFArray, PDFDict, PDFName, PDFNumber, PDFRawStream } from 'pdf-lib'
import type { PDFObject, PDFRef } from 'pdf-lib'
import { concatBytes } from '../bytes.js'
import type { Shown } from './content.js'
import { blankOpenTypeOrCff, blankTrueType, glyphsOfCodes } from './font-programs.js'
import { decodeContent, hasPredictor } from './resources.js'
import type { NotedFont, PageCopier } from './resources.js'
import { CannotCopy, dict, listOf, stream, value } from './shapes.js'
import type { Copier, Fields, Shape } from './shapes.js'
import { readUnicodeMap, writeUnicodeMap } from './unicode-map.js'

// Every platform has it; the types of any one platform would bring all of that platform along.
declare const TextDecoder: new (label: string) => { decode(bytes: Uint8Array): string }

const name = PDFName.of.bind(PDFName)

/** Copies what was noted, and what that notes in turn, until nothing is left. @throws CannotCopy */
export function copyFonts(copier: PageCopier): void {
  const done = new Set<PDFDict>()
  for (;;) {
    const next = [...copier.fonts.values()].find((font) => !done.has(font.original))
    if (next === undefined) return
    done.add(next.original)
    copier.target.assign(next.target, copyFont(copier, next))
  }
}

function copyFont(copier: PageCopier, font: NotedFont): PDFDict {
  const subtype = copier.resolve(font.original.get(name('Subtype')))
  if (subtype === name('Type0')) return copyComposite(copier, font)
  if (subtype === name('Type3')) return copyDrawn(copier, font)
  return copySimple(copier, font)
}

// ---------------------------------------------------------------------------- what both need

const DESCRIPTOR_FIELDS: Fields = {
  Type: value, FontName: value, FontFamily: value, FontStretch: value, FontWeight: value,
  Flags: value, FontBBox: value, ItalicAngle: value, Ascent: value, Descent: value, Leading: value,
  CapHeight: value, XHeight: value, StemV: value, StemH: value, AvgWidth: value, MaxWidth: value,
  MissingWidth: value,
}
const PROGRAM_FIELDS: Fields = { Length1: value, Length2: value, Length3: value, Subtype: value }
const PROGRAMS = ['FontFile', 'FontFile2', 'FontFile3'] as const
type ProgramKind = typeof PROGRAMS[number]

/** Empties a program's other glyphs; `null` keeps it whole. */
type Blank = (kind: ProgramKind, bytes: Uint8Array) => Uint8Array | null
const keepWhole: Blank = () => null

/** Without `CharSet` and `CIDSet`, which list every letter of the font. */
function descriptor(blank: Blank): Shape {
  return (copier, object) => {
    const made = dict(() => DESCRIPTOR_FIELDS)(copier, object)
    if (!(object instanceof PDFDict) || !(made instanceof PDFDict)) return made
    for (const kind of PROGRAMS) {
      const program = copier.resolve(object.get(name(kind)))
      if (program === undefined) continue
      const copied = copyProgram(copier, program, (bytes) => blank(kind, bytes))
      made.set(name(kind), copier.target.register(copied))
    }
    return made
  }
}

function copyProgram(
  copier: Copier, program: PDFObject, blank: (bytes: Uint8Array) => Uint8Array | null,
): PDFObject {
  const whole = stream(() => PROGRAM_FIELDS)(copier, program)
  if (!(program instanceof PDFRawStream) || hasPredictor(program.dict)) return whole
  const blanked = blank(decodeContent(program))
  if (blanked === null) return whole
  return copier.target.flateStream(blanked, entriesOf(copier.fields(program.dict, PROGRAM_FIELDS)))
}

function entriesOf(from: PDFDict): Record<string, PDFObject> {
  return Object.fromEntries(from.entries().map(([key, one]) => [key.decodeText(), one]))
}

function copyUnicodeMap(
  copier: PageCopier, font: PDFDict, codes: { all: readonly number[], size: 1 | 2 },
): PDFObject | null {
  const original = copier.resolve(font.get(name('ToUnicode')))
  if (!(original instanceof PDFRawStream)) return null
  const map = readUnicodeMap(decodeContent(original))
  return registerStream(copier, writeUnicodeMap(map, codes.all, codes.size))
}

function registerStream(copier: Copier, bytes: Uint8Array): PDFRef {
  return copier.target.register(copier.target.flateStream(bytes))
}

function sortedCodes(shown: Shown, codeSize: 1 | 2): number[] {
  const codes = new Set<number>()
  for (const bytes of shown) {
    for (let at = 0; at + codeSize <= bytes.length; at += codeSize) {
      codes.add(codeSize === 1 ? bytes[at] ?? 0 : (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0))
    }
  }
  return [...codes].sort((a, b) => a - b)
}

function set(made: PDFDict, key: string, object: PDFObject | null): void {
  if (object !== null) made.set(name(key), object)
}

// ---------------------------------------------------------------------------- composite fonts

const COMPOSITE_FIELDS: Fields = { Type: value, Subtype: value, BaseFont: value }
const CID_FIELDS: Fields = {
  Type: value, Subtype: value, BaseFont: value, DW: value, DW2: value,
  CIDSystemInfo: dict(() => ({ Registry: value, Ordering: value, Supplement: value })),
}
const IDENTITY = ['Identity-H', 'Identity-V']

function copyComposite(copier: PageCopier, { original, shown }: NotedFont): PDFDict {
  const encoding = copier.resolve(original.get(name('Encoding')))
  const isIdentity = encoding instanceof PDFName && IDENTITY.includes(encoding.decodeText())
  if (!isIdentity || copier.hasUnnamedFont) return copyCompositeWhole(copier, original)
  const cids = sortedCodes(shown, 2)
  const made = copier.fields(original, COMPOSITE_FIELDS)
  made.set(name('Encoding'), encoding)
  set(made, 'ToUnicode', copyUnicodeMap(copier, original, { all: cids, size: 2 }))
  made.set(name('DescendantFonts'), copier.target.obj([copyCidFont(copier, original, cids)]))
  return made
}

function descendantOf(copier: PageCopier, font: PDFDict): PDFDict {
  const descendants = copier.resolve(font.get(name('DescendantFonts')))
  const first = descendants instanceof PDFArray ? copier.resolve(descendants.get(0)) : undefined
  if (!(first instanceof PDFDict)) throw new CannotCopy('unknown-structure', 'a composite font')
  return first
}

function copyCidFont(copier: PageCopier, font: PDFDict, cids: readonly number[]): PDFObject {
  const original = descendantOf(copier, font)
  const made = copier.fields(original, CID_FIELDS)
  const toGid = copier.resolve(original.get(name('CIDToGIDMap')))
  const map = toGid instanceof PDFRawStream ? decodeContent(toGid) : null
  if (map !== null) set(made, 'CIDToGIDMap', registerStream(copier, cutMap(map, cids)))
  else if (toGid instanceof PDFName) made.set(name('CIDToGIDMap'), toGid)
  for (const key of ['W', 'W2'] as const) {
    const widths = copier.resolve(original.get(name(key)))
    if (widths instanceof PDFArray) made.set(name(key), cutWidths(copier, widths, cids, key === 'W' ? 1 : 3))
  }
  const at = (place: number): number => map?.[place] ?? 0
  const gids = map === null ? cids : cids.map((cid) => at(cid * 2) * 256 + at(cid * 2 + 1))
  const blank: Blank = (kind, bytes) => {
    if (kind === 'FontFile2') return blankTrueType(bytes, gids, { isIndexedByGlyph: true })
    return kind === 'FontFile3' ? blankOpenTypeOrCff(bytes, new Set(gids)) : null
  }
  const described = copier.resolve(original.get(name('FontDescriptor')))
  if (described !== undefined) made.set(name('FontDescriptor'), copier.copy(described, descriptor(blank)))
  return copier.target.register(made)
}

/** Glyph 0 for every code that is not shown. */
function cutMap(map: Uint8Array, cids: readonly number[]): Uint8Array {
  const cut = new Uint8Array(map.length)
  for (const cid of cids) cut.set(map.subarray(cid * 2, cid * 2 + 2), Math.min(cid * 2, map.length))
  return cut
}

/**
 * The width array's entries for these codes alone (ISO 32000-1 §9.7.4.3): `first [w ...]` and
 * `first last w` become `code [w]`. `per`: numbers a glyph, 1 across and 3 down.
 */
function cutWidths(
  copier: PageCopier, widths: PDFArray, cids: readonly number[], per: 1 | 3,
): PDFArray {
  const byCode = new Map<number, PDFObject[]>()
  const items = widths.asArray().map((item) => copier.resolve(item))
  for (let at = 0; at < items.length;) {
    const first = items[at]
    const second = items[at + 1]
    if (!(first instanceof PDFNumber)) throw new CannotCopy('unknown-structure', 'widths')
    if (second instanceof PDFArray) {
      const list = second.asArray().map((item) => value(copier, copier.resolve(item) ?? item))
      for (let by = 0; by * per < list.length; by++) {
        byCode.set(first.asNumber() + by, list.slice(by * per, (by + 1) * per))
      }
      at += 2
      continue
    }
    if (!(second instanceof PDFNumber)) throw new CannotCopy('unknown-structure', 'widths')
    const one = items.slice(at + 2, at + 2 + per).filter((item) => item !== undefined)
    const isWithin = (cid: number): boolean => cid >= first.asNumber() && cid <= second.asNumber()
    for (const cid of cids.filter(isWithin)) byCode.set(cid, one)
    at += 2 + per
  }
  const kept = cids.flatMap((cid) => {
    const width = byCode.get(cid)
    return width === undefined ? [] : [PDFNumber.of(cid), copier.target.obj(width)]
  })
  return copier.target.obj(kept)
}

const characterMap: Shape = (copier, object) => {
  if (object instanceof PDFName) return object
  return characterMapStream(copier, object)
}

const characterMapStream = stream(() => ({
  Type: value, CMapName: value, WMode: value, UseCMap: characterMap,
}))

const bareStream = stream(() => ({}))
const mapOrName: Shape = (copier, object) => {
  return object instanceof PDFName ? object : bareStream(copier, object)
}

const wholeCidFont = dict(() => ({
  ...CID_FIELDS, W: value, W2: value, CIDToGIDMap: mapOrName, FontDescriptor: descriptor(keepWhole),
}))

function copyCompositeWhole(copier: PageCopier, original: PDFDict): PDFDict {
  return copier.fields(original, {
    ...COMPOSITE_FIELDS,
    Encoding: characterMap,
    ToUnicode: bareStream,
    DescendantFonts: listOf(wholeCidFont),
  })
}

// ---------------------------------------------------------------------------- simple fonts

const SIMPLE_FIELDS: Fields = { Type: value, Subtype: value, Name: value, BaseFont: value }
const ENCODING_FIELDS: Fields = { Type: value, BaseEncoding: value }
const DIFFERENCES = name('Differences')

function copySimple(copier: PageCopier, { original, shown }: NotedFont): PDFDict {
  const codes = copier.hasUnnamedFont ? allCodes() : sortedCodes(shown, 1)
  const made = copier.fields(original, SIMPLE_FIELDS)
  copyCodes(copier, original, { made, codes })
  const described = copier.resolve(original.get(name('FontDescriptor')))
  const blank = copier.hasUnnamedFont ? keepWhole : blankSimple(copier, original, codes)
  if (described !== undefined) made.set(name('FontDescriptor'), copier.copy(described, descriptor(blank)))
  return made
}

const allCodes = (): number[] => Array.from({ length: 256 }, (_, code) => code)

/** Widths, encoding and texts of the shown codes. */
function copyCodes(
  copier: PageCopier, original: PDFDict, { made, codes }: { made: PDFDict, codes: number[] },
): void {
  const first = copier.resolve(original.get(name('FirstChar')))
  const widths = copier.resolve(original.get(name('Widths')))
  if (first instanceof PDFNumber && widths instanceof PDFArray) {
    const kept = widths.asArray().map((width, at) => {
      const isShown = codes.includes(first.asNumber() + at)
      return isShown ? value(copier, copier.resolve(width) ?? width) : PDFNumber.of(0)
    })
    made.set(name('FirstChar'), first)
    made.set(name('LastChar'), PDFNumber.of(first.asNumber() + kept.length - 1))
    made.set(name('Widths'), copier.target.obj(kept))
  }
  set(made, 'ToUnicode', copyUnicodeMap(copier, original, { all: codes, size: 1 }))
  const encoding = copier.resolve(original.get(name('Encoding')))
  if (encoding instanceof PDFName) made.set(name('Encoding'), encoding)
  if (encoding instanceof PDFDict) made.set(name('Encoding'), cutEncoding(copier, encoding, codes))
}

function cutEncoding(copier: PageCopier, encoding: PDFDict, codes: readonly number[]): PDFDict {
  const made = copier.fields(encoding, ENCODING_FIELDS)
  const glyphs = readDifferences(copier, encoding)
  const kept = codes.flatMap((code) => {
    const glyph = glyphs.get(code)
    return glyph === undefined ? [] : [PDFNumber.of(code), glyph]
  })
  if (glyphs.size > 0) made.set(DIFFERENCES, copier.target.obj(kept))
  return made
}

/** Glyph names by code: a number starts a run of names. */
function readDifferences(copier: PageCopier, encoding: PDFDict): Map<number, PDFName> {
  const glyphs = new Map<number, PDFName>()
  const differences = copier.resolve(encoding.get(DIFFERENCES))
  if (!(differences instanceof PDFArray)) return glyphs
  let code = 0
  for (const item of differences.asArray().map((one) => copier.resolve(one))) {
    if (item instanceof PDFNumber) code = item.asNumber()
    else if (item instanceof PDFName) glyphs.set(code++, item)
    else throw new CannotCopy('unknown-structure', 'an encoding')
  }
  return glyphs
}

/** Only TrueType programs without renamed letters: the others' letters go by names (see the note). */
function blankSimple(copier: PageCopier, original: PDFDict, codes: readonly number[]): Blank {
  const encoding = copier.resolve(original.get(name('Encoding')))
  if (encoding instanceof PDFDict) return keepWhole
  const label = encoding === name('MacRomanEncoding') ? 'macintosh' : 'windows-1252'
  const toUnicode = (code: number): number => {
    return new TextDecoder(label).decode(Uint8Array.of(code)).codePointAt(0) ?? 0
  }
  return (kind, bytes) => {
    const gids = kind === 'FontFile2' ? glyphsOfCodes(bytes, codes, toUnicode) : null
    return gids === null ? null : blankTrueType(bytes, gids, { isIndexedByGlyph: false })
  }
}

// ---------------------------------------------------------------------------- Type 3

const DRAWN_FIELDS: Fields = { Type: value, Subtype: value, FontBBox: value, FontMatrix: value }

/** Each letter is a small drawing of its own; those that are not shown stay behind. */
function copyDrawn(copier: PageCopier, { original, shown }: NotedFont): PDFDict {
  const codes = copier.hasUnnamedFont ? allCodes() : sortedCodes(shown, 1)
  const made = copier.fields(original, DRAWN_FIELDS)
  copyCodes(copier, original, { made, codes })
  const encoding = copier.resolve(original.get(name('Encoding')))
  const procs = copier.resolve(original.get(name('CharProcs')))
  if (!(encoding instanceof PDFDict) || !(procs instanceof PDFDict)) {
    throw new CannotCopy('unknown-structure', 'a Type 3 font')
  }
  const glyphs = readDifferences(copier, encoding)
  const kept = copier.target.obj({})
  const drawn: Uint8Array[] = []
  for (const glyph of new Set(codes.map((code) => glyphs.get(code)))) {
    const proc = glyph === undefined ? undefined : copier.resolve(procs.get(glyph))
    if (glyph === undefined || proc === undefined) continue
    kept.set(glyph, copier.target.register(bareStream(copier, proc)))
    drawn.push(decodeContent(proc), LINE_FEED)
  }
  made.set(name('CharProcs'), kept)
  made.set(name('Resources'), copier.pruned(original.get(name('Resources')), concatBytes(...drawn)))
  return made
}

const LINE_FEED = Uint8Array.of(0x0a)
