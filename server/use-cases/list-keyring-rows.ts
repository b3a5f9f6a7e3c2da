/** The ways into one's own account. */
import { listKeyringRows as listRows } from '../../db/queries/keyring.js'
import type { KeyringRowList } from '../../protocol/api.js'
import { presentRowSummary } from '../ways-in.js'
import type { World } from '../world.js'

/** All ways in, oldest first. Refuses: nothing. */
export async function listKeyringRows(world: World, userId: string): Promise<KeyringRowList> {
  const rows = await listRows(world.db, userId)
  return { rows: rows.map(presentRowSummary) }
}
