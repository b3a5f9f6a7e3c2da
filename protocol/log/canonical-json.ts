/**
 * JSON with one spelling for each value: the part of RFC 8785 that events need (SPEC.md § 8).
 * Pure; must not accept what it would not write: keys sorted, no spaces, no null, no fractions, no
 * negative numbers, no lone surrogates, no key twice.
 */
import { decodeUtf8, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError, type ProtocolErrorCode } from '../errors.js'

/** Deeper than any event; bounds the recursion. */
const MAX_DEPTH = 8

export type CanonicalValue =
  string | number | boolean | readonly CanonicalValue[] | { readonly [key: string]: CanonicalValue }

export type CanonicalObject = { readonly [key: string]: CanonicalValue }

/** @throws ProtocolError with `code` if the value has no canonical form. */
export function encodeCanonicalJson(value: CanonicalValue, code: ProtocolErrorCode): Uint8Array {
  return encodeUtf8(formatValue(value, code, 0))
}

/**
 * Reads bytes that `encodeCanonicalJson` could have written, and nothing else: they are read, written
 * again and compared, so duplicate keys, spaces, `1e3` and `-0` fall out without a rule for each.
 *
 * @throws ProtocolError with `code`.
 */
export function parseCanonicalJson(bytes: Uint8Array, code: ProtocolErrorCode): CanonicalValue {
  const parsed = parseLoose(decodeUtf8(bytes), code)
  const canonical = encodeUtf8(formatValue(parsed, code, 0))
  if (!equalBytes(canonical, bytes)) throw new ProtocolError(code, 'JSON is not canonical')
  return requireCanonical(parsed, code)
}

function parseLoose(text: string, code: ProtocolErrorCode): unknown {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed
  } catch (error) {
    throw new ProtocolError(code, error instanceof Error ? `JSON: ${error.message}` : 'JSON')
  }
}

function formatValue(value: unknown, code: ProtocolErrorCode, depth: number): string {
  if (depth > MAX_DEPTH) throw new ProtocolError(code, 'JSON nested too deep')
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'string') return formatString(value, code)
  if (typeof value === 'number') return formatInteger(value, code)
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => formatValue(item, code, depth + 1)).join(',')}]`
  }
  if (typeof value === 'object' && value !== null) return formatObject(value, code, depth)
  throw new ProtocolError(code, 'JSON value of a kind that has no place here')
}

function formatString(value: string, code: ProtocolErrorCode): string {
  if (/\p{Surrogate}/u.test(value)) throw new ProtocolError(code, 'lone surrogate')
  // RFC 8785 defines strings by what this function writes.
  return JSON.stringify(value)
}

function formatInteger(value: number, code: ProtocolErrorCode): string {
  if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw new ProtocolError(code, 'not an integer from 0 to 2^53-1')
  }
  return value.toString()
}

function formatObject(value: object, code: ProtocolErrorCode, depth: number): string {
  // The default order is by UTF-16 code units, as RFC 8785 wants it.
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
  const members = entries.map(([key, item]: [string, unknown]) =>
    `${formatString(key, code)}:${formatValue(item, code, depth + 1)}`)
  return `{${members.join(',')}}`
}

/** Tells the compiler what `formatValue` has already made sure of. */
function requireCanonical(value: unknown, code: ProtocolErrorCode): CanonicalValue {
  if (isCanonical(value)) return value
  throw new ProtocolError(code, 'JSON value of a kind that has no place here')
}

function isCanonical(value: unknown): value is CanonicalValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return true
  return typeof value === 'object' && value !== null
}

export function isCanonicalObject(value: CanonicalValue): value is CanonicalObject {
  return typeof value === 'object' && !Array.isArray(value)
}
