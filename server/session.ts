/**
 * Sessions of accounts: a short access token, and a refresh token that changes with each use. Knows
 * neither Fastify (server/guards.ts does) nor how somebody proved who she is (the use-cases do).
 *
 * [Note: Refresh] A refresh token is used once. One that comes again was copied, so the session ends for
 * both holders; only for a moment the token before the last one still gets an access token,
 * because two tabs may renew at once.
 */
import { createHash, randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { findSession, insertSession, revokeSession, rotateSession } from '../db/queries/sessions.js'
import { encodeBase64Url, equalBytes } from '../protocol/bytes.js'
import { INVESTOR_SESSION_TTL_MS } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import type { SignedToken } from './tokens.js'
import type { World } from './world.js'

const ACCESS_TOKEN_TTL_MS = 10 * 60_000
const SESSION_IDLE_MS = 30 * 60_000
export const SESSION_MAX_MS = 12 * 3_600_000
const ROTATION_GRACE_MS = 10_000
const REFRESH_SECRET_SIZE_BYTES = 32
const REFRESH_TOKEN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/

export interface StartedSession {
  readonly sessionId: string
  readonly userId: string
  readonly access: SignedToken
  /** For the cookie; `undefined` where the browser holds a newer one already. */
  readonly refreshToken: string | undefined
}

/** Begin a session for somebody who has just proven a factor. */
export async function startSession(world: World, userId: string): Promise<StartedSession> {
  const nowMs = world.clock.nowMs()
  const sessionId = uuidv7()
  const refreshToken = makeRefreshToken(sessionId)
  await insertSession(world.db, {
    id: sessionId, userId, tokenHash: hashToken(refreshToken), rotatedAtMs: nowMs,
    provenAtMs: nowMs, createdAtMs: nowMs,
    idleExpiresAtMs: nowMs + SESSION_IDLE_MS, expiresAtMs: nowMs + SESSION_MAX_MS,
  })
  return { sessionId, userId, access: signAccess(world, { userId, sessionId }), refreshToken }
}

/**
 * Exchange a refresh token ([Note: Refresh]).
 * Refuses: not-signed-in. Effects: the session's token changes; or the session ends, if the token was used before.
 */
export async function renewSession(world: World, refreshToken: string): Promise<StartedSession> {
  const sessionId = REFRESH_TOKEN.exec(refreshToken)?.[1]
  if (sessionId === undefined) throw new Refusal('not-signed-in')
  const nowMs = world.clock.nowMs()
  const next = makeRefreshToken(sessionId)
  const rotated = await rotateSession(world.db, {
    id: sessionId, tokenHash: hashToken(refreshToken), nextTokenHash: hashToken(next), nowMs,
    idleExpiresAtMs: nowMs + SESSION_IDLE_MS,
  })
  if (rotated !== undefined) {
    return {
      sessionId, userId: rotated.userId,
      access: signAccess(world, { userId: rotated.userId, sessionId }), refreshToken: next,
    }
  }
  return await renewLate(world, sessionId, refreshToken)
}

async function renewLate(
  world: World, sessionId: string, refreshToken: string,
): Promise<StartedSession> {
  const nowMs = world.clock.nowMs()
  const session = await findSession(world.db, sessionId)
  const isOver = session === undefined || session.revokedAtMs !== null ||
    session.expiresAtMs <= nowMs || session.idleExpiresAtMs <= nowMs
  if (isOver) throw new Refusal('not-signed-in')
  const isJustReplaced = session.previousTokenHash !== null &&
    equalBytes(
      session.previousTokenHash, hashToken(refreshToken),
    ) && nowMs - session.rotatedAtMs <= ROTATION_GRACE_MS
  if (!isJustReplaced) {
    await revokeSession(world.db, sessionId, nowMs)
    world.log.warn({ sessionId }, 'a refresh token came twice: its session is ended')
    throw new Refusal('not-signed-in')
  }
  const { userId } = session
  return {
    sessionId, userId, access: signAccess(world, { userId, sessionId }), refreshToken: undefined,
  }
}

/** Sign out: the session's tokens are refused from the next request on, by every instance. */
export async function endSession(world: World, sessionId: string): Promise<void> {
  await revokeSession(world.db, sessionId, world.clock.nowMs())
}

/** For an investor's device; renewed by a challenge to the device's key. */
export function signInvestor(
  world: World,
  { personId, grantId, deviceId }: { personId: string, grantId: string, deviceId: string },
): SignedToken {
  return world.tokens.sign('investor', { sub: personId, gid: grantId, did: deviceId }, INVESTOR_SESSION_TTL_MS)
}

function signAccess(
  world: World, { userId, sessionId }: { userId: string, sessionId: string },
): SignedToken {
  return world.tokens.sign('account', { sub: userId, sid: sessionId }, ACCESS_TOKEN_TTL_MS)
}

function makeRefreshToken(sessionId: string): string {
  return `${sessionId}.${encodeBase64Url(randomBytes(REFRESH_SECRET_SIZE_BYTES))}`
}

function hashToken(token: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(token).digest())
}
