/** Signed requests that wait for the founder, and her decisions. */
import { and, asc, desc, eq, isNotNull, isNull, sql, type Placeholder } from 'drizzle-orm'
import type { Db } from '../client.js'
import { instantSql } from '../columns.js'
import {
  acceptances, auditEntry, devices, grantRevisions, grants, headers, people, vaults,
} from '../schema.js'
import { isGrantLive } from './gate.js'
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
export function isDecisionDue(now: number | Placeholder) {
  // Written out, so that the partial index serves prepared statements, too.
  return and(sql`${acceptances.status} = 'awaiting'`, isStanding(now))
}

/** Link in force with the NDA that was signed, person and device not revoked. */
function isStanding(now: number | Placeholder) {
  return sql`exists (
    select 1 from ${devices} d
    join ${people} p on p.id = d.person_id and p.revoked_at is null
    join ${grants} g on g.id = p.grant_id and g.revoked_at is null
    join ${grantRevisions} r on r.grant_id = g.id and r.revision = g.revision
      and r.nda_sha256 = ${acceptances.ndaSha256}
      and (r.expires_at is null or r.expires_at > ${instantSql(now)})
    where d.id = ${acceptances.deviceId} and d.revoked_at is null)`
}

export type ApprovedRequest = Awaited<ReturnType<typeof listApproved>>[number]

/**
 * Approved requests that still stand and whose device lacks a header of the founder's for one of these versions, each
 * with the newest wrap record by which it was let in; oldest first.
 */
export async function listApproved(
  db: Db,
  wanted: { vaultId: string, versionIds: readonly string[], nowMs: number, limit: number },
) {
  const count = wanted.versionIds.length
  if (count === 0) return []
  const ids = sql.join(wanted.versionIds.map((id) => sql`${id}::uuid`), sql`, `)
  const given = db.select({
    deviceId: headers.deviceId, wrap: headers.wrap, wrapSignature: headers.wrapSignature,
  }).from(headers)
    .where(and(
      eq(headers.grantId, acceptances.grantId), eq(headers.deviceId, acceptances.deviceId),
      eq(headers.acceptanceSha256, acceptances.sha256), isNotNull(headers.wrap)))
    .orderBy(desc(headers.createdAtMs)).limit(1).as('given')
  const rows = await db.select({
    ...requestColumns, wrap: given.wrap, wrapSignature: given.wrapSignature,
  }).from(acceptances)
    .innerJoin(people, eq(people.id, acceptances.personId))
    .innerJoin(devices, eq(devices.id, acceptances.deviceId))
    .innerJoin(grants, eq(grants.id, acceptances.grantId))
    .innerJoin(vaults, eq(vaults.id, acceptances.vaultId))
    .innerJoinLateral(given, sql`true`)
    .where(and(
      eq(acceptances.vaultId, wanted.vaultId), eq(acceptances.status, 'approved'),
      isStanding(wanted.nowMs),
      sql`(select count(*) from ${headers} h where h.device_id = ${acceptances.deviceId}
        and h.version_id in (${ids}) and h.wrap is not null and h.acceptance_sha256 = ${acceptances.sha256}) < ${count}`))
    .orderBy(asc(acceptances.createdAtMs), asc(acceptances.id)).limit(wanted.limit)
  return rows.flatMap(({ wrap, wrapSignature, ...row }) =>
    wrap === null || wrapSignature === null ? [] : [{ ...row, wrap, wrapSignature }])
}

/** Let headers wait for an approved device. @returns false if the approval does not stand any more. */
export async function insertApprovedHeaders(
  db: Db, given: { acceptanceId: string, grantId: string, nowMs: number },
  newHeaders: readonly NewHeader[],
): Promise<boolean> {
  const stands = sql`${isGrantLive(given.grantId, given.nowMs)} and exists (select 1 from ${acceptances} where ${acceptances.id} = ${given.acceptanceId}::uuid
    and ${acceptances.status} = 'approved' and ${isStanding(given.nowMs)})`
  const made = headersWhere(db, newHeaders, stands)
  const rows = await db.with(made).select().from(made)
  return rows.length === newHeaders.length
}

const requestColumns = {
  id: acceptances.id, vaultId: acceptances.vaultId, grantId: acceptances.grantId,
  status: acceptances.status,
  ndaSha256: acceptances.ndaSha256, note: acceptances.note, sha256: acceptances.sha256,
  eventId: acceptances.eventId,
  signedAtMs: acceptances.createdAtMs,
  personId: people.id, name: people.name, email: people.email, locale: people.locale,
  deviceId: devices.id, recipient: devices.recipient, recipientSha256: devices.recipientSha256,
  deviceSigningKey: devices.signingPublicKey, enrolment: devices.enrolmentNote,
  vaultTitleSealed: vaults.titleSealed, grantNameSealed: grants.nameSealed,
}

function requests(db: Db) {
  return db.select(requestColumns).from(acceptances)
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
