/** A new vault, empty. */
import { findVault, insertVault } from '../../db/queries/vaults.js'
import type { CreateVault, VaultSummary } from '../../protocol/api.js'
import { decodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import type { World } from '../world.js'

/**
 * Make a vault under the id that its founder's keys are derived with. The same request again gives the same answer.
 * Refuses: conflict, if the id is taken by another one.
 * Effects: one row. No event: nothing is shared yet.
 */
export async function createVault(
  world: World, userId: string, input: CreateVault,
): Promise<VaultSummary> {
  const tagKey = decodeBase64Url(input.tagKey)
  const createdAtMs = world.clock.nowMs()
  const isNew = await insertVault(world.db, {
    id: input.vaultId, ownerId: userId, tagKey, titleSealed: decodeBase64Url(input.titleSealed),
    createdAtMs,
  })
  const existing = isNew ? undefined : await findVault(world.db, input.vaultId)
  const isRepeat = existing?.ownerId === userId && equalBytes(existing.tagKey, tagKey)
  if (!isNew && !isRepeat) throw new Refusal('conflict')
  return {
    vaultId: input.vaultId, titleSealed: input.titleSealed,
    createdAtMs: existing?.createdAtMs ?? createdAtMs,
    versionCount: 0, liveGrantCount: 0, personCount: 0, awaitingCount: 0, lastEventAtMs: null,
  }
}
