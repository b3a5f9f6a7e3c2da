/**
 * Headers on their way to those who earned them: access requests, acceptances, releases, fetches.
 * Each change carries its events in the same statement ([Note: One statement] in outbox.ts), and each
 * repeats in its `where` what the use-case checked, so that a revocation that commits in between wins.
 *
 * [Note: One release a visit] A device that comes again is handed its headers again, and that is a
 * release of its own with an event of its own; a retry within one session's life is not.
 */
import {
  and, asc, desc, eq, inArray, isNull, notInArray, sql, type Placeholder, type SQL, type SQLWrapper,
} from 'drizzle-orm'
import { assert } from '../../protocol/errors.js'
import { decodeEntry } from '../../protocol/log/event.js'
import { instantSql, instantText } from '../columns.js'
import { keysIn, preparedOnce, type Db } from '../client.js'
import {
  acceptances, auditEntry, auditOpening, auditOutbox, devices, headers, nonces, people, releases,
  vaults, versions,
} from '../schema.js'
import { isGrantLive } from './gate.js'
import { logged, loggedEach, type OutboxEvent } from './outbox.js'

export type Investor = NonNullable<Awaited<ReturnType<typeof findDevice>>>
export type Acceptance = typeof acceptances.$inferSelect
export type WaitingHeader = Awaited<ReturnType<typeof listWaitingHeaders>>[number]

/** Headers that one release hands over at most. */
const MAX_RELEASED_HEADERS = 200
const MAX_PREPARED_RELEASES = 8

/** One header to release, with its event. */
export interface NewRelease {
  readonly id: string
  readonly headerId: string
  readonly event: OutboxEvent
}

interface ReleaseContext {
  readonly grantId: string
  readonly revision: number
  readonly personId: string
  readonly deviceId: string
  readonly nowMs: number
}

// ---- reading --------------------------------------------------------------------------------

/** A device and the person it belongs to; `undefined` if this link has not seen the key. */
export async function findDevice(
  db: Db, device: { grantId: string, signingPublicKey: Uint8Array },
) {
  const [row] = await investors(db).where(and(
    eq(devices.grantId, device.grantId), eq(devices.signingPublicKey, device.signingPublicKey)))
  return row
}

/** The same by the id that a session carries. */
export async function findDeviceById(db: Db, deviceId: string) {
  const [row] = await deviceStatement(db).execute({ deviceId })
  return row
}

const deviceStatement = preparedOnce((db) =>
  investors(db).where(eq(devices.id, sql.placeholder('deviceId'))).prepare('find_device'))

function investors(db: Db) {
  return db.select({
    deviceId: devices.id,
    grantId: devices.grantId,
    signingPublicKey: devices.signingPublicKey,
    recipient: devices.recipient,
    recipientSha256: devices.recipientSha256,
    deviceRevokedAtMs: devices.revokedAtMs,
    personId: people.id,
    name: people.name,
    email: people.email,
    locale: people.locale,
    verifiedAtMs: people.verifiedAtMs,
    declinedAtMs: people.declinedAtMs,
    personRevokedAtMs: people.revokedAtMs,
  }).from(devices).innerJoin(people, eq(people.id, devices.personId))
}

/** Whoever proved this address at this link, with whether they were revoked. */
export async function findPersonByEmail(db: Db, person: { grantId: string, email: string }) {
  const [row] = await db.select({ id: people.id, revokedAtMs: people.revokedAtMs }).from(people)
    .where(and(eq(people.grantId, person.grantId), eq(people.email, person.email)))
  return row
}

/** This device's acceptance of this NDA, if it signed it. */
export async function findAcceptance(
  db: Db, accepted: { deviceId: string, ndaSha256: Uint8Array },
) {
  const [row] = await acceptanceStatement(db).execute(accepted)
  return row
}

const acceptanceStatement = preparedOnce((db) => db.select().from(acceptances)
  .where(and(
    eq(acceptances.deviceId, sql.placeholder('deviceId')),
    eq(acceptances.ndaSha256, sql.placeholder('ndaSha256'))))
  .prepare('find_acceptance'))

/** The link's own headers and the device's, of these versions; the device's first. */
export async function listWaitingHeaders(
  db: Db, wanted: { grantId: string, deviceId: string | null, versionIds: readonly string[] },
) {
  if (wanted.versionIds.length === 0) return []
  return await waitingStatement(db).execute({ ...wanted, versionIds: wanted.versionIds.join() })
}

const waitingStatement = preparedOnce((db) => db
  .select({
    id: headers.id,
    versionId: headers.versionId,
    deviceId: headers.deviceId,
    header: headers.header,
    headerSha256: headers.headerSha256,
    wrap: headers.wrap,
    wrapSignature: headers.wrapSignature,
  }).from(headers)
  .where(and(
    eq(headers.grantId, sql.placeholder('grantId')),
    sql`${headers.versionId} = any(${keysIn('versionIds')}::uuid[])`, isNull(headers.retiredAtMs),
    sql`(${headers.deviceId} is null or ${headers.deviceId} = ${sql.placeholder('deviceId')}::uuid)`))
  // A device's header made by the founder carries a wrap and comes before the device's own.
  .orderBy(sql`${headers.deviceId} is null`, sql`${headers.wrap} is null`)
  .limit(MAX_RELEASED_HEADERS * 3)
  .prepare('list_waiting_headers'))

/** Releases to this device since `sinceMs`: what a retry is answered with instead of a new release. */
export async function listReleasesSince(db: Db, device: { deviceId: string, sinceMs: number }) {
  return await db.select({ headerId: releases.headerId, eventId: releases.eventId }).from(releases)
    .where(and(eq(releases.deviceId, device.deviceId),
      sql`${releases.releasedAtMs} > ${instantSql(device.sinceMs)}`))
    .limit(MAX_RELEASED_HEADERS)
}

/** Of these versions, those that this device was given before these events. */
export async function listGivenBefore(
  db: Db,
  given: { deviceId: string, versionIds: readonly string[], eventIds: readonly string[] },
): Promise<string[]> {
  const rows = await db.selectDistinct({ versionId: releases.versionId }).from(releases)
    .where(and(
      eq(releases.deviceId, given.deviceId), inArray(releases.versionId, [...given.versionIds]),
      notInArray(releases.eventId, [...given.eventIds])))
    .limit(MAX_RELEASED_HEADERS)
  return rows.map(({ versionId }) => versionId)
}

/**
 * What an acceptance has to show for itself: its event and its releases' first ones, in order; and the headers that
 * it released since `sinceMs`.
 */
export async function findEventIds(
  db: Db, acceptance: Pick<Acceptance, 'id' | 'eventId'>, sinceMs: number,
): Promise<{ eventIds: string[], headerIds: string[] }> {
  const rows = await db.select({
    eventId: releases.eventId, headerId: releases.headerId, releasedAtMs: releases.releasedAtMs,
  }).from(releases)
    .where(eq(releases.acceptanceId, acceptance.id))
    .orderBy(asc(releases.releasedAtMs), asc(releases.id))
    .limit(MAX_RELEASED_HEADERS)
  return {
    eventIds: [acceptance.eventId, ...rows.map(({ eventId }) => eventId)],
    headerIds: rows.filter(({ releasedAtMs }) => releasedAtMs > sinceMs)
      .map(({ headerId }) => headerId),
  }
}

/** The commitment of an event, wherever it is on its way into the log; `undefined` if there is no such event. */
export async function findCommitment(db: Db, eventId: string): Promise<Uint8Array | undefined> {
  const [waiting] = await db.select({ commitment: auditOutbox.commitment }).from(auditOutbox)
    .where(eq(auditOutbox.eventId, eventId))
  if (waiting !== undefined) return waiting.commitment
  const [entered] = await db.select({ entry: auditEntry.entry }).from(auditEntry)
    .where(eq(auditEntry.eventId, eventId))
  return entered === undefined ? undefined : decodeEntry(entered.entry).commitment
}

/** The event `device.enrolled` of a device. */
export async function findEnrolledEventId(db: Db, deviceId: string): Promise<string | undefined> {
  const [row] = await db.select({ eventId: devices.eventId }).from(devices)
    .where(eq(devices.id, deviceId))
  return row?.eventId
}

/** Type and erasable details of an event, for its receipt; `undefined` until it is in the log. */
export async function findOpening(db: Db, eventId: string) {
  const [row] = await db.select({
    type: auditOpening.type, details: auditOpening.details, detailsSalt: auditOpening.detailsSalt,
    vaultId: auditOpening.vaultId, partyId: auditOpening.partyId,
  }).from(auditOpening).where(eq(auditOpening.eventId, eventId))
  return row
}

// ---- nonces ---------------------------------------------------------------------------------

export async function insertNonce(
  db: Db, nonce: { nonce: Uint8Array, grantId: string, nowMs: number, expiresAtMs: number },
): Promise<void> {
  await db.insert(nonces).values({
    nonce: nonce.nonce, purpose: 'gate', grantId: nonce.grantId, createdAtMs: nonce.nowMs,
    expiresAtMs: nonce.expiresAtMs,
  })
}

/** Spend a nonce by itself, for a session. @returns false if it is unknown, spent or too old. */
export async function spendNonce(db: Db, spent: SpentNonce): Promise<boolean> {
  const rows = await db.update(nonces).set({ usedAtMs: spent.nowMs })
    .where(unspent(spent)).returning({ nonce: nonces.nonce })
  return rows.length === 1
}

interface SpentNonce {
  readonly nonce: Uint8Array, readonly grantId: string, readonly nowMs: number,
  /** Where what is done was checked against one revision: it must still be that one. */
  readonly revision?: number,
}

function unspent(spent: SpentNonce) {
  return and(
    eq(nonces.nonce, spent.nonce), eq(nonces.grantId, spent.grantId), isNull(nonces.usedAtMs),
    sql`${nonces.expiresAtMs} > ${instantSql(spent.nowMs)}`, isGrantLive(spent.grantId, spent.nowMs, spent.revision))
}

function spend(db: Db, spent: SpentNonce) {
  return db.$with('spent').as(
    db.update(nonces).set({ usedAtMs: spent.nowMs }).where(unspent(spent))
      .returning({ nonce: nonces.nonce }))
}

// ---- access requests ------------------------------------------------------------------------

export interface NewAccess extends ReleaseContext {
  readonly nonce: Uint8Array
  readonly isNewPerson: boolean
  readonly email: string | null
  readonly name: string
  readonly locale: 'en' | 'ru'
  readonly tagKey: Uint8Array
  readonly signingPublicKey: Uint8Array
  readonly recipient: string
  readonly recipientSha256: Uint8Array
  readonly enrolmentNote: string
  readonly enrolledEventId: string
  readonly requestNote: string
  readonly requestSha256: Uint8Array
  readonly releases: readonly NewRelease[]
  /** `email.verified`, `device.enrolled`: what happened apart from the releases, in order. */
  readonly events: readonly OutboxEvent[]
}

/**
 * Let a device in: person, device, releases of what is open to them, and all events, in one statement.
 *
 * @returns the headers released; `undefined` if the nonce was spent, the link or person is revoked, the grant was
 *   revised, or the device is another person's: then no device is let in.
 */
export async function insertAccess(
  db: Db, access: NewAccess,
): Promise<{ headerIds: string[] } | undefined> {
  const spent = spend(db, access)
  const person = access.isNewPerson ? newPerson(db, access) : knownPerson(db, access)
  const device = enrolled(db, access)
  const released = releasedTo(db, access, access.releases, sql`select 1 from device`)
  const changed = db.$with('changed', { key: sql<string>`key`.as('key') }).as(sql`
    select '' as key from device union all select header_id::text from released`)
  const rows = [
    ...access.events.map((event) => ({ key: '', event })),
    ...access.releases.map(({ headerId, event }) => ({ key: headerId, event })),
  ]
  const events = loggedEach(db, changed, sql`key`, rows)
  const result = await runReleasing(
    db.with(spent, person, device, released, changed, events)
      .select({ key: changed.key }).from(changed), 'insert_access', access.releases)
  return result.length === 0 ? undefined : { headerIds: result.map(({ key }) => key).filter((key) => key !== '') }
}

function newPerson(db: Db, access: NewAccess) {
  const verifiedAt = access.email === null ? sql`null::timestamptz` : instantSql(access.nowMs)
  // Two first requests with one address race for the index: the loser gets no row and asks again.
  return db.$with('person', { id: sql<string>`id`.as('id') }).as(sql`
    insert into people (id, grant_id, email, name, locale, tag_key, created_at, verified_at)
    select ${access.personId}::uuid, ${access.grantId}, ${access.email}::text, ${access.name},
      ${access.locale}, ${access.tagKey}::bytea, ${instantSql(access.nowMs)}, ${verifiedAt}
    from spent on conflict do nothing returning id`)
}

function knownPerson(db: Db, access: NewAccess) {
  return db.$with('person', { id: sql<string>`id`.as('id') }).as(sql`
    update people set locale = ${access.locale},
      name = case when ${access.email}::text is null then name else ${access.name} end,
      verified_at = coalesce(verified_at, case when email is null then null else ${instantSql(access.nowMs)} end)
    where id = ${access.personId}::uuid and revoked_at is null and exists (select 1 from spent)
    returning id`)
}

/** A device stays its person's; only one that came by the link alone may be named, once. */
function enrolled(db: Db, access: NewAccess) {
  return db.$with('device', { id: sql<string>`id`.as('id') }).as(sql`
    insert into devices (id, person_id, grant_id, signing_public_key, recipient, recipient_sha256,
      enrolment_note, event_id, created_at)
    select ${access.deviceId}::uuid, person.id, ${access.grantId}, ${access.signingPublicKey}::bytea,
      ${access.recipient}, ${access.recipientSha256}::bytea, ${access.enrolmentNote},
      ${access.enrolledEventId}::uuid, ${instantSql(access.nowMs)}
    from person
    on conflict (grant_id, signing_public_key) do update
      set person_id = excluded.person_id, enrolment_note = excluded.enrolment_note,
        event_id = excluded.event_id
      where devices.revoked_at is null and devices.recipient = excluded.recipient
        and devices.id = excluded.id and (devices.person_id = excluded.person_id or exists (
          select 1 from people unnamed where unnamed.id = devices.person_id and unnamed.email is null))
    returning id`)
}

/** The `released` CTE: rows for those headers that are still there when `condition` has a row. */
function releasedTo(
  db: Db, context: ReleaseContext & {
    requestNote?: string, requestSha256?: Uint8Array, acceptanceId?: string,
  },
  newReleases: readonly NewRelease[], condition: SQL,
) {
  const selection = { headerId: sql<string>`header_id`.as('header_id') }
  if (newReleases.length === 0) {
    return db.$with('released', selection).as(sql`select null::uuid as header_id where false`)
  }
  const rows = newReleases.map((release) =>
    sql`(${release.id}::uuid, ${release.headerId}::uuid, ${release.event.id}::uuid)`)
  return db.$with('released', selection).as(sql`
    insert into releases (id, header_id, version_id, grant_id, revision, person_id, device_id, gate,
      acceptance_id, request_note, request_sha256, event_id, released_at)
    select wanted.id, h.id, h.version_id, h.grant_id, ${context.revision}::integer, ${context.personId}::uuid,
      ${context.deviceId}::uuid, v.gate, ${context.acceptanceId ?? null}::uuid, ${context.requestNote ?? null}::text,
      ${context.requestSha256 ?? null}::bytea, wanted.event_id, ${instantSql(context.nowMs)}
    from (values ${sql.join(rows, sql`, `)}) as wanted(id, header_id, event_id)
    join headers h on h.id = wanted.header_id and h.grant_id = ${context.grantId} and h.retired_at is null
      and (h.device_id is null or h.device_id = ${context.deviceId}::uuid)
    join versions v on v.id = h.version_id and v.status = 'stored'
    where exists (${condition})
    returning header_id`)
}

interface Releasing<Rows> extends PromiseLike<Rows> {
  prepare(name: string): { execute(): Promise<Rows> }
}

/**
 * Its text differs only by how many releases it makes. Where they are few the driver keeps it prepared, which spares
 * a round trip and the planning; what else is written so seldom would fill the database's memory for nothing.
 */
async function runReleasing<Rows>(
  statement: Releasing<Rows>, name: string, made: readonly NewRelease[],
): Promise<Rows> {
  return await (made.length > MAX_PREPARED_RELEASES ? statement : statement.prepare(name).execute())
}

// ---- acceptance -----------------------------------------------------------------------------

export interface NewAcceptance extends ReleaseContext {
  readonly id: string
  readonly vaultId: string
  readonly nonce: Uint8Array
  readonly ndaSha256: Uint8Array
  readonly note: string
  readonly sha256: Uint8Array
  readonly organisation: string | null
  readonly status: 'accepted' | 'awaiting'
  readonly event: OutboxEvent
  readonly releases: readonly NewRelease[]
}

/**
 * Record the signed NDA and release what it earns, with their events, acceptance first, in one statement.
 *
 * @returns the headers released (none while it awaits approval); `undefined` if the nonce was spent, the
 *   link, person or device is revoked, the grant was revised, or this device has accepted before.
 */
export async function insertAcceptance(
  db: Db, accepted: NewAcceptance,
): Promise<{ headerIds: string[] } | undefined> {
  const spent = spend(db, accepted)
  const acceptance = acceptedBy(db, accepted)
  const named = db.$with('named', { id: sql<string>`id`.as('id') }).as(sql`
    update people set organisation = ${accepted.organisation}::text, declined_at = null
    where id = ${accepted.personId}::uuid and exists (select 1 from accepted) returning id`)
  const released = releasedTo(
    db, { ...accepted, acceptanceId: accepted.id }, accepted.releases, sql`select 1 from accepted`)
  const changed = db.$with('changed', { key: sql<string>`key`.as('key') }).as(sql`
    select '' as key from accepted union all select header_id::text from released`)
  const rows = [
    { key: '', event: accepted.event },
    ...accepted.releases.map(({ headerId, event }) => ({ key: headerId, event })),
  ]
  const events = loggedEach(db, changed, sql`key`, rows)
  const result = await runReleasing(
    db.with(spent, acceptance, named, released, changed, events)
      .select({ key: changed.key }).from(changed), 'insert_acceptance', accepted.releases)
  return result.length === 0 ? undefined : { headerIds: result.map(({ key }) => key).filter((key) => key !== '') }
}

function acceptedBy(db: Db, accepted: NewAcceptance) {
  return db.$with('accepted', { id: sql<string>`id`.as('id') }).as(sql`
    insert into acceptances (id, vault_id, grant_id, revision, person_id, device_id, nda_sha256, note,
      sha256, status, event_id, created_at)
    select ${accepted.id}::uuid, ${accepted.vaultId}::uuid, ${accepted.grantId}, ${accepted.revision}::integer,
      p.id, d.id, ${accepted.ndaSha256}::bytea, ${accepted.note}, ${accepted.sha256}::bytea,
      ${accepted.status}, ${accepted.event.id}::uuid, ${instantSql(accepted.nowMs)}
    from spent
    join devices d on d.id = ${accepted.deviceId}::uuid and d.revoked_at is null
    join people p on p.id = d.person_id and p.id = ${accepted.personId}::uuid and p.revoked_at is null
      and p.verified_at is not null
    for no key update of p
    on conflict do nothing returning id`)
}

/** Record that this person declined. @returns false if the nonce was spent or the person is revoked. */
export async function updateDeclined(
  db: Db, declined: { nonce: Uint8Array, grantId: string, personId: string, nowMs: number },
  event: OutboxEvent,
): Promise<boolean> {
  const spent = spend(db, declined)
  const person = db.$with('person', { id: sql<string>`id`.as('id') }).as(sql`
    update people set declined_at = ${instantSql(declined.nowMs)}
    where id = ${declined.personId}::uuid and revoked_at is null and exists (select 1 from spent)
    returning id`)
  const rows = await db.with(spent, person, logged(db, person, [event])).select({ id: person.id })
    .from(person)
  return rows.length === 1
}

// ---- later visits ---------------------------------------------------------------------------

export interface Visit extends ReleaseContext {
  readonly acceptanceId: string | null
  readonly releases: readonly NewRelease[]
}

/**
 * Release headers to a device that has earned them before.
 *
 * @returns the headers released; `undefined` if link, person or device is revoked, or the grant was revised, by now.
 */
export async function insertReleases(
  db: Db, visit: Visit,
): Promise<{ headerIds: string[] } | undefined> {
  assert(visit.releases.length > 0, 'a visit releases at least one header')
  const { acceptanceId, ...context } = visit
  const earned = acceptanceId === null ? sql`true` : sql`exists (
    select 1 from acceptances where id = ${acceptanceId}::uuid and status in ('accepted', 'approved'))`
  // [Note: Who comes first] in gate.ts: the person is locked like the grant.
  const visitor = db.$with('visitor', { id: sql<string>`id`.as('id') }).as(sql`
    select p.id from devices d join people p on p.id = d.person_id
    where d.id = ${visit.deviceId}::uuid and d.revoked_at is null and p.revoked_at is null and ${earned}
      and ${isGrantLive(visit.grantId, visit.nowMs, visit.revision)}
    for share of p`)
  const released = releasedTo(
    db, { ...context, ...(acceptanceId === null ? {} : { acceptanceId }) }, visit.releases,
    sql`select 1 from visitor`)
  const rows = visit.releases.map(({ headerId, event }) => ({ key: headerId, event }))
  const events = loggedEach(db, released, sql`header_id`, rows)
  const result = await runReleasing(
    db.with(visitor, released, events).select({ headerId: released.headerId }).from(released),
    'insert_releases', visit.releases)
  return result.length === 0 ? undefined : { headerIds: result.map(({ headerId }) => headerId) }
}

/** Keep the file keys that a device wrapped to itself: at most one header a version, never over the founder's. */
export async function insertDeviceHeaders(
  db: Db, kept: { grantId: string, deviceId: string, recipientSha256: Uint8Array, nowMs: number },
  rows: readonly { id: string, versionId: string, header: Uint8Array, headerSha256: Uint8Array }[],
): Promise<void> {
  if (rows.length === 0) return
  const values = rows.map((row) =>
    sql`(${row.id}::uuid, ${row.versionId}::uuid, ${row.header}::bytea, ${row.headerSha256}::bytea)`)
  // Only for versions that this device was handed: nobody can park bytes on the server otherwise.
  await db.execute(sql`
    insert into headers (id, grant_id, version_id, device_id, recipient_sha256, header, header_sha256, created_at)
    select kept.id, ${kept.grantId}, kept.version_id, ${kept.deviceId}::uuid, ${kept.recipientSha256}::bytea,
      kept.header, kept.header_sha256, ${instantSql(kept.nowMs)}
    from (values ${sql.join(values, sql`, `)}) as kept(id, version_id, header, header_sha256)
    where exists (select 1 from releases r join devices d on d.id = r.device_id and d.revoked_at is null
        join people p on p.id = d.person_id and p.revoked_at is null
        where r.device_id = ${kept.deviceId}::uuid and r.version_id = kept.version_id)
      and ${isGrantLive(kept.grantId, kept.nowMs)}
    on conflict do nothing`)
}

/**
 * Whether headers may be handed to this device at this moment: for the last look, after the log was waited for.
 */
export async function mayHandOver(
  db: Db, to: { grantId: string, deviceId: string, nowMs: number },
): Promise<boolean> {
  const { nowMs, ...device } = to
  const rows = await standingStatement(db).execute({ ...device, now: instantText(nowMs) })
  return rows.length === 1
}

const standingStatement = preparedOnce((db) => db.select({ id: devices.id }).from(devices)
  .innerJoin(people, and(eq(people.id, devices.personId), isNull(people.revokedAtMs)))
  .where(and(
    eq(devices.id, sql.placeholder('deviceId')), eq(devices.grantId, sql.placeholder('grantId')),
    isNull(devices.revokedAtMs), isGrantOpen(devices.grantId, sql.placeholder('now'))))
  .prepare('may_hand_over'))

// ---- fetching -------------------------------------------------------------------------------

export interface Fetchable {
  readonly versionId: string
  readonly objectPrefix: string
  readonly hashListKey: string | null
  readonly payloadSizeBytes: number
  readonly vaultId: string
  readonly documentId: string
  readonly part: number
  readonly version: number
}

const fetchable = {
  versionId: versions.id,
  objectPrefix: versions.objectPrefix,
  hashListKey: versions.hashListKey,
  payloadSizeBytes: versions.payloadSizeBytes,
  vaultId: versions.vaultId,
  documentId: versions.documentId,
  part: versions.part,
  version: versions.version,
}

/** A version that its owner asks for. `undefined` for absent and not hers alike. */
export async function findOwnVersion(
  db: Db, wanted: { versionId: string, ownerId: string },
): Promise<Fetchable | undefined> {
  const [row] = await ownStatement(db).execute(wanted)
  return row
}

const ownStatement = preparedOnce((db) => db.select(fetchable).from(versions)
  .innerJoin(vaults, eq(vaults.id, versions.vaultId))
  .where(and(
    eq(versions.id, sql.placeholder('versionId')), eq(vaults.ownerId, sql.placeholder('ownerId')),
    eq(versions.status, 'stored'), isNull(vaults.deletedAtMs)))
  .prepare('find_own_version'))

/**
 * A version that this device was handed, as long as nothing is revoked: read anew for every range, so
 * that a revocation holds from the next request on.
 *
 * @returns the version and its newest release; `isFirstFetch` if no byte left under that release yet.
 */
export async function findReleasedVersion(
  db: Db, wanted: { versionId: string, deviceId: string, nowMs: number },
) {
  const { versionId, deviceId, nowMs } = wanted
  const [row] = await releasedStatement(db)
    .execute({ versionId, deviceId, now: instantText(nowMs) })
  return row
}

const releasedStatement = preparedOnce((db) => db
  .select({
    ...fetchable, releaseId: releases.id, releaseEventId: releases.eventId,
    grantId: releases.grantId,
    personId: releases.personId, fetchedAtMs: releases.fetchedAtMs,
  }).from(releases)
  .innerJoin(versions, and(eq(versions.id, releases.versionId), eq(versions.status, 'stored')))
  .innerJoin(devices, and(eq(devices.id, releases.deviceId), isNull(devices.revokedAtMs)))
  .innerJoin(people, and(eq(people.id, devices.personId), isNull(people.revokedAtMs)))
  .where(and(
    eq(releases.deviceId, sql.placeholder('deviceId')),
    eq(releases.versionId, sql.placeholder('versionId')),
    isGrantOpen(releases.grantId, sql.placeholder('now'))))
  .orderBy(desc(releases.releasedAtMs))
  .limit(1)
  .prepare('find_released_version'))

/** As `isGrantLive`, for reading: nothing is locked. */
function isGrantOpen(grantId: SQLWrapper, now: number | Placeholder): SQL {
  return sql`exists (select 1 from grants g
    join grant_revisions r on r.grant_id = g.id and r.revision = g.revision
    join vaults gv on gv.id = g.vault_id and gv.deleted_at is null
    where g.id = ${grantId} and g.revoked_at is null
      and (r.expires_at is null or r.expires_at > ${instantSql(now)}))`
}

/** Note that the first byte left under this release. Nothing happens if another request was first. */
export async function updateFetched(
  db: Db, fetched: { releaseId: string, nowMs: number }, event: OutboxEvent,
): Promise<void> {
  const marked = db.$with('marked').as(
    db.update(releases).set({ fetchedAtMs: fetched.nowMs })
      .where(and(eq(releases.id, fetched.releaseId), isNull(releases.fetchedAtMs)))
      .returning({ id: releases.id }))
  await db.with(marked, logged(db, marked, [event])).select().from(marked)
}
