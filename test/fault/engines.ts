/**
 * `npm run fault -- engines [rounds]`: every fault of the engines in the middle of signatures and uploads, by default
 * twenty times each; after each, what must hold is checked from rows, bucket and published log.
 */
import t from 'tap'
import { startEnginesUnderFire } from '../helpers/engines-under-fire.js'

const ROUNDS = Number(process.argv[2] ?? 20)
const TIMEOUT_MS = 3_600_000

t.setTimeout(TIMEOUT_MS)

t.test(`${ROUNDS} rounds`, async (t) => {
  const engines = await startEnginesUnderFire(t)
  for (let round = 1; round <= ROUNDS; round++) {
    for (const name of engines.faults) await engines.attack(t, name)
    t.comment(`round ${round}`)
  }
})
