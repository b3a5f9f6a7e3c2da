/** One way less into an account. */
import { deleteKeyringRow } from '../../db/queries/keyring.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireFreshProof, requireUser } from '../accounts.js'
import { noticeMail } from '../mail-texts.js'
import type { World } from '../world.js'

/**
 * Remove a way in.
 * Refuses: proof-stale, not-found, last-way-in (nothing but a recovery code would be left).
 * Effects: the row is gone, and a mail says so.
 */
export async function removeKeyringRow(
  world: World, session: { userId: string, provenAtMs: number }, rowId: string,
): Promise<void> {
  requireFreshProof(world, session)
  const user = await requireUser(world, session.userId)
  const key = { userId: session.userId, rowId }
  const removal = await deleteKeyringRow(world.db, key, noticeMail(world, 'way-in-removed', user))
  if (removal === 'absent') throw new Refusal('not-found')
  if (removal === 'last') throw new Refusal('last-way-in')
  world.mailer.wake()
}
