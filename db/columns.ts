/**
 * The two column types that the drivers would otherwise hand over in different shapes:
 * bytes as `Uint8Array`, instants as milliseconds. Holds no tables.
 */
import { decodeHex } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import { sql, type Placeholder, type SQL } from 'drizzle-orm'
import { customType } from 'drizzle-orm/pg-core'

/**
 * `bytea` as a plain `Uint8Array`, whatever the driver handed over: a Buffer (postgres), a
 * Uint8Array (PGlite), or the text `\x...` (either, inside a relational query).
 *
 * Never a Buffer: its `slice` shares memory with the driver's pool, and code that reads
 * `bytes.buffer` would read somebody else's row.
 */
export const bytea = customType<{ data: Uint8Array, driverData: unknown }>({
  dataType: () => 'bytea',
  toDriver: (bytes) => bytes,
  fromDriver: readBytes,
})

/** What either driver gives for a `bytea`, also from a raw query, as bytes of its own. */
export function readBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  assert(typeof value === 'string' && value.startsWith('\\x'), 'a bytea arrives as bytes or as \\x hex')
  return decodeHex(value.slice(2))
}

/** `timestamptz` as milliseconds since 1970: neither driver's `Date`, and no time zone to lose. */
export const instant = customType<{ data: number, driverData: unknown }>({
  dataType: () => 'timestamp with time zone',
  toDriver: instantText,
  fromDriver: readInstant,
})

/** What either driver gives for a `timestamptz`, as milliseconds since 1970. */
export function readInstant(value: unknown): number {
  const atMs = value instanceof Date ? value.getTime() : Date.parse(String(value))
  assert(!Number.isNaN(atMs), 'a timestamptz arrives as a date')
  return atMs
}

/** Milliseconds since 1970 as a value in a raw statement; a placeholder is filled with `instantText`. */
export function instantSql(at: number | Placeholder): SQL {
  return sql`${typeof at === 'number' ? instantText(at) : at}::timestamptz`
}

/** Milliseconds since 1970 as the drivers send an instant. */
export function instantText(atMs: number): string {
  return new Date(atMs).toISOString()
}
