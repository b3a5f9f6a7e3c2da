/** File keys that a device wrapped to itself, kept for its next visit. */
import { uuidv7 } from 'uuidv7'
import { insertDeviceHeaders } from '../../db/queries/releases.js'
import type { KeepDeviceHeaders } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { parseSealdeckHeader } from '../../protocol/deck/header.js'
import { sha256 } from '../../protocol/hash.js'
import { requireGate, requireInvestor, type InvestorClaims } from '../gate.js'
import type { World } from '../world.js'

/**
 * Keep headers for a device, at most one a version, and only for versions that it was handed.
 * Refuses: grant-not-found, grant-revoked, grant-expired, access-revoked; `malformed-header`.
 */
export async function keepDeviceHeaders(
  world: World, claims: InvestorClaims, input: KeepDeviceHeaders,
): Promise<void> {
  await requireGate(world, claims.grantId)
  const investor = await requireInvestor(world, claims)
  const rows = input.headers.map(({ versionId, header }) => {
    const bytes = decodeBase64Url(header)
    parseSealdeckHeader(bytes)
    return { id: uuidv7(), versionId, header: bytes, headerSha256: sha256(bytes) }
  })
  await insertDeviceHeaders(world.db, {
    grantId: claims.grantId, deviceId: claims.deviceId, recipientSha256: investor.recipientSha256,
    nowMs: world.clock.nowMs(),
  }, rows)
}
