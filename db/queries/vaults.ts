/** Vaults: rows in, rows out. Who may see which is decided by the callers. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.js'
import { vaults } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Vault = typeof vaults.$inferSelect
export type NewVault = Pick<Vault, 'id' | 'ownerId' | 'tagKey' | 'titleSealed' | 'createdAtMs'>

/**
 * Make a vault and append its events, in one statement ([Note: One statement] in outbox.ts).
 *
 * @param vault - `id` is the client's own UUIDv7.
 * @returns the vault, or `undefined` if the id is taken; then no event was appended either.
 */
export async function insertVault(
  db: Db, vault: NewVault, events: readonly OutboxEvent[],
): Promise<Vault | undefined> {
  const made = db.$with('made').as(db.insert(vaults).values(vault).onConflictDoNothing().returning())
  const [row] = await db.with(made, logged(db, made, events)).select().from(made)
  return row
}

/** The vault, deleted ones left out; `undefined` if there is none. */
export async function findVault(db: Db, id: string): Promise<Vault | undefined> {
  const [row] = await db.select().from(vaults).where(and(eq(vaults.id, id), isNull(vaults.deletedAtMs)))
  return row
}

/**
 * An owner's vaults, newest first.
 *
 * @param after - the last row of the page before.
 */
export async function listVaults(
  db: Db, ownerId: string, limit: number, after?: Pick<Vault, 'createdAtMs' | 'id'>,
): Promise<Vault[]> {
  return await db.select().from(vaults)
    .where(and(
      eq(vaults.ownerId, ownerId),
      isNull(vaults.deletedAtMs),
      after && sql`(${vaults.createdAtMs}, ${vaults.id})
        < (${new Date(after.createdAtMs).toISOString()}::timestamptz, ${after.id}::uuid)`,
    ))
    .orderBy(desc(vaults.createdAtMs), desc(vaults.id))
    .limit(limit)
}
