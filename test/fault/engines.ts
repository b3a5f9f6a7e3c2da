/**
 * `npm run fault -- engines [rounds] [kills] [part of a fault's name]`: every fault of the engines in the middle of
 * signatures and uploads, by default twenty times each, then 1,000 connections to PostgreSQL struck, at every statement
 * that signing and releasing send; after each fault and every 50 strikes, what must hold is checked from rows, bucket
 * and published log.
 */
import t from 'tap'
import { ready } from '../../protocol/sodium.js'
import { startEnginesUnderFire } from '../helpers/engines-under-fire.js'
import { tableOf } from '../helpers/step-kills.js'

const ROUNDS = Number(process.argv[2] ?? 20)
const KILLS = Number(process.argv[3] ?? 1_000)
const NAME = process.argv[4] ?? ''
const TIMEOUT_MS = 3 * 3_600_000

t.setTimeout(TIMEOUT_MS)
await ready()

t.test(`${ROUNDS} rounds, ${KILLS} kills`, async (t) => {
  const engines = await startEnginesUnderFire(t)
  const faults = engines.faults.filter((name) => name.includes(NAME))
  const startMs = performance.now()
  const secondsSince = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 1_000)
  for (let round = 1; round <= ROUNDS; round++) {
    for (const name of faults) await engines.attack(t, name)
    t.comment(`round ${round}, ${secondsSince(startMs)} s`)
  }
  const strikesFromMs = performance.now()
  if (KILLS > 0) {
    const tallies = await engines.strikeSteps(t, KILLS)
    for (const line of tableOf(tallies)) t.comment(line)
    t.comment(`${KILLS} kills, ${secondsSince(strikesFromMs)} s`)
  }
  await engines.checkAll(t)
})
