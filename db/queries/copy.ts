/**
 * The whole database as text, one line a row, and back: the same way on both engines, and without a list of
 * tables that somebody could forget to lengthen. Knows nothing of files; must not interpret what it copies.
 */
import { is, sql, type SQL } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { assert } from '../../protocol/errors.js'
import { queryRows, type Db } from '../client.js'
import * as schema from '../schema.js'

/** Made by the migrations with one row each, which a copy replaces. */
const ONE_ROW_TABLES = new Set(['tlog_head', 'tlog_published'])
/** Kept by triggers: it comes back with the rows that it counts. */
const DERIVED_TABLES = new Set(['instance_usage'])
/** How a database tells that it is behind what was published: until they are there, no server starts on it. */
const LAST_TABLES = ['tlog_published', 'tlog_head']

/** Stands in a copy where a table would: the objects that its versions refer to. */
export const OBJECTS_NAME = 'objects'

/** Every table, each after those that its rows refer to; the log's head last. */
export function listTables(): readonly string[] {
  const tables = Object.values(schema).filter((value) => is(value, PgTable)).map(getTableConfig)
  const sorted: string[] = []
  function add(name: string): void {
    if (sorted.includes(name) || DERIVED_TABLES.has(name)) return
    const table = tables.find((one) => one.name === name)
    for (const key of table?.foreignKeys ?? []) {
      const target = getTableConfig(key.reference().foreignTable).name
      if (target !== name) add(target)
    }
    sorted.push(name)
  }
  for (const { name } of tables) if (!LAST_TABLES.includes(name)) add(name)
  return [...sorted, ...LAST_TABLES]
}

/**
 * One statement, and so one moment: each row of each table as JSON (`name`, `row`), and each object that a
 * stored version or a running upload refers to as `[prefix, index, sha256, size]`, in no order; a hash list has
 * null for all but its prefix.
 */
export function copyOfEverything(): SQL {
  const tables = listTables().map((name) => sql`
    select ${sql.raw(`'${name}'`)} as name, row_to_json(t)::text as row from ${sql.identifier(name)} t`)
  const isLive = sql`v.status in ('stored', 'uploading')`
  const objects = sql.raw(`'${OBJECTS_NAME}'`)
  return sql.join([
    ...tables,
    sql`select ${objects}, json_build_array(v.object_prefix, p.index, encode(p.sha256, 'hex'), p.size_bytes)::text
      from versions v join upload_parts p on p.version_id = v.id where ${isLive}`,
    sql`select ${objects}, json_build_array(v.object_prefix, null, null, null)::text
      from versions v where ${isLive} and v.hash_list_key is not null`,
  ], sql` union all `)
}

/** Rows of one table, as `copyOfEverything` gave them, into its empty table. */
export async function insertCopies(db: Db, table: string, rows: readonly string[]): Promise<void> {
  assert(listTables().includes(table), 'a copy has the tables of the schema')
  const name = sql.identifier(table)
  const all = `[${rows.join(',')}]`
  if (ONE_ROW_TABLES.has(table)) await db.execute(sql`delete from ${name}`)
  await db.execute(sql`
    insert into ${name} select * from json_populate_recordset(null::${name}, ${all}::json)
    on conflict do nothing`)
}

/** How many rows a table has. */
export async function countRows(db: Db, table: string): Promise<number> {
  const [row] = await queryRows(db, sql`select count(*) as count from ${sql.identifier(table)}`)
  return Number(row?.['count'])
}

/** Numbers that were given out are not given out again. */
export async function restartSequences(db: Db): Promise<void> {
  await db.execute(sql`select setval('audit_outbox_id_seq', greatest(
    (select coalesce(max(id), 0) from audit_outbox) + (select count(*) from audit_entry), 1))`)
}

/** The hashes of the migrations that made these tables, in order. */
export async function listMigrations(db: Db): Promise<string[]> {
  const rows = await queryRows(db, sql`select hash from drizzle."__drizzle_migrations" order by created_at`)
  return rows.map((row) => String(row['hash']))
}
