/**
 * After a new version is stored: live links are made to serve it. Until they do, the screen stays and
 * offers it again; and it says beforehand for whom no key can be made.
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
import { serveOnLinks, type OwnVault } from './vault.js'
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

/** Whom a link lets in on approval gets headers one signed request at a time: none for what comes later. */
export function ApprovalNotice({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const { state } = useLoaded(vault.vaultId, () => hasApprovals(tools, vault))
  if (state.step !== 'here' || !state.value) return null
  return <Notice tone='warn'>{copy.approvalKept}</Notice>
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
