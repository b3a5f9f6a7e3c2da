/**
 * Passkeys (WebAuthn): ceremonies offered and answers read. The library checks the formats and signatures;
 * here stand our choices. Must not see what a passkey yields: the PRF output stays in the browser.
 *
 * [Note: Usernameless] A passkey is made resident and with user verification, so that signing in
 * needs no address: the browser shows the accounts, and the server learns which one by the answer.
 */
import { randomBytes } from 'node:crypto'
import {
  generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse,
  verifyRegistrationResponse, type AuthenticationResponseJSON, type RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { insertChallenge, takeChallenge, type Challenge } from '../db/queries/challenges.js'
import { findPasskeyRow, listKeyringRows, touchPasskeyRow, type StoredKeyringRow } from '../db/queries/keyring.js'
import type { PasskeyOptions, SignInOptions } from '../protocol/api.js'
import { encodeBase64Url, encodeUtf8 } from '../protocol/bytes.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

const CEREMONY_TTL_MS = 5 * 60_000
const CHALLENGE_ID_SIZE_BYTES = 16
const MAX_FIELD_LENGTH = 16 * 1024
const MAX_TRANSPORTS = 8

export interface NewPasskey {
  readonly credentialId: string
  readonly credentialPublicKey: Uint8Array
  readonly credentialCounter: number
  readonly credentialTransports: string[]
}

/** What the browser needs to make a passkey for this account. Effects: one challenge. */
export async function offerPasskey(
  world: World, account: { userId: string, email: string },
): Promise<PasskeyOptions> {
  const rows = await listKeyringRows(world.db, account.userId)
  const options = await generateRegistrationOptions({
    rpName: 'Sealdeck',
    rpID: rpIdOf(world),
    userID: encodeUtf8(account.userId),
    userName: account.email,
    userDisplayName: account.email,
    timeout: CEREMONY_TTL_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: rows.flatMap(
      ({ credentialId }) => credentialId === null ? [] : [{ id: credentialId }],
    ),
  })
  const challengeId = await keepChallenge(world, {
    kind: 'passkey-registration', userId: account.userId, state: options.challenge,
  })
  return { userId: account.userId, challengeId, options }
}

/**
 * The passkey that the browser made.
 * Refuses: sign-in-failed, for a challenge of another account, used or late, or an answer that does not verify.
 */
export async function readNewPasskey(
  world: World, answer: { userId: string, challengeId: string, response: unknown },
): Promise<NewPasskey> {
  const challenge = await requireChallenge(world, answer.challengeId, 'passkey-registration')
  if (challenge.userId !== answer.userId) throw new Refusal('sign-in-failed')
  const response = readRegistration(answer.response)
  const verified = await verifying(() => verifyRegistrationResponse({
    response, expectedChallenge: challenge.state, expectedOrigin: world.config.publicUrl,
    expectedRPID: rpIdOf(world),
    requireUserVerification: true,
  }))
  if (!verified.verified) throw new Refusal('sign-in-failed')
  const { credential } = verified.registrationInfo
  return {
    credentialId: credential.id,
    credentialPublicKey: Uint8Array.from(credential.publicKey),
    credentialCounter: credential.counter,
    credentialTransports: response.response.transports ?? [],
  }
}

/** What the browser needs to sign in with any passkey it has for us. Effects: one challenge. */
export async function offerPasskeySignIn(world: World): Promise<SignInOptions> {
  const options = await generateAuthenticationOptions({
    rpID: rpIdOf(world), userVerification: 'required', timeout: CEREMONY_TTL_MS,
  })
  const challengeId = await keepChallenge(world, { kind: 'passkey-sign-in', userId: null, state: options.challenge })
  return { challengeId, options }
}

/**
 * The way in that the passkey's answer proves. One answer for all that can be wrong.
 * Refuses: sign-in-failed. Effects: the challenge is used up; the passkey's counter goes on.
 */
export async function readPasskeySignIn(
  world: World, answer: { challengeId: string, response: unknown },
): Promise<StoredKeyringRow> {
  const challenge = await requireChallenge(world, answer.challengeId, 'passkey-sign-in')
  const response = readAuthentication(answer.response)
  const row = await findPasskeyRow(world.db, response.id)
  if (row === undefined || row.credentialPublicKey === null) throw new Refusal('sign-in-failed')
  if (response.response.userHandle !== encodeBase64Url(encodeUtf8(row.userId))) throw new Refusal('sign-in-failed')

  const credential = {
    id: response.id, publicKey: Uint8Array.from(row.credentialPublicKey),
    counter: row.credentialCounter ?? 0,
  }
  const verified = await verifying(() => verifyAuthenticationResponse({
    response, credential, expectedChallenge: challenge.state,
    expectedOrigin: world.config.publicUrl,
    expectedRPID: rpIdOf(world), requireUserVerification: true,
  }))
  if (!verified.verified) throw new Refusal('sign-in-failed')
  const isOnward = await touchPasskeyRow(world.db, {
    rowId: row.id, counter: verified.authenticationInfo.newCounter, nowMs: world.clock.nowMs(),
  })
  if (!isOnward) throw new Refusal('sign-in-failed')
  return row
}

function rpIdOf(world: World): string {
  return new URL(world.config.publicUrl).hostname
}

async function keepChallenge(
  world: World, challenge: Pick<Challenge, 'kind' | 'userId' | 'state'>,
): Promise<string> {
  const id = encodeBase64Url(randomBytes(CHALLENGE_ID_SIZE_BYTES))
  const nowMs = world.clock.nowMs()
  await insertChallenge(
    world.db, { id, ...challenge, createdAtMs: nowMs, expiresAtMs: nowMs + CEREMONY_TTL_MS },
  )
  return id
}

async function requireChallenge(world: World, id: string, kind: Challenge['kind']): Promise<Challenge> {
  const challenge = await takeChallenge(world.db, { id, kind, nowMs: world.clock.nowMs() })
  if (challenge === undefined) throw new Refusal('sign-in-failed')
  return challenge
}

/** The library throws for every kind of wrong answer, and answers false for a wrong signature. */
async function verifying<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (error) {
    if (error instanceof Error) throw new Refusal('sign-in-failed')
    throw error
  }
}

// ---- Answers from the browser: only what is listed here is passed on ----

function readRegistration(value: unknown): RegistrationResponseJSON {
  const { id, response } = readCredential(value)
  const transports: unknown = Reflect.get(response, 'transports')
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: readField(response, 'clientDataJSON'),
      attestationObject: readField(response, 'attestationObject'),
      transports: Array.isArray(transports) ? transports.filter(isTransport)
        .slice(0, MAX_TRANSPORTS) : [],
    },
  }
}

function readAuthentication(value: unknown): AuthenticationResponseJSON {
  const { id, response } = readCredential(value)
  return {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: readField(response, 'clientDataJSON'),
      authenticatorData: readField(response, 'authenticatorData'),
      signature: readField(response, 'signature'),
      userHandle: readField(response, 'userHandle'),
    },
  }
}

function readCredential(value: unknown): { id: string, response: object } {
  const credential = requireObject(value)
  refusePrfOutput(Reflect.get(credential, 'clientExtensionResults'))
  const isPasskey = Reflect.get(credential, 'type') === 'public-key' &&
    Reflect.get(credential, 'id') === Reflect.get(credential, 'rawId')
  if (!isPasskey) throw new Refusal('bad-request')
  return { id: readField(credential, 'id'), response: requireObject(Reflect.get(credential, 'response')) }
}

/** What unlocks the root must never come here; a client that sends it is broken, and is to notice. */
function refusePrfOutput(extensionResults: unknown): void {
  const prf: unknown = Reflect.get(Object(extensionResults), 'prf')
  if (Reflect.get(Object(prf), 'results') !== undefined) throw new Refusal('bad-request')
}

function requireObject(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Refusal('bad-request')
  return value
}

function readField(from: object, name: string): string {
  const value: unknown = Reflect.get(from, name)
  if (typeof value !== 'string' || value.length > MAX_FIELD_LENGTH || !/^[A-Za-z0-9_-]+$/.test(value)) {
    throw new Refusal('bad-request')
  }
  return value
}

function isTransport(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z-]{1,20}$/.test(value)
}
