/**
 * Bytes to text and back, strictly: what decodes must encode to the same text again (SPEC.md § 1).
 * Pure; must not touch Node's Buffer (it accepts non-canonical base64) or any platform API.
 */
import { ProtocolError } from './errors.js'

// The two platform classes this folder may use; every runtime we support has them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> }
declare const TextDecoder: new (label: string, options: { fatal: boolean, ignoreBOM: boolean }) => {
  decode(bytes: Uint8Array): string
}

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return textEncoder.encode(text)
}

/** @throws ProtocolError `malformed-text` if the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return textDecoder.decode(bytes)
  } catch {
    throw new ProtocolError('malformed-text', 'not valid UTF-8')
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const joined = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Not constant time: for public bytes only. Secrets are compared in protocol/sodium.ts. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false
  }
  return true
}

export function encodeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export function encodeU64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

/** `lp(x)`: u32 big-endian length, then x. */
export function encodeLengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concatBytes(encodeU32(bytes.length), bytes)
}

const HEX = encodeUtf8('0123456789abcdef')

export function encodeHex(bytes: Uint8Array): string {
  const symbols = new Uint8Array(bytes.length * 2)
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    symbols[index * 2] = HEX[byte >> 4] ?? 0
    symbols[index * 2 + 1] = HEX[byte & 15] ?? 0
  }
  return textDecoder.decode(symbols)
}

/** Lower case only. @throws ProtocolError `malformed-encoding`. */
export function decodeHex(hex: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) throw new ProtocolError('malformed-encoding', 'not lower-case hex')
  const bytes = new Uint8Array(hex.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16)
  }
  return bytes
}

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const PADDING = '='.charCodeAt(0)
const [STANDARD_SYMBOLS, URL_SAFE_SYMBOLS] = [encodeUtf8(STANDARD), encodeUtf8(URL_SAFE)]

// Laid out as bytes and made a text at once: receipts are mostly base64, and a text grown symbol by symbol
// leaves an object for each.
function encode64(bytes: Uint8Array, symbols: Uint8Array, isPadded: boolean): string {
  const bareSize = Math.ceil(bytes.length * 4 / 3)
  const text = new Uint8Array(isPadded ? Math.ceil(bytes.length / 3) * 4 : bareSize).fill(PADDING)
  let offset = 0
  for (let index = 0; index < bytes.length; index += 3) {
    const [first, second, third] = [bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0]
    const triple = (first << 16) | (second << 8) | third
    for (let shift = 18; shift >= 0 && offset < bareSize; shift -= 6) {
      text[offset++] = symbols[(triple >> shift) & 63] ?? 0
    }
  }
  return textDecoder.decode(text)
}

const STANDARD_VALUES = symbolValues(STANDARD)
const URL_SAFE_VALUES = symbolValues(URL_SAFE)

function symbolValues(alphabet: string): ReadonlyMap<string, number> {
  return new Map([...alphabet].map((symbol, value) => [symbol, value]))
}

function decode64(text: string, values: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer> {
  if (text.length % 4 === 1) throw new ProtocolError('malformed-encoding', 'base64 of impossible length')
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4))
  let accumulator = 0
  let bitCount = 0
  let offset = 0
  for (const symbol of text) {
    const value = values.get(symbol)
    if (value === undefined) throw new ProtocolError('malformed-encoding', 'not a base64 symbol')
    accumulator = ((accumulator << 6) | value) & 0xffff
    bitCount += 6
    if (bitCount >= 8) {
      bitCount -= 8
      bytes[offset++] = (accumulator >> bitCount) & 0xff
    }
  }
  // Left-over bits must be zero, or two texts would mean the same bytes.
  if ((accumulator & ((1 << bitCount) - 1)) !== 0) {
    throw new ProtocolError('malformed-encoding', 'base64 with stray bits')
  }
  return bytes
}

/** Standard alphabet with padding: notes, checkpoints, receipts. */
export function encodeBase64(bytes: Uint8Array): string {
  return encode64(bytes, STANDARD_SYMBOLS, true)
}

/** Canonical only. @throws ProtocolError `malformed-encoding`. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0) throw new ProtocolError('malformed-encoding', 'base64 without its padding')
  const bare = text.replace(/={1,2}$/, '')
  return decode64(bare, STANDARD_VALUES)
}

/** Standard alphabet without padding: age headers. */
export function encodeBase64NoPad(bytes: Uint8Array): string {
  return encode64(bytes, STANDARD_SYMBOLS, false)
}

/** Canonical only. @throws ProtocolError `malformed-encoding`. */
export function decodeBase64NoPad(text: string): Uint8Array<ArrayBuffer> {
  return decode64(text, STANDARD_VALUES)
}

/** URL alphabet without padding: fragments, identifiers and every binary field of the API. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode64(bytes, URL_SAFE_SYMBOLS, false)
}

/** Canonical only. @throws ProtocolError `malformed-encoding`. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return decode64(text, URL_SAFE_VALUES)
}

/** Reads fixed layouts front to back; every read is bounded and the end must be met exactly. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws ProtocolError `malformed-encoding` if fewer than `size` bytes are left. */
  take(size: number): Uint8Array {
    const end = this.#offset + size
    if (end > this.#bytes.length) throw new ProtocolError('malformed-encoding', 'ended too early')
    const taken = this.#bytes.slice(this.#offset, end)
    this.#offset = end
    return taken
  }

  takeU8(): number {
    return this.take(1)[0] ?? 0
  }

  takeU32(): number {
    return new DataView(this.take(4).buffer).getUint32(0)
  }

  takeU64(): bigint {
    return new DataView(this.take(8).buffer).getBigUint64(0)
  }

  /** One `lp(x)` of at most `maxSizeBytes`. */
  takeLengthPrefixed(maxSizeBytes: number): Uint8Array {
    const size = this.takeU32()
    if (size > maxSizeBytes) throw new ProtocolError('malformed-encoding', 'field over its limit')
    return this.take(size)
  }

  /** @throws ProtocolError `malformed-encoding` if bytes are left over. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new ProtocolError('malformed-encoding', 'bytes after the end')
  }
}
