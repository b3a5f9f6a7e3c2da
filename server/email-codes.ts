/**
 * Codes by mail: how one is made, limited, sent and checked, for every use-case that needs the proof of
 * an address. Must not tell a known address from an unknown one.
 *
 * [Note: A code is bound to its browser] The challenge's id is known to the browser that asked, alone:
 * a code read over a shoulder opens nothing elsewhere. The table holds hashes of both; a code's is
 * salted with the id, so the table alone does not even let 10^8 codes be tried.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { insertEmailCode, tryEmailCode, type EmailCode, type RateLimit } from '../db/queries/codes.js'
import type { NewMail } from '../db/queries/mail.js'
import type { EmailChallenge } from '../protocol/api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../protocol/bytes.js'
import {
  EMAIL_CODE_LENGTH, EMAIL_CODE_RESEND_AFTER_MS, EMAIL_CODE_TRY_COUNT, EMAIL_CODE_TTL_MS,
  EMAIL_CODES_PER_HOUR,
} from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

const HOUR_MS = 3_600_000
const CHALLENGE_ID_SIZE_BYTES = 16

export interface CodeRequest {
  /** Canonical. */
  readonly email: string
  readonly purpose: EmailCode['purpose']
  /** Where the request came from: `networkOf` in network.ts. */
  readonly network: string
  /** The mail for this code. One that does not hold it makes a challenge that nobody can answer. */
  readonly mail: (code: string) => NewMail
  readonly grantId?: string
  readonly name?: string
  readonly userId?: string
}

/**
 * Send a code ([Note: A code is bound to its browser]).
 * Refuses: too-many-requests. Effects: one challenge and one mail.
 */
export async function sendEmailCode(world: World, request: CodeRequest): Promise<EmailChallenge> {
  const nowMs = world.clock.nowMs()
  const challengeId = randomBytes(CHALLENGE_ID_SIZE_BYTES)
  const code = randomInt(10 ** EMAIL_CODE_LENGTH).toString().padStart(EMAIL_CODE_LENGTH, '0')
  const { email, purpose, grantId, name, userId } = request
  const isSent = await insertEmailCode(world.db, {
    challengeHash: hashOf(challengeId), codeHash: hashCode(challengeId, code), email, purpose,
    grantId, name, userId,
    createdAtMs: nowMs, expiresAtMs: nowMs + EMAIL_CODE_TTL_MS,
  }, request.mail(code), limitsOf(world, request))
  if (!isSent) throw new Refusal('too-many-requests')

  world.mailer.wake()
  return {
    challengeId: encodeBase64Url(challengeId), resendAfterMs: EMAIL_CODE_RESEND_AFTER_MS,
    expiresAtMs: nowMs + EMAIL_CODE_TTL_MS,
  }
}

function limitsOf(world: World, { email, network }: CodeRequest): RateLimit[] {
  return [
    { scope: `code-email:${email}`, maxCount: EMAIL_CODES_PER_HOUR, windowMs: HOUR_MS },
    { scope: `code-network:${network}`, maxCount: world.config.emailCodesPerNetwork, windowMs: HOUR_MS },
  ]
}

/**
 * Check a code: five tries a challenge, counted in one statement over all instances; a right one once.
 * Refuses: code-wrong; code-expired, for whatever cannot be tried any more.
 */
export async function checkEmailCode(
  world: World,
  answer: { challengeId: string, code: string, purposes: readonly EmailCode['purpose'][] },
): Promise<EmailCode> {
  const challengeId = decodeBase64Url(answer.challengeId)
  const tried = await tryEmailCode(world.db, {
    challengeHash: hashOf(challengeId), codeHash: hashCode(challengeId, answer.code),
    purposes: answer.purposes,
    maxTryCount: EMAIL_CODE_TRY_COUNT, nowMs: world.clock.nowMs(),
  })
  if (tried === undefined) throw new Refusal('code-expired')
  if (!tried.isRight) throw new Refusal('code-wrong')
  return tried.code
}

function hashCode(challengeId: Uint8Array, code: string): Uint8Array {
  return hashOf(concatBytes(challengeId, encodeUtf8(code)))
}

function hashOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
