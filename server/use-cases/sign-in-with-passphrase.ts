/** Signing in with a passphrase: the code that follows it. */
import { findPassphraseRow, touchKeyringRow } from '../../db/queries/keyring.js'
import { findUser } from '../../db/queries/users.js'
import type { ProveEmail } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentSignedIn, type SignedInWithCookie } from '../accounts.js'
import { checkEmailCode } from '../email-codes.js'
import { startSession } from '../session.js'
import { presentRow } from '../ways-in.js'
import type { World } from '../world.js'

/**
 * The code that follows a right passphrase.
 * Refuses: code-wrong, code-expired, sign-in-failed. Effects: the code is used up; one session.
 */
export async function signInWithPassphrase(
  world: World, input: ProveEmail,
): Promise<SignedInWithCookie> {
  const code = await checkEmailCode(world, { ...input, purposes: ['sign-in'] })
  const user = code.userId === null ? undefined : await findUser(world.db, code.userId)
  const row = user && await findPassphraseRow(world.db, user.id)
  if (user === undefined || row === undefined) throw new Refusal('sign-in-failed')
  await touchKeyringRow(world.db, { rowId: row.id, nowMs: world.clock.nowMs() })
  return presentSignedIn(user, await startSession(world, user.id), presentRow(row))
}
