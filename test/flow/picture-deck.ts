/** The deck in the README's pictures: an invented company's twelve slides, drawn anew each time. */
import { PDFDocument, rgb, StandardFonts, type PDFFont, type PDFPage, type RGB } from 'pdf-lib'

const WIDTH = 960
const HEIGHT = 540
const MARGIN = 72

const INK = rgb(0.09, 0.11, 0.17)
const NIGHT = rgb(0.07, 0.13, 0.2)
const PAPER = rgb(0.99, 0.985, 0.97)
const GREY = rgb(0.42, 0.44, 0.48)
const PALE = rgb(0.9, 0.89, 0.85)
const EMBER = rgb(0.85, 0.36, 0.16)
const PINE = rgb(0.1, 0.4, 0.36)

interface Pen {
  readonly page: PDFPage
  readonly bold: PDFFont
  readonly plain: PDFFont
}

type Slide = (pen: Pen) => void

export async function makePictureDeck(): Promise<Uint8Array> {
  const deck = await PDFDocument.create()
  deck.setTitle('Northwind Batteries, seed round')
  const bold = await deck.embedFont(StandardFonts.HelveticaBold)
  const plain = await deck.embedFont(StandardFonts.Helvetica)
  for (const [index, draw] of SLIDES.entries()) {
    const pen = { page: deck.addPage([WIDTH, HEIGHT]), bold, plain }
    draw(pen)
    write(pen, { text: `${index + 1}`, x: WIDTH - MARGIN, y: 36, size: 12, color: GREY })
  }
  return await deck.save()
}

interface Words {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size: number
  readonly color?: RGB
  readonly isBold?: boolean
}

function write({ page, bold, plain }: Pen, words: Words): void {
  const { text, x, y, size, color = INK, isBold = false } = words
  page.drawText(text, { x, y, size, color, font: isBold ? bold : plain })
}

function ground({ page }: Pen, color: RGB): void {
  page.drawRectangle({ x: 0, y: 0, width: WIDTH, height: HEIGHT, color })
}

function head(pen: Pen, title: string, lead: string): void {
  ground(pen, PAPER)
  pen.page.drawRectangle({ x: MARGIN, y: 478, width: 48, height: 6, color: EMBER })
  write(pen, { text: title, x: MARGIN, y: 418, size: 40, isBold: true })
  write(pen, { text: lead, x: MARGIN, y: 382, size: 19, color: GREY })
}

function cover(title: string, lead: string): Slide {
  return (pen) => {
    ground(pen, NIGHT)
    pen.page.drawCircle({ x: 820, y: 290, size: 210, color: PINE })
    pen.page.drawCircle({ x: 900, y: 180, size: 120, color: EMBER })
    write(pen, { text: title, x: MARGIN, y: 280, size: 56, color: PAPER, isBold: true })
    write(pen, { text: lead, x: MARGIN, y: 236, size: 22, color: PALE })
  }
}

function figures(
  title: string, lead: string, pairs: ReadonlyArray<readonly [string, string]>,
): Slide {
  return (pen) => {
    head(pen, title, lead)
    for (const [index, [figure, meaning]] of pairs.entries()) {
      const x = MARGIN + index * 280
      const color = index === 1 ? EMBER : PINE
      write(pen, { text: figure, x, y: 210, size: 68, color, isBold: true })
      write(pen, { text: meaning, x, y: 172, size: 17, color: GREY })
    }
  }
}

function bars(title: string, lead: string, heights: readonly number[]): Slide {
  return (pen) => {
    head(pen, title, lead)
    for (const [index, height] of heights.entries()) {
      const color = index === heights.length - 1 ? EMBER : PINE
      pen.page.drawRectangle({ x: MARGIN + index * 102, y: 84, width: 66, height, color })
    }
    pen.page.drawRectangle({ x: MARGIN, y: 82, width: 790, height: 2, color: PALE })
  }
}

function circles(title: string, lead: string, sizes: readonly number[]): Slide {
  return (pen) => {
    head(pen, title, lead)
    const colors = [PALE, PINE, EMBER]
    for (const [index, size] of sizes.entries()) {
      const color = colors[index % colors.length] ?? PALE
      pen.page.drawCircle({ x: 620, y: 60 + size, size, color })
    }
  }
}

function people(title: string, lead: string, names: readonly string[]): Slide {
  return (pen) => {
    head(pen, title, lead)
    for (const [index, name] of names.entries()) {
      const x = MARGIN + 80 + index * 210
      pen.page.drawCircle({ x, y: 230, size: 64, color: index % 2 === 0 ? PINE : EMBER })
      const initial = name.slice(0, 1)
      write(pen, { text: initial, x: x - 14, y: 214, size: 44, color: PAPER, isBold: true })
      write(pen, { text: name, x: x - 60, y: 128, size: 17 })
    }
  }
}

function rows(title: string, lead: string, lines: readonly string[]): Slide {
  return (pen) => {
    head(pen, title, lead)
    for (const [index, line] of lines.entries()) {
      const y = 310 - index * 62
      const color = index % 2 === 0 ? PALE : PAPER
      pen.page.drawRectangle({ x: MARGIN, y: y - 18, width: 816, height: 48, color })
      pen.page.drawCircle({ x: MARGIN + 26, y: y + 6, size: 8, color: PINE })
      write(pen, { text: line, x: MARGIN + 52, y, size: 19 })
    }
  }
}

const SLIDES: readonly Slide[] = [
  cover('Northwind Batteries', 'Cells that charge in four minutes. Seed round, 2026.'),
  figures('Charging is the bottleneck', 'Drivers wait, and chargers stand full.', [['41 min', 'at a public charger'], ['1 in 3', 'stations is full at noon'], ['68 %', 'would switch for speed']]),
  rows('What we make', 'A cell with a porous anode, made on lines that exist today.', ['Four minutes from 10 to 80 percent', 'No cobalt, and half the nickel', '2,400 cycles on the bench', 'Fits the formats that car makers use']),
  circles('The market', 'Fast-charging cells for fleets first, then for everyone.', [150, 100, 52]),
  bars('Traction', 'Cells shipped to pilot customers, by quarter.', [30, 44, 62, 90, 132, 178, 226, 270]),
  rows('How we earn', 'Cells first, then the licence of the anode.', ['Pilot cells, sold by the pack', 'Supply contracts over three years', 'A licence for the anode, per kilowatt hour']),
  circles('The anode', 'How the pores are grown: the part we keep to ourselves.', [140, 110, 84, 56, 30]),
  people('The team', 'Chemists and manufacturers, together since 2021.', ['Maya Lindqvist', 'Tomas Aydin', 'Ines Duarte', 'Kofi Mensah']),
  bars('Unit costs', 'Per kilowatt hour, as volumes grow.', [270, 232, 196, 170, 142, 124, 108, 96]),
  rows('The plan', 'From the bench to a line of our own.', ['2026: line one, 20 megawatt hours', '2027: two supply contracts', '2028: licence to the first car maker']),
  figures('The round', 'Eighteen months to the first supply contract.', [['6 m', 'euros of equity'], ['18', 'months of runway'], ['2', 'contracts signed']]),
  cover('Thank you', 'maya@northwind.example'),
]
