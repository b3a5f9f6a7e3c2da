/**
 * The age header: text that carries the wrapped file key (SPEC.md § 3.2; source: c2sp.org/age).
 * Must not touch the payload, and must not accept two spellings of one header.
 *
 *   age-encryption.org/v1
 *   -> X25519 <share>
 *   <body, base64 without padding, 64 columns, last line shorter>
 *   --- <HMAC-SHA-256(HKDF(file key, "", "header"), all above up to and including "---")>
 */
import {
  concatBytes, decodeBase64NoPad, encodeBase64NoPad, encodeUtf8, equalBytes,
} from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import {
  FILE_KEY_SIZE_BYTES, MAX_FOREIGN_HEADER_SIZE_BYTES, MAX_HEADER_SIZE_BYTES,
} from '../limits.js'
import { KEY_SIZE_BYTES, equalSecrets, hkdf, hmacSha256, wipe } from '../sodium.js'
import type { Recipient } from './identity.js'
import { wrapFor } from './stanza.js'
import type { FileKey, Stanza, Unwrapper } from './stanza.js'

const VERSION_LINE = 'age-encryption.org/v1'
const BODY_LINE_LENGTH = 64
const BODY_LINE_SIZE_BYTES = 48
const LINE_FEED = 0x0a
const MAX_STANZA_COUNT = 10_000
const MAC_LABEL = encodeUtf8('header')

export interface Header {
  readonly stanzas: readonly Stanza[]
  /** What the MAC is over: everything up to and including `---`. */
  readonly macInput: Uint8Array
  /** 32 bytes. */
  readonly mac: Uint8Array
}

/**
 * Reads a header that arrives in pieces of any size: the same states, whole or byte by byte.
 * `push` answers what follows the header once it is complete, and `null` before.
 */
export class HeaderReader {
  /** All bytes so far, in a buffer that doubles. */
  #bytes = new Uint8Array(4096)
  #size = 0
  #scanned = 0
  #lineStart = 0
  readonly #lines = new HeaderLines()
  readonly #maxSizeBytes: number

  constructor(maxSizeBytes = MAX_FOREIGN_HEADER_SIZE_BYTES) {
    this.#maxSizeBytes = maxSizeBytes
  }

  /**
   * @returns the header and the bytes after it, or `null` if the header is not complete yet.
   * @throws ProtocolError `malformed-header`, `malformed-stanza`, `unsupported-version`,
   *   `header-too-large`.
   */
  push(piece: Uint8Array): { header: Header, rest: Uint8Array } | null {
    this.#append(piece)
    while (this.#scanned < this.#size) {
      if (this.#bytes[this.#scanned++] !== LINE_FEED) continue
      const line = decodeLine(this.#bytes.subarray(this.#lineStart, this.#scanned - 1))
      const done = this.#lines.take(line)
      if (done !== null) return this.#finish(done)
      this.#lineStart = this.#scanned
    }
    if (this.#size > this.#maxSizeBytes) throw new ProtocolError('header-too-large')
    return null
  }

  #append(piece: Uint8Array): void {
    const size = this.#size + piece.length
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = grown
    }
    this.#bytes.set(piece, this.#size)
    this.#size = size
  }

  #finish(done: Omit<Header, 'macInput'>): { header: Header, rest: Uint8Array } {
    if (this.#scanned > this.#maxSizeBytes) throw new ProtocolError('header-too-large')
    const macInput = this.#bytes.slice(0, this.#lineStart + '---'.length)
    return { header: { ...done, macInput }, rest: this.#bytes.slice(this.#scanned, this.#size) }
  }
}

/** The grammar, line by line. */
class HeaderLines {
  readonly #stanzas: Stanza[] = []
  #isVersionRead = false
  #open: { type: string, args: string[], body: Uint8Array[] } | null = null

  /** What the last line (`--- MAC`) completes, or `null`. */
  take(line: string): Omit<Header, 'macInput'> | null {
    if (!this.#isVersionRead) {
      if (line !== VERSION_LINE) throw new ProtocolError('unsupported-version', 'age header')
      this.#isVersionRead = true
      return null
    }
    if (this.#open !== null) {
      this.#takeBody(this.#open, line)
      return null
    }
    if (line.startsWith('--- ')) return this.#takeMac(line.slice('--- '.length))
    this.#open = parseArguments(line)
    return null
  }

  #takeBody(open: { type: string, args: string[], body: Uint8Array[] }, line: string): void {
    if (line.length > BODY_LINE_LENGTH) throw malformed('body line too long')
    open.body.push(decodeStrictly(line))
    if (line.length === BODY_LINE_LENGTH) return
    this.#stanzas.push({ type: open.type, args: open.args, body: concatBytes(...open.body) })
    if (this.#stanzas.length > MAX_STANZA_COUNT) throw malformed('too many stanzas')
    this.#open = null
  }

  #takeMac(text: string): Omit<Header, 'macInput'> {
    const mac = decodeStrictly(text)
    if (mac.length !== KEY_SIZE_BYTES) throw malformed('MAC of wrong size')
    if (this.#stanzas.length === 0) throw malformed('no stanza')
    // A passphrase stanza beside others would say nothing about who wrote the file.
    const isMixed = this.#stanzas.length > 1 && this.#stanzas.some(({ type }) => type === 'scrypt')
    if (isMixed) throw new ProtocolError('malformed-stanza', 'scrypt stanza beside others')
    return { stanzas: this.#stanzas, mac }
  }
}

function parseArguments(line: string): { type: string, args: string[], body: Uint8Array[] } {
  const [arrow, type, ...args] = line.split(' ')
  const isStanza = arrow === '->' && type !== undefined &&
    [type, ...args].every((argument) => /^[\x21-\x7e]+$/.test(argument))
  if (!isStanza) throw malformed('neither a stanza nor the MAC')
  return { type, args, body: [] }
}

/** Header bytes are ASCII; anything else becomes a symbol that no rule accepts. */
function decodeLine(bytes: Uint8Array): string {
  let line = ''
  for (const byte of bytes) line += byte < 0x80 ? String.fromCharCode(byte) : '\ufffd'
  return line
}

function decodeStrictly(text: string): Uint8Array {
  try {
    return decodeBase64NoPad(text)
  } catch (error) {
    throw error instanceof ProtocolError ? malformed('not canonical base64') : error
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-header', detail)
}

/** Read a detached header: complete, and nothing after it. @throws as `HeaderReader.push`. */
export function parseHeader(
  bytes: Uint8Array, maxSizeBytes = MAX_FOREIGN_HEADER_SIZE_BYTES,
): Header {
  if (bytes.length > maxSizeBytes) throw new ProtocolError('header-too-large')
  const read = new HeaderReader(maxSizeBytes).push(bytes)
  if (read === null) throw malformed('ended too early')
  if (read.rest.length > 0) throw new ProtocolError('trailing-data', 'after the header')
  return read.header
}

/**
 * The only headers that Sealdeck itself takes: one hybrid stanza, at most 4 KiB, nothing after it.
 *
 * @throws ProtocolError as `parseHeader`, and `malformed-stanza` for any other stanza or number.
 */
export function parseSealdeckHeader(bytes: Uint8Array): Header {
  const header = parseHeader(bytes, MAX_HEADER_SIZE_BYTES)
  const [stanza, ...others] = header.stanzas
  if (stanza?.type !== 'mlkem768x25519' || others.length > 0) {
    throw new ProtocolError('malformed-stanza', 'not exactly one hybrid stanza')
  }
  return header
}

/** A header in bytes, with its MAC under the file key. */
export function encodeHeader(
  stanzas: readonly Stanza[], fileKey: FileKey,
): Uint8Array<ArrayBuffer> {
  assert(stanzas.length > 0, 'a header has a stanza')
  const macInput = encodeMacInput(stanzas)
  const mac = computeMac(macInput, fileKey)
  return concatBytes(macInput, encodeUtf8(` ${encodeBase64NoPad(mac)}\n`))
}

/**
 * Wrap a file key for one recipient: a whole detached header.
 * Sealdeck's own are all to hybrid recipients; the command line writes X25519 ones too.
 */
export function wrapFileKey(fileKey: FileKey, recipient: Recipient): Uint8Array<ArrayBuffer> {
  return encodeHeader([wrapFor(recipient, fileKey)], fileKey)
}

/**
 * The file key of a parsed header, its MAC checked.
 *
 * @param unwrappers - tried in turn; each sees all stanzas.
 * @returns `null` if no stanza is for any of them.
 * @throws ProtocolError `malformed-stanza`; `bad-header-mac` if the header was changed or mixed.
 */
export function openHeader(header: Header, unwrappers: readonly Unwrapper[]): FileKey | null {
  for (const unwrap of unwrappers) {
    const fileKey = unwrap(header.stanzas)
    if (fileKey === null) continue
    if (!equalSecrets(computeMac(header.macInput, fileKey), header.mac)) {
      wipe(fileKey)
      throw new ProtocolError('bad-header-mac')
    }
    return fileKey
  }
  return null
}

/** Whether a header reads back to the same bytes; for tests and tools. */
export function isCanonicalHeader(header: Header, bytes: Uint8Array): boolean {
  return equalBytes(encodeMacInput(header.stanzas), header.macInput) &&
    equalBytes(bytes.subarray(0, header.macInput.length), header.macInput)
}

function computeMac(macInput: Uint8Array, fileKey: FileKey): Uint8Array {
  assert(fileKey.length === FILE_KEY_SIZE_BYTES, 'a file key is 16 bytes')
  const macKey = hkdf(fileKey, new Uint8Array(0), MAC_LABEL)
  try {
    return hmacSha256(macKey, macInput)
  } finally {
    wipe(macKey)
  }
}

function encodeMacInput(stanzas: readonly Stanza[]): Uint8Array {
  return encodeUtf8(`${VERSION_LINE}\n${stanzas.map(formatStanza).join('')}---`)
}

function formatStanza(stanza: Stanza): string {
  const lines = [`-> ${[stanza.type, ...stanza.args].join(' ')}\n`]
  // A body that fills its last line is followed by an empty one: the end is a line shorter than 64.
  for (let offset = 0; offset <= stanza.body.length; offset += BODY_LINE_SIZE_BYTES) {
    const line = stanza.body.subarray(offset, offset + BODY_LINE_SIZE_BYTES)
    lines.push(`${encodeBase64NoPad(line)}\n`)
  }
  return lines.join('')
}
