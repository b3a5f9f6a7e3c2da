/**
 * The founder's look at her log, as a screen asks for it: the page reads what the worker asks for, and brings what this
 * browser remembers to the server. Draws nothing.
 */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Config } from '../../protocol/api.js'
import { ProtocolError } from '../../protocol/errors.js'
import type { Answer } from '../api.js'
import { readerOf } from '../auditor/log-files.js'
import { attempt, consistencyOf, type WatchReads, type WatchReport } from '../crypto.js'
import { gossip } from '../gossip.js'
import { useAccount, useSession, type SessionTools } from '../session.js'

const PAGE_SIZE = 200
const MAX_VAULT_PAGES = 50
const LIST_SIZE = 100

export type WatchStep =
  | { readonly step: 'waiting' }
  | { readonly step: 'looking', readonly doneCount: number, readonly totalCount: number }
  | { readonly step: 'looked', readonly report: WatchReport }
  | { readonly step: 'not-looked' }

export interface Watching {
  readonly state: WatchStep
  readonly lookOn: () => void
  readonly settle: (keys: readonly string[]) => Promise<void>
}

/** A look when the screen appears, and on demand. */
export function useWatch(): Watching {
  const { api, crypto, config } = useSession()
  const { userId } = useAccount()
  const [state, setState] = useState<WatchStep>({ step: 'waiting' })
  const isGone = useRef(false)

  const look = useCallback(async () => {
    if (config === null) return
    const show = (next: WatchStep): void => { if (!isGone.current) setState(next) }
    const onProgress = (doneCount: number, totalCount: number): void =>
      show({ step: 'looking', doneCount, totalCount })
    const looked = await lookAtLog({ api, crypto }, { config, accountId: userId, onProgress })
    show(looked === null ? { step: 'not-looked' } : { step: 'looked', report: looked })
  }, [api, crypto, config, userId])

  useEffect(() => {
    isGone.current = false
    void look()
    return () => { isGone.current = true }
  }, [look])

  async function settle(keys: readonly string[]): Promise<void> {
    if (config === null) return
    await crypto.settleFindings(config.logVkey, keys)
    await look()
  }
  return { state, lookOn: () => void look(), settle }
}

interface LookInput {
  readonly config: Config
  readonly accountId: string
  readonly onProgress: (doneCount: number, totalCount: number) => void
}

/** `null` where it could not be done now: no answer came, or not one that can be read. */
async function lookAtLog(
  tools: SessionTools, { config, accountId, onProgress }: LookInput,
): Promise<WatchReport | null> {
  const { logVkey } = config
  const vaultIds = await listVaultIds(tools)
  if (vaultIds === null) return null
  await gossip(tools, logVkey)
  const looked = await attempt(() => tools.crypto.watch(
    { logVkey, accountId, vaultIds }, readsOf(tools, { onProgress }),
  ))
  return looked.ok ? looked.value : null
}

async function listVaultIds({ api }: SessionTools): Promise<string[] | null> {
  const ids: string[] = []
  let after: string | null = null
  for (let page = 0; page < MAX_VAULT_PAGES; page++) {
    const listed: Awaited<ReturnType<typeof api.listVaults>> =
      await api.listVaults({ after, limit: LIST_SIZE })
    if (!listed.ok) return null
    ids.push(...listed.value.vaults.map(({ vaultId }) => vaultId))
    after = listed.value.next
    if (after === null) break
  }
  return ids
}

/** An answer's value; the worker hears that something did not come, and stops without a finding. */
function required<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new ProtocolError('missing-tile', answer.code)
  return answer.value
}

function readsOf(
  { api }: SessionTools, { onProgress }: Pick<LookInput, 'onProgress'>,
): WatchReads {
  return {
    readFile: readerOf(api, new AbortController().signal),
    async listEvents(vaultId, { after, before, type }) {
      const { events, next } = required(await api.listEvents(vaultId, {
        before, limit: PAGE_SIZE, ...after < 0 ? {} : { after },
        ...type === undefined ? {} : { type },
      }))
      return { events, next }
    },
    readStatements: async (vaultId, asked) => required(await api.readStatements(vaultId, asked)),
    readConsistency: consistencyOf(api),
    onProgress,
  }
}
