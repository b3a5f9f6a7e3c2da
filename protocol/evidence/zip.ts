/**
 * An evidence pack's container: a zip archive whose members are stored, not compressed (SPEC.md § 12;
 * source: PKWARE APPNOTE 6.3.3). Same files, same bytes. Pure; must not read archives made by others.
 *
 *   per file:  local header (30) ‖ name ‖ content
 *   per file:  central header (46) ‖ name
 *   end (22)
 *
 * [Note: One archive] An archive is read by taking its files out, packing them again and comparing, so
 * that there is no byte that nobody has looked at, and no file that one program sees and another does not.
 */
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { MAX_PACK_FILE_COUNT, MAX_PACK_SIZE_BYTES } from '../limits.js'

/** A file by its name, folders before it with `/`. */
export interface PackFile {
  readonly name: string
  readonly bytes: Uint8Array
}

const LOCAL_SIGNATURE = 0x0403_4b50
const CENTRAL_SIGNATURE = 0x0201_4b50
const END_SIGNATURE = 0x0605_4b50
const LOCAL_SIZE_BYTES = 30
const CENTRAL_SIZE_BYTES = 46
const END_SIZE_BYTES = 22
/** Version 2.0: folders and stored members, nothing newer. */
const VERSION = 20
/** 2000-01-01, 00:00: when a pack was made stands in its files. */
const DOS_DATE = (20 << 9) | (1 << 5) | 1
const MAX_NAME_LENGTH = 120

const NAME = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/

/** Whether it begins as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, 4), Uint8Array.of(0x50, 0x4b, 3, 4))
}

/** The archive of these files, in their order. Names are plain ASCII, each once. */
export function formatZip(files: readonly PackFile[]): Uint8Array<ArrayBuffer> {
  assert(files.length <= MAX_PACK_FILE_COUNT, 'a pack has a bounded number of files')
  assert(files.every(({ name }) => isName(name)), 'a name is safe to unpack anywhere')
  assert(new Set(files.map(({ name }) => name)).size === files.length, 'each name stands once')
  const members = place(files)
  const locals = members.flatMap((member) => [localHeader(member), member.name, member.bytes])
  const centrals = members.flatMap((member) => [centralHeader(member), member.name])
  const start = sizeOf(locals)
  const end = endRecord({ count: members.length, start, size: sizeOf(centrals) })
  return concatBytes(...locals, ...centrals, end)
}

function isName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name)
}

interface Member {
  readonly name: Uint8Array
  readonly bytes: Uint8Array
  readonly crc: number
  readonly offset: number
}

function place(files: readonly PackFile[]): Member[] {
  let offset = 0
  return files.map((file) => {
    const name = encodeUtf8(file.name)
    const member = { name, bytes: file.bytes, crc: crc32(file.bytes), offset }
    offset += LOCAL_SIZE_BYTES + name.length + file.bytes.length
    return member
  })
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

type Field = readonly [value: number, sizeBytes: 2 | 4]

/** Little-endian fields, one after the other. */
function record(size: number, fields: readonly Field[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(size))
  let at = 0
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += width
  }
  assert(at === size, 'a record is as long as its fields')
  return new Uint8Array(view.buffer)
}

/** From the version needed to the length of the name: the same in both headers. */
function commonFields({ name, bytes, crc }: Member): Field[] {
  const [flags, stored, midnight] = [0, 0, 0]
  return [
    [VERSION, 2], [flags, 2], [stored, 2], [midnight, 2], [DOS_DATE, 2], [crc, 4],
    [bytes.length, 4], [bytes.length, 4], [name.length, 2],
  ]
}

function localHeader(member: Member): Uint8Array {
  return record(LOCAL_SIZE_BYTES, [[LOCAL_SIGNATURE, 4], ...commonFields(member), [0, 2]])
}

function centralHeader(member: Member): Uint8Array {
  return record(CENTRAL_SIZE_BYTES, [
    [CENTRAL_SIGNATURE, 4], [VERSION, 2], ...commonFields(member),
    [0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [member.offset, 4],
  ])
}

function endRecord(
  { count, start, size }: { count: number, start: number, size: number },
): Uint8Array {
  return record(END_SIZE_BYTES, [
    [END_SIGNATURE, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [start, 4], [0, 2],
  ])
}

// ---- Reading

/**
 * The files of an archive that `formatZip` made ([Note: One archive]).
 * @throws ProtocolError `malformed-pack` for any other bytes, damaged or packed by another program.
 */
export function parseZip(bytes: Uint8Array): PackFile[] {
  if (bytes.length > MAX_PACK_SIZE_BYTES) throw malformed('over its size limit')
  const files = takeMembers(bytes)
  const isSafe = files.every(({ name }) => isName(name)) &&
    new Set(files.map(({ name }) => name)).size === files.length
  if (!isSafe) throw malformed('a name that is not one of ours')
  if (!equalBytes(formatZip(files), bytes)) throw malformed('damaged, or packed by another program')
  return files
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-pack', detail)
}

function takeMembers(bytes: Uint8Array): PackFile[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const files: PackFile[] = []
  let at = 0
  while (at + LOCAL_SIZE_BYTES <= bytes.length && view.getUint32(at, true) === LOCAL_SIGNATURE) {
    if (files.length === MAX_PACK_FILE_COUNT) throw malformed('too many files')
    const size = view.getUint32(at + 18, true)
    const nameEnd = at + LOCAL_SIZE_BYTES + view.getUint16(at + 26, true)
    const end = nameEnd + size
    if (end > bytes.length) throw malformed('ended too early')
    const name = readName(bytes.subarray(at + LOCAL_SIZE_BYTES, nameEnd))
    files.push({ name, bytes: bytes.slice(nameEnd, end) })
    at = end
  }
  return files
}

function readName(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'a name')
  }
}

// ---- CRC-32

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1
  return crc
})

/** As zip wants it. Finds damage by chance; the checksums and signatures inside find more. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}
