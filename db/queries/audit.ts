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

/** One vault's events, or, without its id, those of all vaults and of the instance itself. */
export interface EventScope {
  readonly vaultId?: string | undefined
  /** Only what is published: indexes below this. */
  readonly size: number
}

export interface EventFilter {
  readonly type?: string | undefined
  readonly personId?: string | undefined
  readonly documentId?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** Where a page lies: after its cursor, in its order. */
export interface EventPage {
  readonly order: 'newest-first' | 'oldest-first'
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly limit: number
}

/**
 * Events with their entries, in the log's order.
 *
 * [Note: By time] Clocks may go back, so entries between two times need not lie together. Where a page is asked for by
 * time, newest first, it comes in the order of time instead: exact, and from an index. `before` is the entry of the
 * page before, wherever its time puts it.
 */
export async function listEvents(
  db: Db, scope: EventScope, filter: EventFilter, page: EventPage,
) {
  const isByTime = page.order === 'newest-first' &&
    (filter.fromMs !== undefined || filter.toMs !== undefined)
  const wanted = db.select().from(auditOpening)
    .where(and(
      ...scopeConditions(scope), ...filterConditions(filter), ...pageConditions(page, isByTime)))
    .orderBy(...orderOf(page, isByTime))
    .limit(page.limit)
    .as('wanted')
  // The page first, then its entries: joined before the limit, a planner may read the whole log.
  return await db.select({
    index: wanted.index, eventId: wanted.eventId, type: wanted.type, atMs: wanted.atMs,
    vaultSequence: wanted.vaultSequence,
    bytes: wanted.bytes, salt: wanted.salt, details: wanted.details,
    detailsSalt: wanted.detailsSalt,
    entry: auditEntry.entry,
  }).from(wanted)
    .innerJoin(auditEntry, eq(auditEntry.index, wanted.index))
    .orderBy(...isByTime ? [desc(wanted.atMs), desc(wanted.index)]
      : [page.order === 'newest-first' ? desc(wanted.index) : asc(wanted.index)])
}

function orderOf({ order }: EventPage, isByTime: boolean): SQL[] {
  if (isByTime) return [desc(auditOpening.atMs), desc(auditOpening.index)]
  return [order === 'newest-first' ? desc(auditOpening.index) : asc(auditOpening.index)]
}

function scopeConditions({ vaultId, size }: EventScope): (SQL | undefined)[] {
  return [
    vaultId === undefined ? undefined : eq(auditOpening.vaultId, vaultId),
    lt(auditOpening.index, size),
  ]
}

function filterConditions(filter: EventFilter): (SQL | undefined)[] {
  return [
    filter.type === undefined ? undefined : eq(auditOpening.type, filter.type),
    filter.personId === undefined ? undefined : eq(auditOpening.partyId, filter.personId),
    filter.documentId === undefined ? undefined : eq(auditOpening.documentId, filter.documentId),
    filter.fromMs === undefined ? undefined : gte(auditOpening.atMs, filter.fromMs),
    filter.toMs === undefined ? undefined : lte(auditOpening.atMs, filter.toMs),
  ]
}

function pageConditions({ before, after }: EventPage, isByTime: boolean): (SQL | undefined)[] {
  const isBefore = before === undefined ? undefined
    : isByTime
      ? sql`(${auditOpening.atMs}, ${auditOpening.index}) <
          (select o.at, o.idx from ${auditOpening} o where o.idx = ${before}::bigint)`
      : lt(auditOpening.index, before)
  return [isBefore, after === undefined ? undefined : gt(auditOpening.index, after)]
}

/** The newest published entry of a scope; `null` if it has none. */
export async function findNewest(db: Db, scope: EventScope): Promise<number | null> {
  if (scope.vaultId === undefined) return scope.size === 0 ? null : scope.size - 1
  const [row] = await db.select({ index: auditOpening.index }).from(auditOpening)
    .where(and(...scopeConditions(scope)))
    .orderBy(desc(auditOpening.index)).limit(1)
  return row?.index ?? null
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
