// Goal: whatever fails under the log (backends, the bucket, a leader that was away), no answered event
// is lost, none is there twice, and there is one history.
// Method: writers at work while backends are killed and bucket writes fail at random, before or after
// they took effect; then the whole log is checked against what was answered.
import { randomInt } from 'node:crypto'
import postgres from 'postgres'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import { auditEntry } from '../../db/schema.js'
import { formatTime, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import type { Bucket } from '../../server/bucket.js'
import { startSequencer, type Sequencer } from '../../server/sequencer.js'
import type { World } from '../../server/world.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

const WRITER_COUNT = 8
const RUN_MS = 4_000

/** One write of six fails: half of those before it reached the bucket, half after. */
function makeUnreliable(bucket: Bucket): () => void {
  const { put, replace } = bucket
  async function unreliably<T>(write: () => Promise<T>): Promise<T> {
    const dice = randomInt(12)
    if (dice === 0) throw new Error('the request was lost')
    const result = await write()
    if (dice === 1) throw new Error('the answer was lost')
    return result
  }
  bucket.put = async (...args) => await unreliably(() => put.apply(bucket, args))
  bucket.replace = async (...args) => await unreliably(() => replace.apply(bucket, args))
  return () => { Object.assign(bucket, { put, replace }) }
}

function makeEvent(world: World, action: string): SealedEvent {
  const at = formatTime(world.clock.nowMs())
  return sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, at, actor: 'server', action,
  })
}

/** Appends events until told to stop. @returns the ids of those that were answered with a proof. */
async function keepWriting(
  world: World, sequencers: readonly Sequencer[], endsAtMs: number,
): Promise<string[]> {
  const answered: string[] = []
  while (performance.now() < endsAtMs) {
    const event = makeEvent(world, 'test')
    try {
      await insertEvents(world.db, [event])
      await sequencers[randomInt(sequencers.length)]?.published([event.id])
      answered.push(event.id)
    } catch {
      continue // Cut off: it may be in the log or not, but nobody was told that it is.
    }
  }
  return answered
}

async function findMissing(world: World, answered: readonly string[]): Promise<string[]> {
  const rows = await world.db.select({ eventId: auditEntry.eventId }).from(auditEntry)
  const logged = new Set(rows.map(({ eventId }) => eventId))
  return answered.filter((eventId) => !logged.has(eventId))
}

for (const engines of ENGINES) {
  t.test(`an unreliable bucket on ${engines} engines`, async (t) => {
    const { world } = await startWorld(t, { engines, settings: { LOG_WAIT_TIMEOUT_MS: '3000' } })
    const heal = makeUnreliable(world.bucket)
    const endsAtMs = performance.now() + RUN_MS
    const writers = Array.from(
      { length: WRITER_COUNT }, () => keepWriting(world, [world.sequencer], endsAtMs))
    const answered = (await Promise.all(writers)).flat()
    heal()
    await untilWorking(world)
    t.ok(answered.length > 0, `${answered.length} events were answered in between`)
    t.same(await findMissing(world, answered), [], 'none of them is missing')
    await checkLog(t, world)
  })
}

t.test('killed backends, two instances, and an unreliable bucket', async (t) => {
  const { world } = await startWorld(t, { engines: 'real', settings: { LOG_WAIT_TIMEOUT_MS: '3000' } })
  const other = await startSequencer(world)
  const killer = postgres(world.config.databaseUrl ?? '', { max: 1 })
  t.teardown(() => killer.end())
  const heal = makeUnreliable(world.bucket)
  const endsAtMs = performance.now() + RUN_MS
  let killCount = 0
  async function keepKilling(): Promise<void> {
    while (performance.now() < endsAtMs) {
      const killed = await killer`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`
      killCount += killed.length
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const sequencers = [world.sequencer, other]
  const writers = Array.from(
    { length: WRITER_COUNT }, () => keepWriting(world, sequencers, endsAtMs))
  const [answered] = await Promise.all([Promise.all(writers), keepKilling()])
  heal()
  await untilWorking(world)
  t.ok(killCount >= 20, `${killCount} backends were killed`)
  t.same(await findMissing(world, answered.flat()), [], 'no answered event is missing')
  await checkLog(t, world)
  await other.stop()
})

async function untilWorking(world: World): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const event = makeEvent(world, 'healed')
    try {
      await insertEvents(world.db, [event])
      await world.sequencer.published([event.id])
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200)) // Still in its pause after the last failure.
    }
  }
  throw new Error('the log did not heal')
}
