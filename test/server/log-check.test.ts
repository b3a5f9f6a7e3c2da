// Goal: whatever differs between the database, the bucket and the checkpoint is found, down to one bit;
// a database older than what was published is refused, brought up to it, and works again.
// Method: real worlds on both sets of engines; every file and every column of the log is changed in turn,
// by other means than the server's own; a copy of the database is put back under a log that went on.
import { randomBytes, randomInt } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import type { Head } from '../../db/queries/log.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { insertVault } from '../../db/queries/vaults.js'
import { auditEntry, auditOpening, grants, people, users } from '../../db/schema.js'
import { encodeHex } from '../../protocol/bytes.js'
import { formatTime, parseEvent, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { checkInstance } from '../../scripts/admin/fsck.js'
import { LogContradiction } from '../../server/integrator.js'
import { checkWholeLog, logReader } from '../../server/log-check.js'
import { startSequencer } from '../../server/sequencer.js'
import type { LogParts, World } from '../../server/world.js'
import { ENGINES, startWorld } from '../helpers/world.js'

interface Scope { readonly vault: string, readonly party: string }

async function makeScope(world: World): Promise<Scope> {
  const [ownerId, vault, party, createdAtMs] = [uuidv7(), uuidv7(), uuidv7(), world.clock.nowMs()]
  await world.db.insert(users).values({
    id: ownerId, email: `${ownerId}@fund.example`, name: 'Ada', locale: 'en', createdAtMs,
    signingPublicKey: randomBytes(32), recipient: 'age1pq1',
  })
  const [tagKey, titleSealed] = [randomBytes(32), randomBytes(9)]
  await insertVault(world.db, { id: vault, ownerId, tagKey, titleSealed, createdAtMs })
  const grantId = randomBytes(16).toString('base64url')
  await world.db.insert(grants).values({
    id: grantId, vaultId: vault, revision: 1, createdAtMs,
    nameSealed: randomBytes(9), cardSealed: randomBytes(9),
  })
  await world.db.insert(people).values({ id: party, grantId, tagKey: randomBytes(32), createdAtMs })
  return { vault, party }
}

function makeEvent(parts: LogParts, { vault, party }: Scope): SealedEvent {
  return sealEvent({
    type: 'export.made', id: uuidv7(), log: parts.keys.log.origin, at: formatTime(parts.clock.nowMs()), actor: 'server', vault, party,
  }, { name: 'Ada' })
}

async function append(parts: World, scope: Scope, count: number): Promise<SealedEvent[]> {
  const events = Array.from({ length: count }, () => makeEvent(parts, scope))
  await insertEvents(parts.db, events)
  await parts.sequencer.published(events.map(({ id }) => id))
  return events
}

async function problemsOf(parts: LogParts): Promise<readonly string[]> {
  return (await checkWholeLog(parts)).problems
}

function flipBit(bytes: Uint8Array): Uint8Array {
  const at = randomInt(bytes.length)
  return bytes.map((byte, index) => index === at ? byte ^ (1 << randomInt(8)) : byte)
}

t.test('a flipped bit in any file is found', async (t) => {
  const { world } = await startWorld(t)
  const scope = await makeScope(world)
  await append(world, scope, 5)
  await append(world, scope, 300)
  await append(world, scope, 3)
  t.same(await problemsOf(world), [], 'all is right before')
  const { config, bucket, keys } = world
  const paths = await bucket.list(`${keys.log.prefix}/`, 100)
  t.ok(paths.length >= 7, `${paths.length} files`)
  for (const path of paths) {
    const file = join(config.bucketFolder, path)
    const bytes = await readFile(file)
    for (let round = 0; round < 5; round++) {
      await writeFile(file, flipBit(bytes))
      t.not((await problemsOf(world)).length, 0, path)
    }
    await writeFile(file, bytes)
  }
  await bucket.put(`${keys.log.prefix}/tile/0/x001/x234/067`, randomBytes(32))
  t.match(await problemsOf(world), [/x001.x234.067 lies beyond the entries/])
  await bucket.delete(`${keys.log.prefix}/tile/0/x001/x234/067`)
  await bucket.delete(`${keys.log.prefix}/tile/0/000`)
  t.match(await problemsOf(world), [/tile.0.000 is missing/])
})

t.test('a changed row is found', async (t) => {
  const { world } = await startWorld(t)
  const scope = await makeScope(world)
  await append(world, scope, 4)
  const { logDb } = world.database
  const changes = [
    'update audit_entry set entry = set_bit(entry, 300, 1 - get_bit(entry, 300)) where idx = 2',
    'update audit_opening set salt = set_bit(salt, 7, 1 - get_bit(salt, 7)) where idx = 2',
    'update audit_opening set bytes = set_bit(bytes, 99, 1 - get_bit(bytes, 99)) where idx = 3',
    'update audit_opening set details = set_bit(details, 20, 1 - get_bit(details, 20)) where idx = 3',
    'update audit_opening set details_salt = set_bit(details_salt, 20, 1 - get_bit(details_salt, 20)) where idx = 1',
    "update audit_opening set type = 'auditor.read' where idx = 1",
    "update audit_opening set at = at + interval '1 day' where idx = 1",
    'update audit_opening set vault_sequence = 9 where idx = 2',
    'update audit_opening set party_sequence = null where idx = 2',
    'update audit_opening set vault_id = null where idx = 2',
    'update audit_opening set bytes = null, salt = null where idx = 2',
    'update audit_opening set details = null, details_salt = null where idx = 2',
    'delete from audit_opening where idx = 2',
    'update vaults set tag_key = sha256(tag_key)',
    'update people set tag_key = sha256(tag_key)',
    'update tlog_head set root = sha256(root)',
    'update tlog_head set edge = root',
    'update tlog_published set size = 4',
    'update tlog_published set size = 9',
  ]
  for (const table of ['audit_entry', 'audit_opening']) {
    await logDb.execute(sql.raw(`alter table ${table} disable trigger user`))
  }
  for (const change of changes) {
    await logDb.execute(sql`begin`)
    await logDb.execute(sql.raw(change))
    t.not((await problemsOf(world)).length, 0, change)
    await logDb.execute(sql`rollback`)
  }
  t.same(await problemsOf(world), [], 'and nothing is left of it')
})

/** Runs statements as the owner of the tables: the integrator's role cannot unmake a log. */
async function runAsOwner(world: World, statements: readonly string[]): Promise<void> {
  const { databaseUrl } = world.config
  if (databaseUrl === undefined) {
    for (const statement of statements) await world.db.execute(sql.raw(statement))
    return
  }
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  for (const statement of statements) await client.unsafe(statement)
  await client.end()
}

/** The log's rows as they were at a size, under files that went on, as after a restored copy. */
async function turnBack(world: World, head: Head, checkpoint: string): Promise<void> {
  const hex = (bytes: Uint8Array) => `'\\x${encodeHex(bytes)}'`
  const tables = ['audit_entry', 'audit_opening']
  await runAsOwner(world, [
    ...tables.map((table) => `alter table ${table} disable trigger user`),
    ...tables.map((table) => `delete from ${table} where idx >= ${head.size}`),
    ...tables.map((table) => `alter table ${table} enable trigger user`),
    `update tlog_head set size = ${head.size}, root = ${hex(head.root)}, edge = ${hex(head.edge)}`,
    `update tlog_published set size = ${head.size}, checkpoint = '${checkpoint}'`,
    `update audit_sequence set count = (
      select count(*) from audit_opening where vault_id = scope_id or party_id = scope_id)`,
  ])
}

for (const engines of ENGINES) {
  t.test(`a database older than what was published, on ${engines} engines`, async (t) => {
    const { world } = await startWorld(t, { engines })
    const scope = await makeScope(world)
    await append(world, scope, 300)
    const published = (await world.db.query.tlogPublished.findMany())[0]
    const [head] = await world.db.query.tlogHead.findMany()
    if (head === undefined || published === undefined) throw new Error('the log has its rows')
    const lost = await append(world, scope, 280)
    await world.sequencer.stop()

    await turnBack(world, head, published.checkpoint)
    // One of the events still waits: its opening comes back.
    const waiting = lost[100]
    if (waiting === undefined) throw new Error('there are 280 events')
    await insertEvents(world.db, [waiting])

    await t.rejects(startSequencer(world), LogContradiction, 'is refused at start')
    await t.rejects(startSequencer(world), /admin fsck --repair/, 'which says what to do')
    const lines: string[] = []
    const out = (line: string) => { lines.push(line) }
    const terminal = { out, err: () => {}, isWatched: false }
    t.equal(await checkInstance(world, [], terminal), 1)
    t.match(lines.join('\n'), /BEHIND: the database lacks 280 published entries/)
    lines.length = 0
    t.equal(await checkInstance(world, ['--repair'], terminal), 0, lines.join('\n'))
    t.match(lines.join('\n'), /REPAIRED: 280 entries are back, 279 of them without their openings[^]*RIGHT/)

    const sequencer = await startSequencer(world)
    t.teardown(() => sequencer.stop())
    t.equal((await sequencer.proofFor(waiting.id))?.index, 301 + 100, 'what waited has its old place')
    await append({ ...world, sequencer }, scope, 2)
    const read = logReader(world, world.logs.current())
    const trusted = await verifyLog(read, policyOfLog(world.keys.log.vkey))
    t.equal(trusted.checkpoint.size, 581n + 3n, 'the whole log verifies')
    const report = await checkWholeLog(world)
    t.same({ problems: report.problems, lost: report.lostCount }, { problems: [], lost: 279 })
    const { vaultSequence, type, bytes } = auditOpening
    const numbers = await world.db.select({ number: vaultSequence, type, bytes })
      .from(auditOpening).orderBy(auditOpening.index)
    t.same(numbers.slice(-2).map(({ number }) => number), [581, 582], 'numbers go on after those that were published')
    const recovered = numbers.find(({ type }) => type === 'log.recovered')
    t.match(parseEvent(recovered?.bytes ?? new Uint8Array()), { size: 581, count: 279 }, 'the log says what was lost')
    t.equal((await world.db.select().from(auditEntry)).length, 584)
  })
}
