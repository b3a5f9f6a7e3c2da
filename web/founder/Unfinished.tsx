/** Uploads that were begun and not finished: taken up with the same file, or discarded. */
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { FilePick } from './FilePick.js'
import { Time } from '../ui/Time.js'
import { showToast } from '../ui/Toasts.js'
import { useDropped } from './dropped.js'
import styles from './founder.module.css'
import { useAct } from './loaded.js'
import type { VaultCard } from './vault.js'

interface UnfinishedProps {
  readonly vaults: readonly VaultCard[]
  readonly onChanged: () => void
}

export function Unfinished({ vaults, onChanged }: UnfinishedProps) {
  const copy = useCopy(founder)
  return (
    <Card title={copy.unfinished}>
      <p className={styles.quiet}>{copy.unfinishedText}</p>
      <ul className={styles.requests} role='list'>
        {vaults.map((card) => (
          <li key={card.summary.vaultId}><Begun card={card} onChanged={onChanged} /></li>
        ))}
      </ul>
    </Card>
  )
}

function Begun(
  { card: { summary, title }, onChanged }: { card: VaultCard, onChanged: () => void }
) {
  const copy = useCopy(founder)
  const { api } = useSession()
  const { drop } = useDropped()
  const navigate = useNavigate()
  const act = useAct()
  const [isAsking, setAsking] = useState(false)

  async function onDiscard(): Promise<void> {
    const done = await act.run(() => api.removeVault(summary.vaultId))
    if (done?.ok !== true) return
    setAsking(false)
    showToast({ text: copy.discarded })
    onChanged()
  }

  function onFile(file: File): void {
    drop(file)
    void navigate(`/vaults/${summary.vaultId}/resume`)
  }

  return (
    <div className={styles.request}>
      <div className={styles.requestWords}>
        <span className={styles.requestName}>{title}</span>
        <span className={styles.quiet}>{copy.begun} <Time atMs={summary.createdAtMs} /></span>
      </div>
      <div className={styles.acts}>
        <FilePick label={copy.resume} onFile={onFile} />
        <Button size='small' variant='danger' aria-label={`${copy.discard}: ${title}`} onClick={() => setAsking(true)}>{copy.discard}</Button>
      </div>
      <ConfirmDialog
        isOpen={isAsking} title={copy.discardTitle(title)} confirmLabel={copy.discard} isDestructive
        isBusy={act.isBusy} error={act.error} onConfirm={onDiscard} onClose={() => setAsking(false)}
      >
        <p>{copy.discardText}</p>
      </ConfirmDialog>
    </div>
  )
}
