/** The first half of making a passkey, for a new account or one that is there. */
import type { PasskeyOptions } from '../../protocol/api.js'
import { requireOwner, type WayInOwner } from '../accounts.js'
import { offerPasskey } from '../passkeys.js'
import type { World } from '../world.js'

/**
 * What the browser needs to make a passkey.
 * Refuses: email-unverified. Effects: one challenge.
 */
export async function beginPasskey(world: World, owner: WayInOwner): Promise<PasskeyOptions> {
  return await offerPasskey(world, requireOwner(world, owner))
}
