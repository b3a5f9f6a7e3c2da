/** The code came back: the address is proven for this link, and a nonce for the access request goes with it. */
import { insertNonce } from '../../db/queries/releases.js'
import type { GateEmailProof } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { ACCEPTANCE_TTL_MS, GATE_NONCE_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { randomBytes } from '../../protocol/sodium.js'
import { checkEmailCode } from '../email-codes.js'
import { requireGate } from '../gate.js'
import type { World } from '../world.js'

/**
 * Check an investor's code.
 * Refuses: grant-not-found, grant-revoked, grant-expired, code-wrong, code-expired.
 * Effects: the challenge is used up; one nonce row.
 */
export async function proveGateEmail(
  world: World, answer: { grantId: string, challengeId: string, code: string },
): Promise<GateEmailProof> {
  await requireGate(world, answer.grantId)
  const code = await checkEmailCode(world, { ...answer, purposes: ['access'] })
  if (code.grantId !== answer.grantId) throw new Refusal('code-expired')
  const nonce = randomBytes(GATE_NONCE_SIZE_BYTES)
  const nowMs = world.clock.nowMs()
  await insertNonce(
    world.db, { nonce, grantId: answer.grantId, nowMs, expiresAtMs: nowMs + ACCEPTANCE_TTL_MS },
  )
  const claims = { sub: code.email, for: 'access', gid: answer.grantId, name: code.name ?? '' }
  return { emailProof: world.tokens.sign('email-proof', claims, ACCEPTANCE_TTL_MS).token, nonce: encodeBase64Url(nonce) }
}
