/**
 * Signed tokens (RFC 7519, EdDSA only). Signs and reads; sessions and what a token allows are elsewhere.
 *
 * [Note: Tokens] One key signs all, and the audience tells them apart: whoever reads a token says
 * which audience it must have, so a proof of an e-mail address never opens a session. There is one
 * header, compared byte for byte: no algorithm to choose, no `kid`, `jku` or `jwk` to follow.
 */
import { randomBytes } from 'node:crypto'
import jwt, { type JWT } from '@fastify/jwt'
import Fastify from 'fastify'
import { decodeBase64Url, decodeUtf8, encodeBase64Url, encodeUtf8 } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { parseJson, type Json } from './json.js'
import type { Clock } from './world.js'

/** What a token of each audience says, all texts; an empty one where it does not apply. */
const CLAIMS = {
  /** sub: user id; sid: session id. */
  'account': ['sub', 'sid'],
  /** sub: person id; gid: grant id; did: device id. */
  'investor': ['sub', 'gid', 'did'],
  /** sub: e-mail address; for: what it was proven for; gid: the link, for an investor; name: as given with it. */
  'email-proof': ['sub', 'for', 'gid', 'name'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type TokenAudience = keyof typeof CLAIMS
export type ClaimsOf<A extends TokenAudience> = Readonly<Record<(typeof CLAIMS)[A][number], string>>

export interface SignedToken {
  readonly token: string
  readonly expiresAtMs: number
}

export interface Tokens {
  sign<A extends TokenAudience>(audience: A, claims: ClaimsOf<A>, ttlMs: number): SignedToken
  /** The claims and the token's own id, or `undefined` for anything that is not a valid token of this audience. */
  read<A extends TokenAudience>(
    audience: A, token: string,
  ): (ClaimsOf<A> & { readonly jti: string }) | undefined
}

const MAX_TOKEN_LENGTH = 2_048
const TOKEN_ID_SIZE_BYTES = 16
const VERIFIED_TOKEN_COUNT = 4_096
const HEADER = encodeBase64Url(encodeUtf8('{"alg":"EdDSA","typ":"JWT"}'))

/**
 * @param issuer - stands in each token: another installation's tokens are refused, whatever its key.
 * @param key - both halves in PEM.
 */
export async function openTokens(
  {
    issuer, key, clock,
  }: { issuer: string, key: { private: string, public: string }, clock: Clock },
): Promise<Tokens> {
  const library = await openLibrary(key)
  const verified = new Map<string, Payload>()
  return {
    sign(audience, claims, ttlMs) {
      const iat = Math.floor(clock.nowMs() / 1_000)
      const exp = iat + Math.floor(ttlMs / 1_000)
      const jti = encodeBase64Url(randomBytes(TOKEN_ID_SIZE_BYTES))
      const token = library.sign({ ...claims, iss: issuer, aud: audience, iat, exp, jti })
      return { token, expiresAtMs: exp * 1_000 }
    },
    read(audience, token) {
      const payload = verified.get(token) ?? readSigned(library, token)
      if (payload === undefined) return undefined
      // A good signature stays one: what of a token depends on the time and on who asks is read anew each time.
      keep(verified, token, payload)
      if (!isValidNow(payload, { issuer, audience, nowMs: clock.nowMs() })) return undefined
      return hasTexts(payload, [...CLAIMS[audience], 'jti']) ? payload : undefined
    },
  }
}

/**
 * The plugin signs and verifies for use-cases, which know no Fastify, so it stands on an instance of its
 * own. Time, issuer and audience are read below: they depend on our clock and on who asks.
 */
async function openLibrary(key: { private: string, public: string }): Promise<JWT> {
  const host = Fastify()
  await host.register(jwt, {
    secret: key,
    sign: { algorithm: 'EdDSA' },
    verify: { algorithms: ['EdDSA'], ignoreExpiration: true },
  })
  return host.jwt
}

/** The first that came goes first; its owner's next request has its signature verified once more. */
function keep(verified: Map<string, Payload>, token: string, payload: Payload): void {
  if (verified.has(token)) return
  const [first] = verified.size < VERIFIED_TOKEN_COUNT ? [] : verified.keys()
  if (first !== undefined) verified.delete(first)
  verified.set(token, payload)
}

type Payload = { readonly [key: string]: Json }

/** The payload of a token with our header and a good signature. */
function readSigned(library: JWT, token: string): Payload | undefined {
  const [header, payload = '', signature = '', ...rest] = token.split('.')
  // The plugin answers some hostile tokens with errors that are not its own (measured: 28 of 54), and
  // does not look at `typ`: whatever does not begin as ours is not shown to it.
  if (token.length > MAX_TOKEN_LENGTH || header !== HEADER || rest.length > 0) return undefined
  try {
    decodeBase64Url(signature)
    library.verify(token)
    const json = parseJson(decodeUtf8(decodeBase64Url(payload)))
    return isObject(json) ? json : undefined
  } catch (error) {
    if (error instanceof ProtocolError || isTokenError(error)) return undefined
    throw error
  }
}

function isTokenError(error: unknown): boolean {
  return String(Reflect.get(Object(error), 'code')).startsWith('FAST_JWT_')
}

function isValidNow(
  payload: Payload, expected: { issuer: string, audience: string, nowMs: number },
): boolean {
  const { iss, aud, iat, exp } = payload
  return iss === expected.issuer && aud === expected.audience && typeof iat === 'number' && typeof exp === 'number' &&
    exp * 1_000 > expected.nowMs
}

function isObject(json: Json): json is Payload {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function hasTexts<K extends string>(
  payload: Payload, keys: readonly K[],
): payload is Readonly<Record<K, string>> {
  return keys.every((key) => typeof payload[key] === 'string')
}
