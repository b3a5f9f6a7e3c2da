/**
 * `npm run bench -- console [EVENTS]`: what an auditor asks, of a vault with 1,000 events and of one with 1,000,000
 * (real entries, tiles and proofs), in turns; with the plans by which PostgreSQL answered.
 */
import { rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import postgres from 'postgres'
import type { EventList } from '../../protocol/api.js'
import { ready } from '../../protocol/sodium.js'
import { buildApp, type App } from '../../server/app.js'
import { readConfig, type Config } from '../../server/config.js'
import { openLog, openWorld } from '../../server/open-world.js'
import { nameInstanceAuditor } from '../../server/use-cases/name-instance-auditor.js'
import { systemClock } from '../../server/world.js'
import { makeFolder } from '../helpers/engine.js'
import { Founder } from '../helpers/people.js'
import { createDatabase, startPostgres } from '../helpers/postgres.js'
import { fillVault, idOf } from './console/long-vault.js'
import { renews, showPlans } from './scale/plans.js'

const SMALL_EVENT_COUNT = 1_000
const LARGE_EVENT_COUNT = 1_000_000
const ROUND_COUNT = 40
const DAY_MS = 24 * 3_600_000

const endings: (() => Promise<void>)[] = []

interface Instance {
  readonly eventCount: number
  readonly app: App
  readonly founder: Founder
  readonly client: postgres.Sql
  readonly questions: readonly Question[]
}

interface Question { readonly name: string, readonly path: string }

// ---- An instance with one long vault

async function openInstance(serverUrl: string, eventCount: number): Promise<Instance> {
  const url = await createDatabase({ url: serverUrl })
  const folder = await makeFolder('console')
  endings.unshift(async () => await rm(folder, { recursive: true }))
  const config = readConfig({
    DATA_DIR: folder, DATABASE_URL: url, PUBLIC_URL: 'http://localhost:4870', RATE_LIMIT_PER_MINUTE: '100000000', MAX_EVENT_LOOP_DELAY_MS: '60000',
  })
  const client = postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined })
  const vault = await makeVault(config, client, eventCount)
  const { world, close } = await openWorld(config, { log: openLog('error') })
  const app = await buildApp(world)
  endings.unshift(async () => {
    await app.close()
    await close()
    await client.end()
  })
  Object.assign(vault.reach, { app, world })
  await renews(vault.founder)
  const { founder, vaultId } = vault
  return { eventCount, app, founder, client, questions: await listQuestions(founder, vaultId) }
}

/** In a world of its own, whose sequencer rests while the rows are made. */
async function makeVault(config: Config, client: postgres.Sql, eventCount: number) {
  const { world, close } = await openWorld(config, { log: openLog('error') })
  const app = await buildApp(world)
  const reach = { app, clock: systemClock, world }
  const founder = await new Founder(reach).signsUp()
  const { vaultId } = await founder.sharesDeck()
  await nameInstanceAuditor(world, { email: founder.email, isRight: true })
  const { events: [newest] } = await founder.gets<EventList>(`/api/vaults/${vaultId}/events?limit=1`)
  const [row] = await client`select tag_key from vaults where id = ${vaultId}`
  await world.sequencer.stop()
  const startMs = performance.now()
  const tagKey: Uint8Array = Uint8Array.from(row?.['tag_key'] ?? [])
  const firstSequence = (newest?.vaultSequence ?? 0) + 1
  await fillVault(world, client, { vaultId, tagKey, firstSequence }, eventCount)
  console.log(`${eventCount} events made in ${((performance.now() - startMs) / 1_000).toFixed(0)} s`)
  await app.close()
  await close()
  return { founder, vaultId, reach }
}

async function listQuestions(founder: Founder, vaultId: string): Promise<Question[]> {
  const { newest } = await founder.gets<EventList>(`/api/vaults/${vaultId}/events?limit=1`)
  const middle = Math.floor((newest ?? 0) / 2)
  const vault = `/api/vaults/${vaultId}/events`
  const month = `fromMs=${Date.now() - 200 * DAY_MS}&toMs=${Date.now() - 170 * DAY_MS}`
  const person = `personId=${idOf('person', 7)}`
  return [
    { name: 'the newest page', path: vault },
    { name: 'a page in the middle', path: `${vault}?before=${middle}` },
    { name: 'the last page', path: `${vault}?before=150` },
    { name: 'of a frequent type', path: `${vault}?type=header.released&before=${middle}` },
    { name: 'of a rare type', path: `${vault}?type=access.revoked` },
    { name: 'of a person', path: `${vault}?${person}` },
    { name: 'of a document', path: `${vault}?documentId=${idOf('document', 7)}` },
    { name: 'of a month', path: `${vault}?${month}` },
    { name: 'of a person, a document, a type and a month', path: `${vault}?${person}&documentId=${idOf('document', 7)}&type=version.fetched&${month}` },
    { name: 'of a type in a month', path: `${vault}?type=email.verified&${month}` },
    { name: 'from the oldest, 500', path: `${vault}?order=oldest-first&limit=500&after=${middle}` },
    { name: 'the instance, newest', path: '/api/instance/events' },
    { name: 'the instance, of a rare type', path: '/api/instance/events?type=access.revoked' },
    { name: 'the instance, of a month', path: `/api/instance/events?${month}` },
  ]
}

// ---- Asking in turns

async function compareQuestions(small: Instance, large: Instance): Promise<void> {
  console.log(`\n| one at a time | ${small.eventCount} events: p50, p99 ms | ${large.eventCount} events: p50, p99 ms | p50 | p99 |\n|---|---:|---:|---:|---:|`)
  for (const [index, { name }] of small.questions.entries()) {
    const [one, other]: [number[], number[]] = [[], []]
    for (const { founder } of [small, large]) await renews(founder)
    for (let round = 0; round < ROUND_COUNT; round++) {
      one.push(await ask(small, index))
      other.push(await ask(large, index))
    }
    const [first, second] = [summarise(one), summarise(other)]
    console.log(`| ${name} | ${show(first)} | ${show(second)} | ${(second.p50 / first.p50).toFixed(2)} | ${(second.p99 / first.p99).toFixed(2)} |`)
  }
}

async function ask({ founder, questions }: Instance, index: number): Promise<number> {
  const startMs = performance.now()
  await founder.does('GET', questions[index]?.path ?? '')
  return performance.now() - startMs
}

function summarise(times: number[]): { p50: number, p99: number } {
  times.sort((one, other) => one - other)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

function show({ p50, p99 }: { p50: number, p99: number }): string {
  return `${p50.toFixed(1)}, ${p99.toFixed(1)}`
}

// ---- The whole

async function run(): Promise<void> {
  const largeCount = Number(process.argv[2] ?? LARGE_EVENT_COUNT)
  await ready()
  const server = await startPostgres()
  endings.push(async () => await server.stop())
  const large = await openInstance(server.url, largeCount)
  const small = await openInstance(server.url, SMALL_EVENT_COUNT)
  await compareQuestions(small, large)
  await showPlans(large, server.logPath)
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Node ${process.version}\n`)
try {
  await run()
} finally {
  for (const end of endings) await end()
}
