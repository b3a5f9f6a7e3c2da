// Goal: a log that is killed at any step of a turn, by any of three ways, loses no answered event, doubles none
// and has one history.
// Method: a process that runs only the log, met before and after its writes and in the middle of its statements;
// `npm run fault -- log` meets every step in every way, again and again.
import t from 'tap'
import { startLogUnderFire, type Attack, type Step } from '../helpers/log-under-fire.js'

/** Those that leave the most behind; the others are left to the long run. */
const ON_POSTGRES: readonly (readonly [Step, Attack])[] = [
  ['integrate:within', 'SIGKILL'], ['file:before', 'SIGKILL'], ['file:after', 'SIGKILL'],
  ['checkpoint:before', 'SIGKILL'], ['checkpoint:after', 'SIGKILL'], ['note:within', 'SIGKILL'],
  ['outbox:after', 'terminate'], ['integrate:within', 'terminate'], ['file:before', 'terminate'],
  ['checkpoint:after', 'terminate'], ['note:within', 'terminate'], ['answer:after', 'terminate'],
  ['integrate:within', 'immediate'], ['file:after', 'immediate'], ['note:before', 'immediate'],
  ['checkpoint:before', 'immediate'],
]
const ON_PGLITE: readonly Step[] = ['file:before', 'checkpoint:before', 'note:before', 'answer:after']

t.test(`${ON_POSTGRES.length} attacks on PostgreSQL`, async (t) => {
  const log = await startLogUnderFire(t, 'real')
  for (const [step, attack] of ON_POSTGRES) {
    await log.attack(step, attack)
    await log.check(t)
  }
  await log.end(t)
})

t.test(`${ON_PGLITE.length} kills on PGlite`, async (t) => {
  const log = await startLogUnderFire(t, 'embedded')
  for (const step of ON_PGLITE) await log.attack(step, 'SIGKILL')
  await log.end(t)
})
