/**
 * What stands before a route: who is asking, and that the request was made by our own client on
 * purpose. Sets and reads the refresh cookie. Decides identity only; what somebody may do is
 * decided by use-cases.
 */
import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { findInvestor, findLiveSession, type InvestorRow, type LiveSession } from '../db/queries/sessions.js'
import { assert } from '../protocol/errors.js'
import { Refusal } from '../protocol/refusals.js'
import { CSP_REPORT_PATH } from './headers.js'
import { SESSION_MAX_MS } from './session.js'
import type { World } from './world.js'

/** With Secure and without Domain by its prefix: no other host, and no plain http but localhost, can set it. */
const REFRESH_COOKIE = '__Host-sd_rt'
const COOKIE_OPTIONS = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const
const CLIENT_HEADER = 'x-sealdeck'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface Investor {
  readonly personId: string
  readonly deviceId: string
  readonly grantId: string
  readonly vaultId: string
  readonly email: string | null
  readonly name: string | null
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly world: World
    /** preHandler: refuses without a live session; then `request.account` may be read. */
    requireAccount(request: FastifyRequest): Promise<void>
    /** preHandler: refuses without a device that is enrolled behind a live link; then `request.investor` may be read. */
    requireInvestor(request: FastifyRequest): Promise<void>
    /** preHandler: either of the two. */
    requireAccountOrInvestor(request: FastifyRequest): Promise<void>
  }
  interface FastifyRequest {
    identity: { account?: LiveSession, investor?: Investor } | null
    readonly account: LiveSession
    readonly investor: Investor
  }
}

export async function registerGuards(app: FastifyInstance, world: World): Promise<void> {
  await app.register(cookie)
  app.decorateRequest('identity', null)
  app.decorateRequest('account', { getter() { return present(this.identity?.account) } })
  app.decorateRequest('investor', { getter() { return present(this.identity?.investor) } })
  app.decorate('requireAccount', async (request) => {
    request.identity = { account: await readAccount(world, request) }
  })
  app.decorate('requireInvestor', async (request) => {
    request.identity = { investor: await readInvestor(world, request) }
  })
  app.decorate('requireAccountOrInvestor', async (request) => {
    request.identity = world.tokens.read('investor', bearerOf(request)) === undefined
      ? { account: await readAccount(world, request) }
      : { investor: await readInvestor(world, request) }
  })
  app.addHook('onRequest', requireOwnClient)
}

function present<T>(identity: T | undefined): T {
  assert(identity !== undefined, 'the route has the guard for the identity it reads')
  return identity
}

/**
 * A page of another site can send a form, and with it cookies; it cannot set a header of ours without
 * asking first, and it cannot lie in Sec-Fetch-Site.
 */
async function requireOwnClient(request: FastifyRequest): Promise<void> {
  // A browser's own report changes nothing but a count, and cannot carry our header.
  if (SAFE_METHODS.has(request.method) || request.routeOptions.url === CSP_REPORT_PATH) return
  const site = request.headers['sec-fetch-site']
  const isOwnSite = site === undefined || site === 'same-origin' || site === 'none'
  if (request.headers[CLIENT_HEADER] !== '1' || !isOwnSite) throw new Refusal('not-allowed')
}

/**
 * Whether a request comes from this very machine: by its address, by the name it was asked under (another
 * site could point its own name here), and with no proxy in between.
 */
export function isFromThisMachine(request: FastifyRequest): boolean {
  const isNear = /^(?:127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '')
  const isNamedSo = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(request.headers.host ?? '')
  return isNear && isNamedSo && request.headers['x-forwarded-for'] === undefined
}

/** The token of an Authorization header; an empty text if there is none. */
export function bearerOf(request: FastifyRequest): string {
  const match = /^Bearer ([A-Za-z0-9_.-]+)$/.exec(request.headers.authorization ?? '')
  return match?.[1] ?? ''
}

async function readAccount(
  world: World, request: FastifyRequest,
): Promise<LiveSession> {
  const claims = world.tokens.read('account', bearerOf(request))
  const session = claims && await findLiveSession(world.db, claims.sid, world.clock.nowMs())
  if (session === undefined || session.userId !== claims?.sub) throw new Refusal('not-signed-in')
  return session
}

async function readInvestor(
  world: World, request: FastifyRequest,
): Promise<Investor> {
  const claims = world.tokens.read('investor', bearerOf(request))
  const row = claims && await findInvestor(world.db, claims.did)
  if (row === undefined || row.personId !== claims?.sub || row.grantId !== claims.gid) throw new Refusal('not-signed-in')
  if (row.grantRevokedAtMs !== null) throw new Refusal('grant-revoked')
  if (row.personRevokedAtMs !== null || row.deviceRevokedAtMs !== null) throw new Refusal('access-revoked')
  requireGrantOfPath(request, row)
  return row
}

/** "Absent" and "not yours" answer alike. */
function requireGrantOfPath(request: FastifyRequest, row: InvestorRow): void {
  const named: unknown = Reflect.get(Object(request.params), 'grantId')
  if (named !== undefined && named !== row.grantId) throw new Refusal('grant-not-found')
}

/** `undefined` leaves the cookie as it is: the browser holds a newer one. */
export function setRefreshCookie(reply: FastifyReply, refreshToken: string | undefined): void {
  if (refreshToken === undefined) return
  const options = { ...COOKIE_OPTIONS, maxAge: SESSION_MAX_MS / 1_000 }
  void reply.setCookie(REFRESH_COOKIE, refreshToken, options)
}

/** Sign-out also empties the cache; stores are the page's to clear (a device keeps what it was told to keep). */
export function clearRefreshCookie(reply: FastifyReply): void {
  void reply.clearCookie(REFRESH_COOKIE, COOKIE_OPTIONS).header('clear-site-data', '"cache", "cookies"')
}

/** The cookie's value; an empty text if there is none. */
export function refreshTokenOf(request: FastifyRequest): string {
  return request.cookies[REFRESH_COOKIE] ?? ''
}
