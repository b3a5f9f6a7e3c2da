// Goal: of slides below the lock line nothing occurs in the open part, in any object, in any form.
// Method: a deck with a canary in every corner a PDF has; open slide 1; search all bytes decompressed.
import {
  decodePDFRawStream, PDFArray, PDFDict, PDFDocument, PDFName, PDFRawStream, PDFString,
} from 'pdf-lib'
import type { PDFContext, PDFObject } from 'pdf-lib'
import t from 'tap'
import { normalisePdf } from '../../../protocol/pdf/normalise.js'
import { openSlides } from '../../../protocol/pdf/open-slides.js'
import {
  CANARY, everyByte, LOCKED_GLYPH, makeSecretDeck, occurrences, OPEN_GLYPH,
} from './secret-deck.js'

const name = PDFName.of.bind(PDFName)
const SAFE_URL = 'https://northwind.example/%28deck%29'

async function built(bytes: Uint8Array, indexes: readonly number[]): Promise<Uint8Array> {
  const result = await openSlides({ bytes: new Uint8Array(bytes), indexes, rasters: [] })
  if (result.kind !== 'built') throw new Error(JSON.stringify(result.pages))
  return result.bytes
}

t.test('nothing of a locked slide is in the open part', async (t) => {
  const deck = await makeSecretDeck()
  t.ok((await occurrences(deck, CANARY)).length > 0, 'the canary can be found where it is')
  const open = await built(deck, [0])
  t.same(await occurrences(open, CANARY), [])

  const normalised = await normalisePdf(deck)
  if (normalised.kind !== 'normalised') throw new Error(normalised.kind)
  t.same(await occurrences(await built(normalised.bytes, [0]), CANARY), [], 'nor after normalising')
})

t.test('the open slide keeps what it shows', async (t) => {
  const whole = await everyByte(await built(await makeSecretDeck(), [0]))
  for (const kept of ['Open slide', 'open-logo-pixels', 'open square', SAFE_URL]) {
    t.ok(whole.includes(kept), kept)
  }
})

t.test('only plain links remain, without their words', async (t) => {
  const deck = await PDFDocument.load(await built(await makeSecretDeck(), [0]))
  const refs = deck.getPage(0).node.Annots()?.asArray() ?? []
  const links = refs.map((ref) => deck.context.lookup(ref, PDFDict))
  t.equal(links.length, 2)
  for (const link of links) {
    t.same(link.keys().map(String).sort(), ['/A', '/Border', '/Rect', '/Subtype', '/Type'])
    const action = link.lookup(name('A'), PDFDict)
    t.equal(action.lookup(name('URI'), PDFString).asString(), SAFE_URL)
  }
})

t.test('the catalogue names pages and nothing else, and there is no Info', async (t) => {
  const open = await built(await makeSecretDeck(), [0])
  const deck = await PDFDocument.load(open, { updateMetadata: false })
  t.same(deck.catalog.keys().map(String).sort(), ['/Pages', '/Type'])
  t.equal(deck.context.trailerInfo.Info, undefined)
})

t.test('a composite font keeps the shown letter and empties the others', async (t) => {
  const deck = await PDFDocument.load(await built(await makeSecretDeck(), [0]))
  const font = fontNamed(deck, 'Composite')
  const map = decode(font.lookup(name('ToUnicode'))).toString('latin1')
  t.match(map, /<0024> <0041>/)
  t.notMatch(map, /2603/, 'the text of a locked letter is gone')
  const cid = font.lookup(name('DescendantFonts'), PDFArray).lookup(0, PDFDict)
  t.equal(cid.lookup(name('W'), PDFArray).toString(), `[ ${OPEN_GLYPH} [ 667 ] ]`)
  const bytes = decode(cid.lookup(name('FontDescriptor'), PDFDict).lookup(name('FontFile2')))
  t.ok(outline(bytes, OPEN_GLYPH).some((byte) => byte !== 0))
  t.ok(outline(bytes, LOCKED_GLYPH).length > 0)
  t.notOk(outline(bytes, LOCKED_GLYPH).some((byte) => byte !== 0))
})

function fontNamed(deck: PDFDocument, font: string): PDFDict {
  const fonts = deck.getPage(0).node.Resources()?.lookup(name('Font'), PDFDict)
  if (fonts === undefined) throw new Error('no fonts')
  return fonts.lookup(name(font), PDFDict)
}

function decode(stream: PDFObject | undefined): Buffer {
  if (!(stream instanceof PDFRawStream)) throw new Error('not a stream')
  return Buffer.from(decodePDFRawStream(stream).decode())
}

/** A glyph's outline in a TrueType program. */
function outline(bytes: Uint8Array, gid: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const table = (tag: string): number => {
    for (let at = 12; at < 12 + view.getUint16(4) * 16; at += 16) {
      if (Buffer.from(bytes.subarray(at, at + 4)).toString('latin1') === tag) return view.getUint32(at + 8)
    }
    throw new Error(`no ${tag}`)
  }
  const isLong = view.getUint16(table('head') + 50) === 1
  const at = (glyph: number): number => table('glyf') +
    (isLong ? view.getUint32(table('loca') + glyph * 4) : view.getUint16(table('loca') + glyph * 2) * 2)
  return bytes.subarray(at(gid), at(gid + 1))
}

t.test('slides come in the order asked for, and twice the same bytes', async (t) => {
  const deck = await makeSecretDeck()
  const first = await built(deck, [2, 0])
  t.same(Buffer.from(first), Buffer.from(await built(deck, [2, 0])))
  const [third] = (await PDFDocument.load(first)).getPages()
  t.match(decode(third?.node.lookup(name('Contents'))).toString('latin1'), /CANARY-third/)
  t.same(await occurrences(first, 'CANARY-second'), [])
})

const FORM = { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 9, 9] }
const PICTURE = {
  Type: 'XObject', Subtype: 'Image', Width: 1, Height: 1, ColorSpace: 'DeviceRGB', BitsPerComponent: 8,
}

interface RefusedSlide {
  what: string
  reason: string
  content: string
  resources(context: PDFContext): PDFDict
}

const REFUSED: readonly RefusedSlide[] = [
  {
    what: 'a layer',
    reason: 'optional-content',
    content: '/OC /Layer BDC EMC',
    resources: (context) => context.obj({
      Properties: { Layer: { Type: 'OCG', Name: PDFString.of('L') } },
    }),
  },
  {
    what: 'a form on a layer',
    reason: 'optional-content',
    content: '/Form Do',
    resources: (context) => context.obj({
      XObject: { Form: context.register(context.stream('', { ...FORM, OC: { Type: 'OCG' } })) },
    }),
  },
  {
    what: 'a picture on a layer, inside a form',
    reason: 'optional-content',
    content: '/Form Do',
    resources: (context) => {
      const picture = context.register(context.stream('xxx', { ...PICTURE, OC: { Type: 'OCG' } }))
      const form = context.stream('/Picture Do', { ...FORM, Resources: { XObject: { Picture: picture } } })
      return context.obj({ XObject: { Form: context.register(form) } })
    },
  },
  {
    what: 'a form that leans on its page for resources',
    reason: 'unknown-structure',
    content: '/Form Do',
    resources: (context) => context.obj({
      XObject: { Form: context.register(context.stream('/Other Do', FORM)) },
    }),
  },
  {
    what: 'commands that cannot be read',
    reason: 'unreadable-content',
    content: '(never closed',
    resources: (context) => context.obj({}),
  },
  {
    what: 'an operator inside an array',
    reason: 'unreadable-content',
    content: '[ 1 Tj ] TJ',
    resources: (context) => context.obj({}),
  },
  {
    what: 'a font set by a graphics state',
    reason: 'unknown-structure',
    content: '/State gs BT (x) Tj ET',
    resources: (context) => context.obj({ ExtGState: { State: { Font: [{ Type: 'Font' }, 12] } } }),
  },
  {
    what: 'a colour space of no known family',
    reason: 'unknown-structure',
    content: '/Odd cs 1 sc',
    resources: (context) => context.obj({ ColorSpace: { Odd: ['Unheard', 1] } }),
  },
]

for (const { what, reason, content, resources } of REFUSED) {
  t.test(`a slide with ${what} is to be drawn instead`, async (t) => {
    const deck = await PDFDocument.create()
    const page = deck.addPage([960, 540])
    page.node.set(name('Contents'), deck.context.register(deck.context.stream(content)))
    page.node.set(name('Resources'), resources(deck.context))
    deck.addPage([960, 540])
    const bytes = new Uint8Array(await deck.save())
    const result = await openSlides({ bytes, indexes: [0, 1], rasters: [] })
    t.same(result, { kind: 'rasterise-needed', pages: [{ index: 0, reason }] })
    const raster = { index: 0, mediaType: 'image/png', bytes: PIXEL } as const
    const drawn = await openSlides({ bytes, indexes: [0, 1], rasters: [raster] })
    t.match(drawn, { kind: 'built', pageCount: 2 }, 'and takes a drawn page in its place')
  })
}

/** One white pixel. */
const PIXEL = new Uint8Array(Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==', 'base64',
))

t.test('forms that contain themselves end', async (t) => {
  const deck = await PDFDocument.create()
  const page = deck.addPage([960, 540])
  const form = deck.context.nextRef()
  deck.context.assign(form, deck.context.stream('/Self Do', {
    Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 1, 1], Resources: { XObject: { Self: form } },
  }))
  page.node.set(name('Contents'), deck.context.register(deck.context.stream('/Self Do')))
  page.node.set(name('Resources'), deck.context.obj({ XObject: { Self: form } }))
  const bytes = new Uint8Array(await deck.save())
  t.match(await openSlides({ bytes, indexes: [0], rasters: [] }), { kind: 'built' })
})
