/** One search over one open document: its matches as they come in, and which one is shown. */
import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { matchRanges, paint, search } from './find.js'
import type { FindBar, Match } from './find.js'
import type { Words } from './words.js'

export interface FindingActs {
  goTo(index: number): void
  words(): Words
}

export class Finding {
  readonly #pdf: PDFDocumentProxy
  readonly #bar: FindBar
  readonly #acts: FindingActs
  #text = ''
  #matches: Match[] = []
  #at = -1
  #isDone = true
  #abort = new AbortController()

  constructor(pdf: PDFDocumentProxy, bar: FindBar, acts: FindingActs) {
    this.#pdf = pdf
    this.#bar = bar
    this.#acts = acts
  }

  /** Starts over with other words, from the page in view on. Never rejects. */
  async query(text: string, fromIndex: number): Promise<void> {
    this.stop()
    this.#text = text.trim()
    if (this.#text === '') return
    this.#abort = new AbortController()
    this.#isDone = false
    this.#say()
    const { signal } = this.#abort
    const add = (matches: readonly Match[]): void => this.#add(matches, fromIndex)
    await search(this.#pdf, { text: this.#text, signal }, add)
    if (signal.aborted) return
    this.#isDone = true
    if (this.#at === -1 && this.#matches.length > 0) this.#select(0)
    this.#say()
  }

  /** Forgets the search and its marks. */
  stop(): void {
    this.#abort.abort()
    this.#text = ''
    this.#matches = []
    this.#at = -1
    this.#isDone = true
    paint([], -1)
    this.#say()
  }

  #add(matches: readonly Match[], fromIndex: number): void {
    this.#matches.push(...matches)
    const first = matches[0]
    if (this.#at === -1 && first !== undefined && first.index >= fromIndex) {
      this.#select(this.#matches.indexOf(first))
    }
    this.#say()
  }

  step(by: 1 | -1): void {
    const count = this.#matches.length
    if (count > 0) this.#select((this.#at + by + count) % count)
  }

  #select(at: number): void {
    this.#at = at
    const match = this.#matches[at]
    if (match !== undefined) this.#acts.goTo(match.index)
    this.#say()
  }

  /** Marks this page's matches once its words are laid out, and brings the shown one into view. */
  mark(index: number, pieces: readonly HTMLElement[]): void {
    if (this.#text === '') return
    const match = this.#matches[this.#at]
    const nth = match?.index === index ? match.nth : -1
    const ranges = matchRanges(pieces, this.#text)
    paint(ranges, nth)
    ranges[nth]?.startContainer.parentElement?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  #say(): void {
    const words = this.#acts.words()
    const count = this.#matches.length
    if (this.#text === '') this.#bar.say('')
    else if (count > 0) this.#bar.say(words.findAt(Math.max(0, this.#at) + 1, count))
    else this.#bar.say(this.#isDone ? words.findNone : words.finding)
  }
}
