/** PDFs that attack whoever opens them. */
import { PDFDocument, PDFName, PDFString, type PDFDict } from 'pdf-lib'

const name = PDFName.of.bind(PDFName)
/** What scripts try: a request that the test would see. */
const SCRIPT = 'globalThis.canary = 1; app.launchURL("https://canary.example/");'

async function oneSlide(change: (deck: PDFDocument) => void): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.addPage([960, 540]).drawRectangle({ x: 100, y: 100, width: 300, height: 200 })
  change(deck)
  return await deck.save({ useObjectStreams: false })
}

/** Scripts on opening, on the page, in a field and behind a link. */
export async function scripts(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const { context, catalog } = deck
    const action = context.obj({ S: 'JavaScript', JS: PDFString.of(SCRIPT) })
    const field = context.register(context.obj({
      Type: 'Annot', Subtype: 'Widget', FT: 'Tx', T: PDFString.of('f'), Rect: [0, 0, 400, 400], AA: { E: action, Fo: action },
    }))
    const link = context.register(context.obj({
      Type: 'Annot', Subtype: 'Link', Rect: [400, 0, 900, 500], A: action,
    }))
    const address = context.register(context.obj({
      Type: 'Annot', Subtype: 'Link', Rect: [400, 0, 900, 500], A: { S: 'URI', URI: PDFString.of('javascript:canary=1') },
    }))
    catalog.set(name('OpenAction'), action)
    catalog.set(name('AcroForm'), context.obj({ Fields: [field] }))
    catalog.set(name('Names'), context.obj({ JavaScript: { Names: [PDFString.of('a'), action] } }))
    deck.getPage(0).node.set(name('AA'), context.obj({ O: action }))
    deck.getPage(0).node.set(name('Annots'), context.obj([field, link, address]))
  })
}

/** A good slide before a bad one. */
export async function badSecond(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    deck.insertPage(0, [960, 540]).drawRectangle({ x: 100, y: 100, width: 300, height: 200 })
    addScriptFont(deck, 1)
  })
}

/** A font whose matrix is a piece of script (CVE-2024-4367). */
export async function scriptInFont(): Promise<Uint8Array> {
  return await oneSlide((deck) => addScriptFont(deck, 0))
}

function addScriptFont(deck: PDFDocument, index: number): void {
  const { context } = deck
  const program = context.register(context.stream(
    '%!PS-AdobeFont-1.0: X\n/FontMatrix [1 2 3 4 5 (6\\); globalThis.canary=1; //)] readonly def\n' +
    '/Encoding StandardEncoding def\ncurrentfile eexec\n', { Length1: 120, Length2: 0, Length3: 0 },
  ))
  const font = context.obj({
    Type: 'Font',
    Subtype: 'Type1',
    BaseFont: 'X',
    FirstChar: 65,
    LastChar: 65,
    Widths: [500],
    FontMatrix: [1, 2, 3, 4, 5, PDFString.of('1); globalThis.canary=1; //')],
    FontDescriptor: {
      Type: 'FontDescriptor', FontName: 'X', Flags: 4, FontBBox: [0, 0, 9, 9], FontFile: program,
    },
  })
  setContent(deck, 'BT /F 40 Tf 100 100 Td (A) Tj ET', context.obj({ Font: { F: font } }), index)
}

/** A form in XFA, which would draw itself over the page. */
export async function xfa(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const template = '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template><subform><field/></subform></template></xdp:xdp>'
    deck.catalog.set(name('AcroForm'), deck.context.obj({
      Fields: [], XFA: deck.context.register(deck.context.stream(template)),
    }))
  })
}

/** 200 MB of commands in 200 kB: minutes of work. */
export async function commandBomb(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const line = '/F 9 Tf 1 0 0 1 5 5 cm q 0.1 0.2 0.3 rg 5 5 m 7 7 8 8 9 9 c f* Q\n'
    setContent(deck, line.repeat(3_000_000), deck.context.obj({}))
  })
}

/** A picture of 60,000 x 60,000 in a few bytes: 10 GB when drawn. */
export async function pictureBomb(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const { context } = deck
    const picture = context.register(context.flateStream(new Uint8Array(1_000_000), {
      Type: 'XObject', Subtype: 'Image', Width: 60_000, Height: 60_000, ColorSpace: 'DeviceRGB', BitsPerComponent: 8,
    }))
    setContent(deck, '900 0 0 500 0 0 cm /Im Do', context.obj({ XObject: { Im: picture } }))
  })
}

/** Forms that draw each other ten at a time, ten deep. */
export async function formBomb(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const { context } = deck
    let inner = context.register(context.stream('0 0 1 1 re f', formKeys()))
    for (let depth = 0; depth < 10; depth++) {
      const keys = { ...formKeys(), Resources: { XObject: { In: inner } } }
      inner = context.register(context.stream('/In Do '.repeat(10), keys))
    }
    setContent(deck, '/In Do', context.obj({ XObject: { In: inner } }))
  })
}

function formKeys() {
  return { Type: 'XObject', Subtype: 'Form', BBox: [0, 0, 960, 540] }
}

function setContent(deck: PDFDocument, content: string, resources: PDFDict, index = 0): void {
  const { node } = deck.getPage(index)
  node.set(name('Contents'), deck.context.register(deck.context.flateStream(content)))
  node.set(name('Resources'), resources)
}

/** Encrypted with a password nobody has. */
export async function encrypted(): Promise<Uint8Array> {
  return await oneSlide((deck) => {
    const { context } = deck
    context.trailerInfo.Encrypt = context.register(context.obj({
      Filter: 'Standard', V: 1, R: 2, P: -4, O: PDFString.of('o'.repeat(32)), U: PDFString.of('u'.repeat(32)),
    }))
    context.trailerInfo.ID = context.obj([PDFString.of('i'.repeat(16)), PDFString.of('i'.repeat(16))])
  })
}
