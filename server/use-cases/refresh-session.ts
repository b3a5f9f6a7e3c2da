/** A session that goes on. */
import { findUser } from '../../db/queries/users.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentSignedIn, type SignedInWithCookie } from '../accounts.js'
import { renewSession } from '../session.js'
import type { World } from '../world.js'

/**
 * A new access token for the refresh token in the cookie; the root stays as it is in the browser.
 * Refuses: not-signed-in. Effects: the refresh token changes; or the session ends, if it was used before.
 */
export async function refreshSession(
  world: World, refreshToken: string,
): Promise<SignedInWithCookie> {
  const session = await renewSession(world, refreshToken)
  const user = await findUser(world.db, session.userId)
  if (user === undefined) throw new Refusal('not-signed-in')
  return presentSignedIn(user, session, null)
}
