/** One's own account. */
import type { Account } from '../../protocol/api.js'
import { presentAccount, requireUser } from '../accounts.js'
import type { World } from '../world.js'

/** The account as its owner sees it. Refuses: not-signed-in. */
export async function readAccount(world: World, userId: string): Promise<Account> {
  return presentAccount(await requireUser(world, userId))
}
