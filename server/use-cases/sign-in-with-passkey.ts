/** Signing in with a passkey, which needs nothing beside it. */
import { findUser } from '../../db/queries/users.js'
import type { SignInWithPasskey } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentSignedIn, type SignedInWithCookie } from '../accounts.js'
import { readPasskeySignIn } from '../passkeys.js'
import { startSession } from '../session.js'
import { presentRow } from '../ways-in.js'
import type { World } from '../world.js'

/**
 * Sign in with a passkey's answer.
 * Refuses: sign-in-failed, whatever is wrong.
 * Effects: the challenge is used up, the passkey's counter goes on, one session.
 */
export async function signInWithPasskey(
  world: World, input: SignInWithPasskey,
): Promise<SignedInWithCookie> {
  const row = await readPasskeySignIn(world, input)
  const user = await findUser(world.db, row.userId)
  if (user === undefined) throw new Refusal('sign-in-failed')
  return presentSignedIn(user, await startSession(world, user.id), presentRow(row))
}
