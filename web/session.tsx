/**
 * Who is here: nobody, somebody whose keys are locked, or somebody whose keys are open in the worker.
 * Hands the surfaces their `api`, `crypto` and `keyring`. Must not hold a key or a token itself.
 */
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Account, Config } from '../protocol/api.js'
import type { Answer, Api } from './api.js'
import { attempt, type CryptoWorker } from './crypto.js'
import { followLogKeys } from './follow-keys.js'
import { createKeyring, type Keyring } from './keyring.js'
import { readRemembered, remember } from './remembered.js'

/** `locked`: the cookie still opens a session, but a reload has emptied the worker's memory. */
export type SessionState =
  | { readonly step: 'starting' }
  | { readonly step: 'unreachable' }
  | { readonly step: 'signed-out' }
  | { readonly step: 'locked', readonly account: Account }
  | { readonly step: 'open', readonly account: Account }

export interface SessionTools {
  readonly api: Api
  readonly crypto: CryptoWorker
}

export interface Session extends SessionTools {
  readonly state: SessionState
  /** The instance's own facts; `null` only while starting or unreachable. */
  readonly config: Config | null
  /** All keys that the server's log has had, as its own statements prove; oldest first. */
  readonly logVkeys: readonly string[]
  readonly keyring: Keyring
  /** After any flow that unlocked the root, and whenever the account changed. */
  readonly open: (account: Account) => void
  readonly signOut: () => Promise<void>
  readonly retry: () => void
}

const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = use(SessionContext)
  if (session === null) throw new Error('useSession stands inside SessionProvider')
  return session
}

/** For screens behind `RequireOpen`: the account whose keys are open. */
export function useAccount(): Account {
  const { state } = useSession()
  if (state.step !== 'open') throw new Error('useAccount stands behind an open session')
  return state.account
}

const WAS_HERE = 'was-here'

/** A browser that nobody has signed in from has no session to ask after. */
async function resume(keyring: Keyring): Promise<Answer<Account>> {
  if (readRemembered(WAS_HERE) !== 'yes') return { ok: false, code: 'not-signed-in' }
  return keyring.resumeSession()
}

/** The worker is not woken for a log that has had one key; a line of keys that does not hold is none. */
async function readLogKeys(
  crypto: CryptoWorker, { logVkey, logRotations: statements }: Config,
): Promise<readonly string[]> {
  if (statements.length === 0) return [logVkey]
  const linked = await attempt(() => crypto.learnLogKeys({ logVkey, statements }))
  return linked.ok ? linked.value : [logVkey]
}

export function SessionProvider(
  { api, crypto: worker, children }: SessionTools & { children: ReactNode },
) {
  const [state, setState] = useState<SessionState>({ step: 'starting' })
  const [config, setConfig] = useState<Config | null>(null)
  const [logVkeys, setLogVkeys] = useState<readonly string[]>([])
  const crypto = useMemo(() => followLogKeys(worker, {
    readConfig: () => api.readConfig(),
    onFollowed(next, linked) {
      // Only along the line of keys that this page began with.
      setConfig((before) => before === null || linked.includes(before.logVkey) ? next : before)
      setLogVkeys((before) => before.some((key) => linked.includes(key)) ? linked : before)
    },
  }), [api, worker])
  const keyring = useMemo(() => createKeyring(api, crypto), [api, crypto])

  const start = useCallback(async () => {
    setState({ step: 'starting' })
    const [instance, resumed] = await Promise.all([api.readConfig(), resume(keyring)])
    const isUnknown = !resumed.ok && resumed.code !== 'not-signed-in'
    if (!instance.ok || isUnknown) return setState({ step: 'unreachable' })
    if (!resumed.ok) remember(WAS_HERE, 'no')
    setLogVkeys(await readLogKeys(crypto, instance.value))
    setConfig(instance.value)
    setState(resumed.ok ? { step: 'locked', account: resumed.value } : { step: 'signed-out' })
  }, [api, crypto, keyring])

  const open = useCallback((account: Account) => {
    remember(WAS_HERE, 'yes')
    setState({ step: 'open', account })
  }, [])

  useEffect(() => {
    api.onSessionEnded(() => {
      void crypto.forgetAll()
      remember(WAS_HERE, 'no')
      setState({ step: 'signed-out' })
    })
    void start()
  }, [api, crypto, start])

  async function signOut(): Promise<void> {
    await keyring.signOut()
    remember(WAS_HERE, 'no')
    setState({ step: 'signed-out' })
  }

  const session = {
    api, crypto, keyring, state, config, logVkeys, open, signOut, retry: () => void start(),
  }
  return <SessionContext value={session}>{children}</SessionContext>
}
