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
import type { SealedEvent } from '../../protocol/log/event.js'
import type { Db } from '../client.js'
import { auditOutbox } from '../schema.js'

/** An event as its builder made it; rows know no closed list of types. */
export interface OutboxEvent extends Omit<SealedEvent, 'type'> {
  readonly type: string
}

export const MAX_EVENTS_PER_STATEMENT = 1_000
/** Statements of so many events come often enough to be kept ready. */
const MAX_PREPARED_EVENTS = 8

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
  if (events.length > MAX_PREPARED_EVENTS) {
    await appendEvents(db, events.map((event) => ({ event, key: '' })), sql`true`)
    return
  }
  const values = Object.fromEntries(events.flatMap((event, position) =>
    Object.entries(eventValues(event)).map(([field, value]) => [`${field}_${position}`, value])))
  await insertStatement(db, events.length).execute(values)
}

const statements = new WeakMap<Db, Map<number, ReturnType<typeof prepareInsert>>>()

/** Built once for each count: building it costs more than running it. */
function insertStatement(db: Db, count: number) {
  const known = statements.get(db) ?? new Map<number, ReturnType<typeof prepareInsert>>()
  statements.set(db, known)
  const statement = known.get(count) ?? prepareInsert(db, count)
  known.set(count, statement)
  return statement
}

function prepareInsert(db: Db, count: number) {
  const rows = Array.from({ length: count }, (_, position) => eventRow({
    position, key: '', value: (field) => sql.placeholder(`${field}_${position}`),
  }))
  return appendRows(db, rows, sql`true`).prepare('insert_events')
}

function appendEvents(
  db: Db, rows: readonly { key: string, event: OutboxEvent }[], condition: SQL,
) {
  return appendRows(db, rows.map(({ event, key }, position) => {
    const values = eventValues(event)
    return eventRow({ position, key, value: (field) => values[field] })
  }), condition)
}

function appendRows(db: Db, rows: readonly SQL[], condition: SQL) {
  assert(rows.length > 0 && rows.length <= MAX_EVENTS_PER_STATEMENT, 'a statement has 1 to 1,000 events')
  // The inner order decides the ids, and by them the indexes: acceptance before release.
  return db.insert(auditOutbox).select(sql`
    select nextval('audit_outbox_id_seq'), event_id, type, at, vault_id, party_id, document_id,
      commitment, bytes, salt, details, details_salt
    from (
      select * from (values ${sql.join([...rows], sql`, `)}) as events(
        position, key, event_id, type, at, vault_id, party_id, document_id,
        commitment, bytes, salt, details, details_salt)
      where ${condition} order by events.position
    ) as ordered`).returning({ eventId: auditOutbox.eventId })
}

type EventValues = ReturnType<typeof eventValues>

function eventValues(event: OutboxEvent) {
  const { id, type, atMs, commitment, bytes, salt } = event
  return {
    id, type, at: new Date(atMs).toISOString(), vaultId: event.vaultId ?? null,
    partyId: event.partyId ?? null, documentId: event.documentId ?? null, commitment, bytes, salt,
    details: event.details ?? null, detailsSalt: event.detailsSalt ?? null,
  }
}

interface EventRow {
  readonly position: number
  readonly key: string
  readonly value: (field: keyof EventValues) => unknown
}

function eventRow({ position, key, value }: EventRow): SQL {
  return sql`(${position}::integer, ${key}::text, ${value('id')}::uuid, ${value('type')}::text,
    ${value('at')}::timestamptz, ${value('vaultId')}::uuid, ${value('partyId')}::uuid,
    ${value('documentId')}::uuid, ${value('commitment')}::bytea, ${value('bytes')}::bytea,
    ${value('salt')}::bytea, ${value('details')}::bytea, ${value('detailsSalt')}::bytea)`
}
