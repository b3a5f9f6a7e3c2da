// Goal: a founder's PDF becomes one whose first page is near, the same every time, or stays as it is.
// Method: PDFs made here, whole and broken; the outcome's objects read back with pdf-lib.
import { PDFDict, PDFDocument, PDFName, PDFString } from 'pdf-lib'
import t from 'tap'
import { normalisePdf } from '../../../protocol/pdf/normalise.js'
import { makeDeck } from '../viewer/decks.js'
import { everyByte } from './secret-deck.js'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

async function normalised(pdf: Uint8Array): Promise<Uint8Array> {
  const result = await normalisePdf(pdf)
  if (result.kind !== 'normalised') throw new Error(`${result.kind}: ${result.reason}`)
  return result.bytes
}

t.test('the same file gives the same bytes, and these give themselves', async (t) => {
  const deck = await makeDeck({ pageCount: 3, pictureSizeBytes: 20_000 })
  const once = await normalised(deck)
  t.same(Buffer.from(once), Buffer.from(await normalised(deck)))
  t.same(Buffer.from(once), Buffer.from(await normalised(once)))
})

t.test('all pages and their words are still there', async (t) => {
  const deck = await makeDeck({ pageCount: 12 })
  const result = await normalisePdf(deck)
  t.match(result, { kind: 'normalised', pageCount: 12 })
  const before = await everyByte(deck)
  const after = await everyByte(await normalised(deck))
  const shown = (text: string): string[] => text.match(/<[0-9A-F]{20,}> Tj/g) ?? []
  t.same(new Set(shown(after)), new Set(shown(before)))
  t.ok(shown(after).length > 0)
})

t.test('what opening needs lies in the last 64 KiB of a 150-page deck of 40 MB', async (t) => {
  const deck = await makeDeck({ pageCount: 150, pictureSizeBytes: 270_000 })
  t.ok(deck.length > 39_000_000)
  const file = Buffer.from(await normalised(deck))
  t.ok(file.indexOf('/ObjStm') > file.length - 65_536)
  t.ok(file.lastIndexOf('/XRef') > file.length - 65_536)
  t.ok(file.indexOf('stream') < 1_000, 'the first page begins at the front')
})

t.test('resources that pages inherit stay, and the first page foresees only its own', async (t) => {
  const deck = await PDFDocument.load(await makeDeck({ pageCount: 40, pictureSizeBytes: 60_000 }))
  const { context } = deck
  const pages = deck.getPages()
  const pictures = pages.map((page, index) => {
    const name = PDFName.of(`Im${index}`)
    const own = page.node.Resources()?.lookup(PDFName.of('XObject'), PDFDict).values()[0]
    if (own === undefined) throw new Error('no picture')
    page.node.delete(PDFName.of('Resources'))
    page.node.set(PDFName.of('Contents'), context.register(context.stream(`${name.toString()} Do`)))
    return [name, own] as const
  })
  const all = context.obj({})
  for (const [name, picture] of pictures) all.set(name, picture)
  deck.catalog.Pages().set(PDFName.of('Resources'), context.obj({ XObject: context.register(all) }))
  const result = await normalisePdf(await deck.save({ useObjectStreams: false }))
  if (result.kind !== 'normalised') throw new Error(result.kind)
  const again = await PDFDocument.load(result.bytes)
  const kept = again.getPage(39).node.Resources()?.lookup(PDFName.of('XObject'), PDFDict)
  t.equal(kept?.keys().length, 40)
  t.ok(kept?.lookup(PDFName.of('Im39')) !== undefined)
  const foreseen = result.firstPage.reduce((sum, { length }) => sum + length, 0)
  t.ok(foreseen < 300_000, `${foreseen} bytes`)
})

t.test('a deleted slide that the file still holds does not come along', async (t) => {
  const deck = await PDFDocument.create()
  deck.addPage([100, 100])
  deck.context.register(deck.context.obj({ Title: PDFString.of('DELETED-slide') }))
  deck.context.register(deck.context.stream('DELETED-stream'))
  const saved = await deck.save({ useObjectStreams: false })
  t.match(await everyByte(saved), /DELETED/)
  t.notMatch(await everyByte(await normalised(saved)), /DELETED/)
})

t.test('a document of cycles and deep nesting is written all the same', async (t) => {
  const deck = await PDFDocument.create()
  deck.addPage([100, 100])
  const self = deck.context.nextRef()
  deck.context.assign(self, deck.context.obj({ Self: self, Page: deck.getPage(0).ref }))
  let inner = deck.context.obj({ Self: self })
  for (let depth = 0; depth < 400; depth++) inner = deck.context.obj({ Inner: inner })
  deck.catalog.set(PDFName.of('Deep'), inner)
  t.match(await normalisePdf(await deck.save()), { kind: 'normalised', pageCount: 1 })
})

const CASES: readonly { what: string, file: () => Promise<Uint8Array>, outcome: object }[] = [
  {
    what: 'an empty file',
    file: async () => new Uint8Array(0),
    outcome: { kind: 'refused', reason: 'empty-file' },
  },
  {
    what: 'a file that is not a PDF',
    file: async () => bytes('PK\x03\x04 a spreadsheet'),
    outcome: { kind: 'refused', reason: 'not-a-pdf' },
  },
  {
    what: 'a PDF without pages',
    file: emptyDocument,
    outcome: { kind: 'refused', reason: 'zero-pages' },
  },
  {
    what: 'nothing but a header',
    file: async () => bytes('%PDF-1.7\n'),
    outcome: { kind: 'kept', reason: 'unreadable' },
  },
  {
    what: 'a deck cut off in the middle',
    file: async () => (await makeDeck({ pageCount: 3 })).slice(0, 900),
    outcome: { kind: 'kept', reason: 'unreadable' },
  },
  {
    what: 'an encrypted PDF',
    file: encryptedDocument,
    outcome: { kind: 'kept', reason: 'encrypted' },
  },
  {
    what: 'a signed PDF',
    file: signedDocument,
    outcome: { kind: 'kept', reason: 'signed' },
  },
]

async function emptyDocument(): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  return await deck.save({ addDefaultPage: false })
}

/** Encrypted in name: what matters is the trailer's entry, which stops every reader. */
async function encryptedDocument(): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.addPage([100, 100])
  const { context } = deck
  context.trailerInfo.Encrypt = context.register(context.obj({
    Filter: 'Standard', V: 1, R: 2, P: -4, O: PDFString.of('o'.repeat(32)), U: PDFString.of('u'.repeat(32)),
  }))
  return await deck.save({ useObjectStreams: false })
}

async function signedDocument(): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.addPage([100, 100])
  deck.catalog.set(PDFName.of('AcroForm'), deck.context.obj({ Fields: [], SigFlags: 3 }))
  return await deck.save()
}

for (const { what, file, outcome } of CASES) {
  t.test(`${what} has its own answer`, async (t) => {
    t.same(await normalisePdf(await file()), outcome)
  })
}

t.test('a file over the limit is kept without being read', async (t) => {
  const large = new Uint8Array(200 * 1024 * 1024 + 1)
  large.set(bytes('%PDF-1.7\n'))
  t.same(await normalisePdf(large), { kind: 'kept', reason: 'over-limit' })
})
