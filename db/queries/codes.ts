/**
 * Codes sent by mail, and the limits on asking for them. A challenge's id stays with the browser that
 * asked; here lie its hash and the code's, so that whoever reads the table can guess at neither.
 */
import { and, eq, gt, inArray, isNull, lt, sql } from 'drizzle-orm'
import { instantSql } from '../columns.js'
import type { Db } from '../client.js'
import { rowWhere } from '../insert-where.js'
import { emailCodes, rateCounters } from '../schema.js'
import { queued, type NewMail } from './mail.js'

export type EmailCode = typeof emailCodes.$inferSelect
export type NewEmailCode = typeof emailCodes.$inferInsert

/** How often something may happen in one window; windows follow one another without overlap. */
export interface RateLimit {
  /** What is counted, for example an address. Sorts before the scopes it may wait for. */
  readonly scope: string
  readonly maxCount: number
  readonly windowMs: number
}

/**
 * Count one turn in every limit; over all instances, since the counters are rows.
 *
 * @param limits - sorted by scope, so that two statements never wait for each other.
 * @returns true if all limits had room.
 */
export async function takeTurn(
  db: Db, limits: readonly RateLimit[], nowMs: number,
): Promise<boolean> {
  const counted = countTurns(db, limits, nowMs)
  const [row] = await db.with(counted).select({ hasRoom: hasRoom(counted, limits) }).from(counted)
    .limit(1)
  return row?.hasRoom === true
}

function countTurns(db: Db, limits: readonly RateLimit[], nowMs: number) {
  const rows = [...limits].sort((a, b) => a.scope < b.scope ? -1 : 1).map(({ scope, windowMs }) => {
    const windowStartsAtMs = Math.floor(nowMs / windowMs) * windowMs
    return { scope, windowStartsAtMs, count: 1, expiresAtMs: windowStartsAtMs + windowMs }
  })
  return db.$with('counted').as(
    db.insert(rateCounters).values(rows)
      .onConflictDoUpdate({
        target: [rateCounters.scope, rateCounters.windowStartsAtMs],
        set: { count: sql`${rateCounters.count} + 1` },
      })
      .returning({ scope: rateCounters.scope, count: rateCounters.count }))
}

function hasRoom(counted: ReturnType<typeof countTurns>, limits: readonly RateLimit[]) {
  const rooms = limits.map(({ scope, maxCount }) => sql`
    (select c.count from ${counted} c where c.scope = ${scope}) <= ${maxCount}`)
  return sql<boolean>`(${sql.join(rooms, sql` and `)})`
}

/**
 * Keep a challenge and put its mail into the outbox, if the limits have room; all in one statement,
 * which is the same whether or not anybody has an account under the address.
 *
 * @returns false if a limit was reached: then there is neither a challenge nor a mail.
 */
export async function insertEmailCode(
  db: Db, code: NewEmailCode, mail: NewMail, limits: readonly RateLimit[],
): Promise<boolean> {
  const counted = countTurns(db, limits, code.createdAtMs)
  const kept = db.$with('kept').as(
    db.insert(emailCodes).select(rowWhere(emailCodes, code, hasRoom(counted, limits)))
      .returning({ challengeHash: emailCodes.challengeHash }))
  const rows = await db.with(counted, kept, queued(db, kept, [mail])).select().from(kept)
  return rows.length === 1
}

/**
 * Try a code: one statement counts the try, compares, and uses the challenge up if the code is right.
 * However many tries run at once, on however many instances, `maxTryCount` are compared.
 *
 * @param attempt - `purposes` that the caller serves: a code opens nothing else.
 * @returns `undefined` if there was nothing to try: unknown, used, expired, or out of tries.
 */
export async function tryEmailCode(
  db: Db,
  attempt: {
    challengeHash: Uint8Array, codeHash: Uint8Array, purposes: readonly EmailCode['purpose'][],
    maxTryCount: number, nowMs: number,
  },
): Promise<{ isRight: boolean, code: EmailCode } | undefined> {
  const isRight = sql`${emailCodes.codeHash} = ${sql.param(attempt.codeHash, emailCodes.codeHash)}`
  const [code] = await db.update(emailCodes)
    .set({
      tryCount: sql`${emailCodes.tryCount} + 1`,
      usedAtMs: sql`case when ${isRight} then ${instantSql(attempt.nowMs)} end`,
    })
    .where(and(
      eq(emailCodes.challengeHash, attempt.challengeHash),
      inArray(emailCodes.purpose, attempt.purposes),
      lt(emailCodes.tryCount, attempt.maxTryCount), isNull(emailCodes.usedAtMs),
      gt(emailCodes.expiresAtMs, attempt.nowMs)))
    .returning()
  return code === undefined ? undefined : { isRight: code.usedAtMs !== null, code }
}
