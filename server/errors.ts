/**
 * From what went wrong to what the caller is told: the one table of refusals and statuses, and the
 * one function that turns any thrown thing into an answer (RFC 9457). Never quotes input, SQL or a stack.
 */
import { STATUS_CODES } from 'node:http'
import { sqlState } from '../db/client.js'
import { ProtocolError } from '../protocol/errors.js'
import { Refusal, type RefusalCode } from '../protocol/refusals.js'
import type { Problem } from '../protocol/api.js'

export const STATUS_OF: Readonly<Record<RefusalCode, number>> = {
  'bad-request': 400,
  'too-large': 413,
  'not-signed-in': 401,
  'not-found': 404,
  'not-allowed': 403,
  'too-many-requests': 429,
  'conflict': 409,
  'not-ready': 503,
  'internal-error': 500,
  'code-wrong': 403,
  'code-expired': 403,
  'sign-in-failed': 401,
  'account-exists': 409,
  'recovery-failed': 403,
  'recovery-unconfirmed': 409,
  'last-way-in': 409,
  'proof-stale': 403,
  'file-too-large': 413,
  'quota-reached': 403,
  'instance-full': 403,
  'part-mismatch': 422,
  'upload-incomplete': 409,
  'upload-not-found': 404,
  'record-mismatch': 422,
  'vault-not-found': 404,
  'version-not-found': 404,
  'nda-mismatch': 409,
  'grant-not-found': 404,
  'grant-mismatch': 422,
  'grant-revoked': 403,
  'grant-expired': 403,
  'not-on-the-list': 403,
  'email-unverified': 403,
  'nonce-unknown': 403,
  'note-mismatch': 422,
  'note-expired': 403,
  'signature-invalid': 403,
  'device-mismatch': 403,
  'nda-not-signed': 409,
  'already-accepted': 409,
  'declined': 409,
  'awaiting-approval': 409,
  'access-revoked': 403,
  'header-not-ready': 409,
  'invitation-not-found': 404,
  'invitation-expired': 403,
  'log-unavailable': 503,
  'witnesses-awaited': 503,
  'witnesses-mismatch': 409,
}

const RETRY_AFTER_SECONDS = 2

/** What a database says of text that it cannot hold, by SQLSTATE: the caller's fault, not ours. */
const UNUSABLE_TEXT = new Set(['22P02', '22021', '22P05', '22003'])
/** Gone, full, starting, or out of time: worth another try. */
const OUT_OF_SERVICE = /^(?:08|53|57|25006)/
const CONNECTION_FAULTS = new Set([
  'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'ECONNREFUSED', 'ECONNRESET',
  'EPIPE', 'ETIMEDOUT',
])

export interface Answer {
  readonly status: number
  readonly body: Problem
  readonly headers: Readonly<Record<string, string>>
  /** Our bug, or an engine's failure: to be logged with its stack. */
  readonly isOurs: boolean
}

/** The answer to anything thrown while a request was handled. */
export function answerTo(error: unknown, requestId: string): Answer {
  const { code, status } = classify(error)
  return {
    status,
    body: { type: `urn:sealdeck:${code}`, title: STATUS_CODES[status] ?? 'Error', status, code, requestId },
    headers: status === 429 || status === 503 ? { 'retry-after': retryAfter(error) } : {},
    isOurs: status >= 500,
  }
}

interface Class { readonly code: string, readonly status: number }

function classify(error: unknown): Class {
  if (error instanceof Refusal) return refusal(error.code)
  if (error instanceof ProtocolError) return { code: error.code, status: 400 }
  const state = sqlState(error)
  if (state !== undefined && UNUSABLE_TEXT.has(state)) return refusal('bad-request')
  if ((state !== undefined && OUT_OF_SERVICE.test(state)) || isConnectionFault(error)) return refusal('not-ready')
  return classifyFramework(error)
}

/** Fastify's own errors carry a status; of the rest we know nothing. */
function classifyFramework(error: unknown): Class {
  const status: unknown = Reflect.get(Object(error), 'statusCode')
  if (status === 413) return refusal('too-large')
  if (status === 404) return refusal('not-found')
  if (status === 401) return refusal('not-signed-in')
  if (status === 429) return refusal('too-many-requests')
  if (status === 503) return refusal('not-ready')
  if (typeof status === 'number' && status >= 400 && status < 500) return { code: 'bad-request', status }
  return refusal('internal-error')
}

function refusal(code: RefusalCode): Class {
  return { code, status: STATUS_OF[code] }
}

function isConnectionFault(error: unknown): boolean {
  const codes = [error, Reflect.get(Object(error), 'cause')].map((one): unknown => Reflect.get(Object(one), 'code'))
  return codes.some((code) => typeof code === 'string' && CONNECTION_FAULTS.has(code))
}

function retryAfter(error: unknown): string {
  const seconds: unknown = Reflect.get(Object(error), 'retryAfterSeconds')
  return String(typeof seconds === 'number' ? seconds : RETRY_AFTER_SECONDS)
}
