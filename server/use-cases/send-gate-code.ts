/** A code to the address that an investor names at a link. */
import type { EmailChallenge } from '../../protocol/api.js'
import { canonicalEmail } from '../email.js'
import { sendEmailCode } from '../email-codes.js'
import { requireGate } from '../gate.js'
import { codeMail, type Locale } from '../mail-texts.js'
import { networkOf } from '../network.js'
import type { World } from '../world.js'

/**
 * Send a code for access to one link.
 * Refuses: grant-not-found, grant-revoked, grant-expired, bad-request, too-many-requests.
 * Effects: one challenge and one mail.
 */
export async function sendGateCode(
  world: World,
  asked: { grantId: string, email: string, name: string, locale: Locale, address: string },
): Promise<EmailChallenge> {
  await requireGate(world, asked.grantId)
  const email = canonicalEmail(asked.email)
  return await sendEmailCode(world, {
    email, purpose: 'access', network: networkOf(asked.address), grantId: asked.grantId, name: asked.name,
    mail: (code) => codeMail(world, code, { email, locale: asked.locale }),
  })
}
