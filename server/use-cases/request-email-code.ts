/** Proving an address before there is a session: asking for the code. */
import { findUserByEmail } from '../../db/queries/users.js'
import type { EmailChallenge, RequestEmailCode } from '../../protocol/api.js'
import { sendEmailCode } from '../email-codes.js'
import { canonicalEmail } from '../email.js'
import { codeMail, noticeMail } from '../mail-texts.js'
import type { World } from '../world.js'

/**
 * Send a code to sign up or to recover an account with. Whether there is an account, only the mailbox
 * learns: the wrong one of the two purposes gets a mail that says so, and a challenge without an answer.
 * Refuses: bad-request, too-many-requests.
 * Effects: one challenge and one mail.
 */
export async function requestEmailCode(
  world: World, input: RequestEmailCode & { network: string },
): Promise<EmailChallenge> {
  const to = { email: canonicalEmail(input.email), locale: input.locale }
  const user = await findUserByEmail(world.db, to.email)
  const isAnswerable = (user === undefined) === (input.purpose === 'sign-up')
  const notice = input.purpose === 'sign-up' ? 'account-exists' : 'no-account'
  return await sendEmailCode(world, {
    email: to.email,
    purpose: input.purpose,
    network: input.network,
    mail: (code) => isAnswerable ? codeMail(world, code, to) : noticeMail(world, notice, to),
  })
}
