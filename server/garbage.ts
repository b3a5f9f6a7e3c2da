/**
 * Finds objects that no row refers to, and deletes them late: an upload whose answer nobody got, a part that
 * was written after its version was collected, a database that lost its rows. Looks under `versions/`
 * alone; must never touch the log's files.
 *
 * [Note: Tombstones] What no row refers to is marked. A week later it is looked at again, under the lock that
 * keeps backups and other collectors out, and only then deleted: rows that were lost may have come back
 * with a newer copy of the database, and one listing or one query may have been wrong.
 */
import {
  deleteReferredTombstones, deleteTombstones, insertTombstones, listDueTombstones, listUnreferred,
} from '../db/queries/objects.js'
import { VERSIONS_PREFIX } from './object-keys.js'
import type { World } from './world.js'

export const GARBAGE_GRACE_MS = 7 * 24 * 3_600_000
const LIST_LIMIT = 1_000
/** A day of the collector's turns deletes at most some 14,000 objects: a mistake is noticed before it is over. */
const DELETE_LIMIT = 100

type Parts = Pick<World, 'clock' | 'db' | 'bucket'>

export interface SweptPage {
  /** Where to go on; `undefined` at the end of the bucket. */
  readonly next: string | undefined
  readonly objectCount: number
  /** What no row refers to. */
  readonly unreferred: readonly string[]
}

/** Look at one page of the bucket, changing nothing. @param after - the last key of the page before. */
export async function findGarbage(
  { db, bucket }: Pick<Parts, 'db' | 'bucket'>, after: string | undefined,
): Promise<SweptPage> {
  const keys = await bucket.list(VERSIONS_PREFIX, LIST_LIMIT, after)
  const unreferred = keys.length === 0 ? [] : await listUnreferred(db, keys)
  const next = keys.length === LIST_LIMIT ? keys.at(-1) : undefined
  return { next, objectCount: keys.length, unreferred }
}

/** As `findGarbage`, and mark what was found ([Note: Tombstones]). */
export async function markGarbage(parts: Parts, after: string | undefined): Promise<SweptPage> {
  const page = await findGarbage(parts, after)
  await insertTombstones(parts.db, page.unreferred, parts.clock.nowMs())
  return page
}

/**
 * Delete what was marked a week ago and is still referred to by nothing; at most `DELETE_LIMIT` objects.
 * The caller holds the collectors' lock.
 *
 * @returns the keys that are gone.
 */
export async function deleteGarbage({ clock, db, bucket }: Parts): Promise<readonly string[]> {
  const beforeMs = clock.nowMs() - GARBAGE_GRACE_MS
  await deleteReferredTombstones(db)
  const due = await listDueTombstones(db, { beforeMs, limit: DELETE_LIMIT })
  for (const key of due) await bucket.delete(key)
  await deleteTombstones(db, due, beforeMs)
  return due
}
