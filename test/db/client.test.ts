// Goal: both drivers hand over the same values and the same errors, and a folder has one owner.
// Method: the same statements on PGlite and on PostgreSQL; the lock with live, dead and foreign owners.
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import {
  askTogether, openDb, queryRows, sqlState, violatedConstraint, type Db, type OpenDatabase,
} from '../../db/client.js'
import { readBytes, readInstant } from '../../db/columns.js'
import { DataFolderLocked, lockDataFolder } from '../../db/data-lock.js'
import { challenges, keyringRows, users, vaults } from '../../db/schema.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { startFaultyLine } from '../helpers/faulty-line.js'
import { createDatabase, usePostgres } from '../helpers/postgres.js'

const DOWN_MS = 800
const ASK_EVERY_MS = 20
/** Without a rule of ours it is up to twenty seconds. */
const BACK_MS = 5_000

async function open(t: Test, engine: 'pglite' | 'postgres'): Promise<OpenDatabase> {
  const database = engine === 'pglite'
    ? await openDb({ engine, folder: null })
    : await openDb({ engine, url: await createDatabase(await usePostgres(t)), maxConnections: 3 })
  t.teardown(() => database.close())
  return database
}

function newUser(id = uuidv7()) {
  return {
    id, email: `${id}@fund.example`, name: 'Ada', locale: 'en' as const, signingPublicKey: randomBytes(32), recipient: 'age1pq1',
    createdAtMs: Date.UTC(2026, 10, 22, 14, 31, 5, 120),
  }
}

async function checkTogether(t: Test, db: Db): Promise<void> {
  const statements: (readonly string[])[] = []
  const stored = new Map(Array.from({ length: 600 }, (_, index) => [`k${index}`, index]))
  const find = askTogether(async (_db: Db, keys) => {
    statements.push(keys)
    if (keys.includes('broken')) throw new Error('the database is gone')
    return new Map(stored)
  })

  t.same(await Promise.all(['k1', 'k2', 'k1', 'none'].map((key) => find(db, key))), [1, 2, 1, undefined])
  t.same(statements.splice(0), [['k1', 'k2', 'none']], 'what comes in one turn is one statement, and a key is in it once')

  stored.delete('k1')
  t.equal(await find(db, 'k1'), undefined, 'nothing is kept: what is gone is gone with the next question')
  t.same(statements.splice(0), [['k1']])

  const failed = await Promise.allSettled([find(db, 'broken'), find(db, 'k2')])
  t.same(failed.map(({ status }) => status), ['rejected', 'rejected'], 'a failure reaches everybody who asked')
  t.equal(await find(db, 'k2'), 2, 'and nobody after them')

  statements.length = 0
  await Promise.all([...stored.keys()].map((key) => find(db, key)))
  t.same(statements.map(({ length }) => length), [500, 99], 'more than fit are several statements')
}

for (const engine of ['pglite', 'postgres'] as const) {
  t.test(`values from ${engine}`, async (t) => {
    const { db } = await open(t, engine)
    const user = newUser()
    await db.insert(users).values(user)
    const tagKey = Uint8Array.from({ length: 32 }, (_, index) => index * 8)
    const titleSealed = Uint8Array.of(0, 255, 92, 120)
    const vault = { id: uuidv7(), ownerId: user.id, tagKey, titleSealed, createdAtMs: 1 }
    await db.insert(vaults).values(vault)

    const [row] = await db.select().from(vaults)
    t.same(row?.tagKey, tagKey)
    t.equal(row?.tagKey.constructor, Uint8Array, 'bytes are never a Buffer, whose slice shares memory')
    t.same(row?.titleSealed, vault.titleSealed)
    t.equal(row?.createdAtMs, 1, 'an instant keeps its millisecond')
    t.same((await db.query.vaults.findFirst())?.tagKey, tagKey, 'also inside a relational query, where it comes as text')

    await db.insert(keyringRows).values({
      id: uuidv7(), userId: user.id, method: 'passkey', version: 1, sealed: randomBytes(9), commit: randomBytes(32), createdAtMs: 1,
      credentialTransports: ['internal', 'a,"b'],
    })
    t.same((await db.select().from(keyringRows))[0]?.credentialTransports, ['internal', 'a,"b'], 'lists keep their items')

    const [raw] = await queryRows(db, sql`select tag_key, created_at, count(*) over () as count from ${vaults}`)
    t.same(readBytes(raw?.['tag_key']), tagKey)
    t.equal(readInstant(raw?.['created_at']), 1)
    t.equal(Number(raw?.['count']), 1)
    t.equal((await db.select().from(users).where(eq(users.createdAtMs, user.createdAtMs))).length, 1, 'instants compare')
    await t.test('rows that are asked for together', async (t) => await checkTogether(t, db))
  })

  t.test(`errors from ${engine}`, async (t) => {
    const { db } = await open(t, engine)
    const user = newUser()
    await db.insert(users).values(user)
    const twice = await db.insert(users).values({ ...newUser(), email: user.email })
      .catch((error: unknown) => error)
    t.equal(violatedConstraint(twice), 'users_email_unique')
    t.equal(sqlState(twice), '23505')
    const malformed = await db.select().from(users).where(eq(users.id, 'x')).catch((error: unknown) => error)
    t.equal(sqlState(malformed), '22P02')
    t.equal(violatedConstraint(malformed), undefined)
    t.equal(sqlState(new Error('another')), undefined)
  })

  t.test(`notices through ${engine}`, async (t) => {
    const database = await open(t, engine)
    const heard = new Promise<string>((resolve) => { void database.listen('test', resolve) })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await database.notify('test', 'hello')
    t.equal(await heard, 'hello')
  })

  t.test(`one leader on ${engine}`, async (t) => {
    const database = await open(t, engine)
    const first = await database.tryLead()
    t.equal(first?.isHeld(), true)
    t.equal(await database.tryLead(), undefined, 'while one leads, no other does')
    await first?.release()
    t.equal(first?.isHeld(), false)
    const second = await database.tryLead()
    t.equal(second?.isHeld(), true, 'then another may')
    await second?.release()
  })
}

t.test('a leader whose connection dies knows it', async (t) => {
  const server = await usePostgres(t)
  const url = await createDatabase(server)
  const database = await openDb({ engine: 'postgres', url, maxConnections: 2 })
  t.teardown(() => database.close())
  const lock = await database.tryLead()
  await terminateLeader(url)
  for (let attempt = 0; attempt < 50 && lock?.isHeld() === true; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.equal(lock?.isHeld(), false)
  t.ok(await database.tryLead().then(async (next) => { await next?.release(); return next }), 'and the next can lead')
})

async function terminateLeader(url: string): Promise<void> {
  const client = postgres(url, { max: 1 })
  await client`select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
    where l.locktype = 'advisory' and d.datname = current_database()`
  await client.end()
}

t.test('a line that was down is used again at once, however many connections it cut', async (t) => {
  const url = new URL(await createDatabase(await usePostgres(t)))
  const line = await startFaultyLine(t, Number(url.port))
  url.port = String(line.port)
  const { db, close } = await openDb({ engine: 'postgres', url: url.href, maxConnections: 20 })
  t.teardown(close)
  const askTwenty = async () => await Promise.allSettled(
    Array.from({ length: 20 }, async () => await queryRows(db, sql`select 1`)))
  await askTwenty()
  line.cut()
  // Some fail, some wait for their connection.
  const asked: Promise<unknown>[] = []
  for (const untilMs = performance.now() + DOWN_MS; performance.now() < untilMs;) {
    asked.push(askTwenty())
    await delay(ASK_EVERY_MS)
  }
  line.mend()
  const mendedMs = performance.now()
  await Promise.all(asked)
  for (const one of await askTwenty()) t.equal(one.status, 'fulfilled')
  const tookMs = Math.round(performance.now() - mendedMs)
  t.ok(tookMs < BACK_MS, `after ${tookMs} ms`)
})

t.test('four instances that start together migrate once', async (t) => {
  const url = await createDatabase(await usePostgres(t))
  const databases = await Promise.all(Array.from({ length: 4 }, () => openDb({ engine: 'postgres', url, maxConnections: 2 })))
  t.teardown(async () => { for (const database of databases) await database.close() })
  const [database] = databases
  t.ok(database)
  t.same(await database?.db.select().from(challenges), [])
})

t.test('a folder has one owner', async (t) => {
  const folder = await makeFolder('lock')
  t.teardown(() => removeFolder(folder))
  const path = join(folder, 'lock')
  const unlock = await lockDataFolder(folder)
  await t.rejects(lockDataFolder(folder), DataFolderLocked, 'a live owner keeps it')
  await unlock()

  const mine: unknown = JSON.parse(await lockDataFolder(folder).then(async (release) => {
    const text = await readFile(path, 'utf8')
    await release()
    return text
  }))
  t.match(mine, { pid: process.pid, startedAt: /^\d+$/ })

  for (const [name, content] of [
    ['a dead owner', '{"pid":999999999,"startedAt":"5"}'],
    ['another process under the same id', `{"pid":${process.pid},"startedAt":"5"}`],
    ['half a file', '{"pid":'],
    ['nothing', ''],
  ] as const) {
    await writeFile(path, content)
    const release = await lockDataFolder(folder)
    t.pass(`${name} loses it`)
    await release()
  }
  await writeFile(path, '{"pid":999999999,"startedAt":"5"}')
  const racers = await Promise.allSettled(Array.from({ length: 6 }, () => lockDataFolder(folder)))
  t.equal(racers.filter(({ status }) => status === 'fulfilled').length, 1, 'of six that take over one gets it')
})
