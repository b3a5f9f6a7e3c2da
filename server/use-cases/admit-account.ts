/** The operator keeps an account out, or lets it in again. */
import { uuidv7 } from 'uuidv7'
import { findAccount, updateDisabled } from '../../db/queries/operator.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

type ActingWorld = Pick<World, 'clock' | 'database' | 'keys' | 'sequencer'>

/**
 * Keep an account out (`isAdmitted` false): its sessions end, it cannot sign in; its links and what people hold stay
 * as they are. Or let it in again. Doing it twice does nothing.
 * Refuses: not-found; log-unavailable.
 * Effects: event `admin.acted` (account.disabled, account.enabled), published before this returns.
 *
 * @returns false if it was so already.
 */
export async function admitAccount(
  world: ActingWorld, { email, isAdmitted }: { email: string, isAdmitted: boolean },
): Promise<boolean> {
  const { clock, database, keys, sequencer } = world
  const account = await findAccount(database.db, email)
  if (account === undefined) throw new Refusal('not-found')
  const nowMs = clock.nowMs()
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: keys.log.origin, at: formatTime(nowMs), actor: 'operator',
    action: isAdmitted ? 'account.enabled' : 'account.disabled', subject: account.id,
  })
  const disabledAtMs = isAdmitted ? null : nowMs
  const isDone = await updateDisabled(database.db, { id: account.id, disabledAtMs, nowMs }, event)
  if (isDone) await sequencer.published([event.id])
  return isDone
}
