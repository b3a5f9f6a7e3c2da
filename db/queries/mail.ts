/**
 * Mail that waits to be sent: queued by the statement that makes the change, claimed by whichever
 * instance is free. Subject and bodies are deleted once a mail is sent or given up.
 */
import { eq, inArray, sql, type SQL, type WithSubquery } from 'drizzle-orm'
import { assert } from '../../protocol/errors.js'
import { queryRows, type Db } from '../client.js'
import { mailOutbox, type MailAttachment } from '../schema.js'

export type ClaimedMail = typeof mailOutbox.$inferSelect

export interface NewMail {
  /** UUIDv7; also the Message-ID. */
  readonly id: string
  /** What it is about, for logs: `email-code`, `receipt`. */
  readonly kind: string
  readonly recipientEmail: string
  readonly subject: string
  readonly text: string
  readonly html?: string | undefined
  readonly attachments?: readonly MailAttachment[] | undefined
  readonly createdAtMs: number
}

const MAX_MAILS_PER_STATEMENT = 100

/**
 * A CTE that queues mails if the change has at least one row, to stand beside `logged` in the same
 * statement ([Note: One statement] in outbox.ts).
 */
export function queued(db: Db, change: WithSubquery, mails: readonly NewMail[], alias = 'queued') {
  return db.$with(alias).as(insertRows(db, mails, sql`exists (select 1 from ${change})`))
}

/** Queue mails that go with no change. One whose id is there already is not sent twice. */
export async function insertMails(db: Db, mails: readonly NewMail[]): Promise<void> {
  await insertRows(db, mails, sql`true`).prepare('insert_mails').execute()
}

function insertRows(db: Db, mails: readonly NewMail[], condition: SQL) {
  assert(mails.length > 0 && mails.length <= MAX_MAILS_PER_STATEMENT, 'a statement has 1 to 100 mails')
  return db.insert(mailOutbox).select(sql`
    select id, kind, recipient_email, subject, text, html, attachments, created_at, created_at, 0, null, null
    from (values ${sql.join(mails.map(mailRow), sql`, `)})
      as mails(id, kind, recipient_email, subject, text, html, attachments, created_at)
    where ${condition}`).onConflictDoNothing().returning({ id: mailOutbox.id })
}

function mailRow(mail: NewMail): SQL {
  const attachments = mail.attachments === undefined ? null : JSON.stringify(mail.attachments)
  return sql`(${mail.id}::uuid, ${mail.kind}::text, ${mail.recipientEmail}::text, ${mail.subject}::text,
    ${mail.text}::text, ${mail.html ?? null}::text, ${attachments}::text::jsonb,
    ${new Date(mail.createdAtMs).toISOString()}::timestamptz)`
}

/**
 * Take mails that are due, so that no other instance sends them before `untilMs`. Counts the try.
 *
 * @returns oldest first, at most `limit`.
 */
export async function claimMails(
  db: Db, { nowMs, untilMs, limit }: { nowMs: number, untilMs: number, limit: number },
): Promise<ClaimedMail[]> {
  const due = db.select({ id: mailOutbox.id }).from(mailOutbox)
    .where(sql`${mailOutbox.sentAtMs} is null and ${mailOutbox.failedAtMs} is null
      and ${mailOutbox.nextTryAtMs} <= ${new Date(nowMs).toISOString()}::timestamptz`)
    .orderBy(mailOutbox.nextTryAtMs).limit(limit).for('update', { skipLocked: true })
  return await db.update(mailOutbox)
    .set({ nextTryAtMs: untilMs, tryCount: sql`${mailOutbox.tryCount} + 1` })
    .where(inArray(mailOutbox.id, due))
    .returning()
}

const WITHOUT_BODY = { subject: null, text: null, html: null, attachments: null }

export async function markSent(db: Db, id: string, atMs: number): Promise<void> {
  await db.update(mailOutbox).set({ ...WITHOUT_BODY, sentAtMs: atMs }).where(eq(mailOutbox.id, id))
}

/** @param failure - `failedAtMs` null: to be tried again. */
export async function markFailed(
  db: Db, id: string,
  { nextTryAtMs, failedAtMs }: { nextTryAtMs: number, failedAtMs: number | null },
): Promise<void> {
  await db.update(mailOutbox)
    .set(failedAtMs === null ? { nextTryAtMs } : { ...WITHOUT_BODY, failedAtMs })
    .where(eq(mailOutbox.id, id))
}

/** How many mails wait to be sent, up to `limit`: for metrics. */
export async function countWaiting(db: Db, limit: number): Promise<number> {
  const [row] = await queryRows(db, sql`
    select count(*)::integer as count from (
      select 1 from mail_outbox where sent_at is null and failed_at is null limit ${limit}::integer) as waiting`)
  return Number(row?.['count'])
}
