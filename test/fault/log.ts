/**
 * `npm run fault -- log [rounds]`: a log killed at every step of a turn in every way, by default four times over on
 * PostgreSQL and twice on PGlite, which is 210 attacks; after each, what was answered is looked for.
 */
import t from 'tap'
import { ATTACKS, startLogUnderFire, STEPS } from '../helpers/log-under-fire.js'

const ROUNDS = Number(process.argv[2] ?? 4)
const TIMEOUT_MS = 3_600_000

t.setTimeout(TIMEOUT_MS)

t.test(`${ROUNDS} rounds on PostgreSQL`, async (t) => {
  const log = await startLogUnderFire(t, 'real')
  for (let round = 0; round < ROUNDS; round++) {
    for (const step of STEPS) {
      for (const attack of ATTACKS) {
        await log.attack(step, attack)
        await log.check(t)
      }
    }
    t.comment(`round ${round + 1}: ${log.attackCount} attacks, ${log.answeredCount} answers`)
  }
  await log.end(t)
})

t.test(`${Math.ceil(ROUNDS / 2)} rounds on PGlite`, async (t) => {
  const log = await startLogUnderFire(t, 'embedded')
  const steps = STEPS.filter((step) => !step.endsWith(':within'))
  for (let round = 0; round < Math.ceil(ROUNDS / 2); round++) {
    for (const step of steps) await log.attack(step, 'SIGKILL')
    t.comment(`round ${round + 1}: ${log.attackCount} attacks, ${log.answeredCount} answers`)
  }
  await log.end(t)
})
