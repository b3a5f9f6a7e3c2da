/** How much of one's room is taken. */
import { findUsage } from '../../db/queries/versions.js'
import type { AccountStorage } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

/** What the account's versions and uploads use, and what it may use. Refuses: not-signed-in. */
export async function readStorage(world: World, userId: string): Promise<AccountStorage> {
  const usage = await findUsage(world.db, userId)
  if (usage === undefined) throw new Refusal('not-signed-in')
  return {
    usedBytes: usage.usedBytes, quotaBytes: usage.quotaBytes ?? world.config.accountQuotaBytes,
  }
}
