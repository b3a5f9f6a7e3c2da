/**
 * After a new version is stored: live links are made to serve it. Until they do, the screen stays and
 * offers it again. Those who were let in on approval get their keys then, or when the vault is opened next.
 */
import { useState, type ReactNode } from 'react'
import type { StoredVersion } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt } from '../crypto.js'
import { useFailureWords } from '../failure-words.js'
import { useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { ErrorState } from '../ui/ErrorState.js'
import { Notice } from '../ui/Notice.js'
import { useLoaded, type Result } from './loaded.js'
import { serveOnLinks, serveThoseLetIn, type OwnVault } from './vault.js'
import { stateOf } from './versions.js'

interface Serving {
  readonly serve: (versions: readonly StoredVersion[]) => Promise<void>
  /** Stands instead of the screen while the links do not serve what is stored. */
  readonly unserved: ReactNode | null
}

export function useServing(vault: OwnVault, onServed: () => Promise<void>): Serving {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const [failed, setFailed] = useState<{
    readonly versions: readonly StoredVersion[], readonly error: string,
  } | null>(null)

  async function serve(versions: readonly StoredVersion[]): Promise<void> {
    const served = await serveOnLinks(tools, vault, versions)
    if (served.ok) return await onServed()
    setFailed({ versions, error: words(served.code) })
  }

  if (failed === null) return { serve, unserved: null }
  const again = (
    <Button variant='primary' onClick={() => serve(failed.versions)}>{copy.retry}</Button>
  )
  const unserved = (
    <ErrorState title={copy.unservedTitle} actions={again}>
      <p>{copy.unserved} {failed.error}</p>
    </ErrorState>
  )
  return { serve, unserved }
}

/** When a vault is opened: whoever was let in and lacks a key of the newest versions gets it from this browser. */
export function LetIn({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const { state } = useLoaded(vault.vaultId, () => serveThoseLetIn(tools, vault))
  if (state.step !== 'here') return null
  const { givenCount, refusedCount } = state.value
  return (
    <>
      {givenCount > 0 && <Notice tone='seal' isLive>{copy.approvedServed(givenCount)}</Notice>}
      {refusedCount > 0 && <Notice tone='fail' title={copy.approvedRefusedTitle} isLive>{copy.approvedRefused(refusedCount)}</Notice>}
    </>
  )
}

/** Those whom a link let in on approval get the new version from her own browser, too. */
export function ApprovalNotice({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const { state } = useLoaded(vault.vaultId, () => hasApprovals(tools, vault))
  if (state.step !== 'here' || !state.value) return null
  return <Notice>{copy.approvalKept}</Notice>
}

async function hasApprovals({ crypto }: SessionTools, vault: OwnVault): Promise<Result<boolean>> {
  const nowMs = Date.now()
  const live = vault.links.filter(({ summary }) =>
    summary.personCount > 0 && stateOf(summary, nowMs) === 'live')
  return await attempt(async () => {
    const read = await Promise.all(live.map(({ summary }) =>
      crypto.readGrant({ vaultId: vault.vaultId, summary })))
    return read.some(({ policy }) => policy.release === 'on-approval')
  })
}
