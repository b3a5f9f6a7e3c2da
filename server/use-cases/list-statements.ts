/** What a founder signed, for her own browser to hold the log against. */
import {
  listSignedGrants, listSignedRecords, listSignedWraps,
} from '../../db/queries/statements.js'
import type { AskStatements, Statements } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../protocol/bytes.js'
import type { Signed } from '../../protocol/deck/signature.js'
import { requireVault } from '../vaults.js'
import type { World } from '../world.js'

/** Of one recipient there is a wrap record for every version, and any one of them answers. */
const MAX_WRAPS = 500

/** Her signed statements by their hashes; what is not there is left out. Refuses: vault-not-found. */
export async function listStatements(
  world: World, key: { vaultId: string, userId: string }, asked: AskStatements,
): Promise<Statements> {
  const { id } = await requireVault(world, key)
  const [grants, records, wraps] = await Promise.all([
    listSignedGrants(world.db, id, asked.grants.map(decodeBase64Url)),
    listSignedRecords(world.db, id, asked.records.map(decodeBase64Url)),
    listSignedWraps(world.db, {
      vaultId: id, headers: asked.headers.map(decodeBase64Url),
      recipients: asked.recipients.map(decodeBase64Url),
    }, MAX_WRAPS),
  ])
  return {
    grants: grants.map(present), records: records.map(present), wraps: wraps.map(present),
  }
}

function present({ bytes, signature }: Signed) {
  return { bytes: encodeBase64Url(bytes), signature: encodeBase64Url(signature) }
}
