/**
 * Asks before something that matters: says what it will do, to whom, and whether it can be undone,
 * and names the act on the button. Focus starts on *Cancel* where the act destroys.
 */
import type { ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { Button } from './Button.js'
import { Dialog } from './Dialog.js'
import { Notice } from './Notice.js'

interface ConfirmDialogProps {
  readonly isOpen: boolean
  readonly title: string
  readonly children: ReactNode
  /** The person's own act: "Revoke", "Delete the deck". */
  readonly confirmLabel: string
  readonly isDestructive?: boolean
  readonly isBusy?: boolean
  /** Why it could not be done, once it was tried. */
  readonly error?: string | undefined
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { isDestructive = false, isBusy = false, error } = props
  const actions = <ConfirmActions {...props} isDestructive={isDestructive} isBusy={isBusy} />
  return (
    <Dialog
      isOpen={props.isOpen} onClose={props.onClose} title={props.title}
      role='alertdialog' isDismissable={false} actions={actions}
    >
      {props.children}
      {error !== undefined && <Notice tone='fail' isLive>{error}</Notice>}
    </Dialog>
  )
}

interface ConfirmActionsProps {
  readonly confirmLabel: string
  readonly isDestructive: boolean
  readonly isBusy: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
}

function ConfirmActions(props: ConfirmActionsProps) {
  const { confirmLabel, isDestructive, isBusy, onConfirm, onClose } = props
  const copy = useCopy(common)
  return (
    <>
      <Button autoFocus={isDestructive} onClick={onClose}>{copy.cancel}</Button>
      <Button
        variant={isDestructive ? 'destroy' : 'primary'} autoFocus={!isDestructive}
        isBusy={isBusy} onClick={onConfirm}
      >
        {confirmLabel}
      </Button>
    </>
  )
}
