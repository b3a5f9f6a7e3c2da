/** Uploads that were begun and not finished: taken up with the same file, or discarded. */
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { FilePick } from './FilePick.js'
import { Time } from '../ui/Time.js'
import { showToast } from '../ui/Toasts.js'
import { useDropped } from './dropped.js'
import styles from './founder.module.css'
import { useAct, useLoaded, type Result } from './loaded.js'
import { findInterrupted, type Interrupted } from './interrupted.js'
import type { OwnVault, VaultCard } from './vault.js'

interface UnfinishedProps {
  readonly vaults: readonly VaultCard[]
  readonly onChanged: () => void
}

/** Vaults of which nothing is sealed yet. */
export function Unfinished({ vaults, onChanged }: UnfinishedProps) {
  const copy = useCopy(founder)
  const { api } = useSession()
  return (
    <Card title={copy.unfinished}>
      <p className={styles.quiet}>{copy.unfinishedText}</p>
      <ul className={styles.requests} role='list'>
        {vaults.map(({ summary: { vaultId, createdAtMs }, title }) => (
          <li key={vaultId}>
            <Begun
              vaultId={vaultId} title={title} begunAtMs={createdAtMs} onDiscarded={onChanged}
              discard={() => api.removeVault(vaultId)}
            />
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** A new version of a vault that has others. */
export function UnfinishedVersion({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const { state, reload } = useLoaded(vault.vaultId, () => findInterrupted(tools, vault))
  // Not to know of it is no harm: the deck above is whole.
  if (state.step !== 'here' || state.value === null) return null
  const { uploads } = state.value
  return (
    <Card title={copy.unfinished} level={3}>
      <Begun
        vaultId={vault.vaultId} title={state.value.title} begunAtMs={uploads[0].createdAtMs}
        onDiscarded={reload} discard={() => cancelAll(tools, state.value)}
      />
    </Card>
  )
}

async function cancelAll({ api }: SessionTools, found: Interrupted | null): Promise<Result<null>> {
  for (const { versionId } of found?.uploads ?? []) {
    const cancelled = await api.cancelUpload(versionId)
    if (!cancelled.ok) return cancelled
  }
  return { ok: true, value: null }
}

interface BegunProps {
  readonly vaultId: string
  readonly title: string
  readonly begunAtMs: number
  readonly discard: () => Promise<Result<unknown>>
  readonly onDiscarded: () => void
}

function Begun({ vaultId, title, begunAtMs, discard, onDiscarded }: BegunProps) {
  const copy = useCopy(founder)
  const { drop } = useDropped()
  const navigate = useNavigate()
  const act = useAct()
  const [isAsking, setAsking] = useState(false)

  async function onDiscard(): Promise<void> {
    const done = await act.run(discard)
    if (done?.ok !== true) return
    setAsking(false)
    showToast({ text: copy.discarded })
    onDiscarded()
  }

  function onFile(file: File): void {
    drop(file)
    void navigate(`/vaults/${vaultId}/resume`)
  }

  return (
    <div className={styles.request}>
      <div className={styles.requestWords}>
        <span className={styles.requestName}>{title}</span>
        <span className={styles.quiet}>{copy.begun} <Time atMs={begunAtMs} /></span>
      </div>
      <div className={styles.acts}>
        <FilePick label={copy.resume} onFile={onFile} />
        <Button
          size='small' variant='danger' aria-label={`${copy.discard}: ${title}`}
          onClick={() => setAsking(true)}
        >
          {copy.discard}
        </Button>
      </div>
      <ConfirmDialog
        isOpen={isAsking} title={copy.discardTitle(title)} confirmLabel={copy.discard} isDestructive
        isBusy={act.isBusy} error={act.error} onConfirm={onDiscard}
        onClose={() => setAsking(false)}
      >
        <p>{copy.discardText}</p>
      </ConfirmDialog>
    </div>
  )
}
