/**
 * Finding words in the document: matches over all pages, and marks on the page in view. Reads a
 * page's words only when somebody searches, since on a slow line every page costs a fetch.
 */
import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { button, element, icon, label } from './dom.js'
import type { Words } from './words.js'

const MAX_MATCH_COUNT = 1_000
const MAX_QUERY_LENGTH = 120
const TYPING_PAUSE_MS = 180

/** The `nth` occurrence on page `index`. */
export interface Match { index: number, nth: number }

/** Where a needle begins in a haystack, case aside; a match does not overlap the one before. */
export function findAll(haystack: string, needle: string): number[] {
  const found: number[] = []
  const [text, part] = [fold(haystack), fold(needle)]
  if (part === '') return found
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) {
    found.push(at)
    if (found.length >= MAX_MATCH_COUNT) break
  }
  return found
}

/** Lower case letter by letter, so that places in the folded text are places in the text. */
function fold(text: string): string {
  let folded = ''
  for (const unit of text) {
    const lower = unit.toLowerCase()
    folded += lower.length === unit.length ? lower : unit
  }
  return folded
}

/** Searches page by page from `from` on; `onPage` is told after each. Stops at the limit or signal. */
export async function search(
  pdf: PDFDocumentProxy,
  query: { text: string, signal: AbortSignal },
  onPage: (matches: Match[]) => void,
): Promise<void> {
  let count = 0
  for (let index = 0; index < pdf.numPages && count < MAX_MATCH_COUNT; index++) {
    const page = await pdf.getPage(index + 1)
    const { items } = await page.getTextContent()
    if (query.signal.aborted) return
    const text = items.map((item) => 'str' in item ? item.str : '').join('')
    const matches = findAll(text, query.text).map((_, nth) => ({ index, nth }))
    count += matches.length
    onPage(matches)
  }
}

/** The ranges of a page's laid-out words that match, in the order of `search`. */
export function matchRanges(pieces: readonly HTMLElement[], text: string): Range[] {
  const nodes = pieces.map((piece) => piece.firstChild)
    .filter((node) => node instanceof Text)
  const starts: number[] = []
  let whole = ''
  for (const node of nodes) {
    starts.push(whole.length)
    whole += node.data
  }
  return findAll(whole, text)
    .map((at) => rangeOf(nodes, starts, { from: at, to: at + text.length }))
}

function rangeOf(
  nodes: readonly Text[], starts: readonly number[], span: { from: number, to: number },
): Range {
  const range = new Range()
  for (const [order, node] of nodes.entries()) {
    const start = starts[order] ?? 0
    const end = start + node.data.length
    if (span.from >= start && span.from < end) range.setStart(node, span.from - start)
    if (span.to > start && span.to <= end) range.setEnd(node, span.to - start)
  }
  return range
}

/** Paints matches by the browser's own highlighter: nothing of the page's words is touched. */
export function paint(ranges: readonly Range[], currentNth: number): void {
  // Browsers without the highlighter still find, count and turn to the page.
  if (!('highlights' in CSS)) return
  const current = ranges[currentNth]
  CSS.highlights.set('found', new Highlight(...ranges))
  CSS.highlights.set('found-here', new Highlight(...(current === undefined ? [] : [current])))
}

export interface FindActs {
  query(text: string): void
  step(by: 1 | -1): void
  close(): void
}

const ICONS = { up: 'M6 15l6-6 6 6', down: 'M6 9l6 6 6-6', cross: 'M6 6l12 12M18 6L6 18' } as const

export class FindBar {
  readonly root = element('search', { class: 'find', hidden: '' })
  readonly #field = element('input', {
    type: 'search', autocomplete: 'off', spellcheck: 'false', maxlength: String(MAX_QUERY_LENGTH),
  })

  readonly #said = element('span', { class: 'said', role: 'status' })
  readonly #previous: HTMLButtonElement
  readonly #next: HTMLButtonElement
  readonly #close: HTMLButtonElement

  constructor(acts: FindActs) {
    this.#previous = button({ class: 'press' }, () => acts.step(-1), icon(ICONS.up))
    this.#next = button({ class: 'press' }, () => acts.step(1), icon(ICONS.down))
    this.#close = button({ class: 'press' }, () => acts.close(), icon(ICONS.cross))
    this.root.append(this.#field, this.#said, this.#previous, this.#next, this.#close)
    let timer: ReturnType<typeof setTimeout> | undefined
    this.#field.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(() => acts.query(this.#field.value), TYPING_PAUSE_MS)
    })
    this.#field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return
      event.preventDefault()
      acts.step(event.shiftKey ? -1 : 1)
    })
  }

  get isShown(): boolean {
    return !this.root.hidden
  }

  open(words: Words): void {
    this.root.hidden = false
    this.#field.setAttribute('aria-label', words.findIn)
    this.#field.placeholder = words.findIn
    label(this.#previous, words.findPrevious)
    label(this.#next, words.findNext)
    label(this.#close, words.close)
    this.#field.focus()
    this.#field.select()
  }

  close(): void {
    this.root.hidden = true
    this.#field.value = ''
    this.say('')
  }

  say(text: string): void {
    this.#said.textContent = text
  }
}
