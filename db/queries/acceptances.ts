/** Signed requests that wait for the founder, and her decisions. */
import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../client.js'
import { instantSql } from '../columns.js'
import {
  acceptances, auditEntry, devices, grantRevisions, grants, people, vaults,
} from '../schema.js'
import { headersWhere, type NewHeader } from './grants.js'
import { queued, type NewMail } from './mail.js'
import { logged, type OutboxEvent } from './outbox.js'

export type WaitingRequest = NonNullable<Awaited<ReturnType<typeof findOwnRequest>>>

/** One acceptance in a vault of this owner, whatever its status. */
export async function findOwnRequest(db: Db, key: { acceptanceId: string, ownerId: string }) {
  const [row] = await requests(db).where(and(
    eq(acceptances.id, key.acceptanceId), eq(vaults.ownerId, key.ownerId),
    isNull(vaults.deletedAtMs)))
  return row
}

/** What waits for this owner over all her vaults, oldest first. */
export async function listWaiting(
  db: Db, page: { ownerId: string, limit: number, nowMs: number },
): Promise<WaitingRequest[]> {
  return await requests(db).where(isWaitingFor(page.ownerId, page.nowMs))
    .orderBy(asc(acceptances.createdAtMs), asc(acceptances.id)).limit(page.limit)
}

export async function countWaiting(db: Db, ownerId: string, nowMs: number): Promise<number> {
  const [row] = await db.select({ count: sql`count(*)`.mapWith(Number) }).from(acceptances)
    .innerJoin(vaults, eq(vaults.id, acceptances.vaultId))
    .where(isWaitingFor(ownerId, nowMs))
  return row?.count ?? 0
}

function isWaitingFor(ownerId: string, nowMs: number) {
  return and(eq(vaults.ownerId, ownerId), isNull(vaults.deletedAtMs), isDecisionDue(nowMs))
}

/**
 * Whether an acceptance waits for a decision that can still be made: the link is in force with the NDA that
 * was signed, and person and device are not revoked. For use where `acceptances` is selected.
 */
export function isDecisionDue(nowMs: number) {
  // Written out, so that the partial index serves prepared statements, too.
  return and(sql`${acceptances.status} = 'awaiting'`, sql`exists (
    select 1 from ${devices} d
    join ${people} p on p.id = d.person_id and p.revoked_at is null
    join ${grants} g on g.id = p.grant_id and g.revoked_at is null
    join ${grantRevisions} r on r.grant_id = g.id and r.revision = g.revision
      and r.nda_sha256 = ${acceptances.ndaSha256}
      and (r.expires_at is null or r.expires_at > ${instantSql(nowMs)})
    where d.id = ${acceptances.deviceId} and d.revoked_at is null)`)
}

function requests(db: Db) {
  return db.select({
    id: acceptances.id, vaultId: acceptances.vaultId, grantId: acceptances.grantId,
    status: acceptances.status,
    ndaSha256: acceptances.ndaSha256, note: acceptances.note, sha256: acceptances.sha256,
    eventId: acceptances.eventId,
    signedAtMs: acceptances.createdAtMs,
    personId: people.id, name: people.name, email: people.email, locale: people.locale,
    deviceId: devices.id, recipient: devices.recipient, recipientSha256: devices.recipientSha256,
    deviceSigningKey: devices.signingPublicKey, enrolment: devices.enrolmentNote,
    vaultTitleSealed: vaults.titleSealed, grantNameSealed: grants.nameSealed,
  }).from(acceptances)
    .innerJoin(people, eq(people.id, acceptances.personId))
    .innerJoin(devices, eq(devices.id, acceptances.deviceId))
    .innerJoin(grants, eq(grants.id, acceptances.grantId))
    .innerJoin(vaults, eq(vaults.id, acceptances.vaultId))
}

/** The commitment of the event that recorded an acceptance, once it is in the log; 32 bytes. */
export async function findCommitment(db: Db, eventId: string): Promise<Uint8Array | undefined> {
  const [row] = await db.select({ entry: auditEntry.entry }).from(auditEntry)
    .where(eq(auditEntry.eventId, eventId))
  return row?.entry.subarray(1, 33)
}

export interface Decision {
  readonly acceptanceId: string
  readonly status: 'approved' | 'denied'
  readonly nowMs: number
}

/**
 * Decide on a request: status, the headers made for the device, the event and the mail, in one statement.
 *
 * @param mail - to the investor; `null` where no address is known.
 * @returns false if it was decided before; for a yes, also if it can no longer be given (`isDecisionDue`).
 */
export async function updateDecided(
  db: Db, decision: Decision, newHeaders: readonly NewHeader[], event: OutboxEvent,
  mail: NewMail | null,
): Promise<boolean> {
  const decided = db.$with('decided').as(
    db.update(acceptances).set({ status: decision.status, decidedAtMs: decision.nowMs })
      .where(and(
        eq(acceptances.id, decision.acceptanceId),
        decision.status === 'approved'
          ? isDecisionDue(decision.nowMs)
          : eq(acceptances.status, 'awaiting')))
      .returning({ id: acceptances.id }))
  const made = headersWhere(db, newHeaders, sql`exists (select 1 from ${decided})`)
  const appended = logged(db, decided, [event])
  const rows = mail === null
    ? await db.with(decided, made, appended).select().from(decided)
    : await db.with(decided, made, appended, queued(db, decided, [mail])).select().from(decided)
  return rows.length === 1
}
