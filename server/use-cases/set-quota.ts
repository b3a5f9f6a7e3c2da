/** The operator gives an account more room, or less. */
import { uuidv7 } from 'uuidv7'
import { findAccount, updateQuota } from '../../db/queries/operator.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

/**
 * Set an account's quota; null gives it the instance's default. Less than it uses deletes nothing: it cannot begin
 * uploads until it uses less.
 * Refuses: not-found; log-unavailable.
 * Effects: event `admin.acted` (quota.set), published before this returns.
 *
 * @returns false if it was so already.
 */
export async function setQuota(
  world: Pick<World, 'clock' | 'database' | 'keys' | 'sequencer'>,
  { email, quotaBytes }: { email: string, quotaBytes: number | null },
): Promise<boolean> {
  const { clock, database, keys, sequencer } = world
  const account = await findAccount(database.db, email)
  if (account === undefined) throw new Refusal('not-found')
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: keys.log.origin, at: formatTime(clock.nowMs()), actor: 'operator',
    action: 'quota.set', subject: account.id, ...quotaBytes === null ? {} : { size: quotaBytes },
  })
  const isDone = await updateQuota(database.db, { id: account.id, quotaBytes }, event)
  if (isDone) await sequencer.published([event.id])
  return isDone
}
