// Goal: whatever PostgreSQL and S3 do, nothing is released that was not earned, nothing that was answered is lost or
// there twice, and the service is well again by itself.
// Method: the built server behind lines that break; each fault once, in the middle of signatures and an upload; then
// rows, bucket and published log are read behind the server's back. The long form is `npm run fault -- engines`.
import t from 'tap'
import { ready } from '../../protocol/sodium.js'
import { FAULTS, startEnginesUnderFire } from '../helpers/engines-under-fire.js'
import { findPostgres } from '../helpers/postgres.js'
import { hasS3 } from '../helpers/s3.js'

const skip = findPostgres() === undefined || !hasS3() ? 'PostgreSQL or S3 is missing' : false
const TIMEOUT_MS = 800_000

await ready()

t.test('each fault once', { skip, timeout: TIMEOUT_MS }, async (t) => {
  const engines = await startEnginesUnderFire(t)
  for (const name of Object.keys(FAULTS)) {
    await t.test(name, async (t) => await engines.attack(t, name))
  }
})
