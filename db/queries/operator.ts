/** What an operator sees and changes of accounts, and how much there is of what is kept for a time. Rows in, rows out. */
import { and, asc, eq, gt, isNotNull, isNull, ne, or, sql } from 'drizzle-orm'
import { readInstant } from '../columns.js'
import { queryRows, type Db } from '../client.js'
import { sessions, users } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Account = Pick<
  typeof users.$inferSelect, 'id' | 'email' | 'usedBytes' | 'quotaBytes' | 'createdAtMs' | 'disabledAtMs'>

const ACCOUNT = {
  id: users.id, email: users.email, usedBytes: users.usedBytes, quotaBytes: users.quotaBytes,
  createdAtMs: users.createdAtMs, disabledAtMs: users.disabledAtMs,
}

/** Accounts by address, greater than `after`; at most `limit`. */
export async function listAccounts(
  db: Db, page: { after: string | undefined, limit: number },
): Promise<Account[]> {
  return await db.select(ACCOUNT).from(users)
    .where(page.after === undefined ? undefined : gt(users.email, page.after))
    .orderBy(asc(users.email)).limit(page.limit)
}

/** The account behind a canonical address, disabled or not. */
export async function findAccount(db: Db, email: string): Promise<Account | undefined> {
  const [row] = await db.select(ACCOUNT).from(users).where(eq(users.email, email))
  return row
}

/**
 * Keep an account out, or let it in again; being kept out ends its sessions. With its event in one statement.
 * @param disabledAtMs - null lets it in again.
 * @returns false if it was so already; nothing was changed or logged then.
 */
export async function updateDisabled(
  db: Db, account: { id: string, disabledAtMs: number | null, nowMs: number }, event: OutboxEvent,
): Promise<boolean> {
  const { id, disabledAtMs, nowMs } = account
  const isOther = disabledAtMs === null ? isNotNull(users.disabledAtMs) : isNull(users.disabledAtMs)
  const changed = db.$with('changed').as(
    db.update(users).set({ disabledAtMs }).where(and(eq(users.id, id), isOther))
      .returning({ id: users.id }))
  const ended = db.$with('ended').as(
    db.update(sessions).set({ revokedAtMs: nowMs })
      .where(and(
        sql`${sessions.userId} in (select id from ${changed})`, isNull(sessions.revokedAtMs),
        disabledAtMs === null ? sql`false` : undefined))
      .returning({ id: sessions.id }))
  const rows = await db.with(changed, ended, logged(db, changed, [event])).select().from(changed)
  return rows.length === 1
}

/**
 * Give an account a quota of its own, or the instance's default with null; with its event.
 * @returns false if it was so already.
 */
export async function updateQuota(
  db: Db, account: { id: string, quotaBytes: number | null }, event: OutboxEvent,
): Promise<boolean> {
  const { id, quotaBytes } = account
  const isOther = quotaBytes === null ? isNotNull(users.quotaBytes)
    : or(isNull(users.quotaBytes), ne(users.quotaBytes, quotaBytes))
  const changed = db.$with('changed').as(
    db.update(users).set({ quotaBytes }).where(and(eq(users.id, id), isOther))
      .returning({ id: users.id }))
  const rows = await db.with(changed, logged(db, changed, [event])).select().from(changed)
  return rows.length === 1
}

/** How many rows of a kind there are, and since when. */
export interface Kept {
  readonly count: number
  readonly oldestAtMs: number | null
}

/** Each kind by name. Reads whole tables: for an operator who asks, never on a user's path. */
export async function countKept(db: Db): Promise<ReadonlyMap<KeptKind, Kept>> {
  const rows = await queryRows(db, sql`
    select 'sessions' as kind, count(*) as count, min(created_at) as oldest from sessions
    union all select 'codes', count(*), min(created_at) from email_codes
    union all select 'nonces', count(*), min(created_at) from nonces
    union all select 'mails', count(*), min(created_at) from mail_outbox
    union all select 'uploads', count(*), min(created_at) from versions where status = 'uploading'
    union all select 'garbage', count(*), min(created_at) from tombstones
    union all select 'details', count(*), min(at) from audit_opening where details is not null`)
  return new Map(KEPT_KINDS.map((kind) => {
    const row = rows.find((one) => one['kind'] === kind)
    const oldest = row?.['oldest']
    const oldestAtMs = oldest === null || oldest === undefined ? null : readInstant(oldest)
    return [kind, { count: Number(row?.['count'] ?? 0), oldestAtMs }]
  }))
}

export const KEPT_KINDS = ['sessions', 'codes', 'nonces', 'mails', 'uploads', 'garbage', 'details'] as const
export type KeptKind = typeof KEPT_KINDS[number]

/** Since when the oldest event waits for the log, or the oldest mail to be sent; null if none does. */
export async function findOldestWaiting(db: Db, kind: 'event' | 'mail'): Promise<number | null> {
  const [row] = await queryRows(db, kind === 'event'
    ? sql`select min(at) as since from (select at from audit_outbox order by id limit 100) as oldest`
    : sql`select min(created_at) as since from mail_outbox where sent_at is null and failed_at is null`)
  const since = row?.['since']
  return since === null || since === undefined ? null : readInstant(since)
}

/** How many mails were given up, up to `limit`. */
export async function countFailed(db: Db, limit: number): Promise<number> {
  const [row] = await queryRows(db, sql`
    select count(*)::integer as count from (select 1 from mail_outbox where failed_at is not null limit ${limit}::integer) as failed`)
  return Number(row?.['count'])
}

/** What all accounts use together, in bytes. */
export async function readInstanceUsage(db: Db): Promise<number> {
  const [row] = await queryRows(db, sql`select used_bytes from instance_usage`)
  return Number(row?.['used_bytes'])
}
