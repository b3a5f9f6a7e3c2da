/** The logs of this instance, one after another: rows in, rows out. */
import { asc, sql } from 'drizzle-orm'
import { queryRows, type Db } from '../client.js'
import { tlogOrigins } from '../schema.js'
import type { Head } from './log.js'

export type OriginRow = typeof tlogOrigins.$inferSelect

/** Oldest first; none before the first log has begun. */
export async function listOrigins(db: Db): Promise<OriginRow[]> {
  return await db.select().from(tlogOrigins).orderBy(asc(tlogOrigins.firstIndex))
}

/** Note the first log; where there is one already, nothing changes. */
export async function insertFirstOrigin(
  db: Db, first: Pick<OriginRow, 'origin' | 'vkey'>,
): Promise<void> {
  await db.insert(tlogOrigins).values({ ...first, firstIndex: 0 }).onConflictDoNothing()
}

export interface Border {
  /** The log that ends here: its name, the key that signed its last checkpoint, and that. */
  readonly closed: Pick<OriginRow, 'origin' | 'vkey'> & { readonly closing: string }
  readonly next: Pick<OriginRow, 'origin' | 'vkey'>
}

/**
 * End a log and begin the next one, all or nothing, if the head is still the one that the closing checkpoint is of.
 *
 * @returns false if it is not: another instance was first, and nothing was changed.
 */
export async function insertBorder(
  db: Db, head: Pick<Head, 'size' | 'root'>, { closed, next }: Border,
): Promise<boolean> {
  const [row] = await queryRows(db, sql`
    with head as (
      update tlog_head set root = sha256(''::bytea), edge = ''::bytea
      where id = 1 and size = ${head.size}::bigint and root = ${head.root}::bytea and exists (
        select 1 from tlog_origins where origin = ${closed.origin}::text and closing is null
      ) returning size
    ), ended as (
      update tlog_origins set vkey = ${closed.vkey}::text, closing = ${closed.closing}::text
      where origin = ${closed.origin}::text and exists (select 1 from head)
    ), begun as (
      insert into tlog_origins (first_index, origin, vkey)
      select size, ${next.origin}::text, ${next.vkey}::text from head returning first_index
    )
    select count(*)::integer as count from begun`)
  return Number(row?.['count']) === 1
}
