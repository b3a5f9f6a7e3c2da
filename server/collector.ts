/**
 * Takes away what nobody can reach any more: uploads that rested too long, the objects of versions that
 * were cancelled or whose vault was deleted, objects without a row (garbage.ts), rows that ran out, and what is
 * kept for a time only. A small batch each time; never in a request's way. Must not touch what a stored
 * version or a running upload refers to, nor anything while a backup copies or by a clock that is wrong
 * ([Note: A wrong clock deletes nothing] in clock-difference.ts).
 *
 * [Note: Grace] An object goes a day after its version was given up. A request that was writing it then is long
 * over, and the row that names it is still there.
 */
import { deleteExpired, deleteOldMails } from '../db/queries/expiry.js'
import { cancelOldUploads, listCollectable, updateCollected } from '../db/queries/versions.js'
import { isClockOff } from './clock-difference.js'
import { deleteGarbage, markGarbage } from './garbage.js'
import { hashListKey, partKey } from './object-keys.js'
import { eraseOldDetails } from './retention.js'
import type { World } from './world.js'

export interface Collector {
  /** Ends after the batch that is running. */
  stop(): Promise<void>
}

type Parts = Pick<World, 'config' | 'clock' | 'db' | 'database' | 'bucket' | 'keys' | 'log'>

const INTERVAL_MS = 10 * 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const GRACE_MS = 24 * HOUR_MS
const VERSION_BATCH_SIZE = 20
const ROW_BATCH_SIZE = 20_000
/** A bucket of a million objects is walked through in a week. */
const PAGES_PER_TURN = 1

/** Begin to collect, now and then. */
export function startCollector(parts: Parts): Collector {
  let running: Promise<void> = Promise.resolve()
  let sweptTo: string | undefined
  const timer = setInterval(() => {
    running = running.then(async () => { sweptTo = await collectSafely(parts, sweptTo) })
  }, INTERVAL_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** What fails is there the next time. @returns how far the bucket was looked through. */
async function collectSafely(
  parts: Parts, sweptTo: string | undefined,
): Promise<string | undefined> {
  const lock = await tryLock(parts)
  if (lock === undefined) return sweptTo // Another instance collects, or a backup copies.
  try {
    if (await isClockOff(parts)) {
      parts.log.error('nothing is collected: this machine\'s clock is not the database\'s')
      return sweptTo
    }
    await collect(parts)
    const deleted = await deleteGarbage(parts)
    if (deleted.length > 0) parts.log.warn({ count: deleted.length }, 'deleted objects that no row refers to')
    return await sweep(parts, sweptTo)
  } catch (error) {
    parts.log.error({ err: error }, 'collection failed')
    return sweptTo
  } finally {
    await lock.release()
  }
}

async function tryLock({ database, log }: Parts) {
  try {
    return await database.tryCollect()
  } catch (error) {
    log.error({ err: error }, 'collection failed')
    return undefined
  }
}

async function sweep(parts: Parts, sweptTo: string | undefined): Promise<string | undefined> {
  let after = sweptTo
  for (let page = 0; page < PAGES_PER_TURN; page++) {
    const { next, unreferred } = await markGarbage(parts, after)
    if (unreferred.length > 0) parts.log.warn({ count: unreferred.length }, 'objects that no row refers to')
    after = next
    if (after === undefined) break
  }
  return after
}

/** One batch ([Note: Grace]). @returns how many versions' objects were deleted. */
export async function collect(parts: Parts): Promise<number> {
  const { config, clock, db } = parts
  const nowMs = clock.nowMs()
  const restedSinceMs = nowMs - config.unfinishedUploadHours * HOUR_MS
  await cancelOldUploads(db, { beforeMs: restedSinceMs, limit: VERSION_BATCH_SIZE, nowMs })
  const givenUp = { beforeMs: nowMs - GRACE_MS, limit: VERSION_BATCH_SIZE }
  const versions = await listCollectable(db, givenUp)
  for (const version of versions) await collectVersion(parts, version)
  await deleteExpired(db, { beforeMs: nowMs - HOUR_MS, limit: ROW_BATCH_SIZE })
  const oldMails = { beforeMs: nowMs - config.mailRecordDays * DAY_MS, limit: ROW_BATCH_SIZE }
  await deleteOldMails(db, oldMails)
  await eraseOldDetails(parts)
  return versions.length
}

/** Objects first, then the row that names them: after a crash in between it is done again. */
async function collectVersion(
  { bucket, db }: Parts, version: { id: string, objectPrefix: string, partCount: number },
): Promise<void> {
  for (let index = 0; index < version.partCount; index++) {
    await bucket.delete(partKey(version.objectPrefix, index))
  }
  await bucket.delete(hashListKey(version.objectPrefix))
  await updateCollected(db, version.id)
}
