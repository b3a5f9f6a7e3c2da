/**
 * A deck that hides a canary in every corner a PDF has: slides 2 and 3 are below the lock line, and
 * all their words, pictures, fonts, names and marks carry `CANARY` and a word of their own.
 */
import { readFileSync } from 'node:fs'
import {
  decodePDFRawStream, PDFDocument, PDFHexString, PDFName, PDFRawStream, PDFString, StandardFonts,
} from 'pdf-lib'
import type { PDFContext, PDFDict, PDFObject, PDFPage, PDFRef } from 'pdf-lib'

export const CANARY = 'CANARY'
const name = PDFName.of.bind(PDFName)
const fontFolder = new URL('../../../node_modules/pdfjs-dist/standard_fonts/', import.meta.url)
export const fontBytes = (file: string): Uint8Array => readFileSync(new URL(file, fontFolder))

/** How a program of either kind is embedded as a composite font. */
interface Embedding { file: string, subtype: string, key: string, program: Record<string, string> }
const TRUE_TYPE: Embedding = {
  file: 'LiberationSans-Regular.ttf', subtype: 'CIDFontType2', key: 'FontFile2', program: {},
}
const COMPACT: Embedding = {
  file: 'FoxitSerif.pfb', subtype: 'CIDFontType0', key: 'FontFile3', program: { Subtype: 'CIDFontType0C' },
}

/** Glyph numbers of `A` and `Z` in the first. */
export const OPEN_GLYPH = 36
export const LOCKED_GLYPH = 61

interface Shared {
  plain: PDFRef
  drawn: PDFRef
  composite: PDFRef
  compact: PDFRef
  logo: PDFRef
  photo: PDFRef
  form: PDFRef
}

/** Slide 1 is open; everything is shared in one inherited resource dictionary, as programs do. */
export async function makeSecretDeck(): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.setTitle('CANARY-info')
  deck.setCreationDate(new Date(0))
  deck.setModificationDate(new Date(0))
  const { context } = deck
  const shared: Shared = {
    plain: (await deck.embedFont(StandardFonts.Helvetica)).ref,
    drawn: drawnFont(context),
    composite: compositeFont(context, TRUE_TYPE),
    compact: compositeFont(context, COMPACT),
    logo: picture(context, 'open-logo-pixels'),
    photo: picture(context, 'CANARY-photo-pixels'),
    form: context.nextRef(),
  }
  await deck.flush()
  context.assign(shared.form, formOfBoth(context, shared))
  const pages = [deck.addPage([960, 540]), deck.addPage([960, 540]), deck.addPage([960, 540])]
  drawOpen(context, pages[0])
  drawLocked(context, pages[1], 'CANARY-second')
  drawLocked(context, pages[2], 'CANARY-third')
  shareResources(deck, shared)
  annotate(context, pages)
  addDocumentParts(deck, pages)
  return await deck.save({ useObjectStreams: false })
}

function drawOpen(context: PDFContext, page: PDFPage | undefined): void {
  setContent(context, page, [
    '/Span << /MCID 0 /ActualText (open words) >> BDC',
    'BT /Plain 30 Tf 60 400 Td (Open slide) Tj ET EMC',
    'BT /Drawn 30 Tf 60 300 Td (A) Tj ET',
    'BT /Composite 30 Tf 60 200 Td <0024> Tj /Compact 30 Tf 60 0 Td <0024> Tj ET',
    'q 100 0 0 100 600 300 cm /Logo Do Q',
    '/Both Do',
    'BI /W 2 /H 2 /CS /G /BPC 8 ID EI x EI',
  ].join('\n'))
}

function drawLocked(context: PDFContext, page: PDFPage | undefined, words: string): void {
  setContent(context, page, [
    `BT /Plain 30 Tf 60 400 Td (${words}) Tj ET`,
    'BT /Drawn 30 Tf 60 300 Td (Z) Tj ET',
    'BT /Composite 30 Tf 60 200 Td <003D> Tj /Compact 30 Tf 60 0 Td <003D> Tj ET',
    'q 100 0 0 100 600 300 cm /Photo Do Q',
  ].join('\n'))
}

function setContent(context: PDFContext, page: PDFPage | undefined, text: string): void {
  page?.node.set(name('Contents'), context.register(context.flateStream(text)))
}

function picture(context: PDFContext, pixels: string): PDFRef {
  return context.register(context.stream(pixels.padEnd(24, '.').slice(0, 24), {
    Type: 'XObject',
    Subtype: 'Image',
    Width: 4,
    Height: 2,
    ColorSpace: 'DeviceRGB',
    BitsPerComponent: 8,
    Metadata: context.register(context.stream('CANARY-picture-metadata', { Type: 'Metadata' })),
  }))
}

/** A form that draws the logo, and whose own resources name the locked photo too. */
function formOfBoth(context: PDFContext, shared: Shared): PDFRawStream {
  return context.stream('/Inner Do', {
    Type: 'XObject',
    Subtype: 'Form',
    BBox: [0, 0, 960, 540],
    PieceInfo: { Maker: { Private: PDFString.of('CANARY-piece') } },
    Resources: { XObject: { Inner: shared.logo, Unused: shared.photo } },
  })
}

function drawnFont(context: PDFContext): PDFRef {
  const glyph = (words: string): PDFRef => {
    return context.register(context.stream(`500 0 0 0 500 500 d1 0 0 400 400 re f % ${words}`))
  }
  return context.register(context.obj({
    Type: 'Font',
    Subtype: 'Type3',
    Name: 'Drawn',
    FontBBox: [0, 0, 500, 500],
    FontMatrix: [0.001, 0, 0, 0.001, 0, 0],
    FirstChar: 65,
    LastChar: 90,
    Widths: Array.from({ length: 26 }, (_, at) => at === 25 ? 777 : 500),
    Encoding: { Type: 'Encoding', Differences: [65, 'square', 90, 'CANARY-glyph-name'] },
    CharProcs: { 'square': glyph('open square'), 'CANARY-glyph-name': glyph('CANARY-glyph') },
    Resources: {},
  }))
}

const TO_UNICODE = [
  '1 begincodespacerange <0000> <FFFF> endcodespacerange',
  '2 beginbfchar <0024> <0041> <003D> <2603> endbfchar',
].join('\n')

function compositeFont(context: PDFContext, embedding: Embedding): PDFRef {
  const { file, program: entries } = embedding
  const program = context.register(context.flateStream(fontBytes(file), entries))
  const descriptor = context.register(context.obj({
    Type: 'FontDescriptor',
    FontName: 'Liberation',
    Flags: 4,
    FontBBox: [0, -200, 1000, 900],
    ItalicAngle: 0,
    Ascent: 900,
    Descent: -200,
    CapHeight: 700,
    StemV: 80,
    [embedding.key]: program,
    CharSet: PDFString.of('/A/CANARY-charset'),
  }))
  const descendant = context.register(context.obj({
    Type: 'Font',
    Subtype: embedding.subtype,
    BaseFont: 'Liberation',
    CIDSystemInfo: {
      Registry: PDFString.of('Adobe'), Ordering: PDFString.of('Identity'), Supplement: 0,
    },
    FontDescriptor: descriptor,
    DW: 1000,
    W: [OPEN_GLYPH, [667], LOCKED_GLYPH, [612]],
    CIDToGIDMap: 'Identity',
  }))
  return context.register(context.obj({
    Type: 'Font',
    Subtype: 'Type0',
    BaseFont: 'Liberation',
    Encoding: 'Identity-H',
    DescendantFonts: [descendant],
    ToUnicode: context.register(context.flateStream(TO_UNICODE)),
  }))
}

function shareResources(deck: PDFDocument, shared: Shared): void {
  const { context } = deck
  const layer = context.register(context.obj({ Type: 'OCG', Name: PDFString.of('CANARY-layer') }))
  const resources = context.register(context.obj({
    Font: {
      Plain: shared.plain,
      Drawn: shared.drawn,
      Composite: shared.composite,
      Compact: shared.compact,
    },
    XObject: {
      'Logo': shared.logo,
      'Photo': shared.photo,
      'Both': shared.form,
      'CANARY-resource-name': shared.photo,
    },
    Properties: { 'CANARY-mark': layer },
  }))
  for (const page of deck.getPages()) page.node.delete(name('Resources'))
  deck.catalog.Pages().set(name('Resources'), resources)
}

function annotate(context: PDFContext, pages: readonly PDFPage[]): void {
  const [open, locked] = pages
  if (open === undefined || locked === undefined) return
  const note = context.obj({
    Type: 'Annot', Subtype: 'Text', Rect: [0, 0, 9, 9], Contents: PDFString.of('CANARY-note'),
  })
  const link = (action: PDFDict, destination: string): PDFDict => context.obj({
    Type: 'Annot',
    Subtype: 'Link',
    Rect: [60, 60, 160, 90],
    Contents: PDFString.of('CANARY-alt'),
    A: action,
    Dest: PDFString.of(destination),
  })
  const uri = context.obj({ S: 'URI', URI: PDFString.of('https://northwind.example/(deck)') })
  const script = context.obj({ S: 'JavaScript', JS: PDFString.of('app.alert("CANARY-script")') })
  const within = context.obj({ S: 'GoTo', D: [locked.ref, 'Fit'] })
  open.node.set(name('Annots'), context.obj([
    note, link(uri, 'CANARY-one'), link(within, 'CANARY-two'), link(script, 'CANARY-three'),
    link(uri, 'CANARY-four'),
  ]))
  locked.node.set(name('Annots'), context.obj([note]))
  open.node.set(name('AA'), context.obj({ O: script }))
  open.node.set(name('Metadata'), context.register(context.stream('CANARY-page-metadata')))
}

function addDocumentParts(deck: PDFDocument, pages: readonly PDFPage[]): void {
  const { context, catalog } = deck
  const locked = pages[1]?.ref
  const stream = (words: string): PDFRef => context.register(context.stream(words))
  const item = context.nextRef()
  const text = PDFString.of.bind(PDFString)
  const outlines = context.register(context.obj({
    Type: 'Outlines', First: item, Last: item, Count: 1,
  }))
  context.assign(item, context.obj({
    Title: PDFHexString.fromText('CANARY-outline'), Parent: outlines, Dest: [locked ?? null, 'Fit'],
  }))
  const embedded = context.obj({
    Type: 'Filespec', F: text('CANARY.xlsx'), EF: { F: stream('CANARY-attachment') },
  })
  const parts: Record<string, PDFObject> = {
    Outlines: outlines,
    Names: context.obj({
      Dests: { Names: [text('CANARY-named'), [locked ?? null, 'Fit']] },
      EmbeddedFiles: { Names: [text('CANARY-file'), embedded] },
      JavaScript: { Names: [text('CANARY-js'), { S: 'JavaScript', JS: text('CANARY') }] },
    }),
    Metadata: stream('<x:xmpmeta>CANARY-xmp</x:xmpmeta>'),
    PageLabels: context.obj({ Nums: [0, { P: text('CANARY-label') }] }),
    StructTreeRoot: context.obj({
      Type: 'StructTreeRoot', K: { S: 'P', Alt: text('CANARY-structure'), Pg: locked ?? null },
    }),
    OCProperties: context.obj({ OCGs: [{ Type: 'OCG', Name: text('CANARY-layer-2') }], D: {} }),
    AcroForm: context.obj({ Fields: [{ T: text('CANARY-field'), V: text('CANARY-value') }] }),
    PieceInfo: context.obj({ Maker: { Private: text('CANARY-piece-2') } }),
  }
  for (const [key, part] of Object.entries(parts)) catalog.set(name(key), part)
}

/** Every object of a PDF as text, streams decompressed, and the file's raw bytes. */
export async function everyByte(pdf: Uint8Array): Promise<string> {
  const deck = await PDFDocument.load(pdf, { updateMetadata: false })
  const texts = [Buffer.from(pdf).toString('latin1')]
  for (const [, object] of deck.context.enumerateIndirectObjects()) {
    if (!(object instanceof PDFRawStream)) {
      texts.push(object.toString())
      continue
    }
    texts.push(object.dict.toString(), Buffer.from(object.contents).toString('latin1'))
    // Pixels, which hold no words.
    if (/DCT|JPX|CCITT|JBIG2/.test(String(object.dict.get(name('Filter'))))) continue
    texts.push(Buffer.from(decodePDFRawStream(object).decode()).toString('latin1'))
  }
  return texts.join('\n')
}

/** How often a word occurs in a PDF: as bytes, as UTF-16, and as hexadecimal of either. */
export async function occurrences(pdf: Uint8Array, word: string): Promise<string[]> {
  const whole = await everyByte(pdf)
  const latin = Buffer.from(word, 'latin1')
  const wide = Buffer.from(word, 'utf16le').swap16()
  const forms = [latin, wide].flatMap((form) => [form.toString('latin1'), form.toString('hex')])
  return forms.flatMap((form) => {
    const at = whole.toLowerCase().indexOf(form.toLowerCase())
    return at === -1 ? [] : [whole.slice(Math.max(0, at - 40), at + 60)]
  })
}
