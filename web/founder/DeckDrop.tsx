/** Where a deck is dropped, and what stands before the first one. */
import { Link } from 'react-router'
import { useCopy, useLocale } from '../copy.js'
import { founder } from '../copy/founder.js'
import { formatBytes } from '../copy/language.js'
import { useSession } from '../session.js'
import { buttonClass } from '../ui/Button.js'
import { DropZone } from '../ui/DropZone.js'
import { Notice } from '../ui/Notice.js'
import { useDropped } from './dropped.js'

interface DeckDropProps {
  readonly size?: 'normal' | 'large'
  readonly onFile: (file: File) => void
}

export function DeckDrop({ size = 'normal', onFile }: DeckDropProps) {
  const copy = useCopy(founder)
  const { locale } = useLocale()
  const { config } = useSession()

  function onFiles([file]: readonly File[]): void {
    if (file !== undefined) onFile(file)
  }

  return (
    <DropZone
      title={copy.dropTitle} buttonLabel={copy.dropButton} dropLabel={copy.dropOver} size={size}
      onFiles={onFiles}
      hint={copy.dropHint(formatBytes(locale, config?.maxFileSizeBytes ?? 0))}
    />
  )
}

/** The server takes no upload before the recovery code is confirmed. */
export function RecoveryDue({ hasFile = false }: { hasFile?: boolean }) {
  const copy = useCopy(founder)
  const { hold } = useDropped()
  const look = buttonClass({ variant: 'plain', size: 'small', isWide: false })
  const way = (
    <Link to='/account/recovery-code' className={look} onClick={hold}>{copy.recoveryAct}</Link>
  )
  return (
    <Notice tone='warn' title={copy.recoveryTitle} actions={way}>
      {hasFile ? copy.recoveryWithFile : copy.recoveryText}
    </Notice>
  )
}
