/**
 * `npm run bench -- api`: what one instance serves on PostgreSQL and S3, beside Fastify's hello-world,
 * pgbench's single-row insert and the plain SDK, in turns in one run. wrk makes the load from the
 * other core; what must be signed anew each time is asked by this process.
 */
import { execFileSync, spawn } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import postgres from 'postgres'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { ready } from '../../protocol/sodium.js'
import { medianOf } from '../../scripts/bench/format/median.js'
import { startCluster } from '../../scripts/bench/sequencing/cluster.js'
import { findSparePort } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Link } from '../helpers/people.js'
import { connectS3 } from '../helpers/s3.js'
import { startServer, type Server } from '../helpers/server.js'
import { putLoad, type Load, type Question } from './api/load.js'

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
const PART_COUNT = 24
const LANE_COUNT = 4
const MIB = 1024 ** 2

// ---- What is started is stopped, last first

const endings: (() => Promise<void>)[] = []
const bench = { teardown(end: () => Promise<void>) { endings.unshift(end) } }

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

// ---- Bytes in and out

type Bytes = Uint8Array<ArrayBuffer>

/** MiB a second, of parts in lanes. @param send - one part; says how long it was. */
async function measureParts(
  partCount: number, send: (index: number) => Promise<number>,
): Promise<number> {
  let sizeBytes = 0
  const startMs = performance.now()
  await inLanes(LANE_COUNT, Array.from({ length: partCount }, (_, index) => async () => {
    sizeBytes += await send(index)
  }))
  return sizeBytes / MIB / (performance.now() - startMs) * 1_000
}

async function compareTransfers(server: Server, founder: Founder): Promise<void> {
  const { bucket } = server
  if (bucket === null) throw new Error('the server has a bucket')
  const client = connectS3(bucket.access)
  bench.teardown(async () => client.destroy())
  const rates: Record<'ours' | 'sdk', { up: number[], down: number[] }> = {
    ours: { up: [], down: [] }, sdk: { up: [], down: [] },
  }
  for (let round = 0; round < ROUND_COUNT; round++) {
    const key = (index: number) => ({ Bucket: bucket.name, Key: `bench/${round}-${index}` })
    const body = randomBytes(PART_SIZE_BYTES)
    rates.sdk.up.push(await measureParts(PART_COUNT, async (index) => {
      await client.send(new PutObjectCommand({ ...key(index), Body: body, IfNoneMatch: '*' }))
      return body.length
    }))
    rates.sdk.down.push(await measureParts(PART_COUNT, async (index) => {
      const { Body } = await client.send(new GetObjectCommand(key(index)))
      return (await Body?.transformToByteArray())?.length ?? 0
    }))
    const { up, down } = await measureOurs(server, founder)
    rates.ours.up.push(up)
    rates.ours.down.push(down)
  }
  console.log('\n| parts of 4 MiB, four at a time | MiB/s | of the SDK alone |\n|---|---:|---:|')
  for (const way of ['up', 'down'] as const) {
    const [ours, sdk] = [medianOf(rates.ours[way]), medianOf(rates.sdk[way])]
    console.log(`| ${way === 'up' ? 'upload' : 'download'} through the server to S3 | ${ours.toFixed(0)} | ${(ours / sdk).toFixed(2)} |`)
    console.log(`| the same by the plain SDK | ${sdk.toFixed(0)} | 1.00 |`)
  }
}

async function measureOurs(
  server: Server, founder: Founder,
): Promise<{ up: number, down: number }> {
  const vault = await founder.makesVault()
  const file = randomBytes(PART_COUNT * PART_SIZE_BYTES - MIB)
  const begun = await founder.beginsUpload(vault, { file })
  const { versionId } = begun.upload
  const headers = { 'x-sealdeck': '1', authorization: `Bearer ${founder.accessToken ?? ''}` }
  const { parts, payload } = begun
  const up = await measureParts(parts.length, async (index) => {
    const part = parts[index] ?? payload
    await requireGood(await fetch(`${server.address}/api/uploads/${versionId}/parts/${index}`, {
      method: 'PUT', body: Uint8Array.from<number>(part),
      headers: { ...headers, 'content-type': 'application/octet-stream', 'x-content-sha256': encodeBase64Url(hash('sha256', part, 'buffer')) },
    }))
    return part.length
  })
  await founder.does('PUT', `/api/uploads/${versionId}/hash-list`, begun.hashList)
  await founder.posts(`/api/uploads/${versionId}/complete`, founder.record(begun))
  const down = await measureParts(parts.length, async (index) => {
    const start = index * PART_SIZE_BYTES
    const end = Math.min(payload.length, start + PART_SIZE_BYTES)
    const bytes = await requireGood(await fetch(`${server.address}/api/versions/${versionId}/payload`, {
      headers: { ...headers, range: `bytes=${start}-${end - 1}` },
    }))
    return bytes.length
  })
  return { up, down }
}

async function requireGood(answer: Response): Promise<Bytes> {
  const bytes = new Uint8Array(await answer.arrayBuffer())
  if (!answer.ok) throw new Error(`answered ${answer.status}`)
  return bytes
}

// ---- The whole

async function run(): Promise<void> {
  await ready()
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
  const server = await startServer(bench, {
    engines: 'real', settings: { RATE_LIMIT_PER_MINUTE: '100000000', EMAIL_CODES_PER_NETWORK: '1000000', LOG_LEVEL: 'error' },
  })
  const reads = await prepareReads(server)
  await analyse(server.databaseUrl ?? '')
  await compareReads(reads)
  const founder = await new Founder(server).signsUp()
  const link = await founder.sharesDeck()
  await compareReleases(server, link)
  await compareTransfers(server, founder)
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Node ${process.version}`)
try {
  await run()
} finally {
  for (const end of endings) await end()
}
