/** What waits for a founder's approval. */
import { countWaiting, listWaiting } from '../../db/queries/acceptances.js'
import type { AccessRequestList } from '../../protocol/api.js'
import { presentRequest } from '../requests.js'
import type { World } from '../world.js'

/** Signed requests over all her vaults, oldest first. Refuses: nothing. */
export async function listRequests(
  world: World, page: { userId: string, limit: number },
): Promise<AccessRequestList> {
  const nowMs = world.clock.nowMs()
  const [rows, totalCount] = await Promise.all([
    listWaiting(world.db, { ownerId: page.userId, limit: page.limit, nowMs }),
    countWaiting(world.db, page.userId, nowMs),
  ])
  return { requests: rows.map(presentRequest), totalCount }
}
