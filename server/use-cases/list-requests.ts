/** What waits for a founder's approval. */
import { countWaiting, listWaiting, type WaitingRequest } from '../../db/queries/acceptances.js'
import type { AccessRequest, AccessRequestList } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { verifyAcceptance } from '../../protocol/log/acceptance.js'
import type { World } from '../world.js'

/** Signed requests over all her vaults, oldest first. Refuses: nothing. */
export async function listRequests(
  world: World, page: { userId: string, limit: number },
): Promise<AccessRequestList> {
  const nowMs = world.clock.nowMs()
  const [rows, totalCount] = await Promise.all([
    listWaiting(world.db, { ownerId: page.userId, limit: page.limit, nowMs }),
    countWaiting(world.db, page.userId, nowMs),
  ])
  return { requests: rows.map(presentRequest), totalCount }
}

/** Name and address as they were signed: her browser refuses a request that states others. */
function presentRequest(row: WaitingRequest): AccessRequest {
  const { name, email } = verifyAcceptance(row.note)
  return {
    acceptanceId: row.id, vaultId: row.vaultId, grantId: row.grantId, personId: row.personId,
    name, email, signedAtMs: row.signedAtMs, acceptance: row.note, enrolment: row.enrolment,
    recipient: row.recipient,
    deviceSigningKey: encodeBase64Url(row.deviceSigningKey),
    vaultTitleSealed: encodeBase64Url(row.vaultTitleSealed),
    grantNameSealed: encodeBase64Url(row.grantNameSealed),
  }
}
