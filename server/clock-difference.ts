/** How far this machine's clock is from those it works with. Two that differ make tokens and codes fail in ways nobody understands. */
import { sql } from 'drizzle-orm'
import { queryRows } from '../db/client.js'
import { readInstant } from '../db/columns.js'
import { systemClock, type World } from './world.js'

/**
 * How far, in milliseconds. Of the machine, not of `world.clock`: a test that turns the clock has not moved the
 * machine's. The time of the question counts half.
 */
export async function readClockDifferenceMs({ db }: Pick<World, 'db'>): Promise<number> {
  const askedAtMs = systemClock.nowMs()
  const [row] = await queryRows(db, sql`select clock_timestamp() as now`)
  const answeredAtMs = systemClock.nowMs()
  return Math.abs(readInstant(row?.['now']) - (askedAtMs + answeredAtMs) / 2)
}
