/** One more way into an account that is there. */
import { violatedConstraint } from '../../db/client.js'
import { insertKeyringRow } from '../../db/queries/keyring.js'
import type { KeyringRowSummary, NewKeyringRow } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireFreshProof, requireUser } from '../accounts.js'
import { noticeMail } from '../mail-texts.js'
import { presentRowSummary, readWayIn } from '../ways-in.js'
import type { World } from '../world.js'

/**
 * Add a passkey, a recovery code, or a passphrase that takes the place of the one before.
 * Refuses: proof-stale, bad-request, sign-in-failed (a passkey that does not verify), conflict.
 * Effects: one row, and a mail that says so.
 */
export async function addKeyringRow(
  world: World, session: { userId: string, provenAtMs: number }, input: NewKeyringRow,
): Promise<KeyringRowSummary> {
  requireFreshProof(world, session)
  const user = await requireUser(world, session.userId)
  const row = await readWayIn(world, session.userId, input)
  const added = await insertOnce(() => insertKeyringRow(world.db, row, noticeMail(world, 'way-in-added', user)))
  world.mailer.wake()
  return presentRowSummary(added)
}

async function insertOnce<T>(insert: () => Promise<T | undefined>): Promise<T> {
  try {
    const row = await insert()
    if (row === undefined) throw new Refusal('conflict')
    return row
  } catch (error) {
    if (violatedConstraint(error) !== undefined) throw new Refusal('conflict')
    throw error
  }
}
