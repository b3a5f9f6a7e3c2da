/** How far this machine's clock is from those it works with. Two that differ make tokens and codes fail in ways nobody understands. */
import { sql } from 'drizzle-orm'
import { queryRows } from '../db/client.js'
import { readInstant } from '../db/columns.js'
import { systemClock, type World } from './world.js'

/**
 * What is deleted for its age is counted in hours and days.
 *
 * [Note: A wrong clock deletes nothing] On a machine whose clock runs a year ahead every grace is over and every
 * period of retention at its end, and what they delete does not come back when the clock does. So whoever
 * deletes by age asks the database for the time first.
 */
const MAX_DELETING_DIFFERENCE_MS = 60_000

/** Whether this machine's clock is too far from the database's to delete by it ([Note: A wrong clock deletes nothing]). */
export async function isClockOff(parts: Pick<World, 'db'>): Promise<boolean> {
  return await readClockDifferenceMs(parts) > MAX_DELETING_DIFFERENCE_MS
}

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
