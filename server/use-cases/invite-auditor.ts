/** An auditor for one vault. The link's fragment, with the founder's and the log's keys, is made in her browser. */
import { uuidv7 } from 'uuidv7'
import { insertInvitation } from '../../db/queries/audit.js'
import { findVault } from '../../db/queries/vaults.js'
import type { Invitation } from '../../protocol/api.js'
import { INVITATION_TTL_MS } from '../../protocol/limits.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentInvitation } from '../auditors.js'
import { canonicalEmail } from '../email.js'
import type { World } from '../world.js'

/**
 * Invite whoever proves this address to read the vault's events.
 * Refuses: vault-not-found, bad-request. Effects: one invitation, 30 days; event `admin.acted` (auditor.invited).
 */
export async function inviteAuditor(
  world: World, ownerId: string, asked: { vaultId: string, email: string, withIdentities: boolean },
): Promise<Invitation> {
  const vault = await findVault(world.db, asked.vaultId)
  if (vault?.ownerId !== ownerId) throw new Refusal('vault-not-found')
  const nowMs = world.clock.nowMs()
  const email = canonicalEmail(asked.email)
  const id = uuidv7()
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, at: formatTime(nowMs), actor: `account/${ownerId}`,
    vault: vault.id, action: 'auditor.invited', subject: id, withIdentities: asked.withIdentities,
  }, { email })
  const row = await insertInvitation(world.db, {
    id, vaultId: vault.id, email, withIdentities: asked.withIdentities, createdAtMs: nowMs,
    expiresAtMs: nowMs + INVITATION_TTL_MS,
  }, event)
  if (row === undefined) throw new Refusal('vault-not-found')
  await world.sequencer.published([event.id])
  return presentInvitation(row)
}
