/**
 * A matter that must be settled before going on. Holds focus, closes with Escape, gives focus back.
 * The owner decides whether it is open; mount it always, or while open.
 */
import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { IconButton } from './Button.js'
import styles from './Dialog.module.css'

interface DialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly title: string
  readonly size?: 'normal' | 'wide'
  /** A press beside it closes it. Off for whatever holds unsaved words. */
  readonly isDismissable?: boolean
  /** `alertdialog` for a confirmation: read out whole. */
  readonly role?: 'dialog' | 'alertdialog'
  /** Buttons, the one to press next last. */
  readonly actions?: ReactNode
  readonly children: ReactNode
}

export function Dialog(props: DialogProps) {
  const { isOpen, onClose, title, size = 'normal', isDismissable = true, role = 'dialog' } = props
  const copy = useCopy(common)
  return (
    <ModalOverlay
      className={styles.veil ?? ''} isOpen={isOpen} isDismissable={isDismissable}
      onOpenChange={(isNowOpen) => { if (!isNowOpen) onClose() }}
    >
      <Modal className={classNames(styles.sheet, styles[size])}>
        <AriaDialog className={styles.dialog ?? ''} role={role}>
          <div className={styles.head}>
            <Heading slot='title' className={styles.title ?? ''}>{title}</Heading>
            {role === 'dialog' && <IconButton icon='close' label={copy.close} onClick={onClose} />}
          </div>
          <div className={styles.body}>{props.children}</div>
          {props.actions !== undefined && <div className={styles.foot}>{props.actions}</div>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
