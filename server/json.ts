/**
 * JSON read strictly: one text, one meaning. The platform's parser takes the last of two
 * equal keys, loses digits of large numbers and recurses as deep as it is told; what crosses a trust
 * boundary of the server is read by this one. Pure; knows no schema.
 */
import { ProtocolError } from '../protocol/errors.js'

/** Objects come without a prototype, so that `__proto__` is a key like any other. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

const MAX_JSON_DEPTH = 16
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /true|false|null/y
const SPACE = /[ \t\n\r]*/y

interface Cursor { readonly text: string, at: number }

/**
 * @throws ProtocolError `malformed-text` for anything but one JSON value: doubled keys, a byte order
 * mark, more than 16 levels, whole numbers that a double cannot hold, lone surrogates, U+0000.
 */
export function parseJson(text: string): Json {
  const cursor = { text, at: 0 }
  const value = readValue(cursor, 0)
  skipSpace(cursor)
  if (cursor.at !== text.length) throw malformed('text after the value')
  return value
}

function readValue(cursor: Cursor, depth: number): Json {
  if (depth > MAX_JSON_DEPTH) throw malformed('too deep')
  skipSpace(cursor)
  switch (cursor.text[cursor.at]) {
    case '{': return readObject(cursor, depth)
    case '[': return readArray(cursor, depth)
    case '"': return readString(cursor)
    default: return readScalar(cursor)
  }
}

function readObject(cursor: Cursor, depth: number): Json {
  const object: Record<string, Json> = Object.create(null)
  cursor.at++
  if (takeIf(cursor, '}')) return object
  do {
    skipSpace(cursor)
    const key = readString(cursor)
    if (key in object) throw malformed('a key twice')
    if (!takeIf(cursor, ':')) throw malformed('a key without its value')
    object[key] = readValue(cursor, depth + 1)
  } while (takeIf(cursor, ','))
  if (!takeIf(cursor, '}')) throw malformed('an object without its end')
  return object
}

function readArray(cursor: Cursor, depth: number): Json {
  const array: Json[] = []
  cursor.at++
  if (takeIf(cursor, ']')) return array
  do {
    array.push(readValue(cursor, depth + 1))
  } while (takeIf(cursor, ','))
  if (!takeIf(cursor, ']')) throw malformed('an array without its end')
  return array
}

function readString(cursor: Cursor): string {
  const quoted = match(cursor, STRING)
  if (quoted === undefined) throw malformed('not a string')
  // Escapes are rare, and the platform reads them well.
  const value: string = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
  if (/[\0\p{Surrogate}]/u.test(value)) throw malformed('U+0000 or a lone surrogate')
  return value
}

function readScalar(cursor: Cursor): Json {
  const word = match(cursor, WORD)
  if (word !== undefined) return word === 'null' ? null : word === 'true'
  const digits = match(cursor, NUMBER)
  if (digits === undefined) throw malformed('not a value')
  const value = Number(digits)
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw malformed('number too large')
  return value
}

function takeIf(cursor: Cursor, symbol: string): boolean {
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== symbol) return false
  cursor.at++
  return true
}

function skipSpace(cursor: Cursor): void {
  match(cursor, SPACE)
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0]
  cursor.at += found?.length ?? 0
  return found
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-text', detail)
}
