/**
 * `npm run bench -- log`: releases beside pgbench's single-row insert on one PostgreSQL cluster, and the
 * verification of a million entries beside as many bare hashes. A release here is its two events in one
 * statement, a signed checkpoint and both proofs; the header's own rows are not counted.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import { ENTRY_SIZE_BYTES, formatTime, sealEvent } from '../../protocol/log/event.js'
import { EMPTY_TILE_EDGE, planIntegration, type TileEdge } from '../../protocol/log/tile.js'
import { verifyTree } from '../../protocol/log/whole-log.js'
import { readConfig } from '../../server/config.js'
import { openEngines, openLog } from '../../server/open-world.js'
import { platformSha256 } from '../../server/platform-hash.js'
import { startSequencer, type Sequencer } from '../../server/sequencer.js'
import type { LogParts } from '../../server/world.js'
import { startCluster, type Cluster } from './sequencing/cluster.js'

const CLIENT_COUNTS = [1, 8, 64, 256]
/** As many as an instance has for its requests, whatever the number of its clients. */
const CONNECTION_COUNT = 32
/** The disk as it is, and as if each of its syncs took two milliseconds more. */
const SLOWDOWNS_MS = [0, 2]
const SYNC_COUNT = 400
const ROUND_COUNT = 2
const ROUND_SECONDS = 4
const ENTRY_COUNT = 1_000_000
const BATCH_COUNT = 4_096
const VERIFICATION_ROUNDS = 3

// ---- Releases ----

/** @param slowdownMs - what every sync costs more, on both sides: 0 is the disk as it is. */
async function compareReleases(slowdownMs: number): Promise<void> {
  const cluster = await startCluster(slowdownMs)
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-bench-'))
  const config = readConfig({
    DATA_DIR: folder, DATABASE_URL: cluster.url, DATABASE_MAX_CONNECTIONS: String(CONNECTION_COUNT),
  })
  const { parts, close } = await openEngines(config, { log: openLog('warn') })
  slowDown(parts, slowdownMs)
  const sequencer = await startSequencer(parts)
  try {
    console.log(`\n${cluster.settings}; ${await measureSync(folder)}, and ${slowdownMs} ms more\n`)
    console.log(row(['clients', 'pgbench, commits/s', `on ${CONNECTION_COUNT} connections at most`, 'releases/s', 'ratio', 'p50 ms', 'p99 ms', 'processor, ms a release']))
    console.log('|---:|---:|---:|---:|---:|---:|---:|---:|')
    const running = { cluster, parts, sequencer }
    for (const clientCount of CLIENT_COUNTS) await compareAt(clientCount, running)
  } finally {
    await sequencer.stop()
    await close()
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Running {
  readonly cluster: Cluster
  readonly parts: LogParts
  readonly sequencer: Sequencer
}

async function compareAt(
  clientCount: number, { cluster, parts, sequencer }: Running,
): Promise<void> {
  const [inserts, fewer, times]: [number[], number[], number[]] = [[], [], []]
  let processorMs = 0
  // In turns, so that a busy minute of the machine falls on all.
  for (let round = 0; round < ROUND_COUNT; round++) {
    inserts.push(await cluster.measureInserts(clientCount, ROUND_SECONDS))
    fewer.push(clientCount <= CONNECTION_COUNT
      ? inserts.at(-1) ?? 0
      : await cluster.measureInserts(CONNECTION_COUNT, ROUND_SECONDS))
    const before = process.cpuUsage()
    times.push(...await measureReleases(parts, sequencer, clientCount))
    const { user, system } = process.cpuUsage(before)
    processorMs += (user + system) / 1_000
  }
  const releases = times.length / (ROUND_COUNT * ROUND_SECONDS)
  const commits = mean(inserts)
  times.sort((one, other) => one - other)
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(1) ?? '-'
  console.log(row([
    String(clientCount), commits.toFixed(0), mean(fewer).toFixed(0), releases.toFixed(0),
    (releases / commits).toFixed(3), at(0.5), at(0.99), (processorMs / times.length).toFixed(2),
  ]))
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length
}

/** What a write of 8 KiB and its sync cost here: far below a millisecond, somebody's cache answers. */
async function measureSync(folder: string): Promise<string> {
  const path = join(folder, 'synced')
  const file = await open(path, 'w')
  const times: number[] = []
  for (let count = 0; count < SYNC_COUNT; count++) {
    const startedAtMs = performance.now()
    await file.write(Buffer.alloc(8_192), 0, 8_192, 0)
    await file.datasync()
    times.push(performance.now() - startedAtMs)
  }
  await file.close()
  times.sort((one, other) => one - other)
  return `a write and its sync take ${((times[SYNC_COUNT / 2] ?? 0) * 1_000).toFixed(0)} µs`
}

/** PostgreSQL sleeps before each flush of its log (`commit_delay`); a folder syncs the file, then the folder. */
function slowDown({ bucket }: LogParts, slowdownMs: number): void {
  if (slowdownMs === 0) return
  const { put, replace } = bucket
  bucket.put = async (...args) => {
    await delay(2 * slowdownMs)
    return await put.apply(bucket, args)
  }
  bucket.replace = async (...args) => {
    await delay(2 * slowdownMs)
    return await replace.apply(bucket, args)
  }
}

/** How long each release took, in milliseconds. */
async function measureReleases(
  parts: LogParts, sequencer: Sequencer, clientCount: number,
): Promise<number[]> {
  const endsAtMs = performance.now() + ROUND_SECONDS * 1_000
  const times: number[] = []
  await Promise.all(Array.from({ length: clientCount }, async () => {
    while (performance.now() < endsAtMs) {
      const startedAtMs = performance.now()
      const events = makeRelease(parts)
      await insertEvents(parts.database.db, events)
      await sequencer.published(events.map(({ id }) => id))
      times.push(performance.now() - startedAtMs)
    }
  }))
  return times
}

function makeRelease({ keys, clock }: LogParts) {
  const sha256 = 'a'.repeat(64)
  const base = {
    log: keys.log.origin, at: formatTime(clock.nowMs()), actor: 'server', vault: uuidv7(), party: uuidv7(),
    grant: 'AAECAwQFBgcICQoLDA0ODw', recipientSha256: sha256,
  }
  return [
    sealEvent({
      ...base, type: 'nda.accepted', id: uuidv7(), agreementSha256: sha256, grantSha256: sha256,
      linkKey: keys.log.vkey, deviceKey: keys.log.vkey,
    }, { name: 'Ada Lovelace', email: 'ada@fund.example', note: 'n'.repeat(2_000) }),
    sealEvent({
      ...base, type: 'header.released', id: uuidv7(), document: uuidv7(), part: 0, version: 1, recordSha256: sha256,
      headerSha256: sha256, because: sha256,
    }),
  ]
}

// ---- Verification ----

async function compareVerification(): Promise<void> {
  const files = new Map<string, Uint8Array>()
  let edge: TileEdge = EMPTY_TILE_EDGE
  let root = new Uint8Array()
  for (let size = 0; size < ENTRY_COUNT; size += BATCH_COUNT) {
    const count = Math.min(BATCH_COUNT, ENTRY_COUNT - size)
    const entries = Array.from({ length: count }, () => randomBytes(ENTRY_SIZE_BYTES))
    const plan = planIntegration(edge, entries, platformSha256)
    for (const { path, bytes } of plan.resources) files.set(path, bytes)
    edge = plan.edge
    root = Uint8Array.from(plan.root)
  }
  const read = async (path: string) => files.get(path) ?? null
  const [bare, ours]: [number[], number[]] = [[], []]
  for (let round = 0; round < VERIFICATION_ROUNDS; round++) {
    bare.push(hashBare())
    const startedAtMs = performance.now()
    await verifyTree(read, { size: BigInt(ENTRY_COUNT), root }, { hash: platformSha256 })
    ours.push(performance.now() - startedAtMs)
  }
  const [bareMs, oursMs] = [Math.min(...bare), Math.min(...ours)]
  console.log(`\n${ENTRY_COUNT} entries verified in ${(oursMs / 1000).toFixed(2)} s; ` +
    `${2 * ENTRY_COUNT - 1} one-shot hashes take ${(bareMs / 1000).toFixed(2)} s: ${(oursMs / bareMs).toFixed(2)} times that.`)
}

/** As many one-shot hashes, of the same lengths, by the same function of the platform. */
function hashBare(): number {
  const [leaf, node] = [randomBytes(1 + ENTRY_SIZE_BYTES), randomBytes(65)]
  const startedAtMs = performance.now()
  for (let index = 0; index < ENTRY_COUNT; index++) platformSha256(leaf)
  for (let index = 1; index < ENTRY_COUNT; index++) platformSha256(node)
  return performance.now() - startedAtMs
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Node ${process.version}\n`)
for (const slowdownMs of SLOWDOWNS_MS) await compareReleases(slowdownMs)
await compareVerification()
