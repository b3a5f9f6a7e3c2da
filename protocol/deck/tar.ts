/**
 * ustar headers, as far as a sealed version needs them (SPEC.md § 3.8; source: POSIX.1-1988 ustar).
 * Deterministic: one name and size, one header. Must not read archives made by anyone else.
 */
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'

export const TAR_BLOCK_SIZE_BYTES = 512
const MAX_NAME_SIZE_BYTES = 100
const SIZE_FIELD = { start: 124, end: 135 }
const CHECKSUM_FIELD = { start: 148, end: 156 }
/** 2000-01-01 UTC, for every member: the real time is nobody's business, and tar warns about 1970. */
const MODIFIED_AT_S = 946_684_800

export interface TarMember {
  /** At most 100 bytes of UTF-8. */
  readonly name: string
  readonly size: number
}

/** The size of a member's content with its padding to whole blocks. */
export function paddedSize(size: number): number {
  return Math.ceil(size / TAR_BLOCK_SIZE_BYTES) * TAR_BLOCK_SIZE_BYTES
}

/** One header block of 512 bytes. */
export function formatTarHeader(member: TarMember): Uint8Array<ArrayBuffer> {
  const name = encodeUtf8(member.name)
  assert(name.length > 0 && name.length <= MAX_NAME_SIZE_BYTES, 'a member name fits its field')
  const header = concatBytes(
    field(name, MAX_NAME_SIZE_BYTES),
    octal(0o644, 8), octal(0, 8), octal(0, 8), octal(member.size, 12), octal(MODIFIED_AT_S, 12),
    encodeUtf8(' '.repeat(8)), encodeUtf8('0'), new Uint8Array(100),
    encodeUtf8('ustar\0' + '00'), new Uint8Array(32), new Uint8Array(32), octal(0, 8), octal(0, 8),
    new Uint8Array(167),
  )
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(encodeUtf8(`${sum.toString(8).padStart(6, '0')}\0 `), CHECKSUM_FIELD.start)
  return header
}

/** @throws ProtocolError `malformed-manifest` unless `formatTarHeader` would write exactly this. */
export function parseTarHeader(block: Uint8Array): TarMember {
  assert(block.length === TAR_BLOCK_SIZE_BYTES, 'a header is one block')
  const nameEnd = block.subarray(0, MAX_NAME_SIZE_BYTES).indexOf(0)
  const name = decodeUtf8(block.subarray(0, nameEnd < 0 ? MAX_NAME_SIZE_BYTES : nameEnd))
  const size = Number.parseInt(decodeUtf8(block.subarray(SIZE_FIELD.start, SIZE_FIELD.end)), 8)
  if (name === '' || !Number.isSafeInteger(size)) throw malformed()
  const member = { name, size }
  if (!equalBytes(formatTarHeader(member), block)) throw malformed()
  return member
}

function field(bytes: Uint8Array, size: number): Uint8Array {
  const padded = new Uint8Array(size)
  padded.set(bytes)
  return padded
}

function octal(value: number, size: number): Uint8Array {
  const digits = value.toString(8).padStart(size - 1, '0')
  assert(digits.length === size - 1, 'a number fits its field')
  return encodeUtf8(`${digits}\0`)
}

function malformed(): ProtocolError {
  return new ProtocolError('malformed-manifest', 'tar header')
}
