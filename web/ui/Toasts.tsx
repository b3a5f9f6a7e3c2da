/**
 * What was just done, at the edge of the screen, with *Undo* where it exists. Read aloud, reached
 * with F6, and never the only place where something important is said.
 */
import {
  Text, UNSTABLE_Toast as AriaToast, UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue, UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components'
import { common, useCopy } from '../copy.js'
import { Button, IconButton } from './Button.js'
import { classNames } from './class-names.js'
import { Icon, type IconName } from './Icon.js'
import styles from './Toasts.module.css'

const MAX_VISIBLE_COUNT = 3
/** Long enough to read two lines and reach the button; waits while hovered or focused. */
const SHOWN_MS = 8000

export interface ToastWords {
  readonly tone?: 'info' | 'seal' | 'fail'
  readonly text: string
  readonly action?: { readonly label: string, readonly onAction: () => void }
}

const queue = new ToastQueue<ToastWords>({ maxVisibleToasts: MAX_VISIBLE_COUNT })

/** A failure stays until it is closed; everything else leaves by itself. */
export function showToast(words: ToastWords): void {
  queue.add(words, words.tone === 'fail' ? {} : { timeout: SHOWN_MS })
}

const TONE_ICONS: Readonly<Record<'info' | 'seal' | 'fail', IconName>> = { info: 'check', seal: 'shield', fail: 'failed' }

/** Shown by AriaRoot. */
export function Toasts() {
  const copy = useCopy(common)
  return (
    <ToastRegion className={styles.region ?? ''} queue={queue} aria-label={copy.notifications}>
      {({ toast }) => (
        <AriaToast className={classNames(styles.toast, styles[toast.content.tone ?? 'info'])} toast={toast}>
          <Icon name={TONE_ICONS[toast.content.tone ?? 'info']} />
          <ToastContent className={styles.words}><Text slot='title'>{toast.content.text}</Text></ToastContent>
          <ToastAction words={toast.content} onDone={() => queue.close(toast.key)} />
          <IconButton icon='close' label={copy.dismiss} onClick={() => queue.close(toast.key)} />
        </AriaToast>
      )}
    </ToastRegion>
  )
}

function ToastAction({ words, onDone }: { words: ToastWords, onDone: () => void }) {
  const { action } = words
  if (action === undefined) return null

  function onPress(): void {
    action?.onAction()
    onDone()
  }

  return <Button variant='quiet' size='small' onClick={onPress}>{action.label}</Button>
}
