/**
 * Where things lie in the bucket. A version's prefix is random, so that no key tells whose it is, and
 * no two uploads share one.
 */
import { PART_SIZE_BYTES } from '../protocol/limits.js'

/** Under it lie the payloads; everything else in the bucket is the log's. */
export const VERSIONS_PREFIX = 'versions/'
/** Under it lies each log in a folder of its own (server/keys.ts). */
export const LOGS_PREFIX = 'log/'
const INDEX_WIDTH = 5

/** One write-once part of a payload; `index` from zero. */
export function partKey(objectPrefix: string, index: number): string {
  return `${partKeyPrefix(objectPrefix)}${String(index).padStart(INDEX_WIDTH, '0')}`
}

export function partKeyPrefix(objectPrefix: string): string {
  return `${VERSIONS_PREFIX}${objectPrefix}/part-`
}

/** The hashes of a payload's chunks. */
export function hashListKey(objectPrefix: string): string {
  return `${VERSIONS_PREFIX}${objectPrefix}/hash-list`
}

export function partCountOf(payloadSizeBytes: number): number {
  return Math.ceil(payloadSizeBytes / PART_SIZE_BYTES)
}
