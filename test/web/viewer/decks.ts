/** PDFs made for tests: decks with real text, pictures and links. Same input, same bytes. */
import { PDFDocument, PDFName, PDFString, rgb, StandardFonts, type PDFFont, type PDFPage, type RGB } from 'pdf-lib'

/** Slides as wide screens have them, in points. */
const WIDTH = 960
const HEIGHT = 540
const EPOCH = new Date(0)

export interface DeckOptions {
  pageCount: number
  /** Bytes of a picture that does not compress, one on each page; 0 for none. */
  pictureSizeBytes?: number
  /** Written on page `index` besides the slide's own words. */
  words?: (index: number) => string
  isDark?: boolean
}

const INK = rgb(0.09, 0.1, 0.13)
const PAPER = rgb(1, 1, 1)
const BLUE = rgb(0.16, 0.24, 0.61)
const GREEN = rgb(0.04, 0.42, 0.33)
const GREY = rgb(0.45, 0.47, 0.5)

const TITLES = ['Northwind Batteries', 'The problem', 'What we make', 'Why now', 'Market', 'Traction', 'Team', 'The round']

/** A deck the way programs write them: one object after the other, no object streams. */
export async function makeDeck(options: DeckOptions): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.setCreationDate(EPOCH)
  deck.setModificationDate(EPOCH)
  deck.setTitle('Northwind Batteries, seed round')
  const bold = await deck.embedFont(StandardFonts.HelveticaBold)
  const plain = await deck.embedFont(StandardFonts.Helvetica)
  for (let index = 0; index < options.pageCount; index++) {
    const page = deck.addPage([WIDTH, HEIGHT])
    drawSlide(page, { index, bold, plain, options })
    const size = options.pictureSizeBytes ?? 0
    if (size > 0) addPicture(page, index, size)
  }
  addLinks(deck)
  return await deck.save({ useObjectStreams: false })
}

interface Slide { index: number, bold: PDFFont, plain: PDFFont, options: DeckOptions }

function drawSlide(page: PDFPage, { index, bold, plain, options }: Slide): void {
  const ground = options.isDark === true ? INK : PAPER
  const ink = options.isDark === true ? PAPER : INK
  page.drawRectangle({ x: 0, y: 0, width: WIDTH, height: HEIGHT, color: ground })
  page.drawRectangle({ x: 0, y: HEIGHT - 8, width: WIDTH, height: 8, color: BLUE })
  const title = TITLES[index % TITLES.length] ?? ''
  page.drawText(title, { x: 64, y: 430, size: 44, font: bold, color: ink })
  const words = options.words?.(index) ?? `Slide ${index + 1}: cells that charge in four minutes, made without cobalt.`
  page.drawText(words, { x: 64, y: 384, size: 20, font: plain, color: GREY })
  drawBars(page, index)
  page.drawText(`northwind.example   ${index + 1}`, { x: 64, y: 36, size: 12, font: plain, color: GREY })
}

function drawBars(page: PDFPage, index: number): void {
  const heights = [60, 84, 120, 150, 210, 260].map((height) => height * (0.7 + (index % 5) * 0.1))
  for (const [at, height] of heights.entries()) {
    const isLast = at === heights.length - 1
    const color: RGB = isLast ? GREEN : BLUE
    const opacity = isLast ? 1 : 0.75
    page.drawRectangle({ x: 64 + at * 88, y: 84, width: 60, height, color, opacity })
  }
}

/** Noise from a fixed seed: a picture of about this many bytes whatever the filter. */
function addPicture(page: PDFPage, seed: number, sizeBytes: number): void {
  const side = Math.max(8, Math.floor(Math.sqrt(sizeBytes / 3)))
  const pixels = new Uint8Array(side * side * 3)
  let state = (seed + 1) * 2_654_435_761 >>> 0
  for (let at = 0; at < pixels.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    pixels[at] = state >>> 24
  }
  const { context } = page.doc
  const picture = context.register(context.stream(pixels, {
    Type: 'XObject', Subtype: 'Image', Width: side, Height: side, ColorSpace: 'DeviceRGB', BitsPerComponent: 8,
  }))
  const name = page.node.newXObject('Picture', picture)
  const drawing = context.register(context.stream(`q 240 0 0 240 656 84 cm ${name.toString()} Do Q`))
  page.node.addContentStream(drawing)
}

/** A link out on the first page, and one to the last page. */
function addLinks(deck: PDFDocument): void {
  const [first] = deck.getPages()
  const last = deck.getPages().at(-1)
  if (first === undefined || last === undefined) return
  const { context } = deck
  const out = context.register(context.obj({
    Type: 'Annot',
    Subtype: 'Link',
    Rect: [60, 30, 220, 52],
    Border: [0, 0, 0],
    A: { Type: 'Action', S: 'URI', URI: PDFString.of('https://northwind.example/deck') },
  }))
  const inside = context.register(context.obj({
    Type: 'Annot', Subtype: 'Link', Rect: [64, 425, 480, 475], Border: [0, 0, 0], Dest: [last.ref, 'Fit'],
  }))
  first.node.set(PDFName.of('Annots'), context.obj([out, inside]))
}
