/**
 * The viewer's frame as a component: opens one document, tells what the reader does, and goes with it.
 * The source port is handed on unread ([Note: Keys stay in the worker]).
 */
import { useEffect, useRef, useState } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { Button } from '../ui/Button.js'
import styles from './DeckFrame.module.css'
import { openViewerFrame, type ViewerFrame } from './frame.js'
import type { PageMessage, Theme, ViewerErrorCode, ViewerMessage, Watermark } from './ports.js'
import { words } from './words.js'

interface DeckFrameProps {
  readonly viewerOrigin: string
  /** The frame's accessible name. */
  readonly title: string
  readonly watermark: Watermark | null
  /** Called once the frame stands: whoever holds the plaintext answers reads on this port. */
  readonly onPort: (port: MessagePort) => void
  readonly onMessage?: (message: ViewerMessage) => void
  /** Fills what its parent leaves it, from edge to edge, instead of being a sheet among others. */
  readonly isTall?: boolean
}

/** Mount it under a `key` of the version: another document is another frame. */
export function DeckFrame(props: DeckFrameProps) {
  const { isTall = false } = props
  const [gone, setGone] = useState<ViewerErrorCode | null>(null)
  return (
    <div className={isTall ? styles.tall : styles.frame} data-testid='deck'>
      {gone === null
        ? <Frame {...props} onGone={setGone} />
        : <Gone code={gone} onAgain={() => setGone(null)} />}
    </div>
  )
}

/** The page removed the frame itself, so nobody in it can say why. */
const REMOVED_CODES: readonly ViewerErrorCode[] = ['watchdog', 'offline', 'unprotected']

function Frame(props: DeckFrameProps & { onGone: (code: ViewerErrorCode) => void }) {
  const { viewerOrigin, title } = props
  const { locale } = useLocale()
  const container = useRef<HTMLDivElement>(null)
  const frame = useRef<ViewerFrame | null>(null)
  const latest = useRef(props)
  latest.current = props

  useEffect(() => {
    if (container.current === null) return
    const now = latest.current
    const opened = openViewerFrame({
      viewerOrigin, title: now.title, container: container.current,
      opening: { mode: 'read', theme: themeNow(), locale: localeNow(), watermark: now.watermark },
      onMessage: (message) => hear(latest.current, message, opened),
    })
    frame.current = opened
    latest.current.onPort(opened.sourcePort)
    const stopFollowing = followTheme((theme) => opened.send({ kind: 'theme', theme }))
    return () => {
      stopFollowing()
      opened.close()
      frame.current = null
    }
  }, [viewerOrigin])

  // The name follows the language; a frame that was made anew for it would lose the reader's place.
  useEffect(() => frame.current?.element.setAttribute('title', title), [title])
  useEffect(() => tell(frame.current, { kind: 'locale', locale }), [locale])

  return <div className={styles.whole} ref={container} />
}

function hear(
  { onMessage, onGone }: DeckFrameProps & { onGone: (code: ViewerErrorCode) => void },
  message: ViewerMessage, frame: ViewerFrame,
): void {
  onMessage?.(message)
  const isRemoved = message.kind === 'error' && REMOVED_CODES.includes(message.code) &&
    !frame.element.isConnected
  if (isRemoved) onGone(message.code)
}

function Gone({ code, onAgain }: { code: ViewerErrorCode, onAgain: () => void }) {
  const copy = useCopy(words)
  return (
    <div className={styles.gone} role='alert'>
      <p>{copy.errors[code]}</p>
      <Button onClick={onAgain}>{copy.tryAgain}</Button>
    </div>
  )
}

function tell(frame: ViewerFrame | null, message: PageMessage): void {
  frame?.send(message)
}

function localeNow(): 'en' | 'ru' {
  return document.documentElement.lang === 'ru' ? 'ru' : 'en'
}

function themeNow(): Theme {
  const chosen = document.documentElement.dataset['theme']
  if (chosen === 'light' || chosen === 'dark') return chosen
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

/** The reader's switch and the system's, whichever changes. @returns how to stop. */
function followTheme(onTheme: (theme: Theme) => void): () => void {
  const told = (): void => onTheme(themeNow())
  const observer = new MutationObserver(told)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  const media = matchMedia('(prefers-color-scheme: dark)')
  media.addEventListener('change', told)
  return () => {
    observer.disconnect()
    media.removeEventListener('change', told)
  }
}
