// Goal: a backup of a running instance brings rows and objects back that fit together, on empty engines and on old
// ones; never rolls a published log back; finds damage; and continues where it was interrupted.
// Method: both sets of engines, with decks and people in them; a world is backed up, goes on, is backed up again, and
// is restored into another world with the same keys, which then serves the deck; the log is checked whole. Decks that
// browsers put into the bucket by themselves are backed up, restored and spared by the collection of garbage as others.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sql } from 'drizzle-orm'
import type { InjectOptions } from 'fastify'
import { queryRows } from '../../db/client.js'
import { copyOfEverything, listTables } from '../../db/queries/copy.js'
import { backUpInstance, restoreInstance } from '../../scripts/admin/backup.js'
import { checkInstance } from '../../scripts/admin/fsck.js'
import { collectGarbage } from '../../scripts/admin/gc.js'
import type { AdminRun } from '../../scripts/admin.js'
import { Refused, UsageError } from '../../scripts/command.js'
import type { StoredVersion, Upload } from '../../protocol/api.js'
import { equalBytes } from '../../protocol/bytes.js'
import type { Environment } from '../../server/config.js'
import { GARBAGE_GRACE_MS } from '../../server/garbage.js'
import { LogContradiction } from '../../server/integrator.js'
import { checkWholeLog } from '../../server/log-check.js'
import { startSequencer } from '../../server/sequencer.js'
import type { World } from '../../server/world.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer, type BegunUpload } from '../helpers/people.js'
import { ENGINES, startWorld, type Engines, type TestWorld } from '../helpers/world.js'

const SNAPSHOT_NAME = /snapshots.(\S+)/

async function runs(world: World, run: AdminRun, ...args: string[]): Promise<string> {
  const lines: string[] = []
  const take = (line: string): void => { lines.push(line) }
  const code = await run(world, args, { out: take, err: take, isWatched: false })
  return [...lines, `exit ${code}`].join('\n')
}

async function backUp(world: World, folder: string): Promise<string> {
  const said = await runs(world, backUpInstance, folder)
  return SNAPSHOT_NAME.exec(said)?.[1] ?? said
}

/** Every row, sorted: what must come back. */
async function rowsOf(world: World): Promise<string[]> {
  const owner = await world.database.openOwner()
  const lines: string[] = []
  for await (const rows of owner.readBatches(copyOfEverything(), 100)) lines.push(...rows.map(({ name, row }) => `${String(name)} ${String(row)}`))
  await owner.close()
  return lines.sort()
}

/** An instance as it stands when its server was stopped: no sequencer leads, nothing changes any more. */
async function stopped(test: TestWorld): Promise<World> {
  await test.world.sequencer.stop()
  return test.world
}

/** Another, empty instance, with the keys of the first. */
async function another(
  t: Test, first: TestWorld, engines: Engines, more: Environment = {},
): Promise<TestWorld> {
  const keys = await makeFolder('keys')
  t.teardown(() => removeFolder(keys))
  await mkdir(join(keys, 'data'), { recursive: true })
  await cp(join(first.folder, 'data', 'keys'), join(keys, 'data', 'keys'), { recursive: true })
  const read = async (name: string): Promise<string> => (await readFile(join(keys, 'data', 'keys', name), 'utf8')).trim()
  const settings = { LOG_KEY: await read('log.key'), TOKEN_KEY: await read('token.key'), OPAQUE_SERVER_SETUP: await read('opaque.setup'), ...more }
  return await startWorld(t, { engines, settings })
}

for (const engines of ENGINES) {
  t.test(`backup and restore, on ${engines} engines`, async (t) => {
    const folder = await makeFolder('backup')
    t.teardown(() => removeFolder(folder))
    const first = await startWorld(t, { engines })
    const founder = await new Founder(first).signsUp()
    const link = await founder.sharesDeck()
    const investor = new Investor(first, { name: 'Grace Hopper', email: 'grace@fund.example' })
    const early = await backUp(first.world, folder)
    await investor.enters(link)
    await investor.signsNda(link)
    await founder.beginsUpload({ vaultId: link.vaultId })
    // What some readers of lines take for the end of one.
    await queryRows(first.world.db, sql`update people set organisation = ${'Two\u2028lines\u0085and\r\nmore'}`)
    const late = await backUp(first.world, folder)
    t.match(await runs(first.world, backUpInstance, folder), / 1 of them new/, 'a third has a checkpoint of its own and nothing else')
    t.ok(early < late, `${early} < ${late}`)
    t.equal(execFileSync('sha256sum', ['--check', '--quiet', join('snapshots', late, 'SHA256SUMS')], { cwd: folder, encoding: 'utf8' }), '', 'anybody can check it')

    t.test('every table is copied; an interrupted backup is none', async (t) => {
      const { world } = first
      const rows = await queryRows(world.db, sql`
        select table_name from information_schema.tables where table_schema = 'public' and table_name <> 'instance_usage'`)
      t.same([...listTables()].sort(), rows.map((row) => String(row['table_name'])).sort())
      const references = await queryRows(world.db, sql`
        select conrelid::regclass::text as "from", confrelid::regclass::text as "to" from pg_constraint where contype = 'f'`)
      const order = listTables()
      const place = (name: unknown): number => order.indexOf(String(name))
      t.same(references.filter(({ from, to }) => place(to) > place(from)), [], 'after those it refers to')

      const other = join(folder, 'other')
      const robbed = { ...world.bucket, read: async () => null }
      await t.rejects(backUp({ ...world, bucket: robbed }, other), /missing in the bucket/)
      t.same(await readdir(join(other, 'snapshots')), [])
      await t.rejects(runs(world, restoreInstance, other, '--yes'), /no such whole snapshot/)
    })

    t.test('on empty engines everything is there again, and goes on', async (t) => {
      const rows = await rowsOf(await stopped(first))
      const second = await another(t, first, engines)
      const world = await stopped(second)
      // That instance had begun a log of its own: two histories under one key are refused.
      await t.rejects(runs(world, restoreInstance, folder, '--yes'), /not the beginning of this backup/)
      await empty(world)
      await t.rejects(runs(world, restoreInstance, folder), UsageError, 'what destroys asks first')
      t.match(await runs(world, restoreInstance, folder, '--yes'), /RESTORED\. .*\nexit 0$/)
      t.same(await rowsOf(world), rows, 'row by row')
      t.same(await world.bucket.list('versions/', 1_000), await first.world.bucket.list('versions/', 1_000), 'object by object')
      t.match(await runs(world, restoreInstance, folder, '--yes'), /RESTORED\. .*\nexit 0$/, 'twice is as once')

      const sequencer = await startSequencer(world)
      t.equal((await sequencer.current()).size, (await checkWholeLog(world)).headSize, 'the log goes on where it was')
      await sequencer.stop()
      t.match(await runs(world, checkInstance), /RIGHT/)
    })

    t.test('an older snapshot is refused, or put back behind the log and repaired', async (t) => {
      const { world } = first
      await t.rejects(runs(world, restoreInstance, folder, '--at', early, '--yes'), /never rolled back.*--behind.*fsck --repair/)
      t.match(await runs(world, restoreInstance, folder, '--at', early, '--behind', '--yes'), /behind the published log/)
      await t.rejects(startSequencer(world), LogContradiction, 'no server starts on it')
      t.match(await runs(world, checkInstance, '--repair'), /REPAIRED(?:.|\n)*RIGHT/)
      t.same((await checkWholeLog(world)).problems, [])
    })

    t.test('damage is found before anything is changed', async (t) => {
      const { world } = first
      const before = await rowsOf(world)
      const [part] = (await readdir(join(folder, 'objects', 'versions'), { recursive: true })).filter((path) => path.endsWith('part-00000'))
      const path = join(folder, 'objects', 'versions', part ?? '')
      const bytes = await readFile(path)
      await writeFile(path, bytes.map((byte, index) => index === 5 ? byte ^ 1 : byte))
      await t.rejects(runs(world, restoreInstance, folder, '--at', late, '--behind', '--yes'), /damaged/)
      await rm(path)
      await t.rejects(runs(world, restoreInstance, folder, '--at', late, '--behind', '--yes'), Refused)
      t.same(await rowsOf(world), before)
      await backUp(world, folder) // The next backup brings it back.
      t.same(await readFile(path), bytes)
    })
  })
}

t.test('what browsers put into the bucket by themselves outlives garbage collection and a restore', async (t) => {
  const folder = await makeFolder('backup')
  t.teardown(() => removeFolder(folder))
  const direct = { UPLOADS: 'direct' }
  const first = await startWorld(t, { engines: 'real', settings: direct })
  const founder = await new Founder(first).signsUp()
  const vault = await founder.makesVault()
  const whole = await founder.beginsUpload(vault, { file: randomBytes(5 * 1024 * 1024) })
  await putsParts(whole, whole.upload)
  await founder.does('PUT', `/api/uploads/${whole.upload.versionId}/hash-list`, whole.hashList)
  await founder.posts(`/api/uploads/${whole.upload.versionId}/complete`, founder.record(whole))
  const begun = await founder.beginsUpload(vault, { file: randomBytes(5 * 1024 * 1024) })
  await putsParts({ parts: begun.parts.slice(0, 1) }, begun.upload)

  const orphan = `versions/${'0'.repeat(32)}/part-00000`
  await first.world.bucket.put(orphan, randomBytes(10))
  t.match(await runs(first.world, collectGarbage), / 1 of them without a row, all marked/)
  first.clock.advance(GARBAGE_GRACE_MS + 1)
  t.match(await runs(first.world, collectGarbage), /COLLECTED: 1 /, 'the orphan; no part, with or without a row of its own')
  t.equal(await first.world.bucket.head(orphan), null)

  await founder.signsInWithPassphrase()
  await backUp(first.world, folder)
  const second = await another(t, first, 'real', direct)
  await empty(await stopped(second))
  t.match(await runs(second.world, restoreInstance, folder, '--yes'), /RESTORED/)
  const third = await second.restart()
  third.clock.advance(first.clock.nowMs() - third.clock.nowMs())
  const headers = { 'x-sealdeck': '1', authorization: `Bearer ${founder.accessToken ?? ''}` }
  const asksThere = async (request: InjectOptions): Promise<Answer> =>
    await third.app.inject({ ...request, headers: { ...headers, ...request.headers } })
  const range = { range: 'bytes=1000000-5000000' }
  const read = await asksThere({ url: `/api/versions/${whole.upload.versionId}/payload`, headers: range })
  t.ok(equalBytes(read.rawPayload, whole.payload.subarray(1_000_000, 5_000_001)), 'the deck, across its parts')

  const url = `/api/uploads/${begun.upload.versionId}`
  const resumed = (await asksThere({ url })).json<Upload>()
  t.same(resumed.parts.map(({ isStored }) => isStored), [false, false], 'an unfinished one has its parts to send again')
  await putsParts(begun, resumed)
  await asksThere({
    method: 'PUT', url: `${url}/hash-list`, payload: Buffer.from(begun.hashList),
    headers: { 'content-type': 'application/octet-stream' },
  })
  const record = founder.record(begun)
  const stored = await asksThere({ method: 'POST', url: `${url}/complete`, payload: record })
  t.equal(stored.json<StoredVersion>().versionId, begun.upload.versionId, 'and goes on')
  t.match(await runs(await stopped(third), checkInstance), /RIGHT/)
})

async function putsParts({ parts }: Pick<BegunUpload, 'parts'>, { parts: targets }: Upload): Promise<void> {
  for (const [index, bytes] of parts.entries()) {
    const { url = '', headers = {} } = targets[index] ?? {}
    const { status } = await fetch(url, { method: 'PUT', headers, body: Uint8Array.from(bytes) })
    if (status !== 200) throw new Error(`part ${index}: ${status}`)
  }
}

/** As a new bucket and a new database are. */
async function empty(world: World): Promise<void> {
  for (const key of await world.bucket.list('', 1_000)) await world.bucket.delete(key)
  const owner = await world.database.openOwner()
  await owner.reset()
  await owner.close()
}
