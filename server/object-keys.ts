/**
 * Where things lie in the bucket. A version's prefix is random, so that no key tells whose it is, and
 * no two uploads share one.
 */
import { PART_SIZE_BYTES } from '../protocol/limits.js'

const INDEX_WIDTH = 5

/** One write-once part of a payload; `index` from zero. */
export function partKey(objectPrefix: string, index: number): string {
  return `${partKeyPrefix(objectPrefix)}${String(index).padStart(INDEX_WIDTH, '0')}`
}

export function partKeyPrefix(objectPrefix: string): string {
  return `versions/${objectPrefix}/part-`
}

/** The hashes of a payload's chunks. */
export function hashListKey(objectPrefix: string): string {
  return `versions/${objectPrefix}/hash-list`
}

export function partCountOf(payloadSizeBytes: number): number {
  return Math.ceil(payloadSizeBytes / PART_SIZE_BYTES)
}
