/**
 * ASCII armor around age files (SPEC.md § 3.9; source: c2sp.org/age, RFC 7468 strict).
 * For the command line only: Sealdeck itself never takes it. Must not guess: one reading or none.
 *
 *   -----BEGIN AGE ENCRYPTED FILE-----
 *   <base64 with padding, 64 columns, last line shorter or equal>
 *   -----END AGE ENCRYPTED FILE-----
 */
import { decodeBase64, encodeBase64 } from '../bytes.js'
import { ProtocolError } from '../errors.js'

const ARMOR_BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----'
const ARMOR_END = '-----END AGE ENCRYPTED FILE-----'
const LINE_LENGTH = 64
const LINE_SIZE_BYTES = 48
const LINE_FEED = 0x0a
/** White space before and after the block, as mail programs add it. */
const MAX_SURROUNDING_SIZE_BYTES = 1024

type State = 'before' | 'body' | 'end-due' | 'after'

/** Reads armor that arrives in pieces of any size. */
export class ArmorReader {
  #state: State = 'before'
  #line = ''
  #surroundingSize = 0

  /** @throws ProtocolError `malformed-armor` if the block was not closed. */
  end(): void {
    // The last line may end the file without a line feed.
    if (this.#line !== '') this.#takeLine(false)
    if (this.#state !== 'after') throw malformed('ended too early')
  }

  /** @returns the decoded bytes, line by line. @throws ProtocolError `malformed-armor`. */
  * push(piece: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    for (const byte of piece) {
      if (byte !== LINE_FEED) {
        this.#addToLine(byte)
        continue
      }
      const bytes = this.#takeLine(true)
      if (bytes !== null) yield bytes
    }
  }

  #addToLine(byte: number): void {
    if (this.#isOutside()) this.#countSurrounding()
    // A line in the block is at most 64 symbols and a carriage return.
    else if (this.#line.length > LINE_LENGTH) throw malformed('line too long')
    this.#line += byte < 0x80 ? String.fromCharCode(byte) : '\ufffd'
  }

  #isOutside(): boolean {
    return this.#state === 'before' || this.#state === 'after'
  }

  #countSurrounding(): void {
    if (++this.#surroundingSize > MAX_SURROUNDING_SIZE_BYTES) throw malformed('too much around it')
  }

  #takeLine(isTerminated: boolean): Uint8Array<ArrayBuffer> | null {
    if (this.#isOutside()) this.#countSurrounding()
    const line = isTerminated && this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    if (this.#state === 'before') return this.#takeBegin(line)
    if (this.#state === 'after') return requireBlank(line)
    if (line === ARMOR_END) {
      this.#state = 'after'
      return null
    }
    return this.#takeBody(line)
  }

  #takeBegin(line: string): null {
    if (line.trimStart() === ARMOR_BEGIN) this.#state = 'body'
    else requireBlank(line)
    return null
  }

  #takeBody(line: string): Uint8Array<ArrayBuffer> {
    if (this.#state === 'end-due') throw malformed('line after the short one')
    if (line.length === 0 || line.length > LINE_LENGTH) throw malformed('line of wrong length')
    const bytes = decodeLine(line)
    if (bytes.length < LINE_SIZE_BYTES) this.#state = 'end-due'
    return bytes
  }
}

function requireBlank(line: string): null {
  if (line.trim() !== '') throw malformed('something beside the block')
  return null
}

function decodeLine(line: string): Uint8Array<ArrayBuffer> {
  try {
    return decodeBase64(line)
  } catch (error) {
    throw error instanceof ProtocolError ? malformed('not canonical base64') : error
  }
}

/** Writes armor from pieces of any size. */
export class ArmorWriter {
  #pending = new Uint8Array(0)
  #isBegun = false

  /** @returns text in order. */
  push(piece: Uint8Array): string {
    const joined = new Uint8Array(this.#pending.length + piece.length)
    joined.set(this.#pending)
    joined.set(piece, this.#pending.length)
    const fullSize = joined.length - joined.length % LINE_SIZE_BYTES
    let text = this.#begin()
    for (let offset = 0; offset < fullSize; offset += LINE_SIZE_BYTES) {
      text += `${encodeBase64(joined.subarray(offset, offset + LINE_SIZE_BYTES))}\n`
    }
    this.#pending = joined.slice(fullSize)
    return text
  }

  /** The last, short line and the closing mark. */
  end(): string {
    const last = this.#pending.length > 0 ? `${encodeBase64(this.#pending)}\n` : ''
    return `${this.#begin()}${last}${ARMOR_END}\n`
  }

  #begin(): string {
    if (this.#isBegun) return ''
    this.#isBegun = true
    return `${ARMOR_BEGIN}\n`
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-armor', detail)
}
