/** The recovery code has been written down. */
import { confirmRecovery as confirm } from '../../db/queries/keyring.js'
import type { Account } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireUser, presentAccount } from '../accounts.js'
import type { World } from '../world.js'

/**
 * Note that the owner has typed her newest recovery code again; older codes end.
 * Refuses: recovery-unconfirmed, if she has none. Effects: the account is confirmed.
 */
export async function confirmRecovery(world: World, userId: string): Promise<Account> {
  const isConfirmed = await confirm(world.db, userId, world.clock.nowMs())
  if (!isConfirmed) throw new Refusal('recovery-unconfirmed')
  return presentAccount(await requireUser(world, userId))
}
