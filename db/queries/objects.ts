/**
 * Objects that no row refers to: marked, and after a grace looked at again. Rows in, rows out; what lies in
 * the bucket is not known here.
 */
import { and, asc, inArray, lt, sql } from 'drizzle-orm'
import { instantSql } from '../columns.js'
import { queryRows, type Db } from '../client.js'
import { tombstones } from '../schema.js'

/**
 * A version refers to everything under its prefix, until its objects were collected: then what lies there
 * was written too late.
 */
const isReferredTo = sql`exists (
  select 1 from versions v where v.object_prefix = split_part(keys.object_key, '/', 2) and v.status <> 'collected')`

/** Those of these objects that no row refers to. @param keys - like `versions/<prefix>/...`, without commas. */
export async function listUnreferred(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await queryRows(db, sql`
    select keys.object_key from unnest(string_to_array(${keys.join(',')}::text, ',')) as keys(object_key)
    where not ${isReferredTo} order by 1`)
  return rows.map((row) => String(row['object_key']))
}

/** Mark objects; a mark that is there stays as old as it is. @returns how many are new. */
export async function insertTombstones(
  db: Db, keys: readonly string[], nowMs: number,
): Promise<number> {
  if (keys.length === 0) return 0
  const marks = keys.map((objectKey) => ({ objectKey, createdAtMs: nowMs }))
  const rows = await db.insert(tombstones).values(marks)
    .onConflictDoNothing().returning({ objectKey: tombstones.objectKey })
  return rows.length
}

/** Take the marks off what a row refers to again: rows came back with a newer copy of the database. */
export async function deleteReferredTombstones(db: Db): Promise<number> {
  const rows = await queryRows(db, sql`
    delete from tombstones keys where ${isReferredTo} returning keys.object_key`)
  return rows.length
}

/** Marked before `beforeMs`, and still nothing refers to them; oldest first. */
export async function listDueTombstones(
  db: Db, due: { beforeMs: number, limit: number },
): Promise<string[]> {
  const rows = await queryRows(db, sql`
    select keys.object_key from tombstones keys
    where keys.created_at < ${instantSql(due.beforeMs)} and not ${isReferredTo}
    order by keys.created_at, keys.object_key limit ${due.limit}`)
  return rows.map((row) => String(row['object_key']))
}

/** The oldest marks, as they are: for whoever asks what is going to happen. */
export async function listTombstones(db: Db, limit: number) {
  return await db.select().from(tombstones)
    .orderBy(asc(tombstones.createdAtMs), asc(tombstones.objectKey)).limit(limit)
}

/** Forget marks whose objects are gone. */
export async function deleteTombstones(
  db: Db, keys: readonly string[], beforeMs: number,
): Promise<void> {
  if (keys.length === 0) return
  await db.delete(tombstones)
    .where(and(inArray(tombstones.objectKey, [...keys]), lt(tombstones.createdAtMs, beforeMs)))
}
