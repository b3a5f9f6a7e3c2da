/**
 * Passphrases by OPAQUE (RFC 9807): the server's half. A passphrase never comes here, nor anything from
 * which it could be guessed without one Argon2id a guess; losing the server setup locks all of them out.
 *
 * [Note: Nobody home] For an address without a passphrase the library plays along with a made-up record,
 * under an identifier that stays the same each time, so that no answer tells who has an account.
 */
import { createHmac } from 'node:crypto'
import { server } from '@serenity-kit/opaque'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

/** The server's answer to a registration begun in the browser. Refuses: bad-request. */
export function answerRegistration(
  world: World, userId: string, registrationRequest: string,
): string {
  return reading('bad-request', () => server.createRegistrationResponse({
    serverSetup: world.keys.opaqueServerSetup, userIdentifier: userId, registrationRequest,
  })).registrationResponse
}

export interface BegunLogin {
  /** Kept by the server until the browser has answered. */
  readonly serverLoginState: string
  readonly loginResponse: string
}

/**
 * The server's first answer to a login ([Note: Nobody home]).
 * Refuses: bad-request.
 *
 * @param account - `undefined` where there is none, or none with a passphrase.
 */
export function answerLogin(
  world: World, email: string, startLoginRequest: string,
  account: { userId: string, record: string } | undefined,
): BegunLogin {
  return reading('bad-request', () => server.startLogin({
    serverSetup: world.keys.opaqueServerSetup,
    userIdentifier: account?.userId ?? strangerId(world, email),
    registrationRecord: account?.record ?? null,
    startLoginRequest,
  }))
}

/** Whether the browser has proven the passphrase. Refuses: sign-in-failed if not. */
export function requirePassphrase(serverLoginState: string, finishLoginRequest: string): void {
  reading('sign-in-failed', () => server.finishLogin({ serverLoginState, finishLoginRequest }))
}

function strangerId(world: World, email: string): string {
  return createHmac('sha256', world.keys.opaqueServerSetup).update(`stranger\n${email}`).digest('hex').slice(0, 36)
}

/** The library throws for whatever it cannot read or verify. */
function reading<T>(code: 'bad-request' | 'sign-in-failed', read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error) throw new Refusal(code)
    throw error
  }
}
