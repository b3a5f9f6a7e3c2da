/**
 * Reads DER (X.690), as much of it as time-stamp tokens need: definite lengths in their shortest form, tags of
 * one byte. Gives pieces of what it was given and copies nothing, because signatures are over the bytes
 * as they stood. Pure; knows no types, and must not accept what only BER allows.
 */
import { ProtocolError } from '../errors.js'

export interface Der {
  /** The identifier's one byte: class, constructed or not, number. */
  readonly tag: number
  readonly content: Uint8Array
  /** All of it, with tag and length. */
  readonly bytes: Uint8Array
}

export const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const OBJECT_IDENTIFIER = 0x06
export const GENERALIZED_TIME = 0x18
export const SEQUENCE = 0x30
export const SET = 0x31

/** The constructed tag `[number]`. */
export function contextTag(number: number): number {
  return 0xa0 | number
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('bad-time-stamp', `malformed: ${detail}`)
}

const LONG_TAG = 0x1f
const MAX_LENGTH_SIZE_BYTES = 3
/** One more than the longest time has, so that a longer one is refused. */
const MAX_TIME_LENGTH = 26

/** Exactly one element. @throws ProtocolError `bad-time-stamp`. */
export function readDer(bytes: Uint8Array): Der {
  const first = takeDer(bytes)
  if (first.bytes.length !== bytes.length) throw malformed('bytes after the end')
  return first
}

/** The elements one after another. @throws ProtocolError `bad-time-stamp`. */
export function readAll(bytes: Uint8Array): Der[] {
  const elements: Der[] = []
  for (let start = 0; start < bytes.length;) { // Each element has at least two bytes.
    const element = takeDer(bytes.subarray(start))
    elements.push(element)
    start += element.bytes.length
  }
  return elements
}

function takeDer(bytes: Uint8Array): Der {
  const [tag = 0, short = 0x80] = bytes
  if ((tag & LONG_TAG) === LONG_TAG) throw malformed('a tag of several bytes')
  const { length, start } = short < 0x80
    ? { length: short, start: 2 }
    : takeLength(bytes, short & 0x7f)
  const end = start + length
  if (end > bytes.length) throw malformed('cut short')
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(0, end) }
}

function takeLength(bytes: Uint8Array, size: number): { length: number, start: number } {
  const start = 2 + size
  if (size < 1 || size > MAX_LENGTH_SIZE_BYTES || bytes.length < start) throw malformed('length')
  const length = bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0)
  const isShortest = length >= 0x80 && length >= 256 ** (size - 1)
  if (!isShortest) throw malformed('length with a longer spelling than it needs')
  return { length, start }
}

/** What is inside an element of this tag. @throws ProtocolError `bad-time-stamp` if it is another, or missing. */
export function openDer(element: Der | undefined, tag: number): Der[] {
  return readAll(contentOf(element, tag))
}

/** @throws ProtocolError `bad-time-stamp` if the element is of another tag, or missing. */
export function contentOf(element: Der | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw malformed(`no element of tag 0x${tag.toString(16)}`)
  return element.content
}

/** `1.2.840...`; arcs beyond 2^53 are refused. @throws ProtocolError `bad-time-stamp`. */
export function readOid(element: Der | undefined): string {
  const content = contentOf(element, OBJECT_IDENTIFIER)
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (!Number.isSafeInteger(arc)) throw malformed('object identifier')
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first, ...rest] = arcs
  if (first === undefined || (content.at(-1) ?? 0x80) >= 0x80) throw malformed('object identifier')
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - root * 40, ...rest].join('.')
}

/** A number from 0 to 2^47. @throws ProtocolError `bad-time-stamp`. */
export function readSmallInteger(element: Der | undefined): number {
  const content = contentOf(element, INTEGER)
  if (content.length < 1 || content.length > 6 || (content[0] ?? 0) >= 0x80) {
    throw malformed('not a small number')
  }
  return content.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** Milliseconds since 1970 of `YYYYMMDDHHMMSS[.fff]Z`. @throws ProtocolError `bad-time-stamp`. */
export function readTime(element: Der | undefined): number {
  const content = contentOf(element, GENERALIZED_TIME).subarray(0, MAX_TIME_LENGTH)
  const text = String.fromCharCode(...content)
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)((?:\.\d{1,9})?)Z$/.exec(text)
  const [, year, month, day, hour, minute, second, fraction] = match ?? []
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (match === null || Number.isNaN(timeMs)) throw malformed('time')
  return timeMs + Math.floor(Number(`0${fraction}`) * 1_000)
}
