/** Readiness: whether this instance can do its work, asked of each engine. */
import { sql } from 'drizzle-orm'
import { queryRows } from '../../db/client.js'
import { readClockDifferenceMs } from '../clock-difference.js'
import { systemClock, type World } from '../world.js'

const CHECK_TIMEOUT_MS = 2_000
const MAX_CLOCK_DIFFERENCE_MS = 2_000
/** A bucket tells whole seconds, and S3 refuses signed requests only from a quarter of an hour on. */
const MAX_BUCKET_CLOCK_DIFFERENCE_MS = 10_000

export type Engine = 'database' | 'clock' | 'bucket' | 'log'

/**
 * Ask database, clock, bucket and log.
 * @returns those that fail, each also in the server's log; none if all is well.
 */
export async function checkReadiness(world: World): Promise<Engine[]> {
  const bucketTime = world.bucket.check()
  const checks: Readonly<Record<Engine, () => Promise<void>>> = {
    database: async () => { await queryRows(world.db, sql`select 1`) },
    clock: async () => { await requireSameTime(world, bucketTime) },
    bucket: async () => { await bucketTime },
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

/** The database's clock, and the bucket's where it tells one. */
async function requireSameTime(
  world: World, bucketTime: Promise<number | undefined>,
): Promise<void> {
  const [database, bucket] = await Promise.allSettled([readClockDifferenceMs(world), bucketTime])
  if (database.status === 'fulfilled') requireNear('database', database.value, MAX_CLOCK_DIFFERENCE_MS)
  if (bucket.status !== 'fulfilled' || bucket.value === undefined) return
  requireNear('bucket', Math.abs(bucket.value - systemClock.nowMs()), MAX_BUCKET_CLOCK_DIFFERENCE_MS)
}

function requireNear(whose: string, differenceMs: number, maxMs: number): void {
  if (differenceMs > maxMs) throw new Error(`the ${whose}'s clock differs by ${Math.round(differenceMs)} ms`)
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
