/** NDAs as they were published: a text under its hash, in one vault. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.js'
import { rowWhere } from '../insert-where.js'
import { ndas, vaults } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Nda = typeof ndas.$inferSelect

/** @returns false if this text is published in the vault already, or the vault is gone; then no event was appended. */
export async function insertNda(db: Db, nda: Nda, event: OutboxEvent): Promise<boolean> {
  const isThere = sql`exists (select 1 from ${vaults} v where v.id = ${nda.vaultId}::uuid and v.deleted_at is null)`
  const published = db.$with('published').as(
    db.insert(ndas).select(rowWhere(ndas, nda, isThere)).onConflictDoNothing()
      .returning({ sha256: ndas.sha256 }))
  const rows = await db.with(published, logged(db, published, [event])).select().from(published)
  return rows.length === 1
}

/** The NDA under this hash in a vault of this owner. */
export async function findOwnNda(
  db: Db, key: { vaultId: string, sha256: Uint8Array, ownerId: string },
): Promise<Nda | undefined> {
  const [row] = await db.select({ nda: ndas }).from(ndas)
    .innerJoin(vaults, eq(vaults.id, ndas.vaultId))
    .where(and(
      eq(ndas.vaultId, key.vaultId), eq(ndas.sha256, key.sha256), eq(vaults.ownerId, key.ownerId),
      isNull(vaults.deletedAtMs)))
  return row?.nda
}

/** A vault's NDAs without their texts, newest first. */
export async function listNdas(db: Db, vaultId: string, limit: number) {
  return await db.select({
    sha256: ndas.sha256, title: ndas.title, template: ndas.template, version: ndas.version,
    language: ndas.language,
    createdAtMs: ndas.createdAtMs,
  }).from(ndas).where(eq(ndas.vaultId, vaultId))
    .orderBy(desc(ndas.createdAtMs)).limit(limit)
}
