// Goal: whatever PostgreSQL and S3 do, nothing is released that was not earned, nothing that was answered is lost or
// there twice, and the service is well again by itself.
// Method: the built server behind lines that break; some faults once, in the middle of signatures and an upload; then
// rows, bucket and published log are read behind the server's back. Before that, statements of signing and releasing are
// struck one by one. The long form is `npm run fault -- engines`.
import t from 'tap'
import { ready } from '../../protocol/sodium.js'
import { startEnginesUnderFire } from '../helpers/engines-under-fire.js'
import { findProgram } from '../helpers/engine.js'
import { findPostgres } from '../helpers/postgres.js'
import { hasS3 } from '../helpers/s3.js'

const isMissing = findPostgres() === undefined || !hasS3() || findProgram('faketime') === undefined
const skip = isMissing ? 'PostgreSQL, S3 or faketime is missing' : false
const TIMEOUT_MS = 800_000
const SOME_FAULTS = [
  'PostgreSQL restarted after a crash', 'backends killed', 'the disk of PostgreSQL full',
  'the server\'s clock a year ahead', 'S3 hanging', 'S3 truncating', 'S3 denying what it stored',
]

const SOME_KILLS = 12

await ready()

t.test('faults of the engines', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const engines = await startEnginesUnderFire(t)
  await t.test('single statements struck', async (t) => {
    const tallies = await engines.strikeSteps(t, SOME_KILLS, true)
    t.comment(tallies.map(({ act, statement, way }) => `${act}: ${statement}: ${way}`).join('; '))
  })
  for (const name of SOME_FAULTS.filter((one) => engines.faults.includes(one))) {
    await t.test(name, async (t) => await engines.attack(t, name))
  }
})
