/** Readiness: whether this instance can do its work, asked of each engine. */
import { sql } from 'drizzle-orm'
import { queryRows } from '../../db/client.js'
import { readInstant } from '../../db/columns.js'
import type { World } from '../world.js'

const CHECK_TIMEOUT_MS = 2_000
const MAX_CLOCK_DIFFERENCE_MS = 2_000

export type Engine = 'database' | 'clock' | 'bucket' | 'log'

/**
 * Ask database, clock, bucket and log.
 * @returns those that fail, each also in the server's log; none if all is well.
 */
export async function checkReadiness(world: World): Promise<Engine[]> {
  const checks: Record<Engine, () => Promise<void>> = {
    database: async () => { await queryRows(world.db, sql`select 1`) },
    clock: async () => { await requireSameTime(world) },
    bucket: async () => { await world.bucket.check() },
    log: async () => { world.sequencer.requireWorking() },
  }
  const engines: Engine[] = ['database', 'clock', 'bucket', 'log']
  const results = await Promise.allSettled(
    engines.map(async (engine) => { await inTime(checks[engine]()) }),
  )
  return engines.filter((engine, index) => {
    const result = results[index]
    if (result?.status !== 'rejected') return false
    world.log.warn({ engine, err: result.reason }, 'not ready')
    return true
  })
}

/** Two clocks that differ make tokens and codes fail in ways nobody understands. */
async function requireSameTime(world: World): Promise<void> {
  const [row] = await queryRows(world.db, sql`select clock_timestamp() as now`)
  const difference = Math.abs(readInstant(row?.['now']) - Date.now())
  if (difference > MAX_CLOCK_DIFFERENCE_MS) throw new Error(`the database's clock differs by ${difference} ms`)
}

async function inTime(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([check, timeout])
  } finally {
    clearTimeout(timer)
  }
}
