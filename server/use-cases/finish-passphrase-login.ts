/** Signing in with a passphrase: OPAQUE's second exchange, which sends a code as the second factor. */
import { takeChallenge } from '../../db/queries/challenges.js'
import { findUser } from '../../db/queries/users.js'
import type { EmailChallenge, FinishPassphraseLogin } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { sendEmailCode } from '../email-codes.js'
import { codeMail, type Locale } from '../mail-texts.js'
import { requirePassphrase } from '../passphrases.js'
import type { World } from '../world.js'

/**
 * OPAQUE's second exchange; a right passphrase sends the code.
 * Refuses: sign-in-failed, too-many-requests. Effects: the challenge is used up; one code, one mail.
 */
export async function finishPassphraseLogin(
  world: World, input: FinishPassphraseLogin & { network: string },
): Promise<EmailChallenge> {
  const nowMs = world.clock.nowMs()
  const challenge = await takeChallenge(world.db, { id: input.loginId, kind: 'passphrase-sign-in', nowMs })
  if (challenge === undefined) throw new Refusal('sign-in-failed')
  const [locale, serverLoginState = ''] = challenge.state.split(' ', 2)
  requirePassphrase(serverLoginState, input.finishLoginRequest)
  const user = challenge.userId === null ? undefined : await findUser(world.db, challenge.userId)
  if (user === undefined) throw new Refusal('sign-in-failed')
  const to: { email: string, locale: Locale } = { email: user.email, locale: locale === 'ru' ? 'ru' : 'en' }
  return await sendEmailCode(world, {
    email: user.email, purpose: 'sign-in', userId: user.id, network: input.network, mail: (code) => codeMail(world, code, to),
  })
}
