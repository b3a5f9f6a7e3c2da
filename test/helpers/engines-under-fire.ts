/**
 * A server whose engines fail while people sign, read and upload: PostgreSQL restarted, its backends killed, its
 * line cut, its tables locked, its disk full; the S3 server refusing, hanging, slow, truncating, denying what it
 * stored; the server's own clock turned; the leader of two instances frozen. After
 * each the remains are checked without the server (invariants.ts), and what was answered is asked for again. Beside
 * that, single statements are struck, each of them (step-kills.ts).
 */
import { randomBytes, randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Test } from 'tap'
import type { Release } from '../../protocol/api.js'
import { encodeHex, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import type { Environment } from '../../server/config.js'
import { makeFolder, removeFolder, waitUntil } from './engine.js'
import { startFaultyLine, type FaultyLine } from './faulty-line.js'
import { S3_FAULTS, startFaultyS3, type FaultyS3 } from './faulty-s3.js'
import { Judge, takeImprint, type Remains } from './invariants.js'
import { Investor } from './investor.js'
import { Founder, type Answer, type BegunUpload, type Link } from './people.js'
import { createDatabase, dropDatabase, startPostgres, type PostgresServer } from './postgres.js'
import { connectS3, createBucket, useS3 } from './s3.js'
import { startServer, type Server } from './server.js'
import { canMount } from './small-disk.js'
import { heard, receiptsIn, StepKills, type Tally } from './step-kills.js'

const FAKETIME = '/usr/$LIB/faketime/libfaketimeMT.so.1'
const DISK_SIZE_MIB = 400
const SIGNER_COUNT = 4
const FAULT_MS = 800
const KILL_EVERY_MS = 30
/** The database ends a silent leader's session after five seconds, and another looks every half. */
const FROZEN_MS = 7_000
/** I8: ready again without human hands. I6, below: what is asked twice is answered alike. */
const RECOVERY_MS = 30_000
const RETRY_MS = 100
const SETTINGS = {
  EMAIL_CODES_PER_NETWORK: '1000000', RATE_LIMIT_PER_MINUTE: '1000000',
  LOG_WAIT_TIMEOUT_MS: '2000',
}

interface Engines {
  readonly database: PostgresServer
  readonly line: FaultyLine
  readonly s3: FaultyS3
  /** Past the line, for faults and checks. */
  readonly client: postgres.Sql
  readonly clock: FakeClock
  readonly server: Server
  /** Another instance on the same engines. */
  readonly startSecond: () => Promise<Server>
}

/** The server's own clock, turned by libfaketime. */
interface FakeClock {
  readonly environment: Environment
  turn(offset: string): Promise<void>
}

type Fault = (engines: Engines) => Promise<void>

async function breakS3({ s3 }: Engines, fault: typeof S3_FAULTS[number]): Promise<void> {
  s3.breakDown(fault)
  await delay(FAULT_MS)
  s3.mend()
}

async function turnClock({ clock }: Engines, ...offsets: readonly string[]): Promise<void> {
  for (const offset of offsets) {
    await clock.turn(offset)
    await delay(FAULT_MS)
  }
  await clock.turn('+0')
}

/** The leader of the log is silent until another leads, comes back unawares, and has to lead again when that one leaves. */
async function freezeLeader({ server, startSecond }: Engines): Promise<void> {
  process.kill(server.pid, 'SIGSTOP')
  const [second] = await Promise.all([startSecond(), delay(FROZEN_MS)])
  process.kill(server.pid, 'SIGCONT')
  await delay(FAULT_MS)
  await second.stop()
}

/** Each lasts a moment and ends with engines that work. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'PostgreSQL restarted fast': async ({ database }) => await database.restart('fast'),
  'PostgreSQL restarted after a crash': async ({ database }) => await database.restart('immediate'),
  'backends killed': async ({ client }) => {
    for (const untilMs = performance.now() + FAULT_MS; performance.now() < untilMs;) {
      await client`select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and datname = current_database()`
      await delay(randomInt(KILL_EVERY_MS))
    }
  },
  'the line to PostgreSQL cut': async ({ line }) => {
    line.cut()
    await delay(FAULT_MS)
    line.mend()
  },
  'answers of PostgreSQL lost': async ({ line }) => {
    line.swallowAnswers()
    await delay(FAULT_MS)
    line.mend()
  },
  'a table locked, and every connection waiting': async ({ client }) => {
    await client.begin(async (held) => {
      await held`lock table audit_outbox in access exclusive mode`
      await delay(FAULT_MS)
    })
  },
  'the disk of PostgreSQL full': async ({ database }) => {
    await database.disk?.fill()
    await delay(FAULT_MS)
    await database.disk?.empty()
  },
  'the leader frozen and replaced': freezeLeader,
  'the server\'s clock an hour behind': async (engines) => await turnClock(engines, '-1h'),
  'the server\'s clock a year ahead': async (engines) => await turnClock(engines, '+1y'),
  'the server\'s clock back and forth': async (engines) => await turnClock(engines, '-1d', '+1d', '-1h'),
  ...Object.fromEntries(S3_FAULTS.map((fault) =>
    [`S3 ${fault}`, async (engines: Engines) => await breakS3(engines, fault)])),
}

export interface UnderFire {
  /** Those that can be made here: a disk is root's to mount. */
  readonly faults: readonly string[]
  /** One fault in the middle of everything, then everything brought to its end. */
  attack(t: Test, name: string): Promise<void>
  /** So many connections struck, each at one statement of a signature or a release. @returns what came of them. */
  strikeSteps(t: Test, count: number, isShort?: boolean): Promise<readonly Tally[]>
  /** Every object once more, bit by bit, whatever was seen of it before. */
  checkAll(t: Test): Promise<void>
}

export async function startEnginesUnderFire(t: Test): Promise<UnderFire> {
  const database = await startPostgres(canMount() ? { diskSizeMiB: DISK_SIZE_MIB } : {})
  t.teardown(async () => await database.stop())
  const access = await useS3(t)
  const s3 = await startFaultyS3(t, access.endpoint)
  const url = await createDatabase(database)
  const line = await startFaultyLine(t, Number(new URL(url).port))
  const near = new URL(url)
  near.port = String(line.port)
  const bucket = await createBucket(access)
  const clock = await makeClock(t)
  const settings = {
    ...SETTINGS, DATABASE_URL: near.href, S3_BUCKET: bucket, S3_ENDPOINT: s3.endpoint,
    S3_REGION: access.region,
    S3_ACCESS_KEY_ID: access.accessKeyId, S3_SECRET_ACCESS_KEY: access.secretAccessKey,
    ...clock.environment,
  }
  const server = await startServer(t, { settings })
  const shared = { ...settings, DATA_DIR: server.dataFolder, PUBLIC_URL: server.origin }
  const startSecond = async () => await startServer(t, { settings: shared })
  const client = postgres(url, { max: 2, fetch_types: false, onnotice: () => {} })
  const plain = connectS3(access)
  t.teardown(async () => {
    plain.destroy()
    await server.kill()
    await client.end()
    await dropDatabase(database, url)
  })
  const engines = { database, line, s3, client, clock, server, startSecond }
  const founder = await new Founder(server).signsUp()
  const link = await founder.sharesDeck()
  const { origin, vkey } = server.world.keys.log
  const prefix = `log/${origin.split('/').at(-1) ?? ''}`
  const remains: Remains = { client, s3: plain, bucket, prefix, vkey }
  return new Attacks(engines, { server, founder, link }, remains)
}

async function makeClock(t: Test): Promise<FakeClock> {
  const folder = await makeFolder('clock')
  t.teardown(async () => await removeFolder(folder))
  const path = join(folder, 'offset')
  const turn = async (offset: string) => await writeFile(path, offset)
  await turn('+0')
  // Read anew each time; waits go on by the clock that nobody turns.
  const environment = {
    LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: path, FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  return { environment, turn }
}

interface People { readonly server: Server, readonly founder: Founder, readonly link: Link }

/** Strikes between two looks at everything. */
const STRIKES_A_LOOK = 50
const WATCHED_ROUNDS = 3
const WRONG_AGREEMENT = { agreementSha256: '0'.repeat(64) }

class Attacks implements UnderFire {
  readonly #engines: Engines
  readonly #people: People
  readonly #remains: Remains
  readonly #judge: Judge
  readonly #receipts = new Map<string, number>()
  readonly #refused = new Set<string>()
  readonly faults: readonly string[]
  #round = 0

  constructor(engines: Engines, people: People, remains: Remains) {
    this.#engines = engines
    this.#people = people
    this.#remains = remains
    this.#judge = new Judge(remains)
    this.faults = Object.keys(FAULTS)
      .filter((name) => engines.database.disk !== null || !name.startsWith('the disk'))
  }

  async attack(t: Test, name: string): Promise<void> {
    const fault = FAULTS[name]
    if (fault === undefined) throw new Error(`no such fault: ${name}`)
    this.#round++
    const { founder } = this.#people
    await founder.staysSignedIn()
    const vault = await founder.makesVault()
    const upload = await founder.beginsUpload(vault, { file: randomBytes(2_000_000) })
    const signings = await this.#prepareSignings()
    const leaving = await this.#prepareLeaving()
    const refusals = await this.#prepareRefusals(signings)
    const early = [
      ...signings.map(ask), async () => await putsParts(founder, upload), ...refusals,
      leaving.sign, leaving.revoke,
    ].map(async (act) => {
      await delay(randomInt(FAULT_MS))
      return await heard(act)
    })
    await delay(randomInt(RETRY_MS))
    await fault(this.#engines)
    const first = await Promise.all(early)
    const goodCount = first.filter((answer) => answer !== null && answer.statusCode < 300).length
    t.comment(`${name}: ${goodCount} of ${first.length - refusals.length} were answered at once`)
    const again = await this.#bringToTheEnd(t, { signings, upload, name })
    for (const [index, answer] of first.slice(0, SIGNER_COUNT).entries()) {
      if (answer?.statusCode === 201) t.same(placesOf(again[index]), placesOf(answer), `I6, ${name}: answered twice alike`)
    }
    await untilGood(leaving.revoke)
    for (const act of leaving.reads) await this.#isRefused(t, `I4, ${name}: nothing after a revocation`, act)
    await this.#check(t)
    await this.#checkRefusals(t, name, [...refusals, ...leaving.reads, ...this.#refusalsOf(upload)])
  }

  async checkAll(t: Test): Promise<void> {
    this.#judge.forgetObjects()
    await this.#check(t)
  }

  async strikeSteps(t: Test, count: number, isShort = false): Promise<readonly Tally[]> {
    const { line, client } = this.#engines
    const { server, founder, link } = this.#people
    await founder.staysSignedIn()
    const onApproval = await founder.sharesDeck({ policy: { release: 'on-approval' } })
    const links = [link, onApproval]
    const rounds = isShort ? 1 : WATCHED_ROUNDS
    const kills = await StepKills.watch({ line, client, server, founder, links }, rounds)
    if (isShort) kills.shorten()
    t.comment(`${kills.targetCount} places and ways`)
    while (kills.killCount < count) {
      await founder.staysSignedIn()
      await kills.strike(t, Math.min(STRIKES_A_LOOK, count - kills.killCount))
      for (const [eventId, index] of kills.receipts) this.#receipts.set(eventId, index)
      await this.#check(t)
      await kills.check(t)
    }
    return kills.tallies
  }

  async #check(t: Test): Promise<void> {
    await this.#judge.check(t, { receipts: this.#receipts, refused: this.#refused })
  }

  async #prepareSignings(): Promise<Signing[]> {
    const { link } = this.#people
    return await Promise.all(Array.from({ length: SIGNER_COUNT }, async (_, index) =>
      await this.#enters(link, `grace-${this.#round}-${index}@fund.example`)))
  }

  async #enters(link: Link, email: string): Promise<Signing> {
    const investor = new Investor(this.#people.server, { name: 'Grace Hopper', email })
    await investor.enters(link)
    return { investor, link, acceptance: await investor.acceptanceFor(link) }
  }

  /** A link of its own that is revoked while its reader signs. */
  async #prepareLeaving(): Promise<Leaving> {
    const { founder, link: { vaultId, decks, nda } } = this.#people
    const link = await founder.makesLink({ vaultId }, { decks, nda })
    const signing = await this.#enters(link, `hedy-${this.#round}@fund.example`)
    const { investor } = signing
    return {
      sign: ask(signing),
      revoke: async () => await founder.asks('POST', `/api/grants/${link.grantId}/revoke`),
      reads: [
        async () => await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {}),
        ...decks.map(({ stored }) => async () => await investor.fetches(stored.versionId)),
      ],
    }
  }

  /** Notes over another agreement, whose hashes must be found nowhere. */
  async #prepareRefusals(signings: readonly Signing[]): Promise<Act[]> {
    return await Promise.all(signings.slice(0, 2).map(async ({ investor, link }) => {
      const acceptance = await investor.acceptanceFor(link, WRONG_AGREEMENT)
      this.#refused.add(encodeHex(sha256(encodeUtf8(acceptance))))
      return ask({ investor, link, acceptance })
    }))
  }

  /** Another record for what is stored, and a stranger's requests. */
  #refusalsOf(upload: BegunUpload): Act[] {
    const { server, founder, link } = this.#people
    const { versionId } = upload.upload
    const stranger = new Investor(server, { name: 'Mallory', email: 'mallory@fund.example' })
    return [
      async () => await founder.asks('POST', `/api/uploads/${versionId}/complete`, founder.record(upload, { vaultId: link.vaultId })),
      async () => await stranger.asks('POST', `/api/gate/${link.grantId}/releases`, {}),
      async () => await stranger.fetches(versionId),
    ]
  }

  /** I7: refused, all of them, and not a row, an object or an entry is another than before. */
  async #checkRefusals(t: Test, name: string, acts: readonly Act[]): Promise<void> {
    const { client } = this.#engines
    await waitUntil('an empty outbox', async () => (await client`select from audit_outbox`).length === 0)
    const before = await takeImprint(this.#remains)
    for (const act of acts) await this.#isRefused(t, `I7, ${name}`, act)
    t.same([...await takeImprint(this.#remains)], [...before], `I7, ${name}: ${acts.length} refusals changed nothing`)
  }

  async #isRefused(t: Test, what: string, act: Act): Promise<void> {
    const answer = await act()
    if (answer.statusCode < 400 || answer.statusCode >= 500) t.fail(`${what}: ${answer.statusCode} ${answer.rawPayload.toString()}`)
  }

  /** @returns the answers to the signatures. */
  async #bringToTheEnd(
    t: Test, { signings, upload, name }: { signings: Signing[], upload: BegunUpload, name: string },
  ): Promise<Answer[]> {
    const { founder } = this.#people
    const mendedMs = performance.now()
    const answers = await Promise.all(signings.map(async (signing) =>
      await untilGood(ask(signing))))
    t.ok(performance.now() - mendedMs < RECOVERY_MS, `I8, ${name}: all is well again after ${Math.round(performance.now() - mendedMs)} ms`)
    await untilGood(async () => await putsParts(founder, upload))
    const { versionId } = upload.upload
    const record = founder.record(upload)
    await untilGood(async () => await founder.asks('POST', `/api/uploads/${versionId}/complete`, record))
    const range = { range: `bytes=0-${upload.payload.length - 1}` }
    const read = await untilGood(async () => await founder.asks('GET', `/api/versions/${versionId}/payload`, undefined, range))
    t.ok(equalBytes(read.rawPayload, upload.payload), `I3, ${name}: what comes back is what was sealed`)
    for (const answer of answers) this.#keepReceipts(answer)
    return answers
  }

  #keepReceipts(answer: Answer): void {
    for (const [eventId, index] of receiptsIn(answer)) this.#receipts.set(eventId, index)
  }
}

type Act = () => Promise<Answer>

interface Leaving {
  readonly sign: Act
  readonly revoke: Act
  /** What must be refused from then on. */
  readonly reads: readonly Act[]
}

interface Signing {
  readonly investor: Investor, readonly link: Link, readonly acceptance: string,
}

function ask({ investor, link, acceptance }: Signing): Act {
  return async () => await investor.asksToAccept(link, acceptance)
}

/** All of them again: what is there is answered as when it came. @returns the last answer. */
async function putsParts(founder: Founder, upload: BegunUpload): Promise<Answer> {
  await founder.sendsParts(upload)
  return await founder.asks('GET', `/api/uploads/${upload.upload.versionId}`)
}

/** People try again what failed. @throws if nothing helps. */
async function untilGood(act: () => Promise<Answer>): Promise<Answer> {
  for (const untilMs = performance.now() + 2 * RECOVERY_MS; ;) {
    const answer = await heard(act)
    if (answer !== null && answer.statusCode < 300) return answer
    if (performance.now() > untilMs) throw new Error(`still ${answer?.statusCode ?? 'silent'}: ${answer?.rawPayload.toString() ?? ''}`)
    await delay(RETRY_MS)
  }
}

/** Numbers in the log, which are for ever. */
function placesOf(answer: Answer | undefined): string[] {
  const receipts = answer?.json<Release>().receipts ?? []
  return receipts.map(({ eventType, proof }) => `${eventType} ${/^index \d+$/m.exec(proof)?.[0] ?? 'nowhere'}`)
}
