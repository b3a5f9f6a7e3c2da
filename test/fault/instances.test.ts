// Goal: two instances that contend for one log never make two histories of it, not even when one of them is frozen
// in the middle of a turn and wakes up as a leader who has been replaced; and a database that was restored from a
// copy is not taken for the log.
// Method: two processes that run only the log, on one PostgreSQL and S3; SIGSTOP at a chosen step, the lock's
// connection cut as a network does it, SIGCONT ten seconds later; then the whole log against all answers.
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { auditEntry } from '../../db/schema.js'
import { startSequencer } from '../../server/sequencer.js'
import type { Environment } from '../../server/config.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { logEnvironment, LogProcess, withParts, type Step } from '../helpers/log-under-fire.js'
import { createDatabase, dropDatabase, usePostgres } from '../helpers/postgres.js'
import { createBucket, useS3 } from '../helpers/s3.js'
import { checkLog } from '../helpers/world.js'

const FROZEN_MS = 10_000
/** With entries committed that no file shows yet; with files that no checkpoint covers. */
const FREEZES: readonly Step[] = ['file:before', 'checkpoint:before']

async function sharedEngines(t: Test): Promise<Environment> {
  const [server, access] = [await usePostgres(t), await useS3(t)]
  const folder = await makeFolder('instances')
  t.teardown(() => removeFolder(folder))
  const url = await createDatabase(server)
  t.teardown(() => dropDatabase(server, url))
  return logEnvironment(folder, {
    DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: '4',
    S3_BUCKET: await createBucket(access), S3_ENDPOINT: access.endpoint, S3_REGION: access.region,
    S3_ACCESS_KEY_ID: access.accessKeyId, S3_SECRET_ACCESS_KEY: access.secretAccessKey,
  })
}

async function startProcess(t: Test, environment: Environment): Promise<LogProcess> {
  const instance = new LogProcess(environment)
  t.teardown(() => instance.kill())
  await instance.says('loaded')
  instance.tell('go')
  await instance.says('working')
  return instance
}

/** As if the network between the leader and the database had gone. */
async function cutLeader(environment: Environment): Promise<void> {
  const judge = postgres(environment.DATABASE_URL ?? '', { max: 1, connection: { application_name: 'judge' } })
  await judge`select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
  await judge.end()
}

async function survivesFreeze(t: Test, step: Step): Promise<void> {
  const environment = await sharedEngines(t)
  const leader = await startProcess(t, environment)
  await leader.answersAgain()
  const other = await startProcess(t, environment)
  await other.answersAgain()

  leader.tell(`arm ${step} 1 stop`)
  await leader.says(`at ${step}`)
  leader.signal('SIGSTOP')
  const thawsAtMs = performance.now() + FROZEN_MS
  await cutLeader(environment)
  await other.answersAgain()
  t.pass('the other leads')
  await delay(thawsAtMs - performance.now())
  leader.signal('SIGCONT')
  leader.tell('on')
  await leader.answersAgain()
  await other.answersAgain()
  t.pass('and both are answered again')

  await Promise.all([leader.kill(), other.kill()])
  await checkAll(t, environment, [leader, other])
}

async function checkAll(
  t: Test, environment: Environment, processes: readonly LogProcess[],
): Promise<void> {
  await withParts(environment, async (parts) => {
    const sequencer = await startSequencer(parts)
    await checkLog(t, { ...parts, db: parts.database.db, sequencer })
    const rows = await parts.database.db.select().from(auditEntry)
    const places = new Map(rows.map(({ eventId, index }) => [eventId, index]))
    const answered = processes.flatMap((one) => [...one.answered])
    t.same(answered.filter(([eventId, index]) => places.get(eventId) !== index), [],
      `all of ${answered.length} answered events are where they were`)
    await sequencer.stop()
  })
}

t.test('a leader frozen in the middle of a turn, and replaced', async (t) => {
  // At once: most of it is waiting.
  await Promise.all(FREEZES.map((step) => t.test(`before it went on from ${step}`, { buffered: true }, async (t) => {
    await survivesFreeze(t, step)
  })))
})

t.test('a database restored from an older copy', async (t) => {
  const environment = await sharedEngines(t)
  const first = await startProcess(t, environment)
  await first.answersAgain()
  await first.kill()
  const url = new URL(environment.DATABASE_URL ?? '')
  const copy = new URL(url)
  copy.pathname = `${url.pathname}_copy`
  const server = { url: new URL('/postgres', url).href }
  const admin = postgres(server.url, { max: 1, onnotice: () => {} })
  t.teardown(() => admin.end())
  await untilFree(admin, url)
  await admin.unsafe(`create database ${copy.pathname.slice(1)} template ${url.pathname.slice(1)}`)
  t.teardown(() => dropDatabase(server, copy.href))

  const second = await startProcess(t, environment)
  await second.answersAgain()
  await second.kill()
  const restored = new LogProcess({ ...environment, DATABASE_URL: copy.href })
  t.teardown(() => restored.kill())
  await restored.says('loaded')
  restored.tell('go')
  await restored.says('failed the database ends at entry')
  t.pass('is refused at start')
  await checkAll(t, environment, [first, second])
})

/** Of the sessions of a process that was killed. */
async function untilFree(admin: postgres.Sql, url: URL): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const sessions = await admin`select from pg_stat_activity where datname = ${url.pathname.slice(1)}`
    if (sessions.length === 0) return
    await delay(50)
  }
  throw new Error('a killed process still has sessions')
}
