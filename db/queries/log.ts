/**
 * The log's own rows, for the one integrator and for those who wait: rows in, rows out. The only writers
 * of `audit_entry`, `audit_opening`, `tlog_head` and `tlog_published` are here.
 */
import { and, asc, desc, eq, gte, inArray, isNull, lt, lte, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { preparedOnce, queryRows, type Db } from '../client.js'
import { readBytes } from '../columns.js'
import { rowWhere } from '../insert-where.js'
import { encodeHex } from '../../protocol/bytes.js'
import { assert } from '../../protocol/errors.js'
import { auditEntry, auditOpening, auditOutbox, auditSequence, logForks, people, tlogHead, tlogPublished, vaults } from '../schema.js'

export type Head = Pick<typeof tlogHead.$inferSelect, 'size' | 'root' | 'edge'>
export type Published = Pick<typeof tlogPublished.$inferSelect, 'size' | 'checkpoint' | 'cosignedSize' | 'cosignedCheckpoint'>

/** An event in the outbox, with what its tags are made of. */
export interface PendingEvent {
  readonly eventId: string
  readonly type: string
  readonly commitment: Uint8Array
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
  readonly vaultId: string | null
  readonly vaultTagKey: Uint8Array | null
  /** How many entries carry the vault's tag so far; null means none. */
  readonly vaultCount: number | null
  readonly partyId: string | null
  readonly partyTagKey: Uint8Array | null
  readonly partyCount: number | null
}

/**
 * The oldest events that wait. Only those that are there: ids become visible out of order, so nothing
 * is remembered from one call to the next. An event that the log has already is left out.
 *
 * @param type - those of this type alone.
 */
export async function listPending(
  db: Db, limit: number, type: string | null = null,
): Promise<PendingEvent[]> {
  return await pendingStatement(db).execute({ limit, type })
}

const pendingStatement = preparedOnce((db) => {
  const vaultSequence = alias(auditSequence, 'vault_sequence')
  const partySequence = alias(auditSequence, 'party_sequence')
  return db.select({
    eventId: auditOutbox.eventId, type: auditOutbox.type, commitment: auditOutbox.commitment,
    bytes: auditOutbox.bytes, salt: auditOutbox.salt,
    vaultId: auditOutbox.vaultId, vaultTagKey: vaults.tagKey, vaultCount: vaultSequence.count,
    partyId: auditOutbox.partyId, partyTagKey: people.tagKey, partyCount: partySequence.count,
  }).from(auditOutbox)
    .leftJoin(vaults, eq(vaults.id, auditOutbox.vaultId))
    .leftJoin(people, eq(people.id, auditOutbox.partyId))
    .leftJoin(vaultSequence, eq(vaultSequence.scopeId, auditOutbox.vaultId))
    .leftJoin(partySequence, eq(partySequence.scopeId, auditOutbox.partyId))
    .where(sql`not exists (select 1 from ${auditEntry} where ${auditEntry.eventId} = ${auditOutbox.eventId})
      and (${sql.placeholder('type')}::text is null or ${auditOutbox.type} = ${sql.placeholder('type')}::text)`)
    .orderBy(asc(auditOutbox.id))
    .limit(sql.placeholder('limit'))
    .prepare('list_pending')
})

/** Events in the outbox, made again: other bytes and commitment, everything else as it was. All or nothing. */
export async function updatePending(
  db: Db, events: readonly Pick<PendingEvent, 'eventId' | 'commitment' | 'bytes'>[],
): Promise<void> {
  const list = (values: readonly Uint8Array[]) => values.map((value) => encodeHex(value)).join(',')
  await db.execute(sql`
    update audit_outbox o set commitment = decode(n.commitment, 'hex'), bytes = decode(n.bytes, 'hex')
    from unnest(
      string_to_array(${events.map(({ eventId }) => eventId).join(',')}::text, ','),
      string_to_array(${list(events.map(({ commitment }) => commitment))}::text, ','),
      string_to_array(${list(events.map(({ bytes }) => bytes))}::text, ',')
    ) as n(event_id, commitment, bytes)
    where o.event_id = n.event_id::uuid`)
}

/** Take events out of the outbox that can have no place in the log any more. */
export async function deletePending(db: Db, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return
  await db.delete(auditOutbox).where(inArray(auditOutbox.eventId, [...eventIds]))
}

/** One event of a batch: its entry, and the numbers that its tags were made with. */
export interface NumberedEntry {
  readonly eventId: string
  /** 65 bytes. */
  readonly entry: Uint8Array
  readonly vaultSequence: number | null
  readonly partySequence: number | null
}

/**
 * Move a batch from the outbox into the log, all or nothing, if the head is still `old`.
 *
 * @returns false if another integrator was first; nothing was changed then.
 */
export async function integrate(
  db: Db, old: Pick<Head, 'size' | 'root'>, next: Pick<Head, 'root' | 'edge'>, batch: readonly NumberedEntry[],
): Promise<boolean> {
  const entries = Buffer.concat(batch.map(({ entry }) => entry))
  const [row] = await integrateStatement(db).execute({
    oldSize: old.size, oldRoot: old.root, newRoot: next.root, newEdge: next.edge, entries,
    eventIds: batch.map(({ eventId }) => eventId).join(','),
    vaultSequences: batch.map(({ vaultSequence }) => vaultSequence ?? '').join(','),
    partySequences: batch.map(({ partySequence }) => partySequence ?? '').join(','),
  })
  assert(row !== undefined, 'a function answers with a row')
  return row.size !== null
}

const integrateStatement = preparedOnce((db) => {
  const given = (name: string) => sql.placeholder(name)
  const size = sql<unknown>`integrate(
    ${given('oldSize')}::bigint, ${given('oldRoot')}::bytea, ${given('newRoot')}::bytea,
    ${given('newEdge')}::bytea, ${given('eventIds')}::text, ${given('entries')}::bytea,
    ${given('vaultSequences')}::text, ${given('partySequences')}::text)`
  return db.select({ size }).from(sql`(select 1) as once`).prepare('integrate')
})

export async function getHead(db: Db): Promise<Head> {
  const { size, root, edge } = tlogHead
  const [head] = await db.select({ size, root, edge }).from(tlogHead)
  if (head === undefined) throw new Error('tlog_head has lost its row')
  return head
}

export async function getPublished(db: Db): Promise<Published> {
  const [published] = await db.select({
    size: tlogPublished.size, checkpoint: tlogPublished.checkpoint,
    cosignedSize: tlogPublished.cosignedSize, cosignedCheckpoint: tlogPublished.cosignedCheckpoint,
  }).from(tlogPublished)
  if (published === undefined) throw new Error('tlog_published has lost its row')
  return published
}

/** How far the log is published, and since when. */
export async function getPublishedAt(db: Db): Promise<{ size: number, publishedAtMs: number }> {
  const { size, publishedAtMs } = tlogPublished
  const [row] = await db.select({ size, publishedAtMs }).from(tlogPublished)
  if (row === undefined) throw new Error('tlog_published has lost its row')
  return row
}

/** Who waits on another instance listens here. */
export const PUBLISHED_CHANNEL = 'tlog_published'

/** Note that the bucket shows this checkpoint, and tell the other instances. Never moves backwards. */
export async function markPublished(
  db: Db, { size, checkpoint, atMs }: { size: number, checkpoint: string, atMs: number },
): Promise<void> {
  await markStatement(db).execute({ size, checkpoint, at: new Date(atMs).toISOString() })
}

const markStatement = preparedOnce((db) => {
  const size = sql.placeholder('size')
  const marked = db.$with('marked').as(db.update(tlogPublished).set({
    size: sql`${size}::bigint`, checkpoint: sql`${sql.placeholder('checkpoint')}::text`,
    publishedAtMs: sql`${sql.placeholder('at')}::timestamptz`,
  }).where(sql`${tlogPublished.size} <= ${size}::bigint`).returning({ id: tlogPublished.id }))
  // One notifier at a time, the leader: the lock that NOTIFY takes is never waited for.
  const told = sql`pg_notify(${sql.raw(`'${PUBLISHED_CHANNEL}'`)}, '')`
  return db.with(marked).select({ told }).from(marked).prepare('mark_published')
})

/**
 * Note a checkpoint that a quorum of witnesses has cosigned. Never moves backwards; where it is still the
 * newest, it takes the plain one's place.
 */
export async function markCosigned(
  db: Db, { size, checkpoint }: { size: number, checkpoint: string },
): Promise<void> {
  await db.update(tlogPublished).set({
    cosignedSize: size, cosignedCheckpoint: checkpoint,
    checkpoint: sql`case when ${tlogPublished.size} = ${size}::bigint then ${checkpoint}::text
      else ${tlogPublished.checkpoint} end`,
  }).where(and(lte(tlogPublished.cosignedSize, size), gte(tlogPublished.size, size)))
}

/** Indexes from `start` to before `end`. */
export interface Range { readonly start: number, readonly end: number }

/** Entries with indexes from `start` to before `end`, in order. */
export async function listEntries(db: Db, { start, end }: Range): Promise<Uint8Array[]> {
  const rows = await db.select({ entry: auditEntry.entry }).from(auditEntry)
    .where(and(gte(auditEntry.index, start), lt(auditEntry.index, end)))
    .orderBy(asc(auditEntry.index))
  return rows.map(({ entry }) => entry)
}

/** SHA-256 over the stored entries of a range, one after another: what the database really holds. */
export async function hashEntries(db: Db, range: Range): Promise<Uint8Array> {
  const [row] = await hashStatement(db).execute({ ...range })
  return readBytes(row?.sha256)
}

const hashStatement = preparedOnce((db) => {
  const { index, entry } = auditEntry
  const sha256 = sql<unknown>`sha256(coalesce(string_agg(${entry}, ''::bytea order by ${index}), ''::bytea))`
  return db.select({ sha256 }).from(auditEntry)
    .where(sql`${index} >= ${sql.placeholder('start')}::bigint and ${index} < ${sql.placeholder('end')}::bigint`)
    .prepare('hash_entries')
})

/** A logged event with all that its receipt is made of. */
export interface LoggedEvent {
  readonly eventId: string
  readonly index: number
  readonly entry: Uint8Array
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
}

/** Those of these events that lie under the published checkpoint and are not erased, in no order. */
export async function listLogged(db: Db, eventIds: readonly string[]): Promise<LoggedEvent[]> {
  const rows = await queryRows(db, sql`
    select e.event_id, e.idx, e.entry, o.bytes, o.salt
    from audit_entry e join audit_opening o on o.idx = e.idx
    where e.event_id = any(string_to_array(${eventIds.join(',')}::text, ',')::uuid[])
      and o.bytes is not null and o.salt is not null
      and e.idx < (select size from tlog_published where id = 1)`)
  return rows.map((row) => ({
    eventId: String(row['event_id']), index: Number(row['idx']), entry: readBytes(row['entry']),
    bytes: readBytes(row['bytes']), salt: readBytes(row['salt']),
  }))
}

/** The event of an entry, published or not; `undefined` if there is none, or its opening was lost. */
export async function findEventAt(
  db: Db, index: number,
): Promise<{ eventId: string, type: string, bytes: Uint8Array } | undefined> {
  const { eventId, type, bytes } = auditOpening
  const [row] = await db.select({ eventId, type, bytes }).from(auditOpening)
    .where(eq(auditOpening.index, index))
  return row === undefined || row.bytes === null ? undefined : { ...row, bytes: row.bytes }
}

/** The newest events of a person from `start` on, at most `limit`; those that were erased are left out. */
export async function listPersonEvents(
  db: Db, { partyId, start, limit }: { partyId: string, start: number, limit: number },
): Promise<{ bytes: Uint8Array, salt: Uint8Array }[]> {
  const { bytes, salt, index } = auditOpening
  const rows = await db.select({ bytes, salt }).from(auditOpening)
    .where(and(eq(auditOpening.partyId, partyId), gte(index, start)))
    .orderBy(desc(index)).limit(limit)
  return rows.flatMap((row) =>
    row.bytes === null || row.salt === null ? [] : [{ bytes: row.bytes, salt: row.salt }])
}

/** The bytes of the newest event of an instance-wide type (one that belongs to no vault); `undefined` if there is none. */
export async function findLastEvent(db: Db, type: string): Promise<Uint8Array | undefined> {
  const [row] = await db.select({ bytes: auditOpening.bytes }).from(auditOpening)
    .where(and(isNull(auditOpening.vaultId), eq(auditOpening.type, type)))
    .orderBy(desc(auditOpening.index)).limit(1)
  return row?.bytes ?? undefined
}

/** How many events wait, up to `limit`: for metrics. */
export async function countPending(db: Db, limit: number): Promise<number> {
  const [row] = await queryRows(db, sql`select count(*)::integer as count from (select 1 from audit_outbox limit ${limit}::integer) as waiting`)
  return Number(row?.['count'])
}

// ---- checkpoints that do not fit ----

export interface LogFork {
  /** SHA-256 of the text that was signed. */
  readonly sha256: Uint8Array
  readonly brought: string
  readonly ours: string
  readonly createdAtMs: number
}

/** Keep evidence of a second history; the same once, and at most `maxCount` of all. @returns whether it is new. */
export async function insertFork(db: Db, fork: LogFork, maxCount: number): Promise<boolean> {
  const hasRoom = sql`(select count(*) from ${logForks}) < ${maxCount}`
  const rows = await db.insert(logForks).select(rowWhere(logForks, fork, hasRoom))
    .onConflictDoNothing().returning({ sha256: logForks.sha256 })
  return rows.length === 1
}

/** How many checkpoints were brought that do not fit the log. */
export async function countForks(db: Db): Promise<number> {
  const [row] = await db.select({ count: sql`count(*)`.mapWith(Number) }).from(logForks)
  return row?.count ?? 0
}
