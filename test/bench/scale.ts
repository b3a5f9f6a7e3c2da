/**
 * `npm run bench -- scale [VAULTS]`: the same questions asked of an instance with 1,000 vaults and of one with
 * 1,000,000 (ten events each, made by SQL), in turns; with the plans by which PostgreSQL answered.
 * The asker's own vaults, events and tiles are real, and the same in both.
 */
import { rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import type { EventList, PersonList, VaultList } from '../../protocol/api.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { ready } from '../../protocol/sodium.js'
import { medianOf } from '../../scripts/bench/format/median.js'
import { buildApp } from '../../server/app.js'
import { readConfig } from '../../server/config.js'
import { openLog, openWorld } from '../../server/open-world.js'
import { systemClock, type World } from '../../server/world.js'
import { findSparePort, makeFolder } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Link } from '../helpers/people.js'
import { createDatabase, startPostgres } from '../helpers/postgres.js'
import { putLoad, type Load } from './api/load.js'
import { renews, showPlans } from './scale/plans.js'
import { fillRows } from './scale/rows.js'

const SMALL_VAULT_COUNT = 1_000
const LARGE_VAULT_COUNT = 1_000_000
const OWN_VAULT_COUNT = 120
const OWN_EVENT_COUNT = 1_000
const EVENTS_AT_ONCE = 100
const CLIENT_COUNT = 8
const ROUND_SECONDS = 3
const ROUND_COUNT = 3
const SIGNER_COUNT = 60
const DEEP_PAGE = 100

const endings: (() => Promise<void>)[] = []

interface Instance {
  readonly vaultCount: number
  readonly world: World
  readonly address: string
  readonly client: postgres.Sql
  readonly founder: Founder
  readonly link: Link
  readonly questions: readonly Question[]
}

interface Question { readonly name: string, readonly path: string }

// ---- An instance and its asker

async function openInstance(serverUrl: string, vaultCount: number): Promise<Instance> {
  const url = await createDatabase({ url: serverUrl })
  const folder = await makeFolder('scale')
  endings.unshift(async () => await rm(folder, { recursive: true }))
  const port = await findSparePort()
  const { world, close } = await openWorld(readConfig({
    DATA_DIR: folder, DATABASE_URL: url, PORT: String(port), PUBLIC_URL: `http://localhost:${port}`,
    RATE_LIMIT_PER_MINUTE: '100000000', EMAIL_CODES_PER_NETWORK: '1000000', MAX_EVENT_LOOP_DELAY_MS: '60000',
  }), { log: openLog('error') })
  const app = await buildApp(world)
  await app.listen({ host: '127.0.0.1', port })
  const client = postgres(url, { max: 1, fetch_types: false })
  endings.unshift(async () => {
    await app.close()
    await close()
    await client.end()
  })
  console.log(`filling ${vaultCount} vaults ...`)
  await fillRows(client, vaultCount)
  const founder = await new Founder({ app, clock: systemClock, world }).signsUp()
  const link = await founder.sharesDeck()
  for (let index = 1; index < OWN_VAULT_COUNT; index++) await founder.makesVault(`Vault ${index}`)
  await new Investor(founder.test).enters(link)
  await makeEvents(world, link.vaultId)
  await client`vacuum analyze`
  const questions = await listQuestions(founder, link)
  return { vaultCount, world, address: `http://127.0.0.1:${port}`, client, founder, link, questions }
}

async function makeEvents(world: World, vault: string): Promise<void> {
  for (let made = 0; made < OWN_EVENT_COUNT; made += EVENTS_AT_ONCE) {
    const events = Array.from({ length: EVENTS_AT_ONCE }, () => sealEvent({
      type: 'export.made', id: uuidv7(), log: world.keys.log.origin, at: formatTime(Date.now()), actor: 'server', vault,
    }))
    await insertEvents(world.db, events)
    await world.sequencer.published(events.map((event) => event.id))
  }
}

async function listQuestions(founder: Founder, link: Link): Promise<Question[]> {
  const { vaultId, grantId } = link
  const { vaults } = await founder.gets<VaultList>('/api/vaults?limit=100')
  const { people } = await founder.gets<PersonList>(`/api/vaults/${vaultId}/people`)
  const { events } = await founder.gets<EventList>(`/api/vaults/${vaultId}/events`)
  const deepest = events.at(-1)?.index ?? DEEP_PAGE
  return [
    { name: 'what the gate shows', path: `/api/gate/${grantId}` },
    { name: 'list of vaults', path: '/api/vaults' },
    { name: 'list of vaults, a late page', path: `/api/vaults?after=${vaults[DEEP_PAGE - 1]?.vaultId ?? ''}` },
    { name: 'a vault', path: `/api/vaults/${vaultId}` },
    { name: 'its people', path: `/api/vaults/${vaultId}/people` },
    { name: 'its events, newest', path: `/api/vaults/${vaultId}/events` },
    { name: 'its events, an old page', path: `/api/vaults/${vaultId}/events?before=${deepest - DEEP_PAGE}` },
    { name: 'its events of a type', path: `/api/vaults/${vaultId}/events?type=grant.made` },
    { name: 'its events of a person', path: `/api/vaults/${vaultId}/events?personId=${people[0]?.personId ?? ''}` },
  ]
}

// ---- Asking in turns

async function compareQuestions(small: Instance, large: Instance): Promise<void> {
  console.log('\n| ' + `${CLIENT_COUNT} connections | ${small.vaultCount} vaults: p50, p99 ms | ${large.vaultCount} vaults: p50, p99 ms | p50 | p99 |\n|---|---:|---:|---:|---:|`)
  for (const [index, { name }] of small.questions.entries()) {
    for (const { founder } of [small, large]) await renews(founder)
    const loads = new Map<Instance, Load[]>([[small, []], [large, []]])
    for (let round = 0; round < ROUND_COUNT; round++) {
      for (const [instance, list] of loads) list.push(await ask(instance, index))
    }
    const [one, other] = [summarise(loads.get(small) ?? []), summarise(loads.get(large) ?? [])]
    console.log(`| ${name} | ${show(one)} | ${show(other)} | ${(other.p50Ms / one.p50Ms).toFixed(2)} | ${(other.p99Ms / one.p99Ms).toFixed(2)} |`)
  }
  const signed = { small: await measureSigning(small), large: await measureSigning(large) }
  console.log(`| signed NDA to header, one at a time | ${show(signed.small)} | ${show(signed.large)} | ` +
    `${(signed.large.p50Ms / signed.small.p50Ms).toFixed(2)} | ${(signed.large.p99Ms / signed.small.p99Ms).toFixed(2)} |`)
}

async function ask({ address, founder, questions }: Instance, index: number): Promise<Load> {
  const authorization = `Bearer ${founder.accessToken ?? ''}`
  const question = { path: questions[index]?.path ?? '', authorization }
  return await putLoad(address, [question], { clientCount: CLIENT_COUNT, seconds: ROUND_SECONDS })
}

type Times = Pick<Load, 'p50Ms' | 'p99Ms'>

function summarise(loads: readonly Load[]): Times {
  return {
    p50Ms: medianOf(loads.map(({ p50Ms }) => p50Ms)),
    p99Ms: medianOf(loads.map(({ p99Ms }) => p99Ms)),
  }
}

function show({ p50Ms, p99Ms }: Times): string {
  return `${p50Ms.toFixed(1)}, ${p99Ms.toFixed(1)}`
}

async function measureSigning({ founder, link }: Instance): Promise<Times> {
  const times: number[] = []
  for (let index = 0; index < SIGNER_COUNT; index++) {
    const person = { name: 'Grace Hopper', email: `grace-${index}@fund.example` }
    const investor = new Investor(founder.test, person)
    await investor.enters(link)
    const acceptance = await investor.acceptanceFor(link)
    const startMs = performance.now()
    await investor.asksToAccept(link, acceptance)
    times.push(performance.now() - startMs)
  }
  times.sort((one, other) => one - other)
  const at = (index: number) => times[index] ?? Number.NaN
  return { p50Ms: at(Math.floor(SIGNER_COUNT / 2)), p99Ms: at(SIGNER_COUNT - 1) }
}

// ---- The whole

async function run(): Promise<void> {
  const largeCount = Number(process.argv[2] ?? LARGE_VAULT_COUNT)
  await ready()
  const server = await startPostgres()
  endings.push(async () => await server.stop())
  const large = await openInstance(server.url, largeCount)
  const small = await openInstance(server.url, SMALL_VAULT_COUNT)
  await compareQuestions(small, large)
  await showPlans(large, server.logPath)
}

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Node ${process.version}\n`)
try {
  await run()
} finally {
  for (const end of endings) await end()
}
