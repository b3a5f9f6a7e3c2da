/** The log's rows for whoever checks or repairs all of it: rows in, rows out. */
import { and, asc, eq, gt, gte, inArray, lt, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { queryRows, type Db } from '../client.js'
import { instantSql, readBytes } from '../columns.js'
import { auditEntry, auditOpening, auditSequence, people, vaults } from '../schema.js'
import type { Head, Range } from './log.js'
import type { OutboxEvent } from './outbox.js'

export type OpeningRow = typeof auditOpening.$inferSelect
export type EntryRow = typeof auditEntry.$inferSelect

/** An entry and what opens it; `opening` is null where it was lost. */
export interface OpenedEntry {
  readonly row: EntryRow
  readonly opening: OpeningRow | null
}

/** Entries with their openings, in order. */
export async function listOpenedEntries(db: Db, { start, end }: Range): Promise<OpenedEntry[]> {
  return await db.select({ row: auditEntry, opening: auditOpening }).from(auditEntry)
    .leftJoin(auditOpening, eq(auditOpening.index, auditEntry.index))
    .where(and(gte(auditEntry.index, start), lt(auditEntry.index, end)))
    .orderBy(asc(auditEntry.index))
}

/** How many openings there are: one that belongs to no entry shows in this number alone. */
export async function countOpenings(db: Db, { start, end }: Range): Promise<number> {
  const [row] = await db.select({ count: sql`count(*)`.mapWith(Number) }).from(auditOpening)
    .where(and(gte(auditOpening.index, start), lt(auditOpening.index, end)))
  return row?.count ?? 0
}

/** The tag keys of these vaults and people, by id. */
export async function listTagKeys(
  db: Db, scopeIds: { vaultIds: readonly string[], partyIds: readonly string[] },
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = [
    ...await tagKeysOf(db, vaults, scopeIds.vaultIds),
    ...await tagKeysOf(db, people, scopeIds.partyIds),
  ]
  return new Map(found.map(({ id, tagKey }) => [id, tagKey]))
}

async function tagKeysOf(db: Db, table: typeof vaults | typeof people, ids: readonly string[]) {
  if (ids.length === 0) return []
  const { id, tagKey } = table
  return await db.select({ id, tagKey }).from<PgTable>(table).where(inArray(id, [...ids]))
}

/** How many tags of a vault or person are given out, with the key they are made of. */
export interface TagCount {
  readonly scopeId: string
  readonly tagKey: Uint8Array
  readonly count: number
}

/** All vaults or all people, by id; at most `limit` after the one named. */
export async function listTagCounts(
  db: Db, kind: 'vaults' | 'people', after: string | undefined, limit: number,
): Promise<TagCount[]> {
  const table = kind === 'vaults' ? vaults : people
  const id: PgColumn = table.id
  const rows = await db.select({
    scopeId: table.id, tagKey: table.tagKey, count: auditSequence.count,
  }).from<PgTable>(table).leftJoin(auditSequence, eq(auditSequence.scopeId, table.id))
    .where(after === undefined ? undefined : gt(id, after)).orderBy(asc(id)).limit(limit)
  return rows.map(({ scopeId, tagKey, count }) => ({ scopeId, tagKey, count: count ?? 0 }))
}

/** The ids of the events in the outbox that have these commitments, by commitment in hex. */
export async function listWaitingByCommitment(
  db: Db, commitments: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queryRows(db, sql`
    select event_id, encode(commitment, 'hex') as commitment from audit_outbox
    where encode(commitment, 'hex') = any(string_to_array(${commitments.join(',')}::text, ','))`)
  return new Map(rows.map((row) => [String(row['commitment']), String(row['event_id'])]))
}

/** An entry that was published and is not in the database. */
export interface LostEntry {
  /** That of the outbox if the event still waits there; else a new one. */
  readonly eventId: string
  /** 65 bytes. */
  readonly entry: Uint8Array
  readonly vaultSequence: number | null
  readonly partySequence: number | null
}

export interface Restoration {
  readonly old: Pick<Head, 'size' | 'root'>
  readonly next: Pick<Head, 'root' | 'edge'>
  readonly entries: readonly LostEntry[]
  /** The numbers that the entries' tags are known to have used up. */
  readonly counts: readonly Pick<TagCount, 'scopeId' | 'count'>[]
}

/**
 * Put published entries back, all or nothing, if the head is still `old`, together with the event that says
 * so. An event that still waits in the outbox gets its entry and its opening; of the others the opening
 * is lost.
 *
 * @returns false if the head was another; nothing was changed then.
 */
export async function restoreEntries(
  db: Db, { old, next, entries, counts }: Restoration, event: OutboxEvent,
): Promise<boolean> {
  const bytes = Buffer.concat(entries.map(({ entry }) => entry))
  const list = (values: readonly (string | number | null)[]) => values.map((value) => value ?? '').join(',')
  const [row] = await queryRows(db, sql`
    with head as (
      update tlog_head set size = ${old.size + entries.length}::bigint, root = ${next.root}::bytea, edge = ${next.edge}::bytea
      where id = 1 and size = ${old.size}::bigint and root = ${old.root}::bytea returning size
    ), batch as (
      select b.event_id::uuid as event_id, b.ordinality - 1 as position, ${old.size}::bigint + b.ordinality - 1 as idx,
        nullif(b.vault_sequence, '')::bigint as vault_sequence, nullif(b.party_sequence, '')::bigint as party_sequence
      from unnest(
        string_to_array(${list(entries.map(({ eventId }) => eventId))}::text, ','),
        string_to_array(${list(entries.map(({ vaultSequence }) => vaultSequence))}::text, ','),
        string_to_array(${list(entries.map(({ partySequence }) => partySequence))}::text, ',')
      ) with ordinality as b(event_id, vault_sequence, party_sequence, ordinality)
      where exists (select 1 from head)
    ), taken as (
      delete from audit_outbox o using batch b where o.event_id = b.event_id
      returning b.idx, o.event_id, o.type, o.at, o.vault_id, b.vault_sequence, o.party_id, b.party_sequence,
        o.document_id, o.bytes, o.salt, o.details, o.details_salt
    ), entered as (
      insert into audit_entry (idx, event_id, entry)
      select idx, event_id, substring(${bytes}::bytea from (position * 65 + 1)::integer for 65) from batch
    ), opened as (
      insert into audit_opening (idx, event_id, type, at, vault_id, vault_sequence, party_id, party_sequence,
        document_id, bytes, salt, details, details_salt)
      select * from taken
    ), counted as (
      insert into audit_sequence (scope_id, count)
      select c.scope_id::uuid, max(c.count::bigint) from unnest(
        string_to_array(${list(counts.map(({ scopeId }) => scopeId))}::text, ','),
        string_to_array(${list(counts.map(({ count }) => count))}::text, ',')
      ) as c(scope_id, count)
      where exists (select 1 from head) group by 1
      on conflict (scope_id) do update set count = excluded.count
    ), told as (
      insert into audit_outbox (event_id, type, at, commitment, bytes, salt)
      select ${event.id}::uuid, ${event.type}::text, ${instantSql(event.atMs)}, ${event.commitment}::bytea,
        ${event.bytes}::bytea, ${event.salt}::bytea
      where exists (select 1 from head)
    )
    select count(*)::integer as count from head`)
  return Number(row?.['count']) === 1
}

/** As `listEventBytes`, for those that still wait in the outbox. */
export async function listWaitingBytes(db: Db, type: string, limit: number): Promise<Uint8Array[]> {
  const rows = await queryRows(db, sql`
    select bytes from audit_outbox where type = ${type}::text and vault_id is null
    order by id limit ${limit}::integer`)
  return rows.map((row) => readBytes(row['bytes']))
}

/** The bytes of all events of a type, oldest first; at most `limit`. */
export async function listEventBytes(db: Db, type: string, limit: number): Promise<Uint8Array[]> {
  const rows = await queryRows(db, sql`
    select bytes from audit_opening where type = ${type}::text and vault_id is null and bytes is not null
    order by idx limit ${limit}::integer`)
  return rows.map((row) => readBytes(row['bytes']))
}
