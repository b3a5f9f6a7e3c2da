/** Asks before a vault is taken out: what is saved, and that one of the files is the key to everything. */
import { useState } from 'react'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useSession } from '../session.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Notice } from '../ui/Notice.js'
import { showToast } from '../ui/Toasts.js'
import { exportVault } from './export-vault.js'
import { useAct } from './loaded.js'
import type { OwnVault } from './vault.js'

export function ExportVault({ vault, onClose }: { vault: OwnVault, onClose: () => void }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const act = useAct()
  const [fileName, setFileName] = useState<string | null>(null)

  async function onExport(): Promise<void> {
    const done = await act.run(() => exportVault(tools, vault, setFileName))
    setFileName(null)
    if (done?.ok !== true) return
    showToast({ text: copy.exported })
    onClose()
  }

  return (
    <ConfirmDialog
      isOpen title={copy.exportTitle(vault.title)} confirmLabel={copy.exportVault}
      isBusy={act.isBusy} error={act.error} onConfirm={onExport} onClose={onClose}
    >
      <p>{copy.exportText}</p>
      <Notice tone='warn'>{copy.exportKeyWarning}</Notice>
      {fileName !== null && <p role='status'>{copy.exporting(fileName)}</p>}
    </ConfirmDialog>
  )
}
