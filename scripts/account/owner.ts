/**
 * The owner's keys in the command line: unlocked by the passphrase for one command, in memory only
 * (SPEC.md § 4). Must not write the root or anything that follows from it to a disk.
 */
import { client as opaque, ready as opaqueReady } from '@serenity-kit/opaque'
import type { EmailChallenge, KeyringRow, PassphraseLogin } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../protocol/bytes.js'
import { deriveOwnerKeys, formatRecipient, type OwnerKeys } from '../../protocol/deck/identity.js'
import { deriveRootWrapKey, unlockRoot } from '../../protocol/deck/keyring.js'
import { ready, wipe } from '../../protocol/sodium.js'
import { readPassphrase } from '../age/passphrase.js'
import { Refused } from '../command.js'
import { Line } from './line.js'
import { keepSession, readSession, type SavedSession } from './saved-session.js'

const KEY_STRETCHING = 'memory-constrained'

/** Somebody signed in, her root unlocked. `end` wipes what was secret. */
export interface Owner {
  readonly line: Line
  readonly session: SavedSession
  readonly root: Uint8Array
  readonly keys: OwnerKeys
  end(): void
}

/**
 * The saved session with its root unlocked. Asks for the passphrase.
 * @throws Refused if nobody is signed in, the passphrase is wrong, or the server swapped a key.
 */
export async function unlockOwner(passphraseFile: string | undefined): Promise<Owner> {
  await ready()
  const session = await readSession()
  const line = new Line(session.address, {
    tokens: session, keep: (tokens) => keepSession({ ...session, ...tokens }),
  })
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const { exportKey } = await provePassphrase(line, session.account.email, passphrase)
  const root = openRoot(session, exportKey)
  const keys = deriveOwnerKeys(root)
  requireOwnKeys(session, keys)
  return {
    line, session, root, keys,
    end: () => wipe(root, keys.identity.secret, keys.signing.secretKey),
  }
}

/** OPAQUE's first exchange. The server learns nothing to guess against. */
async function provePassphrase(
  line: Line, email: string, passphrase: string,
): Promise<{ loginId: string, finishLoginRequest: string, exportKey: Uint8Array }> {
  await opaqueReady
  // Keyboards compose letters differently: one passphrase, one spelling (RFC 8265, OpaqueString).
  const password = passphrase.normalize('NFC')
  const { clientLoginState, startLoginRequest } = opaque.startLogin({ password })
  const started = await line.post<PassphraseLogin>('/api/sessions/passphrase-start',
    { email, startLoginRequest, locale: 'en' })
  const finished = opaque.finishLogin({
    password, clientLoginState, loginResponse: started.loginResponse, keyStretching: KEY_STRETCHING,
  })
  if (finished === undefined) throw new Refused('address and passphrase do not match an account')
  return {
    loginId: started.loginId, finishLoginRequest: finished.finishLoginRequest,
    exportKey: decodeBase64Url(finished.exportKey),
  }
}

/** Proves the passphrase and has a code sent. Keeps nothing of it. */
export async function askForCode(
  line: Line, email: string, passphraseFile: string | undefined,
): Promise<EmailChallenge> {
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const { loginId, finishLoginRequest, exportKey } = await provePassphrase(line, email, passphrase)
  wipe(exportKey)
  return await line.post<EmailChallenge>('/api/sessions/passphrase-finish', { loginId, finishLoginRequest })
}

function openRoot({ row, account }: SavedSession, exportKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const wrapKey = deriveRootWrapKey('passphrase', exportKey)
  try {
    const root = unlockRoot(lockedOf(row), wrapKey,
      { userId: account.userId, method: 'passphrase', rowId: row.rowId })
    if (root === null) throw new Refused('the passphrase has changed since: sealdeck login again')
    return root
  } finally {
    wipe(wrapKey, exportKey)
  }
}

function lockedOf({ sealed, commit, version }: KeyringRow) {
  return { sealed: decodeBase64Url(sealed), commit: decodeBase64Url(commit), version }
}

/** If they differ, the server has swapped one or the other: nothing is encrypted to anybody then. */
function requireOwnKeys({ account }: SavedSession, keys: OwnerKeys): void {
  const isOwn = account.signingKey === encodeBase64Url(keys.signing.publicKey) &&
    account.recipient === formatRecipient(keys.identity.recipient)
  if (!isOwn) throw new Refused('the server tells other keys than your own: stop, and ask its operator')
}
