/**
 * Reads a page's drawing commands for the names they use: which pictures, fonts, patterns a page
 * needs, and which codes it shows with each font. ISO 32000-1 §7.8.2, §8.2. Pure.
 *
 * Must not guess: what cannot be read is an error, and then the page is drawn instead of copied.
 */

/** Resource categories of ISO 32000-1 §7.8.3 whose members a page can name. */
export const CATEGORIES = [
  'XObject', 'Font', 'ExtGState', 'ColorSpace', 'Pattern', 'Shading', 'Properties',
] as const
export type Category = typeof CATEGORIES[number]

/** Strings shown with one font; `null` when the font may show what cannot be seen here. */
export type Shown = Uint8Array[]

export interface Uses {
  names: Readonly<Record<Category, ReadonlySet<string>>>
  /** By font name, what was shown with it. */
  shown: ReadonlyMap<string, Shown>
  /** A graphics state may have set a font: what was shown after that has no name here. */
  hasUnnamedFont: boolean
}

/** The commands cannot be read. */
export class UnreadableContent extends Error {
  override readonly name = 'UnreadableContent'
}

const MAX_OPERAND_COUNT = 4_096
const MAX_NESTING = 32
const MAX_STATE_COUNT = 512
const MAX_WORD_LENGTH = 256

type Operand =
  | { kind: 'name', name: string }
  | { kind: 'string', bytes: Uint8Array }
  | { kind: 'array', items: Operand[] }
  | { kind: 'dict', items: Operand[] }
  | { kind: 'other' }

/** Spaces that need no resource. */
const DEVICE_SPACES = new Set([
  'DeviceGray', 'DeviceRGB', 'DeviceCMYK', 'Pattern', 'G', 'RGB', 'CMYK', 'I', 'Indexed',
])

/** @throws UnreadableContent */
export function readUses(content: Uint8Array): Uses {
  const uses = new UsesReader()
  const reader = new ContentReader(content)
  for (let command = reader.next(); command !== null; command = reader.next()) {
    uses.take(command.operator, command.operands)
  }
  return uses.result()
}

class UsesReader {
  readonly #names: Record<Category, Set<string>> = {
    XObject: new Set(), Font: new Set(), ExtGState: new Set(), ColorSpace: new Set(),
    Pattern: new Set(), Shading: new Set(), Properties: new Set(),
  }

  readonly #shown = new Map<string, Shown>()
  readonly #saved: (string | null)[] = []
  #font: string | null = null
  #hasUnnamedFont = false

  result(): Uses {
    return { names: this.#names, shown: this.#shown, hasUnnamedFont: this.#hasUnnamedFont }
  }

  take(operator: string, operands: readonly Operand[]): void {
    const last = operands.at(-1)
    switch (operator) {
      case 'q': return this.#save()
      case 'Q': return this.#restore()
      case 'Do': return this.#use('XObject', last)
      case 'gs': return this.#use('ExtGState', last)
      case 'sh': return this.#use('Shading', last)
      case 'Tf': return this.#setFont(operands.at(-2))
      case 'cs':
      case 'CS': return this.#useSpace(last)
      case 'scn':
      case 'SCN': return last?.kind === 'name' ? this.#use('Pattern', last) : undefined
      case 'BDC':
      case 'DP': return last?.kind === 'name' ? this.#use('Properties', last) : undefined
      case 'Tj':
      case 'TJ':
      case "'":
      case '"': return this.#show(last)
      case 'BI': return this.#useInline(operands)
      default:
    }
  }

  #save(): void {
    if (this.#saved.length >= MAX_STATE_COUNT) throw new UnreadableContent('too many saved states')
    this.#saved.push(this.#font)
  }

  #restore(): void {
    // One `Q` too many is common, and harmless: readers ignore it.
    this.#font = this.#saved.pop() ?? this.#font
  }

  #use(category: Category, operand: Operand | undefined): void {
    if (operand?.kind !== 'name') throw new UnreadableContent(`a ${category} without a name`)
    this.#names[category].add(operand.name)
  }

  #useSpace(operand: Operand | undefined): void {
    if (operand?.kind === 'name' && DEVICE_SPACES.has(operand.name)) return
    this.#use('ColorSpace', operand)
  }

  #setFont(operand: Operand | undefined): void {
    this.#use('Font', operand)
    this.#font = operand?.kind === 'name' ? operand.name : null
  }

  #show(operand: Operand | undefined): void {
    if (this.#font === null) this.#hasUnnamedFont = true
    const shown = this.#font === null ? [] : this.#shown.get(this.#font) ?? []
    if (this.#font !== null) this.#shown.set(this.#font, shown)
    const pieces = operand?.kind === 'array' ? operand.items : [operand]
    for (const piece of pieces) if (piece?.kind === 'string') shown.push(piece.bytes)
  }

  /** An inline picture names its colour space in its dictionary. */
  #useInline(operands: readonly Operand[]): void {
    for (const [at, key] of operands.entries()) {
      if (key.kind !== 'name' || (key.name !== 'CS' && key.name !== 'ColorSpace')) continue
      const space = operands[at + 1]
      if (space?.kind === 'name') this.#useSpace(space)
      if (space?.kind !== 'array') continue
      for (const item of space.items) if (item.kind === 'name') this.#useSpace(item)
    }
  }
}

const SPACES = new Set([0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20])
const DELIMITERS = new Set([...'()<>[]{}/%'].map((sign) => sign.charCodeAt(0)))
const [OPEN, CLOSE, LESS, MORE] = [0x28, 0x29, 0x3c, 0x3e]
const [SLASH, PERCENT, BACKSLASH] = [0x2f, 0x25, 0x5c]
const [BRACKET, UNBRACKET] = [0x5b, 0x5d]
const [LETTER_E, LETTER_I] = [0x45, 0x49]
const EI_CHECK_SIZE_BYTES = 12
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:-\d*)?$/
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, f: 0x0c }

interface Command { operator: string, operands: Operand[] }

/** Operands, then an operator; again and again. */
class ContentReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  next(): Command | null {
    const operands: Operand[] = []
    for (;;) {
      this.#skipSpaces()
      if (this.#at >= this.#bytes.length) return null
      if (operands.length > MAX_OPERAND_COUNT) throw new UnreadableContent('too many operands')
      const operand = this.#operand(0)
      if (typeof operand !== 'string') operands.push(operand)
      else if (operand === 'BI') return this.#inlinePicture()
      else return { operator: operand, operands }
    }
  }

  /** An operand, or an operator's letters. */
  #operand(depth: number): Operand | string {
    if (depth > MAX_NESTING) throw new UnreadableContent('nested too deep')
    const byte = this.#bytes[this.#at]
    if (byte === SLASH) return { kind: 'name', name: this.#name() }
    if (byte === OPEN) return { kind: 'string', bytes: this.#text() }
    if (byte === BRACKET) return { kind: 'array', items: this.#items(UNBRACKET, depth) }
    if (byte === LESS) return this.#bytes[this.#at + 1] === LESS ? this.#dict(depth) : this.#hex()
    const word = this.#word()
    if (word === '') throw new UnreadableContent('a stray delimiter')
    const isOperand = NUMBER.test(word) || word === 'true' || word === 'false' || word === 'null'
    return isOperand ? { kind: 'other' } : word
  }

  #items(end: number, depth: number): Operand[] {
    this.#at++
    const items: Operand[] = []
    for (;;) {
      this.#skipSpaces()
      if (this.#at >= this.#bytes.length) throw new UnreadableContent('ended inside an array')
      if (this.#bytes[this.#at] === end) {
        this.#at++
        return items
      }
      const item = this.#operand(depth + 1)
      if (typeof item === 'string') throw new UnreadableContent('an operator inside an operand')
      items.push(item)
    }
  }

  #dict(depth: number): Operand {
    this.#at++
    const items = this.#items(MORE, depth)
    if (this.#bytes[this.#at++] !== MORE) throw new UnreadableContent('a dictionary half closed')
    return { kind: 'dict', items }
  }

  #name(): string {
    this.#at++
    const start = this.#at
    this.#skipRegular()
    const raw = asLatin1(this.#bytes.subarray(start, this.#at))
    return raw.replace(/#([0-9a-fA-F]{2})/g, (_, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16))
    })
  }

  #word(): string {
    const start = this.#at
    this.#skipRegular()
    return asLatin1(this.#bytes.subarray(start, this.#at))
  }

  #skipRegular(): void {
    const limit = this.#at + MAX_WORD_LENGTH
    for (let byte = this.#bytes[this.#at]; byte !== undefined; byte = this.#bytes[++this.#at]) {
      if (SPACES.has(byte) || DELIMITERS.has(byte)) return
      if (this.#at > limit) throw new UnreadableContent('a word too long')
    }
  }

  #skipSpaces(): void {
    for (let byte = this.#bytes[this.#at]; byte !== undefined; byte = this.#bytes[++this.#at]) {
      if (byte === PERCENT) this.#skipComment()
      else if (!SPACES.has(byte)) return
    }
  }

  #skipComment(): void {
    for (let byte = this.#bytes[this.#at]; byte !== undefined; byte = this.#bytes[++this.#at]) {
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) return
    }
  }

  #hex(): Operand {
    const end = this.#bytes.indexOf(MORE, this.#at)
    if (end === -1) throw new UnreadableContent('ended inside a string')
    const digits = asLatin1(this.#bytes.subarray(this.#at + 1, end)).replace(/[\s\0]/g, '')
    if (!/^[0-9a-fA-F]*$/.test(digits)) throw new UnreadableContent('not hexadecimal')
    this.#at = end + 1
    const pairs = digits.match(/.{1,2}/g) ?? []
    const bytes = Uint8Array.from(pairs, (pair) => Number.parseInt(pair.padEnd(2, '0'), 16))
    return { kind: 'string', bytes }
  }

  #text(): Uint8Array {
    const out: number[] = []
    let depth = 0
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new UnreadableContent('ended inside a string')
      if (byte === BACKSLASH) {
        this.#escape(out)
        continue
      }
      if (byte === OPEN && depth++ === 0) continue
      if (byte === CLOSE && --depth === 0) return Uint8Array.from(out)
      out.push(byte)
    }
  }

  #escape(out: number[]): void {
    const byte = this.#bytes[this.#at++] ?? BACKSLASH
    const sign = String.fromCharCode(byte)
    if (byte === LINE_FEED) return
    if (byte === CARRIAGE_RETURN) {
      if (this.#bytes[this.#at] === LINE_FEED) this.#at++
      return
    }
    out.push(/[0-7]/.test(sign) ? this.#octal(sign) & 0xff : ESCAPES[sign] ?? byte)
  }

  #octal(first: string): number {
    let digits = first
    while (digits.length < 3) {
      const sign = String.fromCharCode(this.#bytes[this.#at] ?? 0)
      if (!/[0-7]/.test(sign)) break
      digits += sign
      this.#at++
    }
    return Number.parseInt(digits, 8)
  }

  /** `BI` keys and values `ID` bytes `EI`: the bytes are skipped to an `EI` that stands alone. */
  #inlinePicture(): Command {
    const operands: Operand[] = []
    for (;;) {
      this.#skipSpaces()
      if (this.#at >= this.#bytes.length) throw new UnreadableContent('ended inside a picture')
      if (operands.length > MAX_OPERAND_COUNT) throw new UnreadableContent('too many operands')
      const operand = this.#operand(0)
      if (operand === 'ID') break
      if (typeof operand === 'string') throw new UnreadableContent('an operator inside a picture')
      operands.push(operand)
    }
    this.#skipPictureBytes()
    return { operator: 'BI', operands }
  }

  #skipPictureBytes(): void {
    for (let at = this.#at + 1; at + 1 < this.#bytes.length; at++) {
      if (this.#bytes[at] !== LETTER_E || this.#bytes[at + 1] !== LETTER_I) continue
      const isAlone = isSpaceOrEnd(this.#bytes[at - 1]) && isSpaceOrEnd(this.#bytes[at + 2])
      if (!isAlone || !this.#isTextAfter(at + 2)) continue
      this.#at = at + 2
      return
    }
    throw new UnreadableContent('a picture without an end')
  }

  /** Compressed bytes may hold ` EI ` by chance; commands after a real one are plain text. */
  #isTextAfter(at: number): boolean {
    const after = this.#bytes.subarray(at, at + EI_CHECK_SIZE_BYTES)
    return after.every((byte) => SPACES.has(byte) || (byte > 0x20 && byte < 0x7f))
  }
}

/** One character a byte. */
export function asLatin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function isSpaceOrEnd(byte: number | undefined): boolean {
  return byte === undefined || SPACES.has(byte)
}
