/** The founder's no to a signed request. */
import { findCommitment, findOwnRequest, updateDecided } from '../../db/queries/acceptances.js'
import { encodeHex } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { noticeMail } from '../mail-texts.js'
import { founderEvent } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Deny a request. What was signed stays on record. Once more is fine.
 * Refuses: not-found, conflict (approved before).
 * Effects: status; event `access.denied`; a mail to the investor.
 */
export async function denyAccess(
  world: World, key: { acceptanceId: string, userId: string },
): Promise<void> {
  const request = await findOwnRequest(
    world.db, { acceptanceId: key.acceptanceId, ownerId: key.userId },
  )
  if (request === undefined) throw new Refusal('not-found')
  if (request.status === 'denied') return
  const because = await findCommitment(world.db, request.eventId)
  const event = founderEvent(world, key.userId, {
    type: 'access.denied', vault: request.vaultId, party: request.personId, grant: request.grantId,
    device: request.deviceId, ...because === undefined ? {} : { because: encodeHex(because) },
  })
  const { email, locale } = request
  const mail = email === null ? null : noticeMail(world, 'access-denied', { email, locale })
  const nowMs = world.clock.nowMs()
  const decision = { acceptanceId: request.id, status: 'denied' as const, nowMs }
  if (!await updateDecided(world.db, decision, [], event, mail)) throw new Refusal('conflict')
  world.sequencer.wake()
  world.mailer.wake()
}
