/** The end of an audit. */
import { uuidv7 } from 'uuidv7'
import { findInvitation, updateInvitationRevoked } from '../../db/queries/audit.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

/**
 * Take an auditor's access away, whether or not she accepted yet.
 * Refuses: invitation-not-found. Effects: event `admin.acted` (auditor.revoked).
 */
export async function revokeInvitation(
  world: World, ownerId: string, invitationId: string,
): Promise<void> {
  const invitation = await findInvitation(world.db, invitationId)
  if (invitation?.ownerId !== ownerId) throw new Refusal('invitation-not-found')
  const nowMs = world.clock.nowMs()
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, at: formatTime(nowMs), actor: `account/${ownerId}`,
    vault: invitation.vaultId, action: 'auditor.revoked', subject: invitationId,
  })
  const isDone = await updateInvitationRevoked(
    world.db, { id: invitationId, ownerId, nowMs }, event,
  )
  if (!isDone) throw new Refusal('invitation-not-found')
  await world.sequencer.published([event.id])
}
