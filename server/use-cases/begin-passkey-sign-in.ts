/** The first half of signing in with a passkey. */
import { takeTurn } from '../../db/queries/codes.js'
import type { SignInOptions } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { offerPasskeySignIn } from '../passkeys.js'
import type { World } from '../world.js'

const HOUR_MS = 3_600_000
/** Anybody may ask, and each asking leaves a row for some minutes. */
const MAX_SIGN_INS_PER_NETWORK = 1_000

/** What the browser needs to ask for a passkey. Refuses: too-many-requests. Effects: one challenge. */
export async function beginPasskeySignIn(world: World, network: string): Promise<SignInOptions> {
  const limit = {
    scope: `passkey-network:${network}`, maxCount: MAX_SIGN_INS_PER_NETWORK, windowMs: HOUR_MS,
  }
  const hasRoom = await takeTurn(world.db, [limit], world.clock.nowMs())
  if (!hasRoom) throw new Refusal('too-many-requests')
  return await offerPasskeySignIn(world)
}
