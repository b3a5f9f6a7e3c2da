/** Proving an address before there is a session: answering with the code. */
import type { EmailProof, ProveEmail } from '../../protocol/api.js'
import { checkEmailCode } from '../email-codes.js'
import type { World } from '../world.js'

/** Long enough to make a passkey and to write a recovery code down. */
const EMAIL_PROOF_TTL_MS = 30 * 60_000

/**
 * Exchange a code for a token that proves the address, for the purpose it was asked for.
 * Refuses: code-wrong, code-expired.
 * Effects: the try is counted; a right code is used up.
 */
export async function proveEmail(world: World, input: ProveEmail): Promise<EmailProof> {
  const code = await checkEmailCode(world, { ...input, purposes: ['sign-up', 'recover'] })
  const claims = { sub: code.email, for: code.purpose, gid: '', name: '' }
  return { emailProof: world.tokens.sign('email-proof', claims, EMAIL_PROOF_TTL_MS).token }
}
