/** Rows that have run out: nothing reads them any more. */
import { sql } from 'drizzle-orm'
import { instantSql } from '../columns.js'
import type { Db } from '../client.js'
import { challenges, emailCodes, mailOutbox, nonces, rateCounters, sessions } from '../schema.js'

const EXPIRING = [challenges, emailCodes, nonces, rateCounters, sessions] as const

/**
 * Delete at most `limit` rows of each kind that ran out before `beforeMs`. Two instances at once delete
 * each row once.
 */
export async function deleteExpired(
  db: Db, expired: { beforeMs: number, limit: number },
): Promise<void> {
  for (const table of EXPIRING) {
    await db.execute(sql`delete from ${table} where ctid in (
      select ctid from ${table} where ${table.expiresAtMs} < ${instantSql(expired.beforeMs)}
      limit ${expired.limit} for update skip locked)`)
  }
}

/** Delete at most `limit` records of mails that were sent or given up, queued before `beforeMs`. */
export async function deleteOldMails(
  db: Db, old: { beforeMs: number, limit: number },
): Promise<void> {
  await db.execute(sql`delete from ${mailOutbox} where ctid in (
    select ctid from ${mailOutbox} where ${mailOutbox.createdAtMs} < ${instantSql(old.beforeMs)}
      and (${mailOutbox.sentAtMs} is not null or ${mailOutbox.failedAtMs} is not null)
    limit ${old.limit} for update skip locked)`)
}
