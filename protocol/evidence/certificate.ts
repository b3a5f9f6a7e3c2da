/**
 * The certificate: the facts of a report as a PDF to print, with its text in it to be searched and read
 * aloud (SPEC.md § 12.3). Same report, same bytes. Must not be taken for a proof, and says so itself.
 *
 * [Note: Drawn names] A certificate carries its own font, cut to the letters it uses, so that a name in
 * Cyrillic stands in it on any machine. A letter that the font lacks is drawn as a box and counted; the
 * signed acceptance beside it has the name as it was typed.
 */
import { PDFDocument, PDFName, PDFString, type PDFArray, type PDFRef } from 'pdf-lib'
import { encodeHex, encodeUtf8 } from '../bytes.js'
import type { Section } from './account.js'
import { Layout, PAGE_HEIGHT, PAGE_WIDTH, type PlacedLine } from './page-layout.js'
import { parseTypeface, subsetTypeface, type Typeface } from './true-type.js'
import type { EvidenceWords } from './words-en.js'

const TITLE_SIZE = 20
const HEADING_SIZE = 12
const TEXT_SIZE = 9.5
const FOOT_SIZE = 8
const FONT_NAME = 'SEALDK+NotoSans-Regular'
const PRODUCER = 'Sealdeck'

export interface CertificateInput {
  readonly title: string
  /** UTC with milliseconds; all that a certificate knows of time. */
  readonly madeAt: string
  readonly sections: readonly Section[]
  readonly words: EvidenceWords
  /** A TrueType font with the letters of the names (`certificate.ttf` of the web client). */
  readonly font: Uint8Array
}

/** The PDF's bytes. */
export async function formatCertificate(input: CertificateInput): Promise<Uint8Array> {
  const type = parseTypeface(input.font)
  const ink = new Ink(type)
  const { pages } = layOut(input, ink)
  const document = await PDFDocument.create({ updateMetadata: false })
  describe(document, input)
  const contents = pages.map(({ lines }) => contentOf(lines, ink))
  const font = embedFont(document, input.font, type, ink)
  for (const content of contents) addPage(document, content, font)
  return await document.save({ useObjectStreams: false, addDefaultPage: false })
}

function describe(document: PDFDocument, { title, madeAt, words }: CertificateInput): void {
  const made = new Date(madeAt)
  document.setTitle(title, { showInWindowTitleBar: true })
  document.setLanguage(words.language)
  document.setProducer(PRODUCER)
  document.setCreator(PRODUCER)
  document.setCreationDate(made)
  document.setModificationDate(made)
}

function layOut(
  { title, sections, words, madeAt }: CertificateInput, ink: Ink,
): Layout {
  const layout = new Layout((text, size) => ink.widthOf(text) * size)
  layout.paragraph(PRODUCER, { size: TEXT_SIZE, isQuiet: true })
  layout.paragraph(title, { size: TITLE_SIZE })
  layout.space(TEXT_SIZE / 2)
  layout.paragraph(words.summaryOnly, { size: TEXT_SIZE, isQuiet: true })
  for (const { title: heading, facts = [], lines = [] } of sections) {
    layout.heading(heading, HEADING_SIZE)
    for (const { name, value } of facts) layout.fact(name, value, TEXT_SIZE)
    for (const line of lines) layout.paragraph(line, { size: TEXT_SIZE })
  }
  if (ink.missing.size > 0) {
    layout.space(HEADING_SIZE)
    layout.paragraph(words.undrawable(ink.missing.size), { size: TEXT_SIZE, isQuiet: true })
  }
  layout.footers((number, count) => `${words.page(number, count)} · ${madeAt}`, FOOT_SIZE)
  return layout
}

/** Characters as glyphs, and a memory of which were used. See [Note: Drawn names]. */
class Ink {
  readonly #type: Typeface
  /** Code point by glyph, for reading the text back. */
  readonly used = new Map<number, number>()
  readonly missing = new Set<number>()

  constructor(type: Typeface) {
    this.#type = type
  }

  glyphs(text: string): number[] {
    return Array.from(text.normalize('NFC'), (character) => {
      const codePoint = character.codePointAt(0) ?? 0
      const glyph = this.#type.glyphOf(codePoint)
      if (glyph === 0) this.missing.add(codePoint)
      else this.used.set(glyph, codePoint)
      return glyph
    })
  }

  /** At size 1. */
  widthOf(text: string): number {
    const units = this.glyphs(text).reduce((sum, glyph) => sum + this.#type.widthOf(glyph), 0)
    return units / this.#type.unitsPerEm
  }
}

// ---- PDF (ISO 32000-1: § 9.7 composite fonts, § 9.10 extraction of text)

const [INK, QUIET_INK] = ['0.09 0.10 0.13 rg', '0.33 0.35 0.39 rg']

function contentOf(lines: readonly PlacedLine[], ink: Ink): string {
  return lines.map(({ text, x, y, size, isQuiet = false }) => {
    const glyphs = ink.glyphs(text).map(hex4).join('')
    const at = `${x.toFixed(2)} ${y.toFixed(2)}`
    return `BT ${isQuiet ? QUIET_INK : INK} /F1 ${size} Tf ${at} Td <${glyphs}> Tj ET\n`
  }).join('')
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0')
}

function addPage(document: PDFDocument, content: string, font: PDFRef): void {
  const { context } = document
  const page = document.addPage([PAGE_WIDTH, PAGE_HEIGHT])
  const stream = context.register(context.flateStream(encodeUtf8(content)))
  page.node.set(PDFName.of('Contents'), stream)
  page.node.set(PDFName.of('Resources'), context.obj({ Font: { F1: font } }))
}

function embedFont(
  document: PDFDocument, font: Uint8Array, type: Typeface, ink: Ink,
): PDFRef {
  const { context } = document
  const program = subsetTypeface(font, ink.used.keys())
  const file = context.register(context.flateStream(program, { Length1: program.length }))
  const perMille = (units: number): number => Math.round(units * 1000 / type.unitsPerEm)
  const descriptor = context.register(context.obj({
    Type: 'FontDescriptor', FontName: FONT_NAME, Flags: 4, FontBBox: [-1000, -500, 2000, 1500],
    ItalicAngle: 0, Ascent: perMille(type.ascent), Descent: perMille(type.descent),
    CapHeight: 714, StemV: 80, FontFile2: file,
  }))
  const system = context.obj({ Supplement: 0 })
  system.set(PDFName.of('Registry'), PDFString.of('Adobe'))
  system.set(PDFName.of('Ordering'), PDFString.of('Identity'))
  const descendant = context.register(context.obj({
    Type: 'Font', Subtype: 'CIDFontType2', BaseFont: FONT_NAME, CIDSystemInfo: system,
    FontDescriptor: descriptor, DW: 0, CIDToGIDMap: 'Identity',
    W: widthsOf(document, ink, (glyph) => perMille(type.widthOf(glyph))),
  }))
  const toUnicode = context.register(context.flateStream(encodeUtf8(unicodeMap(ink))))
  return context.register(context.obj({
    Type: 'Font', Subtype: 'Type0', BaseFont: FONT_NAME, Encoding: 'Identity-H',
    DescendantFonts: [descendant], ToUnicode: toUnicode,
  }))
}

/** `[glyph [width] glyph [width] ...]`, the box for missing ones first. */
function widthsOf(document: PDFDocument, ink: Ink, widthOf: (glyph: number) => number): PDFArray {
  const glyphs = [0, ...ink.used.keys()].sort((a, b) => a - b)
  return document.context.obj(glyphs.flatMap((glyph) => [glyph, [widthOf(glyph)]]))
}

/** A block of such a map has at most this many lines. */
const MAX_BLOCK_LINE_COUNT = 100

/** What each glyph means, so that the text can be copied, searched and read aloud. */
function unicodeMap(ink: Ink): string {
  const lines = [...ink.used].sort(([a], [b]) => a - b)
    .map(([glyph, codePoint]) => `<${hex4(glyph)}> <${utf16(codePoint)}>`)
  const blocks: string[] = []
  for (let at = 0; at < lines.length; at += MAX_BLOCK_LINE_COUNT) {
    const block = lines.slice(at, at + MAX_BLOCK_LINE_COUNT)
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`)
  }
  return [
    '/CIDInit /ProcSet findresource begin 12 dict begin begincmap',
    '/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def',
    '/CMapName /Adobe-Identity-UCS def /CMapType 2 def',
    '1 begincodespacerange <0000> <ffff> endcodespacerange',
    ...blocks,
    'endcmap CMapName currentdict /CMap defineresource pop end end', '',
  ].join('\n')
}

function utf16(codePoint: number): string {
  const text = String.fromCodePoint(codePoint)
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  return encodeHex(Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff])))
}
