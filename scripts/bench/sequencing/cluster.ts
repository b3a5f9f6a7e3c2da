/** A throwaway PostgreSQL 15 cluster with fsync on, as users run it, and pgbench beside it. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const FOLDER = '/usr/lib/postgresql'
const READY_TRIES = 200
const TRY_AFTER_MS = 100
const INSERT = 'insert into single_row (payload) values (md5(random()::text));\n'

export interface Cluster {
  readonly url: string
  /** What decides how a commit reaches the disk. */
  readonly settings: string
  /** Commits per second of single-row inserts by so many clients, with prepared statements. */
  measureInserts(clientCount: number, seconds: number): Promise<number>
  stop(): Promise<void>
}

/** @param slowdownMs - so much longer takes each flush of the write-ahead log, whoever commits. */
export async function startCluster(slowdownMs = 0): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-bench-'))
  const account = findAccount()
  if (account !== undefined) chownSync(folder, account.uid, account.gid)
  const [data, port] = [join(folder, 'cluster'), await findPort()]
  const programs = findPrograms()
  const options = { ...account, cwd: folder, stdio: 'ignore' as const }
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale'], options)
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, 'max_connections=400',
    // With no siblings asked for, whoever flushes sleeps first, holding the lock that a slow disk would hold.
    `commit_delay=${slowdownMs * 1_000}`, 'commit_siblings=0']
  const server = spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], options)
  const run = (program: string, args: string[]) => promisify(execFile)(
    join(programs, program), ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', ...args])
  await untilReady(() => run('pg_isready', []))
  const script = join(folder, 'insert.sql')
  writeFileSync(script, INSERT, { mode: 0o644 })
  const shown = await run('psql', ['-Atc', `select string_agg(name || ' ' || setting, ', ' order by name) from pg_settings
    where name in ('server_version', 'fsync', 'synchronous_commit', 'wal_sync_method', 'full_page_writes')`])
  await run('psql', ['-c', 'create table single_row (id bigserial primary key, payload text not null)'])
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    settings: shown.stdout.trim(),
    async measureInserts(clientCount, seconds) {
      const { stdout } = await run('pgbench', [
        '-n', '-M', 'prepared', '-c', String(clientCount), '-j', String(Math.min(2, clientCount)), '-T', String(seconds), '-f', script, 'postgres',
      ])
      return Number(/tps = ([0-9.]+)/.exec(stdout)?.[1])
    },
    async stop() {
      const ended = once(server, 'exit')
      server.kill('SIGQUIT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function findPrograms(): string {
  const [version] = existsSync(FOLDER) ? readdirSync(FOLDER).sort().reverse() : []
  if (version === undefined) throw new Error('PostgreSQL is not installed')
  return join(FOLDER, version, 'bin')
}

/** PostgreSQL refuses root, so root borrows the account that the package made. */
function findAccount(): { uid: number, gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function untilReady(ask: () => Promise<unknown>): Promise<void> {
  for (let tryIndex = 1; ; tryIndex++) {
    try {
      await ask()
      return
    } catch (error) {
      if (tryIndex === READY_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, TRY_AFTER_MS))
    }
  }
}
