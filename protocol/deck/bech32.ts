/**
 * Bech32 as age uses it (SPEC.md § 3.1; source: BIP 173, without its length limit).
 * Strict: one text per value. Must not know what the bytes mean.
 */
import { ProtocolError } from '../errors.js'

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const CHECKSUM_LENGTH = 6
/** A hybrid tag recipient, the longest text of any age recipient type, has 2008 symbols. */
const MAX_TEXT_LENGTH = 2100
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

export interface Bech32 {
  /** The human-readable part, in the case of the text. */
  readonly prefix: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Lower-case text; for an identity, upper-case the answer. `prefix` is lower case. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const symbols = regroup(bytes, { from: 8, to: 5 })
  const checksum = checksumOf(prefix, symbols)
  return `${prefix}1${[...symbols, ...checksum].map((symbol) => ALPHABET.charAt(symbol)).join('')}`
}

/** @throws ProtocolError `malformed-encoding`: mixed case, bad checksum, stray bits, too long. */
export function decodeBech32(text: string): Bech32 {
  if (text.length > MAX_TEXT_LENGTH) throw malformed('too long')
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) throw malformed('mixed case')
  const separator = text.lastIndexOf('1')
  if (separator < 1) throw malformed('no prefix')
  const prefix = text.slice(0, separator)
  if (!/^[\x21-\x7e]+$/.test(prefix)) throw malformed('bad prefix')
  const symbols = [...text.slice(separator + 1).toLowerCase()].map(symbolValue)
  if (symbols.length < CHECKSUM_LENGTH) throw malformed('too short')
  if (polymod([...expandPrefix(prefix.toLowerCase()), ...symbols]) !== 1) {
    throw malformed('bad checksum')
  }
  const bytes = regroup(symbols.slice(0, -CHECKSUM_LENGTH), { from: 5, to: 8 })
  return { prefix, bytes: Uint8Array.from(bytes) }
}

function symbolValue(symbol: string): number {
  const value = ALPHABET.indexOf(symbol)
  if (value < 0) throw malformed('not a symbol')
  return value
}

/** Bits from groups of one width to groups of another; what is left over must be zero padding. */
function regroup(groups: Iterable<number>, width: { from: number, to: number }): number[] {
  const regrouped: number[] = []
  let accumulator = 0
  let bitCount = 0
  for (const group of groups) {
    accumulator = ((accumulator << width.from) | group) & 0xffff
    bitCount += width.from
    while (bitCount >= width.to) {
      bitCount -= width.to
      regrouped.push((accumulator >> bitCount) & ((1 << width.to) - 1))
    }
  }
  const rest = accumulator & ((1 << bitCount) - 1)
  if (width.to === 5 && bitCount > 0) regrouped.push(rest << (5 - bitCount))
  if (width.to === 8 && (bitCount >= 5 || rest !== 0)) throw malformed('stray bits')
  return regrouped
}

function expandPrefix(prefix: string): number[] {
  const codes = [...prefix].map((symbol) => symbol.charCodeAt(0))
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
}

function polymod(values: readonly number[]): number {
  let checksum = 1
  for (const value of values) {
    const top = checksum >>> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of GENERATORS.entries()) {
      if (((top >>> bit) & 1) === 1) checksum ^= generator
    }
  }
  return checksum >>> 0
}

function checksumOf(prefix: string, symbols: readonly number[]): number[] {
  const zeros = new Array<number>(CHECKSUM_LENGTH).fill(0)
  const remainder = polymod([...expandPrefix(prefix), ...symbols, ...zeros]) ^ 1
  return zeros.map((_, index) => (remainder >>> (5 * (CHECKSUM_LENGTH - 1 - index))) & 31)
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-encoding', `bech32: ${detail}`)
}
