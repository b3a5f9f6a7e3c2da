/**
 * `npm run bench -- api`: what one instance serves on PostgreSQL and S3, beside Fastify's hello-world,
 * pgbench's single-row insert and the plain SDK, in turns in one run. wrk makes the load from the
 * other core; what must be signed anew each time is asked by this process.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { ready } from '../../protocol/sodium.js'
import { medianOf } from '../../scripts/bench/format/median.js'
import { startCluster } from '../../scripts/bench/sequencing/cluster.js'
import { findSparePort } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Link } from '../helpers/people.js'
import { startS3 } from '../helpers/s3.js'
import { startPostgres } from '../helpers/postgres.js'
import { startServer, type Server } from '../helpers/server.js'
import { putLoad, type Load, type Question } from './api/load.js'
import { compareTransfers } from './api/transfers.js'

const CLIENT_COUNT = 64
const ROUND_SECONDS = 3
const ROUND_COUNT = 3
/** Each with a session, a link and vaults of her own: nobody else's rows answer for hers. */
const FOUNDER_COUNT = 16
const VAULT_COUNT = 20
const SIGNER_COUNTS: ReadonlyArray<{ clientCount: number, signerCount: number }> = [
  { clientCount: 1, signerCount: 30 },
  { clientCount: 8, signerCount: 80 },
  { clientCount: 64, signerCount: 192 },
]

// ---- What is started is stopped, last first

const endings: (() => Promise<void>)[] = []
const bench = { teardown(end: () => Promise<void>) { endings.unshift(end) } }

/** One of each for all servers. */
async function startEngines(): Promise<void> {
  const [postgres, s3] = [await startPostgres(), await startS3()]
  bench.teardown(async () => { await s3.stop() })
  bench.teardown(async () => { await postgres.stop() })
  process.env.TEST_POSTGRES_URL = postgres.url
  process.env.TEST_S3_URL = s3.url
}

async function startHello(databaseUrl: string): Promise<string> {
  const port = await findSparePort()
  const program = fileURLToPath(new URL('api/hello.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, String(port), databaseUrl], { stdio: ['ignore', 'pipe', 'inherit'] })
  bench.teardown(async () => { child.kill() })
  await once(child.stdout, 'data')
  return `http://127.0.0.1:${port}`
}

// ---- Reads

interface Read {
  readonly name: string, readonly origin: string, readonly questions: readonly Question[],
}

async function compareReads(reads: readonly Read[]): Promise<void> {
  const loads = new Map<string, Load[]>(reads.map(({ name }) => [name, []]))
  const load = { clientCount: CLIENT_COUNT, seconds: ROUND_SECONDS }
  // In turns, so that a busy moment of the machine falls on all.
  for (let round = 0; round < ROUND_COUNT; round++) {
    for (const { name, origin, questions } of reads) {
      loads.get(name)?.push(await putLoad(origin, questions, load))
    }
  }
  console.log(`\n| ${CLIENT_COUNT} connections | requests/s | of hello-world | p50 ms | p99 ms |\n|---|---:|---:|---:|---:|`)
  const rateOf = (name: string) =>
    medianOf((loads.get(name) ?? []).map(({ perSecond }) => perSecond))
  for (const [name, list] of loads) {
    const p50 = medianOf(list.map(({ p50Ms }) => p50Ms))
    const p99 = medianOf(list.map(({ p99Ms }) => p99Ms))
    const ratio = rateOf(name) / rateOf(reads[0]?.name ?? '')
    console.log(`| ${name} | ${rateOf(name).toFixed(0)} | ${ratio.toFixed(3)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} |`)
  }
}

/** Who asks, and for what. */
async function prepareReads(server: Server): Promise<Read[]> {
  const founders: Founder[] = []
  const grantIds: string[] = []
  for (let index = 0; index < FOUNDER_COUNT; index++) {
    const founder = await new Founder(server, `Founder-${index}`).signsUp()
    founders.push(founder)
    grantIds.push((await founder.sharesDeck()).grantId)
    for (let vault = 1; vault < VAULT_COUNT; vault++) await founder.makesVault(`Vault ${vault}`)
  }
  const hello = await startHello(server.databaseUrl ?? '')
  const origin = server.address
  const asked = (path: string) => founders.map(({ accessToken }) => ({ path, authorization: `Bearer ${accessToken ?? ''}` }))
  return [
    { name: 'hello-world', origin: hello, questions: [{ path: '/' }] },
    { name: 'hello-world with one prepared select', origin: hello, questions: founders.map(({ userId }) => ({ path: `/row/${userId}` })) },
    { name: 'gate page', origin, questions: grantIds.map((id) => ({ path: `/g/${id}` })) },
    { name: 'grant, as its gate reads it', origin, questions: grantIds.map((id) => ({ path: `/api/gate/${id}` })) },
    { name: 'account (authenticated)', origin, questions: asked('/api/account') },
    { name: `list of ${VAULT_COUNT} vaults (authenticated)`, origin, questions: asked('/api/vaults') },
  ]
}

/** As the database's own housekeeping does within a minute: fresh tables have no statistics to plan with. */
async function analyse(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 })
  await sql`analyze`
  await sql.end()
}

// ---- From the signed NDA to the released header

async function compareReleases(server: Server, link: Link): Promise<void> {
  const cluster = await startCluster()
  bench.teardown(async () => await cluster.stop())
  console.log('\n| signing at a time | releases/s | of pgbench | p50 ms | p99 ms |\n|---:|---:|---:|---:|---:|')
  for (const { clientCount, signerCount } of SIGNER_COUNTS) {
    const acts = await prepareSigners(server, link, `${clientCount}`, signerCount)
    const commits = await cluster.measureInserts(clientCount, ROUND_SECONDS)
    const times: number[] = []
    const startMs = performance.now()
    await inLanes(clientCount, acts.map((act) => async () => {
      const askedMs = performance.now()
      await act()
      times.push(performance.now() - askedMs)
    }))
    const perSecond = signerCount / (performance.now() - startMs) * 1_000
    times.sort((one, other) => one - other)
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1)
    console.log(`| ${clientCount} | ${perSecond.toFixed(0)} | ${(perSecond / commits).toFixed(3)} | ${at(0.5)} | ${at(0.99)} |`)
  }
}

/** Investors who have proven an address and hold a signed NDA in hand. */
async function prepareSigners(
  server: Server, link: Link, prefix: string, count: number,
): Promise<(() => Promise<void>)[]> {
  const acts: (() => Promise<void>)[] = []
  for (let index = 0; index < count; index++) {
    const investor = new Investor(server, { name: 'Grace Hopper', email: `grace-${prefix}-${index}@fund.example` })
    await investor.enters(link)
    const acceptance = await investor.acceptanceFor(link)
    acts.push(async () => {
      const { statusCode } = await investor.asksToAccept(link, acceptance)
      if (statusCode >= 300) throw new Error(`a signature was answered ${statusCode}`)
    })
  }
  return acts
}

async function inLanes(
  laneCount: number, acts: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const waiting = [...acts]
  await Promise.all(Array.from({ length: laneCount }, async () => {
    for (let act = waiting.shift(); act !== undefined; act = waiting.shift()) await act()
  }))
}

// ---- The whole

async function run(): Promise<void> {
  await ready()
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  await startEngines()
  const settings = { RATE_LIMIT_PER_MINUTE: '100000000', EMAIL_CODES_PER_NETWORK: '1000000', LOG_LEVEL: 'error' }
  const server = await startServer(bench, { engines: 'real', settings })
  const reads = await prepareReads(server)
  await analyse(server.databaseUrl ?? '')
  await compareReads(reads)
  const founder = await new Founder(server).signsUp()
  const link = await founder.sharesDeck()
  await compareReleases(server, link)
  await compareTransfers(new Map([
    ['through the server', server],
    ['straight to the bucket', await startServer(bench, { engines: 'real', settings: { ...settings, UPLOADS: 'direct', DOWNLOADS: 'direct' } })],
  ]))
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Node ${process.version}`)
try {
  await run()
} finally {
  for (const end of endings) await end()
}
