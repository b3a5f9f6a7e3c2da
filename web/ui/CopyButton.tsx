/** Puts text on the clipboard and says so for two seconds, on the button and aloud. */
import { useEffect, useState, type ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { Button, IconButton, type ButtonVariant } from './Button.js'
import { LiveRegion } from './LiveRegion.js'

const SHOWN_MS = 2000

type CopyState = 'ready' | 'copied' | 'failed'

interface CopyButtonProps {
  readonly text: string
  readonly label?: string
  readonly variant?: ButtonVariant
  readonly size?: 'normal' | 'small'
  /** A symbol alone, named by `label`. */
  readonly isIcon?: boolean
  readonly onCopied?: () => void
}

export function CopyButton(props: CopyButtonProps) {
  const { text, variant = 'plain', size = 'normal', isIcon = false, onCopied } = props
  const copy = useCopy(common)
  const [state, setState] = useCopyState()
  const words = { ready: props.label ?? copy.copy, copied: copy.copied, failed: copy.failed }

  async function onPress(): Promise<void> {
    const isCopied = await writeClipboard(text)
    setState(isCopied ? 'copied' : 'failed')
    if (isCopied) onCopied?.()
  }

  const shared = { icon: state === 'copied' ? 'check' : 'copy', onClick: onPress } as const
  return (
    <CopyFrame said={{ ready: '', copied: copy.copied, failed: copy.copyFailed }[state]}>
      {isIcon
        ? <IconButton {...shared} label={words[state]} />
        : <Button {...shared} variant={variant} size={size}>{words[state]}</Button>}
    </CopyFrame>
  )
}

function CopyFrame({ said, children }: { said: string, children: ReactNode }) {
  return <>{children}<LiveRegion>{said}</LiveRegion></>
}

function useCopyState(): [CopyState, (state: CopyState) => void] {
  const [state, setState] = useState<CopyState>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  return [state, setState]
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false // No permission, or no secure context: the person is told to copy by hand.
  }
}
