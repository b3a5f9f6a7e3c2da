/** By which scans PostgreSQL answered a question, as it logs them itself (auto_explain). */
import { readFile } from 'node:fs/promises'
import type postgres from 'postgres'
import type { Founder } from '../../helpers/people.js'

interface Asked {
  readonly client: postgres.Sql
  readonly founder: Founder
  readonly questions: readonly { readonly name: string, readonly path: string }[]
}

const SCAN = /(Seq Scan on \w+|Index (?:Only )?Scan(?: Backward)? using \w+|Bitmap Index Scan on \w+)/g

/** @param logPath - where the cluster logs. */
export async function showPlans(
  { client, founder, questions }: Asked, logPath: string,
): Promise<void> {
  console.log('\nHow PostgreSQL answered:\n')
  await client`load 'auto_explain'`
  await client`alter system set session_preload_libraries = 'auto_explain'`
  await client`alter system set auto_explain.log_min_duration = 0`
  await client`select pg_reload_conf()`
  // Connections that are open keep what they began with; new ones explain themselves.
  await client`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database()`
  await renews(founder)
  for (const { name, path } of questions) {
    const from = (await readFile(logPath, 'utf8')).length
    await founder.gets(path)
    const text = (await readFile(logPath, 'utf8')).slice(from)
    const scans = [...text.matchAll(SCAN)].map(([scan]) => scan)
    console.log(`- ${name}: ${[...new Set(scans)].join('; ')}`)
  }
}

/** A session's token lasts ten minutes, and filling takes longer. */
export async function renews(founder: Founder): Promise<void> {
  founder.keepsSession(await founder.does('POST', '/api/sessions/refresh', {}))
}
