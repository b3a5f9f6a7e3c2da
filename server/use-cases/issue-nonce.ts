/** Nonces: each signed note carries one, and the server takes it back once. */
import { insertNonce } from '../../db/queries/releases.js'
import type { Nonce } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { ACCEPTANCE_TTL_MS, GATE_NONCE_SIZE_BYTES } from '../../protocol/limits.js'
import { randomBytes } from '../../protocol/sodium.js'
import { requireGate } from '../gate.js'
import type { World } from '../world.js'

/**
 * Give out a nonce for one note under this link.
 * Refuses: grant-not-found, grant-revoked, grant-expired. Effects: one nonce row, good for 15 minutes.
 */
export async function issueNonce(world: World, grantId: string): Promise<Nonce> {
  await requireGate(world, grantId)
  const nowMs = world.clock.nowMs()
  const nonce = randomBytes(GATE_NONCE_SIZE_BYTES)
  await insertNonce(world.db, { nonce, grantId, nowMs, expiresAtMs: nowMs + ACCEPTANCE_TTL_MS })
  return { nonce: encodeBase64Url(nonce), expiresAtMs: nowMs + ACCEPTANCE_TTL_MS }
}
