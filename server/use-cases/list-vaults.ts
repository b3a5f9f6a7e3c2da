/** A founder's vaults. */
import { listVaultSummaries } from '../../db/queries/vaults.js'
import type { VaultList } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import type { World } from '../world.js'

/** One page, newest first. Refuses: nothing. */
export async function listVaults(
  world: World, page: { userId: string, after?: string | undefined, limit: number },
): Promise<VaultList> {
  const rows = await listVaultSummaries(world.db, {
    ownerId: page.userId, after: page.after, limit: page.limit, nowMs: world.clock.nowMs(),
  })
  return {
    vaults: rows.map(({
      id, titleSealed, ...row
    }) => ({ vaultId: id, titleSealed: encodeBase64Url(titleSealed), ...row })),
    next: rows.length < page.limit ? null : rows.at(-1)?.id ?? null,
  }
}
