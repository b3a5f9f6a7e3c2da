/** Asks before the whole vault's evidence is taken: what is in it, and that it is an event. */
import { useState } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { evidence } from '../copy/evidence.js'
import { useFailureWords } from '../failure-words.js'
import { saveBlob } from '../save.js'
import { useSession } from '../session.js'
import { startWorker } from '../trusted-worker.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { showToast } from '../ui/Toasts.js'
import { takeVaultPack } from './take-pack.js'

export function TakeVaultPack({ vaultId, onClose }: { vaultId: string, onClose: () => void }) {
  const copy = useCopy(evidence)
  const words = useFailureWords()
  const { locale } = useLocale()
  const { api, config } = useSession()
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<string>()

  async function onTake(): Promise<void> {
    if (config === null) return
    setBusy(true)
    const { logVkey } = config
    const taken = await takeVaultPack(
      { api, start: startWorker },
      { vaultId, logVkey, isOwner: true, party: null, language: locale })
    setBusy(false)
    if (!taken.ok) return setError(words(taken.code))
    saveBlob(taken.value, `sealdeck-evidence-${vaultId.slice(-8)}.zip`)
    showToast({ text: copy.taken })
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen title={copy.menuTitle} confirmLabel={copy.take} isBusy={isBusy} error={error}
      onConfirm={onTake} onClose={onClose}
    >
      <p>{copy.menuText}</p>
    </ConfirmDialog>
  )
}
