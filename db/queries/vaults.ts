/** Vaults and what a founder's list says of them: rows in, rows out. */
import { and, asc, desc, eq, isNull, sql, type SQL } from 'drizzle-orm'
import { instantSql, instantText } from '../columns.js'
import { preparedOnce, type Db } from '../client.js'
import {
  acceptances, auditOpening, documents, grantRevisions, grants, headers, people, users, vaults,
  versions,
} from '../schema.js'
import { isDecisionDue } from './acceptances.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Vault = typeof vaults.$inferSelect
export type NewVault = Pick<Vault, 'id' | 'ownerId' | 'tagKey' | 'titleSealed' | 'createdAtMs'>

/** @returns false if the id is taken. */
export async function insertVault(db: Db, vault: NewVault): Promise<boolean> {
  const rows = await db.insert(vaults).values(vault).onConflictDoNothing()
    .returning({ id: vaults.id })
  return rows.length === 1
}

/** The vault, deleted ones left out; `undefined` if there is none. */
export async function findVault(db: Db, id: string): Promise<Vault | undefined> {
  const [row] = await db.select().from(vaults)
    .where(and(eq(vaults.id, id), isNull(vaults.deletedAtMs)))
  return row
}

/** @returns false if the owner has no such vault. */
export async function updateVaultTitle(
  db: Db, vault: { id: string, ownerId: string, titleSealed: Uint8Array },
): Promise<boolean> {
  const rows = await db.update(vaults).set({ titleSealed: vault.titleSealed })
    .where(
      and(eq(vaults.id, vault.id), eq(vaults.ownerId, vault.ownerId), isNull(vaults.deletedAtMs)),
    )
    .returning({ id: vaults.id })
  return rows.length === 1
}

export type VaultSummaryRow = Awaited<ReturnType<typeof listVaultSummaries>>[number]

/**
 * An owner's vaults with their counts, newest first. The counts are made for the page's rows alone.
 *
 * @param after - the id of the last vault of the page before.
 */
export async function listVaultSummaries(
  db: Db, page: { ownerId: string, after?: string | undefined, limit: number, nowMs: number },
) {
  const { ownerId, after, limit } = page
  const values = { ownerId, limit, now: instantText(page.nowMs) }
  return after === undefined
    ? await firstPage(db).execute(values)
    : await laterPage(db).execute({ ...values, after })
}

const firstPage = preparedOnce((db) => summariesOf(db, undefined).prepare('list_vaults'))
const laterPage = preparedOnce((db) =>
  summariesOf(db, sql`(${vaults.createdAtMs}, ${vaults.id}) < (
    select v.created_at, v.id from vaults v
    where v.id = ${sql.placeholder('after')}::uuid and v.owner_id = ${sql.placeholder('ownerId')}::uuid)`)
    .prepare('list_more_vaults'))

function summariesOf(db: Db, isLater: SQL | undefined) {
  const now = sql.placeholder('now')
  const listed = db.$with('listed').as(
    db.select({ id: vaults.id, titleSealed: vaults.titleSealed, createdAtMs: vaults.createdAtMs })
      .from(vaults)
      .where(and(eq(vaults.ownerId, sql.placeholder('ownerId')), isNull(vaults.deletedAtMs), isLater))
      .orderBy(desc(vaults.createdAtMs), desc(vaults.id)).limit(sql.placeholder('limit')))
  return db.with(listed).select({
    id: listed.id,
    titleSealed: listed.titleSealed,
    createdAtMs: listed.createdAtMs,
    versionCount: count(sql`from ${versions} v where v.vault_id = ${listed.id} and v.status = 'stored'`),
    liveGrantCount: count(sql`from ${grants} g
      join ${grantRevisions} r on r.grant_id = g.id and r.revision = g.revision
      where g.vault_id = ${listed.id} and g.revoked_at is null
        and (r.expires_at is null or r.expires_at > ${instantSql(now)})`),
    personCount: count(sql`from ${people} p join ${grants} g on g.id = p.grant_id where g.vault_id = ${listed.id}`),
    awaitingCount: count(sql`from ${acceptances}
      where ${acceptances.vaultId} = ${listed.id} and ${isDecisionDue(now)}`),
    lastEventAtMs: sql`(select o.at from ${auditOpening} o where o.vault_id = ${listed.id} order by o.idx desc limit 1)`
      .mapWith(auditOpening.atMs),
  }).from(listed).orderBy(desc(listed.createdAtMs), desc(listed.id))
}

function count(from: ReturnType<typeof sql>) {
  return sql`(select count(*) ${from})`.mapWith(Number)
}

/** A vault's documents that have a stored version, oldest first. */
export async function listDocuments(db: Db, vaultId: string, limit: number) {
  return await db.select({ id: documents.id, nameSealed: documents.nameSealed }).from(documents)
    .where(and(eq(documents.vaultId, vaultId), isNull(documents.deletedAtMs), sql`exists (
      select 1 from ${versions} v where v.document_id = ${documents.id} and v.status = 'stored')`))
    .orderBy(asc(documents.createdAtMs), asc(documents.id)).limit(limit)
}

/**
 * Delete a vault: its links are revoked, its headers are gone, its payloads wait for collection, its bytes
 * no longer count, and the event is appended; all in one statement. The log keeps what it has.
 *
 * @returns how many headers were deleted; `undefined` if the owner has no such vault.
 */
export async function deleteVault(
  db: Db, deletion: { id: string, ownerId: string, nowMs: number }, event: OutboxEvent,
): Promise<number | undefined> {
  const { id, ownerId, nowMs } = deletion
  const deleted = db.$with('deleted').as(
    db.update(vaults).set({ deletedAtMs: nowMs })
      .where(and(eq(vaults.id, id), eq(vaults.ownerId, ownerId), isNull(vaults.deletedAtMs)))
      .returning({ id: vaults.id }))
  const itsGrants = sql`(select g.id from ${grants} g join ${deleted} d on d.id = g.vault_id)`
  const revoked = db.$with('revoked').as(
    db.update(grants).set({ revokedAtMs: nowMs })
      .where(and(sql`${grants.vaultId} in (select id from ${deleted})`, isNull(grants.revokedAtMs))).returning({ id: grants.id }))
  const removed = db.$with('removed').as(
    db.delete(headers).where(sql`${headers.grantId} in ${itsGrants}`).returning({ id: headers.id }))
  const dropped = db.$with('dropped').as(
    db.update(versions).set({ status: 'cancelled', cancelledAtMs: nowMs })
      .where(and(sql`${versions.vaultId} in (select id from ${deleted})`, sql`${versions.status} in ('uploading', 'stored')`))
      .returning({ sizeBytes: versions.payloadSizeBytes }))
  const freed = db.$with('freed').as(
    db.update(users).set({ usedBytes: sql`${users.usedBytes} - (select coalesce(sum(payload_size_bytes), 0) from ${dropped})` })
      .where(and(eq(users.id, ownerId), sql`exists (select 1 from ${deleted})`)).returning({ id: users.id }))
  const [row] = await db.with(
    deleted, revoked, removed, dropped, freed, logged(db, deleted, [event]),
  )
    .select({ headerCount: count(sql`from ${removed}`) }).from(deleted)
  return row?.headerCount
}
