/**
 * Why a request was refused, as a closed list: the server throws these, the clients put them into
 * words. "Absent" and "not yours" share one code on purpose: that a thing exists is itself
 * confidential. server/errors.ts maps each to an HTTP status, web/copy.ts to a sentence.
 */
export const REFUSAL_CODES = [
  // requests as such
  'bad-request',
  'too-large',
  'not-signed-in',
  'not-found',
  'not-allowed',
  'too-many-requests',
  'conflict',
  'not-ready',
  'internal-error',
  // accounts
  'code-wrong',
  'code-expired',
  'sign-in-failed',
  'account-exists',
  'recovery-failed',
  'recovery-unconfirmed',
  'last-way-in',
  'proof-stale',
  // uploads
  'file-too-large',
  'quota-reached',
  'instance-full',
  'part-mismatch',
  'upload-incomplete',
  'upload-not-found',
  'record-mismatch',
  // vaults and grants
  'vault-not-found',
  'version-not-found',
  'nda-mismatch',
  'grant-not-found',
  'grant-mismatch',
  'grant-revoked',
  'grant-expired',
  'not-on-the-list',
  // investors
  'email-unverified',
  'nonce-unknown',
  'note-mismatch',
  'note-expired',
  'signature-invalid',
  'device-mismatch',
  'nda-not-signed',
  'already-accepted',
  'declined',
  'awaiting-approval',
  'access-revoked',
  'header-not-ready',
  // auditors
  'invitation-not-found',
  'invitation-expired',
  // the log
  'log-unavailable',
  'witnesses-awaited',
  'witnesses-mismatch',
] as const

export type RefusalCode = typeof REFUSAL_CODES[number]

/** Not allowed. Carries no detail: what a caller may know stands in the code. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode

  constructor(code: RefusalCode) {
    super(code)
    this.code = code
  }
}
