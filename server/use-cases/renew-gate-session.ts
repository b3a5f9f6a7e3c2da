/** A device that was here before goes on: its key signs a fresh nonce, and no address is asked again. */
import { findDevice, spendNonce } from '../../db/queries/releases.js'
import type { GateSession } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { verifySession } from '../../protocol/log/acceptance.js'
import { Refusal } from '../../protocol/refusals.js'
import { findCurrentAcceptance, requireGate, standingOf } from '../gate.js'
import { signInvestor } from '../session.js'
import { keyOf, nonceOf, requireStatementOf } from '../statements.js'
import type { World } from '../world.js'

/**
 * Begin a session of ten minutes for an enrolled device.
 * Refuses: grant-not-found, grant-revoked, grant-expired, note-mismatch, note-expired, device-mismatch,
 * access-revoked, nonce-unknown. Effects: the nonce is spent.
 */
export async function renewGateSession(
  world: World, grantId: string, input: { deviceSigningKey: string, sessionNote: string },
): Promise<GateSession> {
  const gate = await requireGate(world, grantId)
  const statement = verifySession(input.sessionNote)
  requireStatementOf(world, gate, statement)
  const signingPublicKey = keyOf(statement.deviceKey)
  if (encodeBase64Url(signingPublicKey) !== input.deviceSigningKey) throw new Refusal('device-mismatch')
  const device = await findDevice(world.db, { grantId, signingPublicKey })
  if (device === undefined) throw new Refusal('device-mismatch')
  if (device.deviceRevokedAtMs !== null || device.personRevokedAtMs !== null) throw new Refusal('access-revoked')
  const isFresh = await spendNonce(
    world.db, { nonce: nonceOf(statement), grantId, nowMs: world.clock.nowMs() },
  )
  if (!isFresh) throw new Refusal('nonce-unknown')
  const acceptance = await findCurrentAcceptance(world, gate, device.deviceId)
  const {
    token, expiresAtMs,
  } = signInvestor(world, { personId: device.personId, grantId, deviceId: device.deviceId })
  return {
    accessToken: token, expiresAtMs, personId: device.personId, deviceId: device.deviceId, name: device.name ?? '',
    email: device.email, standing: standingOf(gate, device, acceptance),
  }
}
