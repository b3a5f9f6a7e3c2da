/**
 * `npm run bench -- log`: releases beside pgbench's single-row insert on one PostgreSQL cluster, and the
 * verification of a million entries beside as many bare hashes. A release here is its two events in one
 * statement, a signed checkpoint and both proofs; the header's own rows are not counted.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { startCluster } from './sequencing/cluster.js'

const CLIENT_COUNTS = [1, 8, 64, 256]
const ROUND_COUNT = 2
const ROUND_SECONDS = 4
const ENTRY_COUNT = 1_000_000
const BATCH_COUNT = 4_096
const VERIFICATION_ROUNDS = 3

// ---- Releases ----

async function compareReleases(): Promise<void> {
  const cluster = await startCluster()
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-bench-'))
  const config = readConfig({ DATA_DIR: folder, DATABASE_URL: cluster.url, DATABASE_MAX_CONNECTIONS: '32' })
  const { parts, close } = await openEngines(config, { log: openLog('warn') })
  const sequencer = await startSequencer(parts)
  try {
    console.log('| clients | pgbench, commits/s | releases/s | ratio | p50 ms | p99 ms |\n|---:|---:|---:|---:|---:|---:|')
    for (const clientCount of CLIENT_COUNTS) {
      const inserts: number[] = []
      const times: number[] = []
      // In turns, so that a busy minute of the machine falls on both.
      for (let round = 0; round < ROUND_COUNT; round++) {
        inserts.push(await cluster.measureInserts(clientCount, ROUND_SECONDS))
        times.push(...await measureReleases(parts, sequencer, clientCount))
      }
      const releases = times.length / (ROUND_COUNT * ROUND_SECONDS)
      const commits = inserts.reduce((sum, one) => sum + one, 0) / inserts.length
      times.sort((one, other) => one - other)
      const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(1) ?? '-'
      console.log(`| ${clientCount} | ${commits.toFixed(0)} | ${releases.toFixed(0)} | ${(releases / commits).toFixed(2)} | ${at(0.5)} | ${at(0.99)} |`)
    }
  } finally {
    await sequencer.stop()
    await close()
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
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
await compareReleases()
await compareVerification()
