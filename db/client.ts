/**
 * The database, whichever of the two engines it is; every difference between their drivers ends here.
 *
 * [Note: No transactions] `db.transaction`, `sql.begin` and `sql.reserve` are not used for changes: when
 * a backend dies, the driver's callback goes on outside its transaction. What must be atomic is one
 * statement ([Note: One statement] in db/queries/outbox.ts) or one function from a migration.
 */
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { sql, type ExtractTablesWithRelations, type SQL } from 'drizzle-orm'
import { PgDialect, type PgDatabase, type PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { assert } from '../protocol/errors.js'
import { lockDataFolder } from './data-lock.js'
import * as schema from './schema.js'

/** Both drivers' databases are assignable to this without a cast. */
export type Db =
  PgDatabase<PgQueryResultHKT, typeof schema, ExtractTablesWithRelations<typeof schema>>

export type Engine = 'pglite' | 'postgres'

export type DbSettings =
  /** `folder` null: in memory. `snapshot`: what `PGlite.dumpDataDir` gave, already migrated. */
  | { engine: 'pglite', folder: string | null, lockFolder?: string, snapshot?: Blob }
  | { engine: 'postgres', url: string, maxConnections: number }

/** Held as long as its connection lives. */
export interface LeaderLock {
  isHeld(): boolean
  release(): Promise<void>
}

/** The owner of the tables, without a limit of time: for backup and restore alone. */
export interface Owner {
  readonly db: Db
  /** The rows of one statement, which is one moment of the database, in batches. */
  readBatches(query: SQL, batchSize: number): AsyncIterable<Record<string, unknown>[]>
  /** Drop every table and make them anew, empty. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface OpenDatabase {
  readonly engine: Engine
  /** For requests; where the roles exist it cannot change the log's tables. */
  readonly db: Db
  /** For the sequencer alone: its own connections and, where it exists, its own role. */
  readonly logDb: Db
  /** For erasure alone: may empty openings, and what rows say about people. */
  readonly erasureDb: Db
  /** Be the one integrator, or `undefined` while another is. On PGlite there is nobody else. */
  tryLead(): Promise<LeaderLock | undefined>
  /** Be the one that deletes objects, or `undefined` while another does, or copies them. */
  tryCollect(): Promise<LeaderLock | undefined>
  openOwner(): Promise<Owner>
  /** Call `onNotice` for each NOTIFY on the channel, from any instance. @returns how to stop. */
  listen(channel: string, onNotice: (payload: string) => void): Promise<() => Promise<void>>
  notify(channel: string, payload: string): Promise<void>
  /** For tests: the whole database as a file. PGlite only. */
  dump(): Promise<Blob>
  close(): Promise<void>
}

const MIGRATIONS_FOLDER = fileURLToPath(new URL('./migrations', import.meta.url))
const MIGRATION_LOCK = 0x5ea1_dec0
const LEADER_LOCK = 0x5ea1_dec1
const COLLECTOR_LOCK = 0x5ea1_dec2
const STATEMENT_TIMEOUT_MS = 5_000
const LOG_STATEMENT_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_SECONDS = 5
const KEEP_ALIVE_SECONDS = 5
const MAX_RECONNECT_SECONDS = 0.5
const CLOSE_TIMEOUT_SECONDS = 3
const LOCK_PULSE_MS = 1_000
const LOCK_SILENCE_MS = 5_000

/**
 * Open the database and bring its tables up to date.
 *
 * @throws DataFolderLocked if another process has the folder (PGlite).
 */
export async function openDb(settings: DbSettings): Promise<OpenDatabase> {
  return settings.engine === 'pglite' ? await openPglite(settings) : await openPostgres(settings)
}

async function openPglite(settings: DbSettings & { engine: 'pglite' }): Promise<OpenDatabase> {
  const { lockFolder } = settings
  const unlock = lockFolder === undefined ? undefined : await lockDataFolder(lockFolder)
  try {
    const client = await PGlite.create({
      ...(settings.folder === null ? {} : { dataDir: settings.folder }),
      ...(settings.snapshot === undefined ? {} : { loadDataDir: settings.snapshot }),
    })
    await client.exec("set timezone = 'UTC'")
    const db = drizzlePglite(client, { schema, casing: 'snake_case' })
    await migratePglite(db, { migrationsFolder: MIGRATIONS_FOLDER })
    return pgliteDatabase(client, db, unlock)
  } catch (error) {
    await unlock?.()
    throw error
  }
}

function pgliteDatabase(
  client: PGlite, db: Db, unlock: (() => Promise<void>) | undefined,
): OpenDatabase {
  const [tryLead, tryCollect] = [lockInProcess(), lockInProcess()]
  return {
    engine: 'pglite',
    db,
    logDb: db,
    erasureDb: db,
    tryLead,
    tryCollect,
    openOwner: async () => pgliteOwner(client, db),
    listen: (channel, onNotice) => client.listen(channel, onNotice),
    async notify(channel, payload) {
      await db.execute(sql`select pg_notify(${channel}, ${payload})`)
    },
    dump: () => client.dumpDataDir('none'),
    async close() {
      await client.close()
      await unlock?.()
    },
  }
}

/** PGlite has one process: a flag is as good as a lock. */
function lockInProcess(): () => Promise<LeaderLock | undefined> {
  let isHeld = false
  return async () => {
    if (isHeld) return undefined
    isHeld = true
    return { isHeld: () => isHeld, release: async () => { isHeld = false } }
  }
}

/** Nobody else is connected, so several statements are one moment too; one alone would fill the memory. */
function pgliteOwner(client: PGlite, db: Db): Owner {
  return {
    db,
    async * readBatches(query, batchSize) {
      const { sql: text } = new PgDialect().sqlToQuery(query)
      await client.exec(`begin; declare batches cursor for ${text}`)
      try {
        for (;;) {
          const rows = await queryRows(db, sql.raw(`fetch ${batchSize} from batches`))
          if (rows.length === 0) return
          yield rows
        }
      } finally {
        await client.exec('rollback')
      }
    },
    async reset() {
      await client.exec(DROP_EVERYTHING)
      await migratePglite(drizzlePglite(client), { migrationsFolder: MIGRATIONS_FOLDER })
    },
    close: async () => {},
  }
}

function postgresOwner(url: string): Owner {
  const client = connect(url, { max: 1, statementTimeoutMs: 0 })
  return {
    db: drizzlePostgres(client, { schema, casing: 'snake_case' }),
    async * readBatches(query, batchSize) {
      const { sql: text } = new PgDialect().sqlToQuery(query)
      for await (const rows of client.unsafe(text).cursor(batchSize)) yield rows
    },
    async reset() {
      await client.unsafe(DROP_EVERYTHING)
      await migrateUnderLock(url)
    },
    close: () => client.end({ timeout: CLOSE_TIMEOUT_SECONDS }),
  }
}

const DROP_EVERYTHING =
  'drop schema public cascade; create schema public; drop schema if exists drizzle cascade'

type PostgresSettings = DbSettings & { engine: 'postgres' }

async function openPostgres(settings: PostgresSettings): Promise<OpenDatabase> {
  const roles = await migrateUnderLock(settings.url)
  const client = connect(settings.url, {
    max: settings.maxConnections, statementTimeoutMs: STATEMENT_TIMEOUT_MS, role: roles?.api,
  })
  // Two: one works, one is there while the other reconnects.
  const logClient = connect(settings.url, {
    max: 2, statementTimeoutMs: LOG_STATEMENT_TIMEOUT_MS, role: roles?.integrator,
  })
  // Connects when it is first asked, which most instances never do.
  const erasureClient = connect(settings.url, {
    max: 1, statementTimeoutMs: LOG_STATEMENT_TIMEOUT_MS, role: roles?.erasure,
  })
  const db = drizzlePostgres(client, { schema, casing: 'snake_case' })
  return {
    engine: 'postgres',
    db,
    logDb: drizzlePostgres(logClient, { schema, casing: 'snake_case' }),
    erasureDb: drizzlePostgres(erasureClient, { schema, casing: 'snake_case' }),
    tryLead: () => tryLockPostgres(settings.url, LEADER_LOCK),
    tryCollect: () => tryLockPostgres(settings.url, COLLECTOR_LOCK),
    openOwner: async () => postgresOwner(settings.url),
    async listen(channel, onNotice) {
      const { unlisten } = await client.listen(channel, onNotice)
      return unlisten
    },
    async notify(channel, payload) {
      await client.notify(channel, payload)
    },
    dump: () => Promise.reject(new Error('use pg_dump for PostgreSQL')),
    async close() {
      const closing = [client, logClient, erasureClient]
        .map((one) => one.end({ timeout: CLOSE_TIMEOUT_SECONDS }))
      await Promise.all(closing)
    },
  }
}

interface ConnectOptions {
  max: number
  statementTimeoutMs: number
  role?: string | undefined
  onClose?: () => void
  /** The database ends the session when it hears nothing for so long. */
  idleTimeoutMs?: number
}

/**
 * How long a connection waits until it tries again; the driver counts the failures of all connections of a pool
 * together. Its own rule trebles the time with each, up to twenty seconds: a line that was down for one would, with
 * twenty connections, leave an instance without a database for twenty.
 */
function reconnectAfterSeconds(failureCount: number): number {
  return Math.min(3 ** failureCount / 100, MAX_RECONNECT_SECONDS)
}

function connect(url: string, options: ConnectOptions) {
  return postgres(url, {
    max: options.max,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    keep_alive: KEEP_ALIVE_SECONDS,
    backoff: reconnectAfterSeconds,
    onnotice: () => {},
    // The driver asks for array types on each new connection and lets nobody catch that query's failure:
    // a backend that dies then would end the process. drizzle reads and writes arrays by itself.
    fetch_types: false,
    ...(options.onClose === undefined ? {} : { onclose: options.onClose }),
    connection: {
      application_name: 'sealdeck',
      statement_timeout: options.statementTimeoutMs,
      TimeZone: 'UTC',
      ...(options.role === undefined ? {} : { role: options.role }),
      ...(options.idleTimeoutMs === undefined ? {}
        : { idle_session_timeout: options.idleTimeoutMs }),
    },
  })
}

interface Roles { api: string, integrator: string, erasure: string }

/** Two instances may start together: the second waits for the first's migration and finds it done. */
async function migrateUnderLock(url: string): Promise<Roles | undefined> {
  // One connection: the lock is the session's, and the migrator's transaction must run in it.
  const client = connect(url, { max: 1, statementTimeoutMs: 0 })
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`
    await migratePostgres(drizzlePostgres(client), { migrationsFolder: MIGRATIONS_FOLDER })
    return await usableRoles(client)
  } finally {
    await client.end({ timeout: CLOSE_TIMEOUT_SECONDS }) // Ends the session, and with it the lock.
  }
}

async function usableRoles(client: postgres.Sql): Promise<Roles | undefined> {
  const found = await client`
    select count(*)::integer as count from pg_roles
    where rolname in ('sealdeck_api', 'sealdeck_integrator', 'sealdeck_erasure') and pg_has_role(current_user, oid, 'member')
      and has_table_privilege(oid, 'audit_outbox', 'select')`
  return found[0]?.['count'] === 3
    ? { api: 'sealdeck_api', integrator: 'sealdeck_integrator', erasure: 'sealdeck_erasure' }
    : undefined
}

/**
 * The lock is a session's: a connection of its own, and the lock is lost with it.
 *
 * [Note: A frozen holder] A process that is stopped, or a machine that hangs, keeps its connections, and would keep
 * its locks for ever. So the holder says every second that it lives, and the database ends a session that
 * has been silent for five.
 */
async function tryLockPostgres(url: string, lock: number): Promise<LeaderLock | undefined> {
  let isHeld = false
  const client = connect(url, {
    max: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS, onClose: () => { isHeld = false },
    idleTimeoutMs: LOCK_SILENCE_MS,
  })
  const alive = setInterval(() => {
    if (isHeld) client`select 1`.catch(() => { isHeld = false })
  }, LOCK_PULSE_MS)
  alive.unref()
  const release = async () => {
    isHeld = false
    clearInterval(alive)
    await client.end({ timeout: CLOSE_TIMEOUT_SECONDS })
  }
  try {
    const locked = await client`select pg_try_advisory_lock(${lock}) as "isLocked"`
    isHeld = locked[0]?.['isLocked'] === true
  } catch (error) {
    await release()
    throw error
  }
  if (isHeld) return { isHeld: () => isHeld, release }
  await release()
  return undefined
}

/**
 * A statement that is built once for each database, and that the driver then keeps prepared: building one costs
 * more than running it. For the few that run all the time; values go in by `sql.placeholder`.
 */
export function preparedOnce<T>(prepare: (db: Db) => T): (db: Db) => T {
  const statements = new WeakMap<Db, T>()
  return (db) => {
    const statement = statements.get(db) ?? prepare(db)
    statements.set(db, statement)
    return statement
  }
}

/** Keys in one statement: enough for all that one turn brings, small against any limit of the database's. */
const MAX_TOGETHER = 500

interface Gathered<Row> {
  readonly keys: Set<string>
  readonly rows: Promise<ReadonlyMap<string, Row>>
}

/**
 * Look rows up by a key, each asked for on its own but all of one turn of the event loop fetched in one statement.
 *
 * [Note: Asked together] A round trip costs the driver and the database more than the row it brings. What many
 * requests look up (who is asking, what stands behind a link) is therefore asked for all of them at once: those
 * whose keys came in the same turn wait for its end, and then for one statement. Nothing is kept: the statement
 * begins after the request came, so it sees every revocation that was committed before, like one of its own.
 *
 * @param fetch - the rows there are, by key.
 */
export function askTogether<Row>(
  fetch: (db: Db, keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
): (db: Db, key: string) => Promise<Row | undefined> {
  const gathering = new WeakMap<Db, Gathered<Row>>()
  function gather(db: Db): Gathered<Row> {
    const keys = new Set<string>()
    const rows = endOfTurn().then(() => {
      if (gathering.get(db)?.keys === keys) gathering.delete(db)
      return fetch(db, [...keys])
    })
    const gathered = { keys, rows }
    gathering.set(db, gathered)
    return gathered
  }
  return async (db, key) => {
    const { keys, rows } = gathering.get(db) ?? gather(db)
    keys.add(key)
    if (keys.size === MAX_TOGETHER) gathering.delete(db)
    return (await rows).get(key)
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve) })
}

/** Keys without commas as one value of a prepared statement: `where id = any(${keysIn('ids')}::uuid[])`. */
export function keysIn(placeholder: string): SQL {
  return sql`string_to_array(${sql.placeholder(placeholder)}, ',')`
}

/**
 * Run a raw query and get its rows as an array from either driver. Values keep the driver's shapes:
 * read them with `readBytes`, `readInstant`, `Number` and `String`.
 */
export async function queryRows(db: Db, query: SQL): Promise<Record<string, unknown>[]> {
  const result: unknown = await db.execute(query)
  const rows: unknown = Array.isArray(result) ? [...result] : Reflect.get(Object(result), 'rows')
  assert(Array.isArray(rows), 'a query answers with rows')
  return rows
}

/** The name of the constraint that a failed statement ran into; `undefined` for any other failure. */
export function violatedConstraint(error: unknown): string | undefined {
  const cause = databaseError(error)
  const name: unknown = cause === undefined ? undefined
    : Reflect.get(cause, 'constraint_name') ?? Reflect.get(cause, 'constraint')
  return typeof name === 'string' ? name : undefined
}

/** The SQLSTATE of a failed statement; `undefined` if the failure was not the database's. */
export function sqlState(error: unknown): string | undefined {
  const code: unknown = Reflect.get(Object(databaseError(error)), 'code')
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** drizzle wraps what the driver threw. */
function databaseError(error: unknown): object | undefined {
  if (!(error instanceof Error)) return undefined
  return error.cause instanceof Error ? error.cause : error
}
