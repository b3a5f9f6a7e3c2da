/** The first half of making a passphrase, for a new account or one that is there. */
import type { PassphraseRegistration } from '../../protocol/api.js'
import { requireOwner, type WayInOwner } from '../accounts.js'
import { answerRegistration } from '../passphrases.js'
import type { World } from '../world.js'

/**
 * OPAQUE's answer to a registration begun in the browser.
 * Refuses: email-unverified, bad-request. Effects: none.
 */
export async function beginPassphrase(
  world: World, owner: WayInOwner, registrationRequest: string,
): Promise<PassphraseRegistration> {
  const { userId } = requireOwner(world, owner)
  return { userId, registrationResponse: answerRegistration(world, userId, registrationRequest) }
}
