/**
 * Events on their way into the log (LOG-FORMATS section 5.5): written by the statement that makes the
 * change, read in batches by the one integrator.
 *
 * [Note: One statement] A change and its events are one data-modifying statement: the change is a
 * CTE that returns its rows, and `logged` inserts the events if, and only if, there are such rows.
 *
 *   const made = db.$with('made').as(db.insert(vaults).values(vault).onConflictDoNothing().returning())
 *   const events = logged(db, made, [event])
 *   const [row] = await db.with(made, events).select().from(made)
 *
 * PostgreSQL runs every data-modifying CTE to its end, whether or not the last part reads it. There
 * is no moment at which one exists without the other, not even when the connection dies, and it is
 * one round trip. Repeat in the change's `where` what the use-case checked: a revocation that
 * commits in between then leaves no row, and so no event.
 *
 * Event bytes are built beforehand. They hold no sequence numbers: the integrator gives those
 * when it gives the index.
 */
import { sql, type SQL, type SQLWrapper, type WithSubquery } from 'drizzle-orm'
import { assert } from '../../protocol/errors.js'
import type { Db } from '../client.js'
import { auditOutbox } from '../schema.js'

/** An event as its builder made it (protocol/log/event.ts), with what the server files it under. */
export interface OutboxEvent {
  /** UUIDv7; also stands in the bytes. */
  readonly id: string
  readonly type: string
  readonly atMs: number
  /** The vault whose tag the entry carries. */
  readonly vaultId?: string | undefined
  /** The person (`people.id`) whose tag the entry carries. */
  readonly partyId?: string | undefined
  readonly documentId?: string | undefined
  /** `C`, 32 bytes. */
  readonly commitment: Uint8Array
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
  readonly details?: Uint8Array | undefined
  readonly detailsSalt?: Uint8Array | undefined
}

export const MAX_EVENTS_PER_STATEMENT = 1_000

/** The CTE that makes a change and returns its rows. */
type Change = WithSubquery

/**
 * A CTE that appends the events, in this order, if the change has at least one row.
 *
 * @param change - the CTE that makes the change and returns its rows.
 * @param alias - another name than `logged` if one statement has two of these.
 * @see [Note: One statement]
 */
export function logged(db: Db, change: Change, events: readonly OutboxEvent[], alias = 'logged') {
  const rows = events.map((event) => ({ event, key: '' }))
  return db.$with(alias).as(appendEvents(db, rows, sql`exists (select 1 from ${change})`))
}

/**
 * As `logged`, for a change of several rows that each have an event of their own: an event is
 * appended if the change has the row whose `column` equals its key.
 *
 * @param column - a column of the change, for example `released.headerId`.
 */
export function loggedEach(
  db: Db, change: Change, column: SQLWrapper,
  rows: readonly { key: string, event: OutboxEvent }[], alias = 'logged',
) {
  const isChanged = sql`events.key in (select ${column}::text from ${change})`
  return db.$with(alias).as(appendEvents(db, rows, isChanged))
}

/** Append events that go with no change of ours: `log.started`, `export.made`, `auditor.read`. */
export async function insertEvents(db: Db, events: readonly OutboxEvent[]): Promise<void> {
  await appendEvents(db, events.map((event) => ({ event, key: '' })), sql`true`)
    .prepare('insert_events').execute()
}

function appendEvents(
  db: Db, rows: readonly { key: string, event: OutboxEvent }[], condition: SQL,
) {
  assert(rows.length > 0 && rows.length <= MAX_EVENTS_PER_STATEMENT, 'a statement has 1 to 1,000 events')
  // The inner order decides the ids, and by them the indexes: acceptance before release.
  return db.insert(auditOutbox).select(sql`
    select nextval('audit_outbox_id_seq'), event_id, type, at, vault_id, party_id, document_id,
      commitment, bytes, salt, details, details_salt
    from (
      select * from (values ${sql.join(rows.map(eventRow), sql`, `)}) as events(
        position, key, event_id, type, at, vault_id, party_id, document_id,
        commitment, bytes, salt, details, details_salt)
      where ${condition} order by events.position
    ) as ordered`).returning({ eventId: auditOutbox.eventId })
}

function eventRow({ key, event }: { key: string, event: OutboxEvent }, position: number): SQL {
  return sql`(${position}::integer, ${key}::text, ${event.id}::uuid, ${event.type}::text,
    ${new Date(event.atMs).toISOString()}::timestamptz, ${event.vaultId ?? null}::uuid,
    ${event.partyId ?? null}::uuid, ${event.documentId ?? null}::uuid, ${event.commitment}::bytea,
    ${event.bytes}::bytea, ${event.salt}::bytea, ${event.details ?? null}::bytea,
    ${event.detailsSalt ?? null}::bytea)`
}
