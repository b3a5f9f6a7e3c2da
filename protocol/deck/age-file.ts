/**
 * Whole age files, streamed: armor, header and payload put together (SPEC.md § 3.9).
 * For the command line, exports and tests; versions in the bucket are opened by deck.ts.
 */
import { encodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { ArmorReader, ArmorWriter } from './armor.js'
import { HeaderReader, encodeHeader, openHeader } from './header.js'
import type { Header } from './header.js'
import { makePayloadNonce } from './identity.js'
import { PayloadReader, PayloadWriter } from './stream.js'
import type { FileKey, Stanza, Unwrapper } from './stanza.js'

const DASH = 0x2d

/**
 * Reads an age file that arrives in pieces of any size, armored or not, and releases plaintext as it
 * becomes authentic.
 */
export class AgeReader {
  readonly #unwrappers: readonly Unwrapper[]
  #armor: ArmorReader | null
  #isArmorKnown: boolean
  #headerReader: HeaderReader | null = new HeaderReader()
  #payload: PayloadReader | null = null
  #header: Header | null = null

  /** `isArmored` says what must come; without it the first byte decides. */
  constructor(unwrappers: readonly Unwrapper[], options: { readonly isArmored?: boolean } = {}) {
    this.#unwrappers = unwrappers
    this.#armor = options.isArmored === true ? new ArmorReader() : null
    this.#isArmorKnown = options.isArmored !== undefined
  }

  /** Whether armor was found, or asked for. */
  get isArmored(): boolean {
    return this.#armor !== null
  }

  /** The header, once it is complete. */
  get header(): Header | null {
    return this.#header
  }

  /**
   * @returns plaintext that has become authentic.
   * @throws ProtocolError of every layer; `wrong-header` if no stanza is for these unwrappers.
   */
  * push(piece: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    if (piece.length === 0) return
    if (!this.#isArmorKnown && looksArmored(piece)) this.#armor = new ArmorReader()
    this.#isArmorKnown = true
    if (this.#armor === null) {
      yield * this.#pushBinary(piece)
      return
    }
    for (const bytes of this.#armor.push(piece)) yield * this.#pushBinary(bytes)
  }

  /** The last plaintext. @throws ProtocolError if any layer is incomplete. */
  end(): Uint8Array<ArrayBuffer> {
    this.#armor?.end()
    if (this.#payload === null) throw new ProtocolError('malformed-header', 'ended too early')
    return this.#payload.end()
  }

  * #pushBinary(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    let rest = bytes
    if (this.#headerReader !== null) {
      const read = this.#headerReader.push(bytes)
      if (read === null) return
      this.#headerReader = null
      this.#header = read.header
      this.#payload = new PayloadReader(this.#unwrap(read.header))
      rest = read.rest
    }
    if (this.#payload !== null) yield * this.#payload.push(rest)
  }

  #unwrap(header: Header): FileKey {
    const fileKey = openHeader(header, this.#unwrappers)
    if (fileKey === null) throw new ProtocolError('wrong-header', 'no stanza for this identity')
    return fileKey
  }
}

/** White space may stand before armor; no binary file starts with it or with a dash. */
function looksArmored(piece: Uint8Array): boolean {
  const [first] = piece
  return first === DASH || first === 0x20 || (first !== undefined && first >= 0x09 && first <= 0x0d)
}

export interface AgeWriterOptions {
  /** One or more; made from the same file key. */
  readonly stanzas: readonly Stanza[]
  readonly fileKey: FileKey
  readonly isArmored: boolean
}

/** Writes an age file from plaintext that arrives in pieces of any size. */
export class AgeWriter {
  readonly #payload: PayloadWriter
  readonly #armor: ArmorWriter | null
  #header: Uint8Array | null

  /** A fresh nonce is drawn here; the file key must be fresh too, and used for nothing else. */
  constructor({ stanzas, fileKey, isArmored }: AgeWriterOptions) {
    this.#header = encodeHeader(stanzas, fileKey)
    this.#payload = new PayloadWriter(fileKey, makePayloadNonce())
    this.#armor = isArmored ? new ArmorWriter() : null
  }

  /** @returns file bytes in order. */
  * push(piece: Uint8Array): Generator<Uint8Array> {
    yield * this.#takeHeader()
    for (const bytes of this.#payload.push(piece)) yield this.#dress(bytes)
  }

  /** The rest of the file. */
  * end(): Generator<Uint8Array> {
    yield * this.#takeHeader()
    for (const bytes of this.#payload.end()) yield this.#dress(bytes)
    if (this.#armor !== null) yield encodeUtf8(this.#armor.end())
  }

  * #takeHeader(): Generator<Uint8Array> {
    if (this.#header !== null) yield this.#dress(this.#header)
    this.#header = null
  }

  #dress(bytes: Uint8Array): Uint8Array {
    return this.#armor === null ? bytes : encodeUtf8(this.#armor.push(bytes))
  }
}
