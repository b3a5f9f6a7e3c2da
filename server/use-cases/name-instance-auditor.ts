/** The operator names an auditor of the whole instance, or takes the right away. */
import { uuidv7 } from 'uuidv7'
import { deleteInstanceAuditor, insertInstanceAuditor } from '../../db/queries/instance-auditors.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import type { World } from '../world.js'

type NamingWorld = Pick<World, 'clock' | 'database' | 'keys' | 'sequencer'>

/**
 * Let the account that proves this address read the events of all vaults, as pseudonyms; or no longer.
 * Effects: one row; event `admin.acted` (instance-auditor.added or instance-auditor.removed), published before this
 * returns. @returns false if it was so already; nothing was changed or logged then.
 *
 * @param asked - `email`: canonical.
 */
export async function nameInstanceAuditor(
  world: NamingWorld, asked: { email: string, isRight: boolean },
): Promise<boolean> {
  const { clock, database: { db }, keys, sequencer } = world
  const { email, isRight } = asked
  const [id, nowMs] = [uuidv7(), clock.nowMs()]
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: keys.log.origin, at: formatTime(nowMs), actor: 'operator',
    action: isRight ? 'instance-auditor.added' : 'instance-auditor.removed',
  }, { email })
  const isDone = isRight
    ? await insertInstanceAuditor(db, { id, email, createdAtMs: nowMs }, event)
    : await deleteInstanceAuditor(db, email, event)
  if (isDone) await sequencer.published([event.id])
  return isDone
}
