/** A signed request as its founder gets it. */
import type { WaitingRequest } from '../db/queries/acceptances.js'
import type { AccessRequest } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { verifyAcceptance } from '../protocol/log/acceptance.js'

/** Name and address as they were signed: her browser refuses a request that states others. */
export function presentRequest(row: WaitingRequest): AccessRequest {
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
