/** Signing in with a passphrase: OPAQUE's first exchange. Its answer does not tell who has an account. */
import { randomBytes } from 'node:crypto'
import { insertChallenge } from '../../db/queries/challenges.js'
import { takeTurn } from '../../db/queries/codes.js'
import { findPassphraseRow } from '../../db/queries/keyring.js'
import { findUserByEmail } from '../../db/queries/users.js'
import type { PassphraseLogin, StartPassphraseLogin } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../email.js'
import { answerLogin } from '../passphrases.js'
import type { World } from '../world.js'

const LOGIN_TTL_MS = 2 * 60_000
const LOGIN_ID_SIZE_BYTES = 16
const HOUR_MS = 3_600_000
/** Guesses at one passphrase, and from one network, in an hour. */
const MAX_LOGINS_PER_EMAIL = 30
const MAX_LOGINS_PER_NETWORK = 300

/**
 * OPAQUE's first exchange.
 * Refuses: bad-request, too-many-requests. Effects: one challenge.
 */
export async function startPassphraseLogin(
  world: World, input: StartPassphraseLogin & { network: string },
): Promise<PassphraseLogin> {
  const email = canonicalEmail(input.email)
  await requireTurn(world, { email, network: input.network })
  const user = await findUserByEmail(world.db, email)
  const row = await findPassphraseRow(world.db, user?.id ?? NOBODY)
  const account = row === undefined || row.opaqueRecord === null
    ? undefined
    : { userId: row.userId, record: row.opaqueRecord }
  const login = answerLogin(world, email, input.startLoginRequest, account)
  const loginId = encodeBase64Url(randomBytes(LOGIN_ID_SIZE_BYTES))
  const nowMs = world.clock.nowMs()
  await insertChallenge(world.db, {
    id: loginId, kind: 'passphrase-sign-in', userId: account?.userId ?? null,
    state: `${input.locale} ${login.serverLoginState}`, createdAtMs: nowMs, expiresAtMs: nowMs + LOGIN_TTL_MS,
  })
  return { loginId, loginResponse: login.loginResponse }
}

/** So that an unknown address costs the same two look-ups. */
const NOBODY = '00000000-0000-7000-8000-000000000000'

async function requireTurn(
  world: World, { email, network }: { email: string, network: string },
): Promise<void> {
  const hasRoom = await takeTurn(world.db, [
    { scope: `login-email:${email}`, maxCount: MAX_LOGINS_PER_EMAIL, windowMs: HOUR_MS },
    { scope: `login-network:${network}`, maxCount: MAX_LOGINS_PER_NETWORK, windowMs: HOUR_MS },
  ], world.clock.nowMs())
  if (!hasRoom) throw new Refusal('too-many-requests')
}
