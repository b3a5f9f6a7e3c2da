/** Signing up: the end of it, when the browser has made the root and locked it. */
import { violatedConstraint } from '../../db/client.js'
import { insertUser, type User } from '../../db/queries/users.js'
import type { CreateAccount } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { parseRecipient } from '../../protocol/deck/identity.js'
import { isLowOrderKey } from '../../protocol/sodium.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentSignedIn, requireEmailProof, type SignedInWithCookie } from '../accounts.js'
import { startSession } from '../session.js'
import { readWayIn } from '../ways-in.js'
import type { World } from '../world.js'

/**
 * Make an account with its first way in, and sign it in.
 * Refuses: email-unverified, bad-request, sign-in-failed (a passkey that does not verify), account-exists.
 * Effects: account, keyring row and session.
 */
export async function createAccount(
  world: World, input: CreateAccount,
): Promise<SignedInWithCookie> {
  const email = requireEmailProof(world, input.emailProof, 'sign-up')
  const signingPublicKey = decodeBase64Url(input.signingKey)
  if (isLowOrderKey(signingPublicKey)) throw new Refusal('bad-request')
  if (parseRecipient(input.recipient).type !== 'hybrid') throw new Refusal('bad-request')
  // A recovery code is for the day when the others are lost.
  if (input.newRow.row.method === 'recovery') throw new Refusal('bad-request')

  const row = await readWayIn(world, input.userId, input.newRow)
  const user = await insertOnce(() => insertUser(world.db, {
    id: input.userId, email, name: input.name, locale: input.locale, signingPublicKey,
    recipient: input.recipient,
    createdAtMs: world.clock.nowMs(),
  }, row))
  const session = await startSession(world, user.id)
  return presentSignedIn(user, session, input.newRow.row)
}

async function insertOnce(insert: () => Promise<User | undefined>): Promise<User> {
  try {
    const user = await insert()
    if (user === undefined) throw new Refusal('account-exists')
    return user
  } catch (error) {
    if (violatedConstraint(error) !== undefined) throw new Refusal('conflict')
    throw error
  }
}
