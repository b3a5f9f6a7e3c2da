/**
 * Text on A4: words broken into lines, lines into pages (SPEC.md § 12.3). Pure; knows widths, not PDF.
 */
export const PAGE_WIDTH = 595
export const PAGE_HEIGHT = 842
const MARGIN = 56
const FOOT = 64
const LABEL_WIDTH = 138
const LEADING = 1.4

/** One line where it stands, its foot at `y` from the page's lower edge, in points. */
export interface PlacedLine {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size: number
  readonly isQuiet?: boolean
}

export interface Page {
  readonly lines: PlacedLine[]
}

/** The width of a text in points. */
export type Measure = (text: string, size: number) => number

/** Puts one block under the other, and begins a page where the last is full. */
export class Layout {
  readonly pages: Page[] = []
  readonly #measure: Measure
  #y = 0

  constructor(measure: Measure) {
    this.#measure = measure
    this.#turn()
  }

  #turn(): void {
    this.pages.push({ lines: [] })
    this.#y = PAGE_HEIGHT - MARGIN
  }

  space(height: number): void {
    this.#y -= height
  }

  paragraph(text: string, { size, isQuiet = false }: { size: number, isQuiet?: boolean }): void {
    for (const line of this.#wrap(text, size, PAGE_WIDTH - 2 * MARGIN)) {
      this.#put([{ text: line, x: MARGIN, isQuiet }], size)
    }
  }

  /** A title, and room for at least some lines under it. */
  heading(text: string, size: number): void {
    this.space(size)
    if (this.#y < FOOT + 5 * size) this.#turn()
    this.paragraph(text, { size })
    this.space(size * 0.3)
  }

  /** A name on the left, what it is on the right. */
  fact(name: string, value: string, size: number): void {
    const names = this.#wrap(name, size, LABEL_WIDTH - 10)
    const values = this.#wrap(value, size, PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH)
    for (let row = 0; row < Math.max(names.length, values.length); row++) {
      this.#put([
        { text: names[row] ?? '', x: MARGIN, isQuiet: true },
        { text: values[row] ?? '', x: MARGIN + LABEL_WIDTH, isQuiet: false },
      ], size)
    }
    this.space(size * 0.2)
  }

  #put(texts: ReadonlyArray<{ text: string, x: number, isQuiet: boolean }>, size: number): void {
    if (this.#y - size * LEADING < FOOT) this.#turn()
    this.#y -= size * LEADING
    const lines = texts.filter(({ text }) => text !== '').map((one) => ({ ...one, y: this.#y, size }))
    this.pages.at(-1)?.lines.push(...lines)
  }

  /** At spaces; a word that is wider than the line, a hash, between its letters. */
  #wrap(text: string, size: number, width: number): string[] {
    const lines: string[] = []
    let line = ''
    for (const word of text.split(' ').flatMap((one) => this.#cut(one, size, width))) {
      const longer = line === '' ? word : `${line} ${word}`
      if (this.#measure(longer, size) <= width) {
        line = longer
      } else {
        lines.push(line)
        line = word
      }
    }
    return [...lines, line]
  }

  #cut(word: string, size: number, width: number): string[] {
    if (this.#measure(word, size) <= width) return [word]
    const pieces: string[] = []
    let piece = ''
    for (const letter of word) {
      if (this.#measure(piece + letter, size) > width) {
        pieces.push(piece)
        piece = ''
      }
      piece += letter
    }
    return [...pieces, piece]
  }

  /** A line at the foot of every page. */
  footers(textOf: (number: number, count: number) => string, size: number): void {
    for (const [index, { lines }] of this.pages.entries()) {
      const text = textOf(index + 1, this.pages.length)
      lines.push({ text, x: MARGIN, y: MARGIN - size * LEADING, size, isQuiet: true })
    }
  }
}
