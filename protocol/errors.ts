/**
 * The four kinds of "no", each with its own shape.
 *
 * [Note: Four errors]
 * - Not for me: `null` or `undefined` from a function whose name says so (`findX`, `unwrapX`).
 * - Broken bytes: `ProtocolError`; whoever made the bytes is wrong or lying.
 * - Not allowed: `Refusal`; the bytes are fine, the caller may not.
 * - Our bug: `assert`; says what should have been true.
 *
 * Codes are closed unions: a new code does not compile until it has an HTTP status
 * (server/errors.ts) and a sentence in each language (web/copy.ts).
 */

/** Why bytes were refused. Sorted by the part of the format that refuses. */
export const PROTOCOL_ERROR_CODES = [
  // any encoding
  'malformed-encoding',
  'malformed-text',
  // age header and payload (protocol/deck)
  'malformed-header',
  'malformed-stanza',
  'malformed-armor',
  'header-too-large',
  'unsupported-version',
  'bad-header-mac',
  'bad-chunk',
  'bad-chunk-hash',
  'truncated-payload',
  'trailing-data',
  'bad-key-commitment',
  'bad-root',
  'bad-length',
  // signed records and grants
  'malformed-record',
  'malformed-grant',
  'malformed-wrap',
  'malformed-policy',
  'bad-founder-signature',
  'wrong-founder',
  'wrong-vault',
  'wrong-grant',
  'wrong-header',
  'stale-version',
  'broken-chain',
  'malformed-manifest',
  'source-changed',
  'low-order-key',
  // NDA texts (protocol/nda.ts)
  'malformed-nda',
  'nda-field',
  // notes, checkpoints, proofs (protocol/log)
  'malformed-note',
  'malformed-checkpoint',
  'malformed-proof',
  'malformed-policy-file',
  'malformed-event',
  'malformed-entry',
  'malformed-tile',
  'unknown-signer',
  'bad-signature',
  'bad-proof',
  'wrong-origin',
  'quorum-missing',
  'forked-log',
  'bad-rotation',
  'malformed-key',
  'malformed-statement',
  'malformed-export',
  'malformed-request',
  'bad-time-stamp',
  'missing-tile',
  'bad-tile',
  'bad-details',
  'bad-vault-tag',
  // evidence packs (protocol/evidence)
  'malformed-pack',
  'changed-file',
] as const

export type ProtocolErrorCode = typeof PROTOCOL_ERROR_CODES[number]

/** Broken bytes: `code` for programs, `message` for the developer who reads the trace. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, detail = '') {
    super(detail === '' ? code : `${code}: ${detail}`)
    this.code = code
  }
}

/** Our bug if it fails. `shouldHold` says what should have been true. */
export function assert(condition: boolean, shouldHold: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${shouldHold}`)
}
