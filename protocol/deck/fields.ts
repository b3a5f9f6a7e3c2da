/**
 * The fields that records, grants and wrap records have in common (SPEC.md § 1.2).
 * Must not know which of them it reads: errors are translated by the caller's code.
 */
import { ByteReader, decodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import type { ProtocolErrorCode } from '../errors.js'
import { HASH_SIZE_BYTES } from '../hash.js'

const MAX_ID_SIZE_BYTES = 64

/** Read all of `bytes`; encoding errors inside one format carry that format's code. */
export function readAll<T>(
  bytes: Uint8Array, code: ProtocolErrorCode, read: (reader: ByteReader) => T,
): T {
  try {
    const reader = new ByteReader(bytes)
    const value = read(reader)
    reader.end()
    return value
  } catch (error) {
    const isEncoding = error instanceof ProtocolError &&
      (error.code === 'malformed-encoding' || error.code === 'malformed-text')
    throw isEncoding ? new ProtocolError(code, error.message) : error
  }
}

/** Every format starts with its own label, so that none can be read as another. */
export function requireLabel(reader: ByteReader, label: string): void {
  if (decodeUtf8(reader.takeLengthPrefixed(label.length)) !== label) throw malformedField('wrong label')
}

/** An id as text: letters, digits, hyphen and underscore, 1 to 64. */
export function readId(reader: ByteReader): string {
  const id = decodeUtf8(reader.takeLengthPrefixed(MAX_ID_SIZE_BYTES))
  if (!/^[0-9A-Za-z_-]+$/.test(id)) throw malformedField('not an id')
  return id
}

/** One `lp(x)` of exactly `size` bytes. */
export function readExactly(reader: ByteReader, size: number): Uint8Array {
  const bytes = reader.takeLengthPrefixed(size)
  if (bytes.length !== size) throw malformedField('field of wrong size')
  return bytes
}

/** `lp(SHA-256(x) or "")`: `null` for the empty one. */
export function readOptionalHash(reader: ByteReader): Uint8Array | null {
  const hash = reader.takeLengthPrefixed(HASH_SIZE_BYTES)
  if (hash.length === 0) return null
  if (hash.length !== HASH_SIZE_BYTES) throw malformedField('hash of wrong size')
  return hash
}

/** A byte that numbers one of a closed list. */
export function readChoice<T>(reader: ByteReader, choices: readonly T[]): T {
  const choice = choices[reader.takeU8()]
  if (choice === undefined) throw malformedField('unknown choice')
  return choice
}

export function malformedField(detail: string): ProtocolError {
  return new ProtocolError('malformed-encoding', detail)
}
