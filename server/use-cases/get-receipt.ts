/** A receipt again, with the newest proof: for whoever the event is about, and for the vault's owner. */
import { findOpening } from '../../db/queries/releases.js'
import { findVault } from '../../db/queries/vaults.js'
import type { Receipt } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { storedReceipts } from '../gate.js'
import type { World } from '../world.js'

/**
 * The receipt of one event.
 * Refuses: not-found (absent, not hers, not published yet alike).
 */
export async function getReceipt(
  world: World, asker: { userId: string } | { personId: string }, eventId: string,
): Promise<Receipt> {
  const opening = await findOpening(world.db, eventId)
  if (opening === undefined) throw new Refusal('not-found')
  const isTheirs = 'personId' in asker
    ? opening.partyId === asker.personId
    : opening.vaultId !== null &&
      (await findVault(world.db, opening.vaultId))?.ownerId === asker.userId
  if (!isTheirs) throw new Refusal('not-found')
  const [receipt] = await storedReceipts(world, [eventId])
  if (receipt === undefined) throw new Refusal('not-found')
  return receipt
}
