/**
 * A real PostgreSQL for tests: a throwaway cluster on a spare port with fsync on, as users run it.
 * The test wrapper starts one for all files and passes its address in TEST_POSTGRES_URL; a file run
 * alone starts its own.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import {
  findProgram, findSparePort, makeFolder, removeFolder, run, startEngine, waitUntil, type Account,
  type Engine,
} from './engine.js'
import { mountSmallDisk, type SmallDisk } from './small-disk.js'

const DEBIAN_FOLDER = '/usr/lib/postgresql'
const MAX_CONNECTIONS = 300
const TEMPLATE_LOCK = 0x5ea1

export interface PostgresServer {
  /** Connects as superuser to the database `postgres`. */
  readonly url: string
  /** What it says of itself, over all its lives. */
  readonly logPath: string
  /** Its own, if it was started on one. */
  readonly disk: SmallDisk | null
  /** `fast` ends sessions and waits for the disk; `immediate` is a crash. Same address afterwards. */
  restart(mode: StopMode): Promise<void>
  stop(): Promise<void>
}

export type StopMode = 'fast' | 'immediate'

/** How a template database is filled, once for all files that ask for the same name. */
export interface Template {
  /** Lower-case letters, digits and `_`; change it when `prepare` changes. */
  readonly name: string
  prepare(url: string): Promise<void>
}

interface Test { teardown(end: () => Promise<void>): void }

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/** Where the programs are, or `undefined` if PostgreSQL is not installed. */
export function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).sort().reverse() : []
  const folders = versions.map((version) => join(DEBIAN_FOLDER, version, 'bin'))
  const initdb = findProgram('initdb', folders)
  return initdb?.slice(0, -'/initdb'.length)
}

/** The shared server if there is one, else one of this file's own that ends with `t`. */
export async function usePostgres(t: Test): Promise<{ readonly url: string }> {
  const url = process.env.TEST_POSTGRES_URL
  if (url !== undefined) return { url }
  const server = await startPostgres()
  t.teardown(async () => await server.stop())
  return server
}

/** Starts a cluster of its own: for the wrapper, and for tests that restart or break it. */
export async function startPostgres(
  { diskSizeMiB }: { diskSizeMiB?: number } = {},
): Promise<PostgresServer> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error('PostgreSQL is not installed')
  const account = await findAccount()
  const folder = await makeFolder('postgres')
  const disk = diskSizeMiB === undefined ? null : await mountSmallDisk(folder, diskSizeMiB)
  if (account !== undefined) await chown(folder, account.uid, account.gid)
  const cluster = join(folder, 'cluster')
  const options = ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--data-checksums']
  await run(join(programs, 'initdb'), options, account)
  return await runCluster({ programs, folder, disk, cluster, account, port: await findSparePort() })
}

interface Cluster {
  readonly programs: string
  readonly folder: string
  readonly disk: SmallDisk | null
  readonly cluster: string
  readonly account: Account | undefined
  readonly port: number
}

async function runCluster(cluster: Cluster): Promise<PostgresServer> {
  const url = `postgres://postgres@127.0.0.1:${cluster.port}/postgres`
  let engine = await startCluster(cluster, url)
  return {
    url, logPath: logPathOf(cluster), disk: cluster.disk,
    async restart(mode) {
      await engine.stop(SIGNALS[mode])
      engine = await startCluster(cluster, url)
    },
    async stop() {
      await engine.stop(SIGNALS.immediate)
      await cluster.disk?.unmount()
      await removeFolder(cluster.folder)
    },
  }
}

function logPathOf({ folder }: Cluster): string {
  return join(folder, 'postgres.log')
}

async function startCluster(
  cluster: Cluster, url: string,
): Promise<Engine> {
  const { programs, account, port } = cluster
  const settings = {
    port, listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: MAX_CONNECTIONS, fsync: 'on',
    ...cluster.disk === null ? {} : { max_wal_size: '64MB' },
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const engine = startEngine({
    program: join(programs, 'postgres'), args: ['-D', cluster.cluster, ...args], logPath: logPathOf(cluster), account,
  })
  await waitUntil('PostgreSQL', async () => await isAnswering(url))
  return engine
}

async function isAnswering(url: string): Promise<boolean> {
  const client = connect(url)
  try {
    await client`select 1`
    return true
  } catch {
    return false // Not up yet: the caller has the time limit.
  } finally {
    await client.end()
  }
}

// PostgreSQL refuses root, so root borrows the account that Debian's package made.
async function findAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid), gid: Number(gid) }
}

/**
 * Makes an empty database, or a copy of a template, and returns its address.
 * A copy takes some 70 ms; the template is prepared by whoever asks first, others wait for it.
 */
export async function createDatabase(
  server: { readonly url: string }, template?: Template,
): Promise<string> {
  const name = `t${randomBytes(8).toString('hex')}`
  const client = connect(server.url)
  try {
    if (template === undefined) await client.unsafe(`create database ${name}`)
    else await copyTemplate(client, { server, template, name })
    return databaseUrl(server, name)
  } finally {
    await client.end()
  }
}

/** Drops a database that `createDatabase` made, its sessions too. */
export async function dropDatabase(server: { readonly url: string }, url: string): Promise<void> {
  const client = connect(server.url)
  try {
    await client.unsafe(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`)
  } finally {
    await client.end()
  }
}

interface Copy {
  readonly server: { readonly url: string }, readonly template: Template, readonly name: string,
}

// PostgreSQL copies one template at a time and only while nobody is connected to it, so the lock
// stands over both steps; one connection, because the lock belongs to its session.
async function copyTemplate(client: postgres.Sql, { server, template, name }: Copy): Promise<void> {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(template.name)) throw new Error('a template name is [a-z0-9_], 41 at most')
  await client`select pg_advisory_lock(${TEMPLATE_LOCK})`
  const [existing] = await client`select 1 from pg_database where datname = ${template.name}`
  if (existing === undefined) await fillTemplate(client, { server, template, name: `${template.name}_draft` })
  await client.unsafe(`create database ${name} template ${template.name}`)
  await client`select pg_advisory_unlock(${TEMPLATE_LOCK})`
}

// Renamed only when whole, so a failed `prepare` is not taken for a template by the next file.
async function fillTemplate(client: postgres.Sql, { server, template, name }: Copy): Promise<void> {
  await client.unsafe(`drop database if exists ${name} with (force)`)
  await client.unsafe(`create database ${name}`)
  await template.prepare(databaseUrl(server, name))
  await client.unsafe(`alter database ${name} rename to ${template.name}`)
}

function databaseUrl(server: { readonly url: string }, name: string): string {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}

function connect(url: string): postgres.Sql {
  return postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
}
