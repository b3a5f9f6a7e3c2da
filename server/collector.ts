/**
 * Takes away what nobody can reach any more: uploads that rested too long, the objects of versions that
 * were cancelled or whose vault was deleted, rows that ran out. A small batch each time; never in a
 * request's way. Must not touch what a stored version or a running upload refers to.
 *
 * [Note: Grace] An object goes a day after its version was given up. A request that was writing it then is long
 * over, and the row that names it is still there: nothing is found by listing the bucket.
 */
import { deleteExpired } from '../db/queries/expiry.js'
import { cancelOldUploads, listCollectable, updateCollected } from '../db/queries/versions.js'
import { hashListKey, partKey } from './object-keys.js'
import type { World } from './world.js'

export interface Collector {
  /** Ends after the batch that is running. */
  stop(): Promise<void>
}

type Parts = Pick<World, 'config' | 'clock' | 'db' | 'bucket' | 'log'>

const INTERVAL_MS = 10 * 60_000
const HOUR_MS = 3_600_000
const GRACE_MS = 24 * HOUR_MS
const VERSION_BATCH_SIZE = 20
const ROW_BATCH_SIZE = 20_000

/** Begin to collect, now and then. */
export function startCollector(parts: Parts): Collector {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => collectSafely(parts))
  }, INTERVAL_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** What fails is there the next time. */
async function collectSafely(parts: Parts): Promise<void> {
  try {
    await collect(parts)
  } catch (error) {
    parts.log.error({ err: error }, 'collection failed')
  }
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
