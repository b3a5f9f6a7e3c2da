// Goal: the PDFs that tests use are what they claim: readable, heavy, linked, damaged, locked.
// Method: read each with pdf.js in Chromium, as the product does, and with pdf-lib.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PDFDocument } from 'pdf-lib'
import t, { type Test } from 'tap'
import { findChromium, openProfile, useChromium } from './chromium.js'
import {
  breakReferences, makeDeck, makeEncryptedPdf, makeGarbage, makePagelessPdf, makePng, slideText,
  truncate,
} from './pdf.js'

const canary = 'quokka'

t.test('what pdf-lib makes of them', async (t) => {
  const deck = await makeDeck({ pageCount: 3, canary })

  t.test('a deck has its pages', async (t) => {
    t.equal((await PDFDocument.load(deck)).getPageCount(), 3)
  })

  t.test('a heavy deck stays heavy', async (t) => {
    const heavy = await makeDeck({ pageCount: 4, canary, imageSizeBytes: 100_000 })
    t.ok(heavy.length > 400_000)
    const rewritten = await (await PDFDocument.load(heavy)).save({ useObjectStreams: true })
    t.ok(rewritten.length > 400_000)
  })

  t.test('an encrypted one is refused, whatever its passphrase', async (t) => {
    await t.rejects(PDFDocument.load(makeEncryptedPdf({ canary, passphrase: '' })), /encrypted/)
    await t.rejects(PDFDocument.load(makeEncryptedPdf({ canary, passphrase: 'seal' })), /encrypted/)
  })

  t.test('one without pages has none', async (t) => {
    t.equal((await PDFDocument.load(makePagelessPdf())).getPages().length, 0)
  })
})

const skip = findChromium() === undefined ? 'Chromium is not installed' : false

t.test('what pdf.js makes of them', { skip }, async (t) => {
  const browser = await useChromium(t)
  const { page } = await openProfile(browser, { passkey: 'none' })
  await page.goto(await servePdfjs(t))
  const read = async (pdf: Uint8Array, passphrase?: string): Promise<unknown> =>
    await page.evaluate(`read(${JSON.stringify([...pdf])}, ${JSON.stringify(passphrase)})`)
  const deck = await makeDeck({ pageCount: 3, canary, hasLinks: true, hasOutline: true })

  t.test('a deck shows its words, links and outline', async (t) => {
    t.same(await read(deck), {
      pageCount: 3, text: `${slideText(canary, 0)} Market, team, numbers: what an investor reads.`, links: 2, outline: 3,
    })
  })

  t.test('a deck of 150 pages opens', async (t) => {
    t.match(await read(await makeDeck({ pageCount: 150, canary })), { pageCount: 150 })
  })

  t.test('a broken table of objects is repaired', async (t) => {
    t.match(await read(breakReferences(deck)), { pageCount: 3 })
  })

  t.test('an empty passphrase opens without asking', async (t) => {
    t.match(await read(makeEncryptedPdf({ canary, passphrase: '' })), { pageCount: 1, text: canary })
  })

  t.test('a passphrase is asked for, and has to be right', async (t) => {
    const locked = makeEncryptedPdf({ canary, passphrase: 'seal' })
    t.notOk(Buffer.from(locked).includes(canary))
    t.equal(await read(locked), 'PasswordException')
    t.match(await read(locked, 'seal'), { text: canary })
  })

  t.test('what cannot be read is refused', async (t) => {
    t.equal(await read(makeGarbage()), 'InvalidPDFException')
    t.equal(await read(makePng()), 'InvalidPDFException')
    t.equal(await read(new Uint8Array()), 'InvalidPDFException')
    t.equal(await read(truncate(deck)), 'InvalidPDFException')
  })
})

const READER = `
import * as pdfjs from '/pdf.mjs'
pdfjs.GlobalWorkerOptions.workerSrc = '/pdf.worker.mjs'
globalThis.read = async (bytes, password) => {
  try {
    const pdf = await pdfjs.getDocument({ data: new Uint8Array(bytes), password, disableWorkerRendering: true }).promise
    const page = await pdf.getPage(1)
    const { items } = await page.getTextContent()
    return {
      pageCount: pdf.numPages,
      text: items.map((item) => item.str).filter((text) => text !== '').join(' '),
      links: (await page.getAnnotations()).length,
      outline: (await pdf.getOutline())?.length ?? 0,
    }
  } catch (error) {
    return error.name
  }
}`

async function servePdfjs(t: Test): Promise<string> {
  const build = fileURLToPath(new URL('../../node_modules/pdfjs-dist/build/', import.meta.url))
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '/').slice(1)
    const isScript = ['pdf.mjs', 'pdf.worker.mjs'].includes(name)
    const page = `<title>pdf</title><link rel="icon" href="data:,"><script type="module">${READER}</script>`
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? await readFile(`${build}${name}`) : page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return `http://localhost:${address.port}/`
}
