// Goal: an operator keeps accounts out and lets them in, gives them room, and collects what nothing refers to,
// each act in the log before it is called done; what is kept for a time goes when its time is over.
// Method: the commands themselves on both sets of engines, on worlds with founders in them; the clock is turned
// past each grace; the log is checked whole after it.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { queryRows } from '../../db/client.js'
import { countKept } from '../../db/queries/operator.js'
import { auditOpening } from '../../db/schema.js'
import { parseEvent } from '../../protocol/log/event.js'
import { collectGarbage } from '../../scripts/admin/gc.js'
import { tellRetention } from '../../scripts/admin/retention.js'
import { formatSize, parseSize } from '../../scripts/admin/sizes.js'
import { changeQuota, manageUsers } from '../../scripts/admin/users.js'
import type { AdminRun } from '../../scripts/admin.js'
import { Refused, UsageError } from '../../scripts/command.js'
import { collect } from '../../server/collector.js'
import { checkWholeLog } from '../../server/log-check.js'
import type { World } from '../../server/world.js'
import { findProgram } from '../helpers/engine.js'
import { Founder } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

const DAY_MS = 24 * 3_600_000
const COMMAND = new URL('../../scripts/sealdeck.ts', import.meta.url).href
const FAKETIME = '/usr/$LIB/faketime/libfaketimeMT.so.1'

/** @returns what it printed. */
async function runs(world: World, run: AdminRun, ...args: string[]): Promise<string> {
  const lines: string[] = []
  const take = (line: string): void => { lines.push(line) }
  const code = await run(world, args, { out: take, err: take, isWatched: false })
  return [...lines, `exit ${code}`].join('\n')
}

/** The same command on a machine whose clock is a year ahead. @returns what it complained about. */
async function collectsAYearAhead({ config }: World): Promise<string> {
  const { s3, databaseUrl } = config
  const script = `import('${COMMAND}').then(async ({ main }) => { process.exitCode = await main(['admin', 'gc']) })`
  const env = {
    PATH: process.env.PATH, LD_PRELOAD: FAKETIME, FAKETIME: '+1y', DATA_DIR: config.dataFolder, DATABASE_URL: databaseUrl,
    S3_BUCKET: s3?.bucket, S3_ENDPOINT: s3?.endpoint, S3_REGION: s3?.region,
    S3_ACCESS_KEY_ID: s3?.accessKeyId, S3_SECRET_ACCESS_KEY: s3?.secretAccessKey,
  }
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', '--eval', script], { env }, (_error, stdout, stderr) => {
      resolve(`${stdout}${stderr}`)
    })
  })
}

for (const engines of ENGINES) {
  t.test(`accounts, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const { world } = test
    const ada = await new Founder(test).signsUp()
    await new Founder(test, 'Grace').signsUp()
    t.match(await runs(world, manageUsers, '--limit', '1'), /^ada@fund\.example {2}0 B of 20\.0 GB {2}since .*\nmore: --after ada@fund\.example/)
    t.match(await runs(world, manageUsers, '--after', 'ada@fund.example'), /^grace@fund\.example/)

    t.match(await runs(world, changeQuota, 'Ada@fund.example', '1M'), /SET: ada@fund\.example may store 1\.0 MB/)
    t.match(await runs(world, changeQuota, 'ada@fund.example', '1M'), /already/)
    t.same(await ada.gets('/api/account/storage'), { usedBytes: 0, quotaBytes: 1024 ** 2 })
    await t.rejects(runs(world, changeQuota, 'nobody@fund.example', '1M'), Refused)
    await t.rejects(runs(world, changeQuota, 'ada@fund.example', 'lots'), UsageError)
    t.match(await runs(world, changeQuota, 'ada@fund.example', 'default'), /20\.0 GB/)

    await t.rejects(runs(world, manageUsers, 'disable', 'ada@fund.example'), UsageError, 'nobody at a keyboard, and no --yes')
    t.equal((await ada.asks('GET', '/api/account')).statusCode, 200)
    t.match(await runs(world, manageUsers, 'disable', 'ada@fund.example', '--yes'), /DISABLED/)
    t.equal((await ada.asks('GET', '/api/account')).statusCode, 401, 'from the next request on')
    await t.rejects(ada.signsInWithPassphrase(), 'nor can she sign in')
    t.match(await runs(world, manageUsers), /ada@fund\.example .* disabled since/)
    t.match(await runs(world, manageUsers, 'enable', 'ada@fund.example'), /ENABLED/)
    await ada.signsInWithPassphrase()
    await checkLog(t, world, { events: Array.from({ length: 4 }, () => 'admin.acted') })
    const rows = await world.db.select({ bytes: auditOpening.bytes }).from(auditOpening)
    const acts = rows.map(({ bytes }) => parseEvent(bytes ?? new Uint8Array())).filter(({ type }) => type === 'admin.acted')
    t.same(acts.map(({ action }) => action), ['quota.set', 'quota.set', 'account.disabled', 'account.enabled'])
    t.ok(acts.every(({ subject, actor }) => subject === ada.userId && actor === 'operator'))
  })

  t.test(`garbage, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const { world } = test
    const founder = await new Founder(test).signsUp()
    await founder.uploadsDeck(await founder.makesVault())
    const stored = await world.bucket.list('versions/', 100)
    const [orphan, lost] = ['versions/00000000000000000000000000000000/part-00000', `versions/${randomBytes(16).toString('hex')}/hash-list`]
    for (const key of [orphan, lost]) await world.bucket.put(key, randomBytes(10))
    await checkLog(t, world)
    const logFiles = await world.bucket.list('log/', 100)

    t.match(await runs(world, collectGarbage, '--dry-run'), /2 of them without a row\.\nDRY RUN: 0/)
    t.equal((await countKept(world.db)).get('garbage')?.count, 0, 'a dry run marks nothing')
    t.match(await runs(world, collectGarbage), /2 of them without a row, all marked\.\nCOLLECTED: 0/)
    if (engines === 'real' && findProgram('faketime') !== undefined) {
      t.match(await collectsAYearAhead(world), /clock is more than a minute from the database's/)
      for (const key of [orphan, lost]) t.ok(await world.bucket.head(key), 'a wrong clock deletes nothing')
    }
    test.clock.advance(6 * DAY_MS)
    t.match(await runs(world, collectGarbage), /COLLECTED: 0/, 'a mark stays as old as it is')
    // Rows that had been lost come back with a newer copy of the database.
    const prefix = lost.split('/')[1] ?? ''
    await queryRows(world.db, sql`
      insert into versions select (jsonb_populate_record(v, jsonb_build_object('object_prefix', ${prefix}::text,
        'id', gen_random_uuid(), 'version', 9, 'status', 'uploading', 'record_sha256', null))).* from versions v limit 1`)
    test.clock.advance(2 * DAY_MS)
    t.match(await runs(world, collectGarbage, '--dry-run'), /DRY RUN: 1/)
    t.match(await runs(world, collectGarbage), /COLLECTED: 1/)
    t.equal(await world.bucket.head(orphan), null)
    t.ok(await world.bucket.head(lost), 'what is referred to again stays')
    t.same(await world.bucket.list('log/', 100), logFiles, 'the log is not touched')
    for (const key of stored) t.ok(await world.bucket.head(key), key)

    const lock = await world.database.tryCollect()
    await t.rejects(runs(world, collectGarbage), Refused, 'one at a time, and not beside a backup')
    await lock?.release()
  })

  t.test(`retention, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: { DETAILS_RETENTION_DAYS: '365', MAIL_RECORD_DAYS: '10' } })
    const { world } = test
    const founder = await new Founder(test).signsUp()
    const vault = await founder.makesVault()
    await founder.posts(`/api/vaults/${vault.vaultId}/invitations`, { email: 'audrey@fund.example', withIdentities: false })
    await queryRows(world.db, sql`update mail_outbox set sent_at = created_at`)
    const before = await countKept(world.db)
    t.ok((before.get('mails')?.count ?? 0) > 0)
    t.equal(before.get('details')?.count, 1)
    test.clock.advance(11 * DAY_MS)
    await collect(world)
    t.equal((await countKept(world.db)).get('mails')?.count, 0)
    t.equal((await countKept(world.db)).get('details')?.count, 1, 'not yet')
    test.clock.advance(355 * DAY_MS)
    await collect(world)
    t.equal((await countKept(world.db)).get('details')?.count, 0)
    await checkLog(t, world, { events: ['admin.acted', 'erasure.done'] })
    t.same((await checkWholeLog(world)).problems, [], 'and a whole check finds nothing wrong')
    await collect(world)
    await checkLog(t, world, { events: ['admin.acted', 'erasure.done'] })
    t.match(await runs(world, tellRetention), /log details +0; erased after 365 days/)
  })
}

t.test('sizes', async (t) => {
  t.equal(parseSize('20G'), 20 * 1024 ** 3)
  t.equal(parseSize('512MiB'), 512 * 1024 ** 2)
  t.equal(parseSize('1000'), 1000)
  t.throws(() => parseSize('-1'), UsageError)
  t.throws(() => parseSize('1.5G'), UsageError)
  t.throws(() => parseSize('9999999999999T'), UsageError)
  t.equal(formatSize(1536), '1.5 KB')
  t.equal(formatSize(7), '7 B')
})
