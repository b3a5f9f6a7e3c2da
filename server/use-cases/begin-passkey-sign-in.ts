/** The first half of signing in with a passkey. */
import type { SignInOptions } from '../../protocol/api.js'
import { offerPasskeySignIn } from '../passkeys.js'
import type { World } from '../world.js'

/** What the browser needs to ask for a passkey. Refuses: nothing. Effects: one challenge. */
export async function beginPasskeySignIn(world: World): Promise<SignInOptions> {
  return await offerPasskeySignIn(world)
}
