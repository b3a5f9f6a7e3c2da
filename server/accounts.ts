/** What an account looks like from outside, and what signing in answers with. */
import { uuidv7 } from 'uuidv7'
import { findUser, type User } from '../db/queries/users.js'
import type { Account, KeyringRow, SignedIn } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { Refusal } from '../protocol/refusals.js'
import type { StartedSession } from './session.js'
import type { World } from './world.js'

/** How long after proving a factor a session may still change the ways in. */
const FRESH_PROOF_MS = 30 * 60_000

/** For the route: the answer, and the cookie where there is a new one. */
export interface SignedInWithCookie {
  readonly signedIn: SignedIn, readonly refreshToken: string | undefined,
}

export function presentAccount(user: User): Account {
  return {
    userId: user.id, email: user.email, name: user.name,
    signingKey: encodeBase64Url(user.signingPublicKey),
    recipient: user.recipient, isRecoveryConfirmed: user.recoveryConfirmedAtMs !== null,
    createdAtMs: user.createdAtMs,
  }
}

/** @param row - the way in that was used; `null` where the root is unlocked already. */
export function presentSignedIn(
  user: User, session: StartedSession, row: KeyringRow | null,
): SignedInWithCookie {
  const { token, expiresAtMs } = session.access
  return {
    signedIn: { accessToken: token, expiresAtMs, account: presentAccount(user), row },
    refreshToken: session.refreshToken,
  }
}

/** Refuses: proof-stale, for a session whose owner has not proven a factor for half an hour. */
export function requireFreshProof(world: World, session: { provenAtMs: number }): void {
  if (world.clock.nowMs() - session.provenAtMs > FRESH_PROOF_MS) throw new Refusal('proof-stale')
}

/** The address that a token proves. Refuses: email-unverified. */
export function requireEmailProof(world: World, emailProof: string | undefined, purpose: 'sign-up' | 'recover'): string {
  const claims = world.tokens.read('email-proof', emailProof ?? '')
  if (claims === undefined || claims.for !== purpose) throw new Refusal('email-unverified')
  return claims.sub
}

/** An account that is signed in, or the proof of an address that has none yet. */
export type WayInOwner = { userId: string, email: string } | { emailProof: string | undefined }

/** Whose way in is being made; a new account gets its id here. Refuses: email-unverified. */
export function requireOwner(world: World, owner: WayInOwner): { userId: string, email: string } {
  if ('userId' in owner) return { userId: owner.userId, email: owner.email }
  return { userId: uuidv7(), email: requireEmailProof(world, owner.emailProof, 'sign-up') }
}

/** The account behind a session. Refuses: not-signed-in, if it was disabled in between. */
export async function requireUser(world: World, userId: string): Promise<User> {
  const user = await findUser(world.db, userId)
  if (user === undefined) throw new Refusal('not-signed-in')
  return user
}
