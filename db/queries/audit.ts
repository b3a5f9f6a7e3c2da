/** The log as people read it: published events of one vault, and who may audit it. Rows in, rows out. */
import { and, asc, desc, eq, gt, gte, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import { instantSql } from '../columns.js'
import type { Db } from '../client.js'
import { auditEntry, auditOpening, auditSequence, auditorInvitations, tlogPublished, users, vaults } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Invitation = typeof auditorInvitations.$inferSelect
export type EventRow = Awaited<ReturnType<typeof listEvents>>[number]

/** The checkpoint that the world sees; size 0 and an empty text before the first one. */
export async function getPublished(db: Db): Promise<{ size: number, checkpoint: string }> {
  const [row] = await db.select({ size: tlogPublished.size, checkpoint: tlogPublished.checkpoint })
    .from(tlogPublished)
  return row ?? { size: 0, checkpoint: '' }
}

export interface EventFilter {
  readonly vaultId: string
  /** Only indexes below this one. */
  readonly before: number
  /** Only indexes above this one. */
  readonly after?: number | undefined
  readonly type?: string | undefined
  readonly personId?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** A vault's events with their entries, newest first. */
export async function listEvents(db: Db, filter: EventFilter, limit: number) {
  return await db.select({
    index: auditOpening.index,
    eventId: auditOpening.eventId,
    type: auditOpening.type,
    atMs: auditOpening.atMs,
    bytes: auditOpening.bytes,
    salt: auditOpening.salt,
    details: auditOpening.details,
    detailsSalt: auditOpening.detailsSalt,
    entry: auditEntry.entry,
  }).from(auditOpening)
    .innerJoin(auditEntry, eq(auditEntry.index, auditOpening.index))
    .where(and(...conditionsOf(filter)))
    .orderBy(desc(auditOpening.index))
    .limit(limit)
}

function conditionsOf(filter: EventFilter): (SQL | undefined)[] {
  return [
    eq(auditOpening.vaultId, filter.vaultId),
    lt(auditOpening.index, filter.before),
    filter.after === undefined ? undefined : gt(auditOpening.index, filter.after),
    filter.type === undefined ? undefined : eq(auditOpening.type, filter.type),
    filter.personId === undefined ? undefined : eq(auditOpening.partyId, filter.personId),
    filter.fromMs === undefined ? undefined : gte(auditOpening.atMs, filter.fromMs),
    filter.toMs === undefined ? undefined : lte(auditOpening.atMs, filter.toMs),
  ]
}

/** How many events a vault has in the log, by the integrator's own count. */
export async function countEvents(db: Db, vaultId: string): Promise<number> {
  const [row] = await db.select({ count: auditSequence.count }).from(auditSequence)
    .where(eq(auditSequence.scopeId, vaultId))
  return row?.count ?? 0
}

// ---- auditors -------------------------------------------------------------------------------

/** Invite an auditor, with the event. @returns `undefined` if the vault is gone by now. */
export async function insertInvitation(
  db: Db, invitation: typeof auditorInvitations.$inferInsert, event: OutboxEvent,
): Promise<Invitation | undefined> {
  const made = db.$with('made').as(db.insert(auditorInvitations).values(invitation).returning())
  const [row] = await db.with(made, logged(db, made, [event])).select().from(made)
  return row
}

export async function listInvitations(
  db: Db, vaultId: string, limit: number,
): Promise<Invitation[]> {
  return await db.select().from(auditorInvitations).where(eq(auditorInvitations.vaultId, vaultId))
    .orderBy(asc(auditorInvitations.createdAtMs), asc(auditorInvitations.id)).limit(limit)
}

/** An invitation with its vault's owner; `undefined` if there is none or its vault is gone. */
export async function findInvitation(db: Db, id: string) {
  const [row] = await invited(db).where(
    and(eq(auditorInvitations.id, id), isNull(vaults.deletedAtMs)),
  )
  return row
}

/** What an account may audit now, newest first. */
export async function listAuditedVaults(db: Db, userId: string, limit: number) {
  return await invited(db)
    .where(and(
      eq(auditorInvitations.acceptedBy, userId), isNull(auditorInvitations.revokedAtMs),
      isNull(vaults.deletedAtMs),
    ))
    .orderBy(desc(auditorInvitations.createdAtMs), desc(auditorInvitations.id))
    .limit(limit)
}

/** The invitation by which this account may audit this vault now; the widest, if there are several. */
export async function findAudit(db: Db, audit: { userId: string, vaultId: string }) {
  const [row] = await invited(db)
    .where(and(
      eq(auditorInvitations.acceptedBy, audit.userId),
      eq(auditorInvitations.vaultId, audit.vaultId),
      isNull(auditorInvitations.revokedAtMs), isNull(vaults.deletedAtMs)))
    .orderBy(desc(auditorInvitations.withIdentities))
    .limit(1)
  return row
}

function invited(db: Db) {
  return db.select({
    id: auditorInvitations.id,
    vaultId: auditorInvitations.vaultId,
    email: auditorInvitations.email,
    withIdentities: auditorInvitations.withIdentities,
    createdAtMs: auditorInvitations.createdAtMs,
    expiresAtMs: auditorInvitations.expiresAtMs,
    acceptedBy: auditorInvitations.acceptedBy,
    acceptedAtMs: auditorInvitations.acceptedAtMs,
    revokedAtMs: auditorInvitations.revokedAtMs,
    ownerId: vaults.ownerId,
    founderName: users.name,
    founderSigningKey: users.signingPublicKey,
  }).from(auditorInvitations)
    .innerJoin(vaults, eq(vaults.id, auditorInvitations.vaultId))
    .innerJoin(users, eq(users.id, vaults.ownerId))
}

/** Accept an invitation, with the event. @returns false if it is revoked, expired or somebody else's by now. */
export async function updateAccepted(
  db: Db, accepted: { id: string, userId: string, nowMs: number }, event: OutboxEvent,
): Promise<boolean> {
  const changed = db.$with('changed').as(
    db.update(auditorInvitations).set({ acceptedBy: accepted.userId, acceptedAtMs: accepted.nowMs })
      .where(and(
        eq(auditorInvitations.id, accepted.id), isNull(auditorInvitations.acceptedBy),
        isNull(auditorInvitations.revokedAtMs),
        sql`${auditorInvitations.expiresAtMs} > ${instantSql(accepted.nowMs)}`))
      .returning({ id: auditorInvitations.id }))
  const rows = await db.with(changed, logged(db, changed, [event])).select().from(changed)
  return rows.length === 1
}

/** Revoke an invitation of a vault's owner, with the event. @returns false if it was revoked before or is not hers. */
export async function updateInvitationRevoked(
  db: Db, revoked: { id: string, ownerId: string, nowMs: number }, event: OutboxEvent,
): Promise<boolean> {
  const changed = db.$with('changed').as(
    db.update(auditorInvitations).set({ revokedAtMs: revoked.nowMs })
      .where(and(
        eq(auditorInvitations.id, revoked.id), isNull(auditorInvitations.revokedAtMs),
        sql`${auditorInvitations.vaultId} in (select id from vaults where owner_id = ${revoked.ownerId}::uuid)`))
      .returning({ id: auditorInvitations.id }))
  const rows = await db.with(changed, logged(db, changed, [event])).select().from(changed)
  return rows.length === 1
}
