/** Whom the operator has named to audit the whole instance: rows in, rows out. */
import { asc, eq } from 'drizzle-orm'
import type { Db } from '../client.js'
import { instanceAuditors } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type InstanceAuditor = typeof instanceAuditors.$inferSelect

/** @param email - canonical, and proven by whoever asks. */
export async function isInstanceAuditor(db: Db, email: string): Promise<boolean> {
  const rows = await db.select({ id: instanceAuditors.id }).from(instanceAuditors)
    .where(eq(instanceAuditors.email, email)).limit(1)
  return rows.length === 1
}

/** Oldest first. */
export async function listInstanceAuditors(db: Db, limit: number): Promise<InstanceAuditor[]> {
  return await db.select().from(instanceAuditors)
    .orderBy(asc(instanceAuditors.createdAtMs), asc(instanceAuditors.id)).limit(limit)
}

/** Name an auditor, with the event. @returns false if the address was named before; nothing was changed or logged. */
export async function insertInstanceAuditor(
  db: Db, auditor: typeof instanceAuditors.$inferInsert, event: OutboxEvent,
): Promise<boolean> {
  const made = db.$with('made').as(
    db.insert(instanceAuditors).values(auditor).onConflictDoNothing()
      .returning({ id: instanceAuditors.id }))
  const rows = await db.with(made, logged(db, made, [event])).select().from(made)
  return rows.length === 1
}

/** Take an auditor's right away, with the event. @returns false if nobody of that address had it. */
export async function deleteInstanceAuditor(
  db: Db, email: string, event: OutboxEvent,
): Promise<boolean> {
  const gone = db.$with('gone').as(
    db.delete(instanceAuditors).where(eq(instanceAuditors.email, email))
      .returning({ id: instanceAuditors.id }))
  const rows = await db.with(gone, logged(db, gone, [event])).select().from(gone)
  return rows.length === 1
}
