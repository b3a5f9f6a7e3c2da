/**
 * Ways into an account, as flows over server, crypto worker and passkey: sign up, sign in, recover,
 * add and remove ways in (SPEC.md § 4). Every flow answers a value and never rejects for what a
 * person or a server may do. Must not keep a secret: each goes to the worker in the tick it arises.
 *
 * [Note: Own keys] After each unlocking, the public keys that follow from the root are compared with
 * those that the server tells: if they differ, it has swapped one or the other, and the root is
 * forgotten before anything is encrypted to anybody.
 */
import { uuidv7 } from 'uuidv7'
import type { Account, EmailChallenge, KeyringRow, KeyringRowSummary, NewKeyringRow, ProveEmail, SignedIn } from '../protocol/api.js'
import type { ProtocolErrorCode } from '../protocol/errors.js'
import type { Answer, Api, ApiFailure } from './api.js'
import { attempt, type CryptoWorker, type OwnerPublic } from './crypto.js'
import { createPasskey, askPasskey, type PasskeyFailure } from './passkey.js'

export type KeyringFailure = ApiFailure | ProtocolErrorCode | PasskeyFailure | 'recovery-code-malformed' | 'passphrase-wrong'
export type Done<T> = { ok: true, value: T } | { ok: false, code: KeyringFailure }

type Locale = 'en' | 'ru'

interface Line { readonly api: Api, readonly crypto: CryptoWorker }

export interface NewAccount { emailProof: string, name: string, locale: Locale }

export function createKeyring(api: Api, crypto: CryptoWorker) {
  const line: Line = { api, crypto }
  return { ...signUpFlows(line), ...signInFlows(line), ...wayFlows(line), ...recoveryFlows(line) }
}

export type Keyring = ReturnType<typeof createKeyring>

// ---------------------------------------------------------------------------- signing up

function signUpFlows(line: Line) {
  const { api, crypto } = line

  async function createAccount(
    input: NewAccount & { userId: string, owner: OwnerPublic, newRow: NewKeyringRow },
  ): Promise<Done<Account>> {
    const { signingKey, recipient } = input.owner
    const { emailProof, userId, name, locale, newRow } = input
    const created = await api.createAccount(
      { emailProof, userId, name, locale, signingKey, recipient, newRow },
    )
    if (!created.ok) return created
    return admit(line, created.value, input.owner)
  }

  return {
    async signUpWithPasskey(input: NewAccount): Promise<Done<Account>> {
      const asked = await api.accountPasskeyOptions(input.emailProof)
      if (!asked.ok) return asked
      const { userId, challengeId, options } = asked.value
      const made = await createPasskey(options)
      if (!made.ok) return made
      const owner = await crypto.createRoot()
      const row = await crypto.lockRootWithPasskey({ userId, rowId: uuidv7(), secret: made.secret })
      const passkey = { challengeId, response: made.response, label: deviceLabel() }
      return createAccount({ ...input, userId, owner, newRow: { row, passkey } })
    },

    async signUpWithPassphrase(input: NewAccount & { passphrase: string }): Promise<Done<Account>> {
      const { registrationRequest } = await crypto.startPassphraseRegistration(input.passphrase)
      const asked = await api.accountPassphraseRegistration(
        { emailProof: input.emailProof, registrationRequest },
      )
      if (!asked.ok) return asked
      const { userId, registrationResponse } = asked.value
      const owner = await crypto.createRoot()
      const { registrationRecord, row } = await crypto.finishPassphraseRegistration(
        { registrationResponse, userId, rowId: uuidv7() },
      )
      return createAccount(
        { ...input, userId, owner, newRow: { row, passphrase: { registrationRecord } } },
      )
    },
  }
}

/** [Note: Own keys] */
async function admit(line: Line, signedIn: SignedIn, owner: OwnerPublic): Promise<Done<Account>> {
  const { account } = signedIn
  if (account.signingKey !== owner.signingKey || account.recipient !== owner.recipient) {
    await line.crypto.forgetAll()
    return { ok: false, code: 'wrong-founder' }
  }
  line.api.holdSession(signedIn)
  return { ok: true, value: account }
}

// ---------------------------------------------------------------------------- signing in

type Unlock = (place: { userId: string, row: KeyringRow }) => Promise<OwnerPublic>

async function unlockAndAdmit(
  line: Line, signedIn: SignedIn, unlock: Unlock,
): Promise<Done<Account>> {
  const { row, account } = signedIn
  if (row === null) return { ok: false, code: 'internal-error' }
  const unlocked = await attempt(() => unlock({ userId: account.userId, row }))
  return unlocked.ok ? admit(line, signedIn, unlocked.value) : unlocked
}

function signInFlows(line: Line) {
  const { api, crypto } = line
  return {
    async signInWithPasskey(): Promise<Done<Account>> {
      const asked = await api.signInOptions()
      if (!asked.ok) return asked
      const used = await askPasskey(asked.value.options)
      if (!used.ok) return used
      const { challengeId } = asked.value
      const signedIn = await api.signInWithPasskey({ challengeId, response: used.response })
      if (!signedIn.ok) return signedIn
      return unlockAndAdmit(line, signedIn.value,
        (place) => crypto.unlockRootWithPasskey({ ...place, secret: used.secret }))
    },

    /** The passphrase itself goes to the worker only. Answers that a code was sent. */
    async startPassphraseSignIn(
      input: { email: string, passphrase: string, locale: Locale },
    ): Promise<Done<EmailChallenge>> {
      const { startLoginRequest } = await crypto.startPassphraseLogin(input.passphrase)
      const started = await api.startPassphraseLogin(
        { email: input.email, startLoginRequest, locale: input.locale },
      )
      if (!started.ok) return started
      const { loginId, loginResponse } = started.value
      const finished = await crypto.finishPassphraseLogin({ loginResponse })
      if (finished === null) return { ok: false, code: 'passphrase-wrong' }
      return api.finishPassphraseLogin({ loginId, ...finished })
    },

    async finishPassphraseSignIn(proof: ProveEmail): Promise<Done<Account>> {
      const signedIn = await api.signInWithPassphrase(proof)
      if (!signedIn.ok) return signedIn
      return unlockAndAdmit(line, signedIn.value, (place) => crypto.unlockRootWithPassphrase(place))
    },

    /** Whether the refresh cookie still opens a session. The root stays locked: it was in memory only. */
    async resumeSession(): Promise<Answer<Account>> {
      const refreshed = await api.refreshSession()
      if (!refreshed.ok) return refreshed
      api.holdSession(refreshed.value)
      return { ok: true, value: refreshed.value.account }
    },

    /** Ends the session here even if the server does not hear of it. */
    async signOut(): Promise<void> {
      await crypto.forgetAll()
      await api.endSession()
      api.holdSession(null)
    },
  }
}

// ---------------------------------------------------------------------------- ways in

function wayFlows(line: Line) {
  const { api, crypto } = line
  return {
    async listWays(): Promise<Answer<KeyringRowSummary[]>> {
      const listed = await api.listKeyringRows()
      return listed.ok ? { ok: true, value: listed.value.rows } : listed
    },

    async addPasskey(): Promise<Done<KeyringRowSummary>> {
      const asked = await api.rowPasskeyOptions()
      if (!asked.ok) return asked
      const { userId, challengeId, options } = asked.value
      const made = await createPasskey(options)
      if (!made.ok) return made
      const row = await crypto.lockRootWithPasskey({ userId, rowId: uuidv7(), secret: made.secret })
      return api.addKeyringRow(
        { row, passkey: { challengeId, response: made.response, label: deviceLabel() } },
      )
    },

    async addPassphrase(passphrase: string): Promise<Done<KeyringRowSummary>> {
      const { registrationRequest } = await crypto.startPassphraseRegistration(passphrase)
      const asked = await api.rowPassphraseRegistration(registrationRequest)
      if (!asked.ok) return asked
      const { userId, registrationResponse } = asked.value
      const { registrationRecord, row } = await crypto.finishPassphraseRegistration(
        { registrationResponse, userId, rowId: uuidv7() },
      )
      return api.addKeyringRow({ row, passphrase: { registrationRecord } })
    },

    removeWay: (rowId: string): Promise<Answer<null>> => api.removeKeyringRow(rowId),
  }
}

/** Browser and system, so that a person can tell her passkeys apart later. Not a secret, not exact. */
function deviceLabel(): string {
  const agent = navigator.userAgent
  const browser = ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'].find((name) => agent.includes(name)) ?? ''
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((name) => agent.includes(name)) ?? ''
  const names: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS': 'macOS' }
  const label = [browser, system].filter((name) => name !== '').map((name) => names[name] ?? name).join(', ')
  return label === '' ? 'Browser' : label
}

// ---------------------------------------------------------------------------- recovery

/** A code that was made and stored, not yet confirmed. */
export interface NewRecoveryCode { readonly code: string, readonly rowId: string }

function recoveryFlows(line: Line) {
  const { api, crypto } = line

  /** Once the new code is confirmed the old ones open nothing any more. */
  async function removeOthers(rowId: string): Promise<Answer<null>> {
    const listed = await api.listKeyringRows()
    if (!listed.ok) return listed
    const others = listed.value.rows.filter((row) => row.method === 'recovery' && row.rowId !== rowId)
    for (const other of others) {
      const removed = await api.removeKeyringRow(other.rowId)
      if (!removed.ok) return removed
    }
    return { ok: true, value: null }
  }

  return {
    /** Makes a code and stores its row. Old codes work until this one is confirmed. */
    async makeRecoveryCode(userId: string): Promise<Done<NewRecoveryCode>> {
      const rowId = uuidv7()
      const { code, row, authSha256 } = await crypto.createRecoveryCode({ userId, rowId })
      const added = await api.addKeyringRow({ row, recovery: { authSha256 } })
      return added.ok ? { ok: true, value: { code, rowId } } : added
    },

    async confirmRecoveryCode(rowId: string): Promise<Done<Account>> {
      const confirmed = await api.confirmRecovery()
      if (!confirmed.ok) return confirmed
      const removed = await removeOthers(rowId)
      return removed.ok ? confirmed : removed
    },

    /** `code` as it was typed; the address was proven by a code of its own. */
    async recover(input: { emailProof: string, code: string }): Promise<Done<Account>> {
      const read = await crypto.readRecoveryCode(input.code)
      if (read === null) return { ok: false, code: 'recovery-code-malformed' }
      const signedIn = await api.recover({ emailProof: input.emailProof, ...read })
      if (!signedIn.ok) return signedIn
      return unlockAndAdmit(line, signedIn.value, (place) => crypto.unlockRootWithRecovery(place))
    },
  }
}
