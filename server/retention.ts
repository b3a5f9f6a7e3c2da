/**
 * How long what is kept for a time is kept, and the one part of it that the log holds: details, which are names,
 * addresses and notes. The events themselves, their entries and proofs stay for ever.
 */
import { uuidv7 } from 'uuidv7'
import { listOldDetails, updateDetailsErased } from '../db/queries/erasure.js'
import { formatTime, sealEvent } from '../protocol/log/event.js'
import type { World } from './world.js'

const DAY_MS = 24 * 3_600_000
const DETAILS_PER_TURN = 1_000

/**
 * Erase the oldest details that are past their time, if the operator set one. One event `erasure.done` a vault.
 * @returns how many.
 */
export async function eraseOldDetails(
  { config, clock, database, keys }: Pick<World, 'config' | 'clock' | 'database' | 'keys'>,
): Promise<number> {
  const { detailsRetentionDays } = config
  if (detailsRetentionDays === undefined) return 0
  const nowMs = clock.nowMs()
  const old = { beforeMs: nowMs - detailsRetentionDays * DAY_MS, limit: DETAILS_PER_TURN }
  const found = await listOldDetails(database.db, old)
  for (const vaultId of new Set(found.map((one) => one.vaultId))) {
    const indexes = found.filter((one) => one.vaultId === vaultId).map(({ index }) => index)
    const event = sealEvent({
      type: 'erasure.done', id: uuidv7(), log: keys.log.origin, at: formatTime(nowMs), actor: 'server',
      ...vaultId === null ? {} : { vault: vaultId }, reason: 'retention', count: indexes.length,
    })
    await updateDetailsErased(database.erasureDb, { indexes, nowMs }, event)
  }
  return found.length
}
