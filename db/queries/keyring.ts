/** Ways into an account: the root, locked once for each. What is sealed is never read here. */
import { and, asc, desc, eq, exists, lt, notInArray, sql } from 'drizzle-orm'
import { assert } from '../../protocol/errors.js'
import type { Db } from '../client.js'
import { rowWhere } from '../insert-where.js'
import { keyringRows, users } from '../schema.js'
import { queued, type NewMail } from './mail.js'

export type StoredKeyringRow = typeof keyringRows.$inferSelect
export type NewKeyringRow = typeof keyringRows.$inferInsert

/** Ways into one account. */
export const MAX_KEYRING_ROWS = 20

/** All ways into an account, oldest first. */
export async function listKeyringRows(db: Db, userId: string): Promise<StoredKeyringRow[]> {
  return await db.select().from(keyringRows).where(eq(keyringRows.userId, userId))
    .orderBy(asc(keyringRows.createdAtMs), asc(keyringRows.id)).limit(MAX_KEYRING_ROWS)
}

/** The row of a passkey, by the credential's id (base64url). */
export async function findPasskeyRow(
  db: Db, credentialId: string,
): Promise<StoredKeyringRow | undefined> {
  const [row] = await db.select().from(keyringRows)
    .where(eq(keyringRows.credentialId, credentialId))
  return row
}

/** An account's newest passphrase. */
export async function findPassphraseRow(
  db: Db, userId: string,
): Promise<StoredKeyringRow | undefined> {
  const [row] = await db.select().from(keyringRows)
    .where(and(eq(keyringRows.userId, userId), eq(keyringRows.method, 'passphrase')))
    .orderBy(desc(keyringRows.createdAtMs), desc(keyringRows.id)).limit(1)
  return row
}

/**
 * Add a way in. A new passphrase takes the place of those before it, in the same statement.
 *
 * @param mail - tells the owner.
 * @returns the row, or `undefined` if the account has its most already.
 * @throws the driver's error if the row's id or credential is taken (db/client.ts `violatedConstraint`).
 */
export async function insertKeyringRow(
  db: Db, row: NewKeyringRow, mail: NewMail,
): Promise<StoredKeyringRow | undefined> {
  const hasRoom = sql`(select count(*) from ${keyringRows} where ${keyringRows.userId} = ${row.userId})
    < ${MAX_KEYRING_ROWS}`
  const added = db.$with('added').as(
    db.insert(keyringRows).select(rowWhere(keyringRows, row, hasRoom)).returning())
  const replaced = db.$with('replaced').as(
    db.delete(keyringRows)
      .where(and(eq(keyringRows.userId, row.userId), eq(keyringRows.method, 'passphrase')))
      .returning({ id: keyringRows.id }))
  const mailed = queued(db, added, [mail])
  const [inserted] = row.method === 'passphrase'
    ? await db.with(replaced, added, mailed).select().from(added)
    : await db.with(added, mailed).select().from(added)
  return inserted
}

export type Removal = 'removed' | 'last' | 'absent'

/**
 * Remove a way in, unless it is the last one to sign in with (migration 0002, `remove_way_in`).
 *
 * @param mail - tells the owner.
 * @returns `last` if only recovery codes would be left; `absent` if it is not this account's.
 */
export async function deleteKeyringRow(
  db: Db, key: { userId: string, rowId: string }, mail: NewMail,
): Promise<Removal> {
  const word = { removal: sql<string>`removal`.as('removal') }
  const tried = db.$with('tried', word).as(sql`
    select remove_way_in(${key.userId}::uuid, ${key.rowId}::uuid) as removal`)
  const removed = db.$with('removed', word).as(sql`select removal from tried where removal = 'removed'`)
  const [row] = await db.with(tried, removed, queued(db, removed, [mail]))
    .select({ removal: tried.removal }).from(tried)
  const removal = REMOVALS.find((one) => one === row?.['removal'])
  assert(removal !== undefined, 'remove_way_in answers with one of its words')
  return removal
}

const REMOVALS: readonly Removal[] = ['removed', 'last', 'absent']

/**
 * Note that a passkey was used, if its signature counter went on: one that stands still or goes back
 * belongs to a copy (authenticators that do not count always say 0).
 *
 * @returns false if the counter did not go on.
 */
export async function touchPasskeyRow(
  db: Db, use: { rowId: string, counter: number, nowMs: number },
): Promise<boolean> {
  const isOnward = use.counter === 0
    ? eq(keyringRows.credentialCounter, 0)
    : lt(keyringRows.credentialCounter, use.counter)
  const touched = await db.update(keyringRows)
    .set({ credentialCounter: use.counter, usedAtMs: use.nowMs })
    .where(and(eq(keyringRows.id, use.rowId), isOnward)).returning({ id: keyringRows.id })
  return touched.length === 1
}

/** Note that a recovery code was used, and tell the owner, in one statement. */
export async function touchRecoveryRow(
  db: Db, use: { rowId: string, nowMs: number }, mail: NewMail,
): Promise<void> {
  const touched = db.$with('touched').as(
    db.update(keyringRows).set({ usedAtMs: use.nowMs }).where(eq(keyringRows.id, use.rowId))
      .returning({ id: keyringRows.id }))
  await db.with(touched, queued(db, touched, [mail])).select().from(touched)
}

export async function touchKeyringRow(
  db: Db, use: { rowId: string, nowMs: number },
): Promise<void> {
  await db.update(keyringRows).set({ usedAtMs: use.nowMs }).where(eq(keyringRows.id, use.rowId))
}

/**
 * The owner has written her newest recovery code down: older ones end, in the same statement.
 *
 * @returns false if the account has no recovery code.
 */
export async function confirmRecovery(db: Db, userId: string, nowMs: number): Promise<boolean> {
  const newest = db.select({ id: keyringRows.id }).from(keyringRows)
    .where(and(eq(keyringRows.userId, userId), eq(keyringRows.method, 'recovery')))
    .orderBy(desc(keyringRows.createdAtMs), desc(keyringRows.id)).limit(1)
  const confirmed = db.$with('confirmed').as(
    db.update(users).set({ recoveryConfirmedAtMs: nowMs })
      .where(and(eq(users.id, userId), exists(newest))).returning({ id: users.id }))
  const ended = db.$with('ended').as(
    db.delete(keyringRows)
      .where(and(eq(keyringRows.userId, userId), eq(keyringRows.method, 'recovery'),
        notInArray(keyringRows.id, newest)))
      .returning({ id: keyringRows.id }))
  const rows = await db.with(confirmed, ended).select().from(confirmed)
  return rows.length === 1
}
