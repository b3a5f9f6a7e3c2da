// Goal: a change and its events stand or fall together ([Note: One statement]).
// Method: changes that happen, do not happen and fail, on both engines; then a backend that is killed
// at random moments under load.
import { randomBytes } from 'node:crypto'
import { and, eq, isNull, sql } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { openDb, queryRows, type Db, type OpenDatabase } from '../../db/client.js'
import { queued } from '../../db/queries/mail.js'
import { logged, loggedEach, type OutboxEvent } from '../../db/queries/outbox.js'
import { auditOutbox, mailOutbox, tombstones } from '../../db/schema.js'
import { createDatabase, usePostgres } from '../helpers/postgres.js'

async function open(t: Test, engine: 'pglite' | 'postgres'): Promise<OpenDatabase> {
  const database = engine === 'pglite'
    ? await openDb({ engine, folder: null })
    : await openDb({ engine, url: await createDatabase(await usePostgres(t)), maxConnections: 8 })
  t.teardown(() => database.close())
  return database
}

function makeEvent(type: string): OutboxEvent {
  const [commitment, salt] = [randomBytes(32), randomBytes(32)]
  return { id: uuidv7(), type, atMs: 5, commitment, bytes: Buffer.from(type), salt }
}

/** Stand-in for any change: a row that may be there already. */
async function bury(db: Db, key: string, events: readonly OutboxEvent[]): Promise<boolean> {
  const made = db.$with('made').as(
    db.insert(tombstones).values({ objectKey: key, createdAtMs: 1 })
      .onConflictDoNothing().returning())
  const rows = await db.with(made, logged(db, made, events)).select().from(made)
  return rows.length === 1
}

async function types(db: Db): Promise<string[]> {
  const rows = await db.select({ type: auditOutbox.type }).from(auditOutbox).orderBy(auditOutbox.id)
  return rows.map(({ type }) => type)
}

for (const engine of ['pglite', 'postgres'] as const) {
  t.test(`changes with events on ${engine}`, async (t) => {
    const { db } = await open(t, engine)
    const many = Array.from({ length: 50 }, (_, index) => makeEvent(`t${index}`))
    t.equal(await bury(db, 'a', many), true)
    t.same(await types(db), many.map(({ type }) => type), 'events come in the order given')
    t.equal(await bury(db, 'a', [makeEvent('none')]), false)
    t.equal((await types(db)).length, 50, 'no change, no event')
    const [first] = many
    await t.rejects(bury(db, 'b', first === undefined ? [] : [first]), 'an event twice fails')
    t.equal((await db.select().from(tombstones)).length, 1, 'and takes its change with it')

    const vaultId = uuidv7()
    await bury(db, 'c', [{ ...makeEvent('full'), vaultId, details: Uint8Array.of(1, 2), detailsSalt: randomBytes(32) }])
    const [full] = await db.select().from(auditOutbox).where(eq(auditOutbox.type, 'full'))
    t.match(full, { vaultId, partyId: null, details: Uint8Array.of(1, 2), atMs: 5 })
  })

  t.test(`changes of several rows with an event each on ${engine}`, async (t) => {
    const { db } = await open(t, engine)
    await bury(db, 'b', [makeEvent('made')])
    const rows = ['a', 'b', 'c'].map((key) => ({ key, event: makeEvent(`only-${key}`) }))
    const made = db.$with('made').as(db.insert(tombstones)
      .values(rows.map(({ key }) => ({ objectKey: key, createdAtMs: 1 })))
      .onConflictDoNothing().returning())
    await db.with(made, loggedEach(db, made, made.objectKey, rows)).select().from(made)
    t.same(await types(db), ['made', 'only-a', 'only-c'], 'the row that was there has no event')
  })

  t.test(`changes with events and mails on ${engine}`, async (t) => {
    const { db } = await open(t, engine)
    const mail = { id: uuidv7(), kind: 'test', recipientEmail: 'ada@fund.example', subject: 'S', text: 'T', createdAtMs: 7 }
    async function change(key: string) {
      const made = db.$with('made').as(
        db.update(tombstones).set({ createdAtMs: 9 }).where(and(eq(tombstones.objectKey, key), sql`true`)).returning())
      await db.with(made, logged(db, made, [makeEvent('changed')]), queued(db, made, [mail])).select().from(made)
    }
    await change('absent')
    t.same([await types(db), await db.select().from(mailOutbox)], [[], []])
    await bury(db, 'a', [makeEvent('made')])
    await change('a')
    t.same(await types(db), ['made', 'changed'])
    t.match(await db.select().from(mailOutbox).where(isNull(mailOutbox.html)), [{ subject: 'S', createdAtMs: 7, tryCount: 0 }])
  })
}

t.test('backends killed under load leave no change without its events', async (t) => {
  const url = await createDatabase(await usePostgres(t))
  const database = await openDb({ engine: 'postgres', url, maxConnections: 8 })
  t.teardown(() => database.close())
  const killer = postgres(url, { max: 1 })
  t.teardown(() => killer.end())
  const killed = { isOver: false }
  const killing = (async () => {
    for (let round = 0; round < 60; round++) {
      await killer`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() order by random() limit 2`
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    killed.isOver = true
  })()
  let failedCount = 0
  await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
    for (let step = 0; !killed.isOver && step < 5_000; step++) {
      await bury(database.db, `w${writer}-${step}`, [makeEvent('one'), makeEvent('two')]).catch(() => { failedCount++ })
    }
  }))
  await killing
  const [counts] = await queryRows(database.db, sql`select (select count(*) from audit_outbox) as events, (select count(*) from tombstones) as changes`)
  t.ok(failedCount > 0, 'statements were cut off')
  t.ok(Number(counts?.['changes']) > 0, 'and others were not')
  t.equal(Number(counts?.['events']), 2 * Number(counts?.['changes']), 'each change has exactly its events')
})
