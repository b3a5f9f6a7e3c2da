/**
 * Real PDFs for tests, good and bad, made when they are wanted: no binary lies in the repository.
 * Every page carries a canary, a word to search for where plaintext must never be.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  PDFDocument, PDFName, PDFString, rgb, StandardFonts, type PDFDict, type PDFFont, type PDFPage,
  type PDFRef,
} from 'pdf-lib'

const SLIDE = { width: 960, height: 540 }

export interface DeckOptions {
  readonly pageCount: number
  /** Stands on every page, as text, and in the document's title. */
  readonly canary: string
  /** One outline entry for each page. */
  readonly hasOutline?: boolean
  /** On each page but the last a link to the next, and one to https://example.org/. */
  readonly hasLinks?: boolean
  /** Incompressible bytes in an image on each page: what makes a deck as heavy as a real one. */
  readonly imageSizeBytes?: number
}

/** A deck as office programs write it: a flat page tree, no object streams. */
export async function makeDeck(options: DeckOptions): Promise<Uint8Array<ArrayBuffer>> {
  const pdf = await PDFDocument.create()
  pdf.setTitle(`${options.canary} title`)
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  const pages = Array.from(
    { length: options.pageCount }, () => pdf.addPage([SLIDE.width, SLIDE.height]),
  )
  for (const [index, page] of pages.entries()) {
    drawSlide(page, { font, text: slideText(options.canary, index) })
  }
  if (options.imageSizeBytes !== undefined) drawNoise(pdf, pages, options.imageSizeBytes)
  if (options.hasLinks === true) linkPages(pages)
  if (options.hasOutline === true) addOutline(pdf, pages)
  return ownBytes(await pdf.save({ useObjectStreams: false }))
}

/** What stands on a page: `canary`, the page's number from one. */
export function slideText(canary: string, index: number): string {
  return `${canary} slide ${index + 1}`
}

function drawSlide(page: PDFPage, { font, text }: { font: PDFFont, text: string }): void {
  page.drawRectangle({ x: 0, y: 0, ...SLIDE, color: rgb(0.97, 0.96, 0.93) })
  page.drawRectangle({ x: 60, y: 120, width: 300, height: 180, color: rgb(0.16, 0.24, 0.61) })
  page.drawText(text, { x: 60, y: 420, size: 36, font, color: rgb(0.09, 0.1, 0.13) })
  page.drawText('Market, team, numbers: what an investor reads.', { x: 60, y: 370, size: 18, font })
}

// A grey picture of random bytes: no compression makes it smaller.
function drawNoise(pdf: PDFDocument, pages: readonly PDFPage[], sizeBytes: number): void {
  const width = 512
  const height = Math.max(1, Math.round(sizeBytes / width))
  for (const page of pages) {
    const image = pdf.context.register(pdf.context.stream(randomBytes(width * height), {
      Type: 'XObject', Subtype: 'Image', Width: width, Height: height, ColorSpace: 'DeviceGray', BitsPerComponent: 8,
    }))
    page.node.setXObject(PDFName.of('Noise'), image)
    const draw = pdf.context.register(pdf.context.stream('q 400 0 0 300 500 60 cm /Noise Do Q'))
    page.node.addContentStream(draw)
  }
}

function linkPages(pages: readonly PDFPage[]): void {
  for (const [index, page] of pages.entries()) {
    const next = pages[index + 1]
    if (next === undefined) continue
    const { context } = page.doc
    const link = { Type: 'Annot', Subtype: 'Link', Border: [0, 0, 0] }
    const outside = context.obj({ S: 'URI', URI: PDFString.of('https://example.org/') })
    const toNext = context.obj({ ...link, Rect: [60, 60, 200, 90], Dest: [next.ref, PDFName.of('Fit')] })
    const toOutside = context.obj({ ...link, Rect: [220, 60, 360, 90], A: outside })
    for (const annotation of [toNext, toOutside]) page.node.addAnnot(context.register(annotation))
  }
}

function addOutline(pdf: PDFDocument, pages: readonly PDFPage[]): void {
  const { context } = pdf
  const outline = context.nextRef()
  const entries = pages.map(() => context.nextRef())
  for (const [index, page] of pages.entries()) {
    const entry = context.obj({ Parent: outline, Dest: [page.ref, PDFName.of('Fit')] })
    entry.set(PDFName.of('Title'), PDFString.of(`Slide ${index + 1}`))
    setRef(entry, 'Prev', entries[index - 1])
    setRef(entry, 'Next', entries[index + 1])
    context.assign(entries[index] ?? outline, entry)
  }
  const root = context.obj({ Type: 'Outlines', Count: entries.length })
  setRef(root, 'First', entries.at(0))
  setRef(root, 'Last', entries.at(-1))
  context.assign(outline, root)
  pdf.catalog.set(PDFName.of('Outlines'), outline)
}

function setRef(dictionary: PDFDict, name: string, ref: PDFRef | undefined): void {
  if (ref !== undefined) dictionary.set(PDFName.of(name), ref)
}

/** A deck cut off in the middle, as by a broken download. */
export function truncate(pdf: Uint8Array): Uint8Array<ArrayBuffer> {
  return pdf.slice(0, Math.floor(pdf.length / 2))
}

/** The header of a PDF and then nothing that makes sense: no reader can repair it. */
export function makeGarbage(): Uint8Array<ArrayBuffer> {
  return ownBytes(Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(4096, 0x5a), Buffer.from('\n%%EOF\n')]))
}

/** A good PDF whose table of objects points nowhere: readers repair it. */
export function breakReferences(pdf: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(pdf).toString('latin1')
  return ownBytes(Buffer.from(text.replace(/startxref\s+\d+/, 'startxref\n999999999'), 'latin1'))
}

/** A sound PDF without a single page. */
export function makePagelessPdf(): Uint8Array<ArrayBuffer> {
  return writePdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 0 >>'])
}

/** Something that calls itself a deck and is a picture. */
export function makePng(): Uint8Array<ArrayBuffer> {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  return ownBytes(Buffer.from(pixel, 'base64'))
}

/**
 * One page encrypted in the oldest way there is (RC4, 40 bits), which every reader knows. With an
 * empty passphrase readers open it without asking, yet it cannot be rewritten by those who refuse
 * encrypted files; with another one nobody reads it who does not know the word.
 */
export function makeEncryptedPdf(
  { canary, passphrase }: { canary: string, passphrase: string },
): Uint8Array<ArrayBuffer> {
  const lock = makeLock(passphrase)
  const content = Buffer.from(`BT /F1 36 Tf 60 420 Td (${canary}) Tj ET`, 'latin1')
  const sealed = rc4(objectKey(lock.key, 4), content)
  const hex = (bytes: Buffer): string => `<${bytes.toString('hex')}>`
  return writePdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${SLIDE.width} ${SLIDE.height}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>`,
    `<< /Length ${sealed.length} >>\nstream\n${sealed.toString('latin1')}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    `<< /Filter /Standard /V 1 /R 2 /O ${hex(lock.owner)} /U ${hex(lock.user)} /P ${PERMISSIONS} >>`,
  ], `/Encrypt 6 0 R /ID [${hex(DOCUMENT_ID)} ${hex(DOCUMENT_ID)}]`)
}

const PERMISSIONS = -44
const DOCUMENT_ID = Buffer.alloc(16, 7)
const PADDING = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex')

interface Lock { readonly key: Buffer, readonly owner: Buffer, readonly user: Buffer }

// ISO 32000-1, 7.6.3.3 and 7.6.3.4: algorithms 2, 3 and 4.
function makeLock(passphrase: string): Lock {
  const padded = Buffer.concat([Buffer.from(passphrase, 'latin1'), PADDING]).subarray(0, 32)
  const owner = rc4(md5(padded).subarray(0, 5), padded)
  const permissions = Buffer.alloc(4)
  permissions.writeInt32LE(PERMISSIONS)
  const key = md5(padded, owner, permissions, DOCUMENT_ID).subarray(0, 5)
  return { key, owner, user: rc4(key, PADDING) }
}

function objectKey(key: Buffer, objectNumber: number): Buffer {
  return md5(key, Buffer.from([objectNumber, 0, 0, 0, 0])).subarray(0, key.length + 5)
}

function md5(...parts: readonly Buffer[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest()
}

function rc4(key: Buffer, text: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  const at = (index: number): number => state[index & 255] ?? 0
  const swap = (a: number, b: number): void => { [state[a & 255], state[b & 255]] = [at(b), at(a)] }
  for (let i = 0, j = 0; i < 256; i++) {
    j += at(i) + (key[i % key.length] ?? 0)
    swap(i, j)
  }
  let j = 0
  return Buffer.from(text.map((byte, index) => {
    const i = index + 1
    j += at(i)
    swap(i, j)
    return byte ^ at(at(i) + at(j))
  }))
}

/** Objects, numbered from 1 in the order given, the first being the catalog; with their table. */
function writePdf(objects: readonly string[], trailer = ''): Uint8Array<ArrayBuffer> {
  let text = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = text.length
    text += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`
  const end = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${text.length}\n%%EOF\n`
  return ownBytes(Buffer.from(text + table + end, 'latin1'))
}

function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
