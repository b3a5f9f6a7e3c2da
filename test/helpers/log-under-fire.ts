/**
 * A log that is attacked while it works: processes that run it (log-process.ts) are killed, their backends
 * terminated or their PostgreSQL stopped, at a step of a turn that is chosen, and after each attack rows,
 * files and answers are held against each other.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import type { Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertVault } from '../../db/queries/vaults.js'
import { auditEntry, users } from '../../db/schema.js'
import { equalBytes } from '../../protocol/bytes.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import type { ReadResource } from '../../protocol/log/tile.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { readConfig, type Environment } from '../../server/config.js'
import { openEngines, openLog } from '../../server/open-world.js'
import { startSequencer } from '../../server/sequencer.js'
import type { LogParts } from '../../server/world.js'
import { makeFolder, removeFolder, waitUntil, withDeathSignal } from './engine.js'
import { createDatabase, startPostgres, type PostgresServer } from './postgres.js'
import { checkLog, type Engines } from './world.js'

/** Where a process can be met: before and after each of its writes, and in the middle of two statements. */
export const STEPS = [
  'outbox:before', 'outbox:after', 'turn:before', 'integrate:within', 'file:before', 'file:after',
  'checkpoint:before', 'checkpoint:after', 'note:before', 'note:within', 'note:after', 'turn:after',
  'answer:after', 'sweep:before', 'sweep:after',
] as const
export type Step = typeof STEPS[number]

/** To the process, to its connections, to the database. */
export const ATTACKS = ['SIGKILL', 'terminate', 'immediate'] as const
export type Attack = typeof ATTACKS[number]

/** What makes a statement wait in its middle. */
const HOLDS: Readonly<Partial<Record<Step, string>>> = {
  'integrate:within': 'lock table audit_entry in share row exclusive mode',
  'note:within': 'select 1 from tlog_published for update',
}

const PROCESS = fileURLToPath(new URL('./log-process.ts', import.meta.url))
/** At which of several writes of a kind. */
const MAX_NTH = 3
/** So many answers say that the log works again. */
const ANSWERS_AFTER = 12

/** One process that runs the log. */
export class LogProcess {
  readonly answered = new Map<string, number>()
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #ended: Promise<void>

  constructor(environment: Environment) {
    const [program, ...args] = withDeathSignal([process.execPath, '--import', 'tsx', PROCESS])
    this.#child = spawn(program, args, {
      env: { PATH: process.env.PATH, ...environment }, stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#ended = new Promise((resolve) => { this.#child.once('close', () => { resolve() }) })
    createInterface({ input: this.#child.stdout ?? process.stdin }).on('line', (line) => { this.#hear(line) })
    this.#child.stdin?.on('error', () => undefined) // It may be gone before it hears.
  }

  #hear(line: string): void {
    const [word, eventId = '', index] = line.split(' ')
    if (word === 'answered') this.answered.set(eventId, Number(index))
    else this.#lines.push(line)
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Until it has said so; what it says instead is an error. */
  async says(wanted: string): Promise<void> {
    await waitUntil(`"${wanted}"`, async () => {
      const failure = this.#lines.find((line) => line.startsWith('failed'))
      if (failure !== undefined && !wanted.startsWith('failed')) throw new Error(failure)
      return this.#lines.some((line) => line.startsWith(wanted))
    })
  }

  async answersAgain(): Promise<void> {
    const before = this.answered.size
    await waitUntil('answers', async () => this.answered.size >= before + ANSWERS_AFTER)
  }

  forget(): void {
    this.#lines.length = 0
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#ended
  }

  async dies(): Promise<void> {
    await this.#ended
  }
}

export interface Battlefield {
  readonly environment: Environment
  /** A cluster of its own, which may be stopped; absent where the log runs on PGlite. */
  readonly cluster?: PostgresServer
}

export class LogUnderFire {
  readonly #field: Battlefield
  readonly #answered = new Map<string, number>()
  #attackCount = 0
  #entries: readonly Uint8Array[] = []
  #process: LogProcess
  /** Loaded already, so that a killed one is followed at once. */
  #next: LogProcess

  private constructor(field: Battlefield) {
    this.#field = field
    this.#process = new LogProcess(field.environment)
    this.#next = new LogProcess(field.environment)
  }

  /** A log with one vault, at work. */
  static async start(field: Battlefield): Promise<LogUnderFire> {
    const vaultId = await withParts(field.environment, makeVault)
    const environment = { ...field.environment, LOG_PROCESS_VAULT: vaultId }
    const log = new LogUnderFire({ ...field, environment })
    await log.#begin()
    return log
  }

  async #begin(): Promise<void> {
    await this.#process.says('loaded')
    this.#process.tell('go')
    await this.#process.says('working')
    await this.#process.answersAgain()
  }

  /** Attack at a step, and wait until events are answered again. */
  async attack(step: Step, attack: Attack): Promise<void> {
    const hold = HOLDS[step]
    this.#process.forget()
    if (hold === undefined) await this.#attackAt(step, attack)
    else await this.#attackWithin(hold, attack)
    if (attack === 'SIGKILL') await this.#replace()
    await this.#process.answersAgain()
    this.#attackCount++
  }

  get attackCount(): number {
    return this.#attackCount
  }

  get answeredCount(): number {
    this.#keepAnswers()
    return this.#answered.size
  }

  async #attackAt(step: Step, attack: Attack): Promise<void> {
    this.#process.tell(`arm ${step} ${1 + randomInt(MAX_NTH)} ${attack === 'SIGKILL' ? 'die' : 'stop'}`)
    if (attack === 'SIGKILL') return await this.#process.dies()
    await this.#process.says(`at ${step}`)
    await this.#strike(attack)
    this.#process.tell('on')
  }

  async #attackWithin(hold: string, attack: Attack): Promise<void> {
    const judge = this.#judge()
    try {
      await judge.begin(async (held) => {
        await held.unsafe(hold)
        await waitUntil('a statement that waits', async () => {
          const waiting = await held`select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()`
          return waiting.length > 0
        })
        await this.#strike(attack)
      })
    } catch (error) {
      if (attack !== 'immediate') throw error // There the judge is cut off as well.
    } finally {
      await judge.end()
    }
  }

  async #strike(attack: Attack): Promise<void> {
    if (attack === 'SIGKILL') return await this.#process.kill()
    if (attack === 'immediate') return await this.#field.cluster?.restart('immediate')
    const judge = this.#judge()
    await judge`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'sealdeck'`
    await judge.end()
  }

  async #replace(): Promise<void> {
    this.#keepAnswers()
    this.#process = this.#next
    this.#next = new LogProcess(this.#field.environment)
    await this.#begin()
  }

  #keepAnswers(): void {
    for (const [eventId, index] of this.#process.answered) this.#answered.set(eventId, index)
  }

  #judge(): postgres.Sql {
    return postgres(this.#field.environment.DATABASE_URL ?? '', {
      max: 1, onnotice: () => {}, connection: { application_name: 'judge' },
    })
  }

  /** While it works: history only grew, and whatever was answered stands where it was said to stand. */
  async check(t: Test): Promise<void> {
    this.#keepAnswers()
    const answered = new Map(this.#answered)
    const judge = this.#judge()
    const rows = await judge<{ idx: string, event_id: string, entry: Uint8Array }[]>`
      select idx, event_id, entry from audit_entry order by idx`
    await judge.end()
    if (rows.some(({ idx }, at) => Number(idx) !== at)) t.fail('indexes have no gap')
    const isForked = this.#entries.some(
      (entry, at) => !equalBytes(entry, rows[at]?.entry ?? new Uint8Array()))
    if (isForked) t.fail('entries stay what they were')
    this.#entries = rows.map(({ entry }) => entry)
    const places = new Map(rows.map(({ event_id: eventId, idx }) => [eventId, Number(idx)]))
    const lost = [...answered].filter(([eventId, index]) => places.get(eventId) !== index)
    if (lost.length > 0) t.fail(`${lost.length} answered events are not where they were`)
  }

  /** Afterwards: all of the log, from its files and from its rows. */
  async end(t: Test): Promise<void> {
    await Promise.all([this.#process.kill(), this.#next.kill()])
    this.#keepAnswers()
    await withParts(this.#field.environment, async (parts) => {
      const { db } = parts.database
      const sequencer = await startSequencer(parts)
      await checkLog(t, { ...parts, db, sequencer })
      const read: ReadResource = (path) => parts.bucket.read(`${parts.keys.log.prefix}/${path}`)
      const { checkpoint } = await verifyLog(read, policyOfLog(parts.keys.log.vkey))
      const rows = await db.select().from(auditEntry)
      await sequencer.stop()
      t.equal(Number(checkpoint.size), rows.length, 'the files verify on their own')
      t.equal(new Set(rows.map(({ eventId }) => eventId)).size, rows.length, 'no event is there twice')
      const places = new Map(rows.map(({ eventId, index }) => [eventId, index]))
      const lost = [...this.#answered].filter(([eventId, index]) => places.get(eventId) !== index)
      t.same(lost, [], `all of ${this.#answered.size} answered events are where they were`)
    })
  }

  async kill(): Promise<void> {
    await Promise.all([this.#process.kill(), this.#next.kill()])
  }
}

/** Engines for a moment. PGlite has one user at a time. */
export async function withParts<T>(
  environment: Environment, use: (parts: LogParts) => Promise<T>,
): Promise<T> {
  const { parts, close } = await openEngines(readConfig(environment), { log: openLog('fatal') })
  try {
    return await use(parts)
  } finally {
    await close()
  }
}

/** Events that carry its tag are numbered, and must be numbered once. */
async function makeVault({ database, clock }: LogParts): Promise<string> {
  const [id, ownerId, createdAtMs] = [uuidv7(), uuidv7(), clock.nowMs()]
  await database.db.insert(users).values({
    id: ownerId, email: `${ownerId}@fund.example`, name: 'Ada', locale: 'en',
    signingPublicKey: randomBytes(32), recipient: 'age1pq1', createdAtMs,
  })
  const [tagKey, titleSealed] = [randomBytes(32), randomBytes(40)]
  await insertVault(database.db, { id, ownerId, tagKey, titleSealed, createdAtMs })
  return id
}

/** Settings for a log whose keys, and files if there is no S3, lie in this folder. */
export function logEnvironment(folder: string, settings: Environment = {}): Environment {
  return {
    DATA_DIR: join(folder, 'data'), PUBLIC_URL: 'http://localhost:4870',
    VIEWER_URL: 'http://127.0.0.1:4871', LOG_PUBLISH_INTERVAL_MS: '1', LOG_WAIT_TIMEOUT_MS: '2000',
    ...settings,
  }
}

/** A log at work on PostgreSQL of its own, or on PGlite; all of it ends with the test. */
export async function startLogUnderFire(t: Test, engines: Engines): Promise<LogUnderFire> {
  const folder = await makeFolder('fire')
  t.teardown(() => removeFolder(folder))
  const cluster = engines === 'real' ? await startPostgres() : undefined
  if (cluster !== undefined) t.teardown(() => cluster.stop())
  const environment = logEnvironment(folder, cluster === undefined
    ? {}
    : { DATABASE_URL: await createDatabase(cluster), DATABASE_MAX_CONNECTIONS: '4' })
  const field = { environment, ...cluster === undefined ? {} : { cluster } }
  const log = await LogUnderFire.start(field)
  t.teardown(() => log.kill())
  return log
}
