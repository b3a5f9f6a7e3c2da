/** The way back in with a recovery code, when everything else is lost. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { listKeyringRows, touchRecoveryRow } from '../../db/queries/keyring.js'
import { findUserByEmail } from '../../db/queries/users.js'
import type { Recover } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentSignedIn, requireEmailProof, type SignedInWithCookie } from '../accounts.js'
import { noticeMail } from '../mail-texts.js'
import { startSession } from '../session.js'
import { presentRow } from '../ways-in.js'
import type { World } from '../world.js'

/**
 * Sign in with a proven address and what the recovery code proves itself with, and get the recovery row.
 * Refuses: email-unverified, recovery-failed.
 * Effects: one session, and a mail that says so.
 */
export async function recoverAccount(world: World, input: Recover): Promise<SignedInWithCookie> {
  const email = requireEmailProof(world, input.emailProof, 'recover')
  const user = await findUserByEmail(world.db, email)
  const rows = user === undefined ? [] : await listKeyringRows(world.db, user.id)
  const authSha256 = createHash('sha256').update(decodeBase64Url(input.recoveryAuth)).digest()
  const row = rows.find(
    ({ recoveryAuthSha256: stored }) => stored !== null && timingSafeEqual(stored, authSha256),
  )
  if (user === undefined || row === undefined) throw new Refusal('recovery-failed')

  await touchRecoveryRow(world.db, { rowId: row.id, nowMs: world.clock.nowMs() }, noticeMail(world, 'recovery-used', user))
  world.mailer.wake()
  return presentSignedIn(user, await startSession(world, user.id), presentRow(row))
}
