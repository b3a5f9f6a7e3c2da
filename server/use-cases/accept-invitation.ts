/** An invited auditor comes in with her own account. */
import { uuidv7 } from 'uuidv7'
import { countEvents, findInvitation, updateAccepted } from '../../db/queries/audit.js'
import type { AuditedVault } from '../../protocol/api.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentAudit } from '../auditors.js'
import { mailAct } from '../release-mails.js'
import type { World } from '../world.js'

/**
 * Accept an invitation with the account that has its address. Accepting again answers the same.
 * Refuses: invitation-not-found (absent, revoked, for another address alike), invitation-expired.
 * Effects: the invitation is the account's; event `admin.acted` (auditor.accepted).
 */
export async function acceptInvitation(
  world: World, account: { userId: string, email: string }, invitationId: string,
): Promise<AuditedVault> {
  const invitation = await findInvitation(world.db, invitationId)
  const isTheirs = invitation !== undefined && invitation.revokedAtMs === null &&
    invitation.email === account.email &&
    (invitation.acceptedBy === null || invitation.acceptedBy === account.userId)
  if (!isTheirs) throw new Refusal('invitation-not-found')
  const nowMs = world.clock.nowMs()
  if (invitation.acceptedBy === null) {
    if (invitation.expiresAtMs <= nowMs) throw new Refusal('invitation-expired')
    const event = sealEvent({
      type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, at: formatTime(nowMs),
      actor: `account/${account.userId}`, vault: invitation.vaultId, action: 'auditor.accepted', subject: invitation.id,
    })
    const isDone = await updateAccepted(
      world.db, { id: invitation.id, userId: account.userId, nowMs }, event,
    )
    if (!isDone) throw new Refusal('invitation-not-found')
    await world.sequencer.published([event.id])
    await mailAct(world, { vaultId: invitation.vaultId, email: account.email, event })
  }
  return presentAudit(world, invitation, {
    acceptedAtMs: invitation.acceptedAtMs ?? nowMs,
    eventCount: await countEvents(world.db, invitation.vaultId),
  })
}
