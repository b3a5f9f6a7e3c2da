/**
 * A whole server for one test: the real app on either set of engines, with a clock that the test turns.
 * `checkLog` rereads every entry and tile and hashes the tree again.
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import { asc, desc } from 'drizzle-orm'
import { openDb, type DbSettings } from '../../db/client.js'
import { auditEntry, auditOpening, auditOutbox } from '../../db/schema.js'
import { decodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { commitEvent, decodeEntry, parseEvent, partyTag, vaultTag } from '../../protocol/log/event.js'
import { hashLeaf, rootOfLeaves } from '../../protocol/log/merkle.js'
import { policyOfLog, verifyCheckpoint } from '../../protocol/log/policy.js'
import { listBundles, listTiles, readBundle, readTile, tilePath, type ReadResource } from '../../protocol/log/tile.js'
import { buildApp, buildViewer, type App } from '../../server/app.js'
import { readConfig, type Environment } from '../../server/config.js'
import { openLog, openWorld, type OpenWorld } from '../../server/open-world.js'
import type { Clock, World } from '../../server/world.js'
import { makeFolder, removeFolder } from './engine.js'
import { createDatabase, dropDatabase, usePostgres } from './postgres.js'
import { createBucket, useS3 } from './s3.js'

/** `embedded`: PGlite in memory and a folder; `real`: PostgreSQL and S3. */
export type Engines = 'embedded' | 'real'
export const ENGINES: readonly Engines[] = ['embedded', 'real']

export interface TestClock extends Clock {
  /** Time runs on from here; `advance` jumps. */
  advance(ms: number): void
}

export interface TestWorld {
  readonly world: World
  readonly app: App
  readonly viewer: App
  readonly clock: TestClock
  /** Every line that the server logged. */
  readonly logLines: readonly string[]
  /** Where data would be: keys, and in `embedded` the bucket and the mails. */
  readonly folder: string
  /** End it and start another on the same engines, as after a restart. PGlite keeps its rows only with `isOnDisk`. */
  restart(): Promise<TestWorld>
}

export interface WorldOptions {
  readonly engines?: Engines
  /** PGlite on disk, so that a restart finds its rows; slower. */
  readonly isOnDisk?: boolean
  readonly settings?: Environment
}

const TEMPLATE = { name: 'sealdeck', prepare: prepareTemplate }

/** Start a server that ends with the test. It listens on no port: use `app.inject`. */
export async function startWorld(t: Test, options: WorldOptions = {}): Promise<TestWorld> {
  const folder = await makeFolder('world')
  t.teardown(() => removeFolder(folder))
  const engines = options.engines ?? 'embedded'
  const settings: Environment = {
    DATA_DIR: join(folder, 'data'), PORT: '0', VIEWER_PORT: '0', PUBLIC_URL: 'http://localhost:4870', VIEWER_URL: 'http://127.0.0.1:4871',
    // A test machine does several things at once, and none of them is load.
    LOG_PUBLISH_INTERVAL_MS: '1', MAX_EVENT_LOOP_DELAY_MS: '60000', ...(engines === 'real' ? await realEngines(t) : {}), ...options.settings,
  }
  const database = engines === 'real' || options.isOnDisk === true ? undefined : await embeddedDatabase()
  return await open(t, { folder, settings, database, clock: makeClock() })
}

interface Setup {
  readonly folder: string
  readonly settings: Environment
  readonly database: DbSettings | undefined
  readonly clock: TestClock
}

async function open(t: Test, setup: Setup): Promise<TestWorld> {
  const logLines: string[] = []
  const log = openLog('trace', { write: (line: string) => { logLines.push(line) } })
  const opened = await openWorld(readConfig(setup.settings), {
    clock: setup.clock, log, ...(setup.database === undefined ? {} : { database: setup.database }),
  })
  const app = await buildApp(opened.world)
  const viewer = await buildViewer(opened.world)
  const close = closeOnce([app, viewer], opened)
  t.teardown(close)
  return {
    world: opened.world, app, viewer, clock: setup.clock, logLines, folder: setup.folder,
    async restart() {
      await close()
      return await open(t, setup)
    },
  }
}

function closeOnce(servers: readonly App[], opened: OpenWorld): () => Promise<void> {
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    for (const server of servers) await server.close()
    await opened.close()
  }
  return () => (closing ??= close())
}

function makeClock(): TestClock {
  let offsetMs = 0
  return { nowMs: () => Date.now() + offsetMs, advance: (ms) => { offsetMs += ms } }
}

async function realEngines(t: Test): Promise<Environment> {
  const [postgres, s3] = [await usePostgres(t), await useS3(t)]
  const databaseUrl = await createDatabase(postgres, TEMPLATE)
  t.teardown(() => dropDatabase(postgres, databaseUrl))
  return {
    DATABASE_URL: databaseUrl, DATABASE_MAX_CONNECTIONS: '5', S3_BUCKET: await createBucket(s3), S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region, S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
}

async function prepareTemplate(url: string): Promise<void> {
  const database = await openDb({ engine: 'postgres', url, maxConnections: 2 })
  await database.close()
}

let snapshot: Promise<Blob> | undefined

/** Migrating takes seconds, copying a migrated one a moment. */
async function embeddedDatabase(): Promise<DbSettings> {
  snapshot ??= makeSnapshot()
  return { engine: 'pglite', folder: null, snapshot: await snapshot }
}

async function makeSnapshot(): Promise<Blob> {
  const database = await openDb({ engine: 'pglite', folder: null })
  try {
    return await database.dump()
  } finally {
    await database.close()
  }
}

// ---- The log, from the beginning ----

/** All of a world that its log is read from. */
export type LogWorld = Pick<World, 'db' | 'bucket' | 'keys' | 'sequencer'>

/**
 * Reread the whole log and demand that all of it fits together: files and rows, leaves and tiles, root and
 * signature, openings and commitments, tags and numbers.
 *
 * @param expected - `events`: the types of all events in order; `log.started` is taken for granted.
 */
export async function checkLog(
  t: Test, world: LogWorld, expected: { events?: readonly string[] } = {},
): Promise<void> {
  await settle(world)
  const read: ReadResource = (path) => world.bucket.read(`${world.keys.log.prefix}/${path}`)
  const note = await read('checkpoint')
  const {
    checkpoint,
  } = verifyCheckpoint(decodeUtf8(note ?? new Uint8Array()), policyOfLog(world.keys.log.vkey))
  const rows = await world.db.select().from(auditEntry).orderBy(asc(auditEntry.index))
  t.equal(rows.length, Number(checkpoint.size), 'every integrated entry is published')
  t.ok(rows.every(({ index }, at) => index === at), 'indexes have no gap')

  const leaves = rows.map(({ entry }) => hashLeaf(entry, (bytes) => hash('sha256', bytes, 'buffer')))
  t.ok(equalBytes(rootOfLeaves(leaves), checkpoint.root), 'the signed root is that of the stored entries')
  await checkFiles(
    t, read, { entries: rows.map(({ entry }) => entry), leaves, size: checkpoint.size },
  )
  const types = await checkOpenings(t, world, rows)
  if (expected.events !== undefined) t.same(types, ['log.started', ...expected.events], 'the events are these, in this order')
}

/**
 * Nobody need wait for events such as `version.fetched`; here they are waited for. An event is in the outbox
 * or in the log, and what is in the log may still wait for its checkpoint: the last entry tells.
 */
async function settle(world: LogWorld): Promise<void> {
  const pending = await world.db.select({ eventId: auditOutbox.eventId }).from(auditOutbox)
  const last = await world.db.select({ eventId: auditEntry.eventId }).from(auditEntry)
    .orderBy(desc(auditEntry.index)).limit(1)
  await world.sequencer.published([...pending, ...last].map(({ eventId }) => eventId))
}

async function checkFiles(
  t: Test, read: ReadResource,
  log: { entries: readonly Uint8Array[], leaves: readonly Uint8Array[], size: bigint },
): Promise<void> {
  const levels: (readonly Uint8Array[])[] = [log.leaves]
  for (const tile of listTiles(log.size)) {
    const hashes = levels[tile.level] ??= parentsOf(levels[tile.level - 1] ?? [])
    const start = Number(tile.index) * 256
    const stored = await readTile(read, tile)
    t.ok(areEqual(stored, hashes.slice(start, start + tile.width)), `${tilePath(tile)} holds the tree's hashes`)
  }
  for (const bundle of listBundles(log.size)) {
    const start = Number(bundle.index) * 256
    const stored = await readBundle(read, bundle)
    t.ok(areEqual(stored, log.entries.slice(start, start + bundle.width)), 'a bundle holds the stored entries')
  }
}

/** Of each full 256. */
function parentsOf(hashes: readonly Uint8Array[]): Uint8Array[] {
  const count = Math.floor(hashes.length / 256)
  return Array.from(
    { length: count }, (_, index) => rootOfLeaves(hashes.slice(index * 256, (index + 1) * 256)),
  )
}

function areEqual(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length &&
    a.every((bytes, index) => equalBytes(bytes, b[index] ?? new Uint8Array()))
}

type EntryRow = typeof auditEntry.$inferSelect

/** @returns the types of the events, in order. */
async function checkOpenings(
  t: Test, world: LogWorld, rows: readonly EntryRow[],
): Promise<string[]> {
  const openings = await world.db.select().from(auditOpening).orderBy(asc(auditOpening.index))
  t.same(openings.map(({ eventId }) => eventId), rows.map(({ eventId }) => eventId), 'each entry has its opening')
  const tagKeys = await readTagKeys(world)
  const counts = new Map<string, number>()
  const wrong = openings.filter((opening, at) => !fits(opening, rows[at], { tagKeys, counts }))
  t.same(wrong.map(({ type }) => type), [], 'each opening opens its entry, tags and numbers included')
  return openings.map(({ type }) => type)
}

async function readTagKeys(world: LogWorld): Promise<ReadonlyMap<string, Uint8Array>> {
  const [
    vaults, people,
  ] = [await world.db.query.vaults.findMany(), await world.db.query.people.findMany()]
  return new Map([...vaults, ...people].map(({ id, tagKey }) => [id, tagKey]))
}

function fits(
  opening: typeof auditOpening.$inferSelect, row: EntryRow | undefined,
  { tagKeys, counts }: { tagKeys: ReadonlyMap<string, Uint8Array>, counts: Map<string, number> },
): boolean {
  const { bytes, salt, vaultId, vaultSequence, partyId, partySequence } = opening
  if (row === undefined) return false
  const entry = decodeEntry(row.entry)
  function isTagged(
    id: string | null, sequence: number | null, tag: Uint8Array, make: typeof vaultTag,
  ): boolean {
    const key = id === null ? undefined : tagKeys.get(id)
    if (id === null || key === undefined) return sequence === null
    counts.set(id, (counts.get(id) ?? 0) + 1)
    return sequence === counts.get(id) && equalBytes(tag, make(key, sequence))
  }
  const isOpened = bytes === null || salt === null ||
    (equalBytes(commitEvent(salt, bytes), entry.commitment) &&
      parseEvent(bytes).type === opening.type)
  return isTagged(vaultId, vaultSequence, entry.vaultTag, vaultTag) &&
    isTagged(partyId, partySequence, entry.partyTag, partyTag) && isOpened
}
