/**
 * Grants, their revisions and the headers that wait behind them. Statements repeat what the use-cases
 * checked: that a grant is in force, that a revision follows the one that was read.
 */
import { and, desc, eq, isNull, sql, type SQL } from 'drizzle-orm'
import type { Db } from '../client.js'
import { rowsWhere, rowWhere } from '../insert-where.js'
import { devices, grantRevisions, grants, headers, ndas, people, users, vaults, versions } from '../schema.js'
import { isGrantLive } from './gate.js'
import { logged, type OutboxEvent } from './outbox.js'

export type NewGrant = Pick<typeof grants.$inferSelect, 'id' | 'vaultId' | 'nameSealed' | 'cardSealed' | 'createdAtMs'>
export type Revision = typeof grantRevisions.$inferSelect
export type NewHeader = typeof headers.$inferInsert
export type OwnGrant = NonNullable<Awaited<ReturnType<typeof findOwnGrant>>>

/** A grant at its current revision with its owner's key, if it is in a vault of this owner that is not deleted. */
export async function findOwnGrant(db: Db, key: { grantId: string, ownerId: string }) {
  const [row] = await ownGrants(db).where(and(
    eq(grants.id, key.grantId), eq(vaults.ownerId, key.ownerId), isNull(vaults.deletedAtMs)))
  return row
}

/** A vault's grants at their current revisions, newest first. */
export async function listGrants(db: Db, vaultId: string, limit: number): Promise<OwnGrant[]> {
  return await ownGrants(db).where(eq(grants.vaultId, vaultId))
    .orderBy(desc(grants.createdAtMs), desc(grants.id)).limit(limit)
}

function ownGrants(db: Db) {
  return db.select({
    id: grants.id, vaultId: grants.vaultId, revision: grants.revision,
    nameSealed: grants.nameSealed,
    cardSealed: grants.cardSealed, createdAtMs: grants.createdAtMs, revokedAtMs: grants.revokedAtMs,
    statement: grantRevisions.statement, statementSha256: grantRevisions.statementSha256,
    signature: grantRevisions.signature, policy: grantRevisions.policy,
    witnesses: grantRevisions.witnesses,
    release: grantRevisions.release,
    ndaSha256: grantRevisions.ndaSha256, linkRecipient: grantRevisions.linkRecipient,
    expiresAtMs: grantRevisions.expiresAtMs, ownerSigningKey: users.signingPublicKey,
    personCount: sql`(select count(*) from ${people} p where p.grant_id = ${grants.id})`.mapWith(Number),
  }).from(grants)
    .innerJoin(
      grantRevisions,
      and(eq(grantRevisions.grantId, grants.id), eq(grantRevisions.revision, grants.revision)),
    )
    .innerJoin(vaults, eq(vaults.id, grants.vaultId))
    .innerJoin(users, eq(users.id, vaults.ownerId))
}

/**
 * Make a grant with its first revision, the link's headers and the event, in one statement.
 *
 * @returns false if the id is taken, or the vault or the NDA is not there.
 */
export async function insertGrant(
  db: Db, grant: NewGrant, revision: Revision, newHeaders: readonly NewHeader[], event: OutboxEvent,
): Promise<boolean> {
  const isReady = sql`exists (select 1 from ${vaults} v where v.id = ${grant.vaultId}::uuid and v.deleted_at is null)
    and ${hasNda(grant.vaultId, revision.ndaSha256)}`
  const made = db.$with('made').as(
    db.insert(grants).select(rowWhere(grants, { ...grant, revision: revision.revision }, isReady))
      .onConflictDoNothing()
      .returning({ id: grants.id }))
  const isMade = sql`exists (select 1 from ${made})`
  const revised = db.$with('revised').as(
    db.insert(grantRevisions).select(rowWhere(grantRevisions, revision, isMade))
      .returning({ grantId: grantRevisions.grantId }))
  const rows = await db.with(
    made, revised, headersWhere(db, newHeaders, isMade), logged(db, made, [event]),
  ).select().from(made)
  return rows.length === 1
}

function hasNda(vaultId: string, sha256: Uint8Array | null): SQL {
  if (sha256 === null) return sql`true`
  return sql`exists (select 1 from ${ndas} n where n.vault_id = ${vaultId}::uuid
    and n.sha256 = ${sql.param(sha256, ndas.sha256)})`
}

/** The CTE that lets headers wait: a newer one for the same grant, version and recipient takes the older's place. */
export function headersWhere(db: Db, newHeaders: readonly NewHeader[], condition: SQL) {
  const selected = newHeaders.length === 0
    ? sql`select h.* from ${headers} h where false`
    : rowsWhere(headers, newHeaders.map((row) => ({ row, condition })))
  return db.$with('waiting').as(
    db.insert(headers).select(selected)
      .onConflictDoUpdate({
        target: [headers.grantId, headers.versionId, headers.recipientSha256],
        set: {
          header: sql`excluded.header`, headerSha256: sql`excluded.header_sha256`, wrap: sql`excluded.wrap`,
          wrapSignature: sql`excluded.wrap_signature`, acceptanceSha256: sql`excluded.acceptance_sha256`,
          deviceId: sql`excluded.device_id`, createdAtMs: sql`excluded.created_at`, retiredAtMs: null,
        },
      })
      .returning({ id: headers.id }))
}

/**
 * Put the next revision in force, with the link's headers and the event. Where the founder's approval is
 * asked from now on, the link's headers behind the NDA go: none may lie there without her.
 *
 * @returns false if another revision was first, the grant is revoked, or the NDA is not there.
 */
export async function insertRevision(
  db: Db, grant: Pick<NewGrant, 'id' | 'vaultId' | 'nameSealed' | 'cardSealed'>, revision: Revision,
  newHeaders: readonly NewHeader[], event: OutboxEvent, lockedVersionIds: readonly string[],
): Promise<boolean> {
  const revised = db.$with('revised').as(
    db.update(grants).set(
      { revision: revision.revision, nameSealed: grant.nameSealed, cardSealed: grant.cardSealed },
    )
      .where(and(
        eq(grants.id, grant.id), eq(grants.revision, revision.revision - 1),
        isNull(grants.revokedAtMs),
        hasNda(grant.vaultId, revision.ndaSha256)))
      .returning({ id: grants.id }))
  const isRevised = sql`exists (select 1 from ${revised})`
  const kept = db.$with('kept').as(
    db.insert(grantRevisions).select(rowWhere(grantRevisions, revision, isRevised))
      .returning({ grantId: grantRevisions.grantId }))
  const withdrawn = db.$with('withdrawn').as(
    db.delete(headers).where(and(
      eq(
        headers.grantId, grant.id,
      ), isNull(headers.deviceId), isRevised, isAmong(headers.versionId, lockedVersionIds)))
      .returning({ id: headers.id }))
  const rows = await db.with(
    revised, kept, withdrawn, headersWhere(db, newHeaders, isRevised), logged(db, revised, [event]),
  )
    .select().from(revised)
  return rows.length === 1
}

function isAmong(column: typeof headers.versionId, ids: readonly string[]): SQL {
  if (ids.length === 0) return sql`false`
  return sql`${column} in (${sql.join(ids.map((id) => sql`${id}::uuid`), sql`, `)})`
}

/** Let the link's headers of new versions wait. @returns false if the grant is no longer in force. */
export async function insertHeaders(
  db: Db, grant: { id: string, revision: number }, newHeaders: readonly NewHeader[], nowMs: number,
): Promise<boolean> {
  const isInForce = isGrantLive(grant.id, nowMs, grant.revision)
  const waited = headersWhere(db, newHeaders, isInForce)
  const rows = await db.with(waited).select().from(waited)
  return rows.length === newHeaders.length
}

// ---- revocation -----------------------------------------------------------------------------

/**
 * Revoke a link: every header behind it goes, and the event is appended, in one statement.
 *
 * @returns how many headers were deleted; `undefined` if the link was revoked before.
 */
export async function updateGrantRevoked(
  db: Db, revoked: { grantId: string, nowMs: number }, event: OutboxEvent,
): Promise<number | undefined> {
  const changed = db.$with('changed').as(
    db.update(grants).set({ revokedAtMs: revoked.nowMs })
      .where(and(eq(grants.id, revoked.grantId), isNull(grants.revokedAtMs)))
      .returning({ id: grants.id }))
  const removed = db.$with('removed').as(
    db.delete(headers).where(sql`${headers.grantId} in (select id from ${changed})`).returning({ id: headers.id }))
  const [row] = await db.with(changed, removed, logged(db, changed, [event]))
    .select({ headerCount: sql`(select count(*) from ${removed})`.mapWith(Number) }).from(changed)
  return row?.headerCount
}

/**
 * Revoke one person: her devices and the headers made for them go, and the event is appended, in one
 * statement. The link's own headers stay for the others; they are withheld from her.
 *
 * @returns how many headers were deleted; `undefined` if she was revoked before.
 */
export async function updatePersonRevoked(
  db: Db, revoked: { personId: string, nowMs: number }, event: OutboxEvent,
): Promise<number | undefined> {
  const changed = db.$with('changed').as(
    db.update(people).set({ revokedAtMs: revoked.nowMs })
      .where(and(eq(people.id, revoked.personId), isNull(people.revokedAtMs)))
      .returning({ id: people.id }))
  const herDevices = sql`(select d.id from ${devices} d join ${changed} c on c.id = d.person_id)`
  const ended = db.$with('ended').as(
    db.update(devices).set({ revokedAtMs: revoked.nowMs })
      .where(and(sql`${devices.personId} in (select id from ${changed})`, isNull(devices.revokedAtMs)))
      .returning({ id: devices.id }))
  const removed = db.$with('removed').as(
    db.delete(headers).where(sql`${headers.deviceId} in ${herDevices}`).returning({ id: headers.id }))
  const [row] = await db.with(changed, ended, removed, logged(db, changed, [event]))
    .select({ headerCount: sql`(select count(*) from ${removed})`.mapWith(Number) }).from(changed)
  return row?.headerCount
}

/** Versions of a vault that the link's header may not carry on approval: for `insertRevision`. */
export async function listLinkHeaderVersions(db: Db, grantId: string, limit: number) {
  return await db.select({ id: versions.id, part: versions.part, gate: versions.gate })
    .from(headers)
    .innerJoin(versions, eq(versions.id, headers.versionId))
    .where(and(eq(headers.grantId, grantId), isNull(headers.deviceId))).limit(limit)
}
