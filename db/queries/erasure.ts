/**
 * What erasure takes from a person's rows. Ids, times and hashes of other people's things stay: the tree and
 * everybody else's proofs hold on to them. Rows in, rows out.
 */
import { and, asc, eq, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { Db } from '../client.js'
import {
  acceptances, auditOpening, auditOutbox, devices, emailCodes, grants, headers, mailOutbox, nonces,
  people, rateCounters, releases,
} from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export interface ErasablePerson {
  readonly id: string
  readonly vaultId: string
  readonly email: string | null
}

/** One person by id, or everybody who came with an address through whatever link. */
export async function listErasable(
  db: Db, who: { email: string } | { personId: string }, limit: number,
): Promise<ErasablePerson[]> {
  return await db.select({ id: people.id, vaultId: grants.vaultId, email: people.email })
    .from(people).innerJoin(grants, eq(grants.id, people.grantId))
    .where('email' in who ? eq(people.email, who.email) : eq(people.id, who.personId))
    .orderBy(asc(people.id)).limit(limit)
}

/** End a person's access, so that no new event of hers arises while the old ones are erased. */
export async function updateEnded(
  db: Db, { personId, nowMs }: { personId: string, nowMs: number },
): Promise<void> {
  const hers = sql`(select ${devices.id} from ${devices} where ${devices.personId} = ${personId}::uuid)`
  await db.update(people).set({ revokedAtMs: nowMs })
    .where(and(eq(people.id, personId), isNull(people.revokedAtMs)))
  await db.update(devices).set({ revokedAtMs: nowMs })
    .where(and(eq(devices.personId, personId), isNull(devices.revokedAtMs)))
  await db.delete(headers).where(sql`${headers.deviceId} in ${hers}`)
  await db.delete(nonces).where(eq(nonces.personId, personId))
}

/** Mail to an address or about it, codes and counters that name it. */
export async function deleteAddressed(db: Db, email: string): Promise<void> {
  await db.delete(mailOutbox).where(or(
    eq(mailOutbox.recipientEmail, email),
    sql`position(${email} in lower(concat(${mailOutbox.text}, ${mailOutbox.html}))) > 0`))
  await db.delete(emailCodes).where(eq(emailCodes.email, email))
  const scopes = [`code-email:${email}`, `login-email:${email}`]
  await db.delete(rateCounters).where(inArray(rateCounters.scope, scopes))
}

/** Events of a person that wait for the log: they can be erased only once they lie in it. */
export async function listWaitingOf(db: Db, personId: string, limit: number): Promise<string[]> {
  const rows = await db.select({ eventId: auditOutbox.eventId }).from(auditOutbox)
    .where(eq(auditOutbox.partyId, personId)).orderBy(asc(auditOutbox.id)).limit(limit)
  return rows.map(({ eventId }) => eventId)
}

/** Indexes of a person's events that can still be opened, in order. */
export async function listOpenable(db: Db, personId: string, limit: number): Promise<number[]> {
  const rows = await db.select({ index: auditOpening.index }).from(auditOpening)
    .where(and(eq(auditOpening.partyId, personId), isOpenable()))
    .orderBy(asc(auditOpening.index)).limit(limit)
  return rows.map(({ index }) => index)
}

function isOpenable() {
  const { bytes, salt, details, detailsSalt } = auditOpening
  return or(isNotNull(bytes), isNotNull(salt), isNotNull(details), isNotNull(detailsSalt))
}

/**
 * Empty a person's openings and her rows' personal columns, together with the event that says so.
 *
 * @param db - that of the erasing role: requests cannot do this.
 * @param indexes - which openings; as many as the event counts.
 * @returns false if nothing personal was left; nothing was changed or logged then.
 */
export async function updateErased(
  db: Db, erased: { personId: string, indexes: readonly number[], nowMs: number },
  event: OutboxEvent,
): Promise<boolean> {
  const { personId, indexes, nowMs } = erased
  const isLeft = or(
    isNotNull(people.email), isNotNull(people.name), isNotNull(people.organisation),
    sql`exists (select 1 from ${auditOpening}
      where ${auditOpening.partyId} = ${personId}::uuid and (${isOpenable()}))`)
  const forgotten = db.$with('forgotten').as(
    db.update(people).set({ email: null, name: null, organisation: null, locale: 'en' })
      .where(and(eq(people.id, personId), isLeft)).returning({ id: people.id }))
  const isForgotten = sql`exists (select 1 from ${forgotten})`
  const emptied = db.$with('emptied').as(
    db.update(auditOpening)
      .set({ bytes: null, salt: null, details: null, detailsSalt: null, erasedAtMs: nowMs })
      .where(and(
        eq(auditOpening.partyId, personId), inArray(auditOpening.index, [...indexes]),
        isForgotten))
      .returning({ index: auditOpening.index }))
  // Keys are names too. The columns must hold something unique, so they get what says nothing.
  const nothing = sql`sha256(uuid_send(gen_random_uuid()))`
  const enrolled = db.$with('enrolled').as(
    db.update(devices)
      .set({ enrolmentNote: '', recipient: '', signingPublicKey: nothing, recipientSha256: nothing })
      .where(and(eq(devices.personId, personId), isForgotten)).returning({ id: devices.id }))
  const accepted = db.$with('accepted').as(
    db.update(acceptances).set({ note: '', sha256: nothing })
      .where(and(eq(acceptances.personId, personId), isForgotten))
      .returning({ id: acceptances.id }))
  const released = db.$with('released').as(
    db.update(releases).set({ requestNote: null, requestSha256: null })
      .where(and(eq(releases.personId, personId), isForgotten)).returning({ id: releases.id }))
  const told = logged(db, forgotten, [event])
  const rows = await db.with(forgotten, emptied, enrolled, accepted, released, told)
    .select().from(forgotten)
  return rows.length === 1
}

/** An entry whose details are older than they may become. */
export interface OldDetails {
  readonly index: number
  /** Null: an event of the whole instance. */
  readonly vaultId: string | null
}

/** The oldest openings that still have details, logged before `beforeMs`; at most `limit`. */
export async function listOldDetails(
  db: Db, old: { beforeMs: number, limit: number },
): Promise<OldDetails[]> {
  const { index, vaultId, atMs, details } = auditOpening
  return await db.select({ index, vaultId }).from(auditOpening)
    .where(and(isNotNull(details), lt(atMs, old.beforeMs))).orderBy(asc(atMs)).limit(old.limit)
}

/**
 * Empty the details of these openings, together with the event that says so. What happened stays provable:
 * bytes and salt of the event are kept.
 *
 * @param db - that of the erasing role.
 */
export async function updateDetailsErased(
  db: Db, erased: { indexes: readonly number[], nowMs: number }, event: OutboxEvent,
): Promise<void> {
  const emptied = db.$with('emptied').as(
    db.update(auditOpening).set({ details: null, detailsSalt: null, erasedAtMs: erased.nowMs })
      .where(and(inArray(auditOpening.index, [...erased.indexes]), isNotNull(auditOpening.details)))
      .returning({ index: auditOpening.index }))
  await db.with(emptied, logged(db, emptied, [event])).select().from(emptied)
}
