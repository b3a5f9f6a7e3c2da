/**
 * The viewer's frame as a component: opens one document, tells what the reader does, and goes with it.
 * The source port is handed on unread ([Note: Keys stay in the worker]).
 */
import { useEffect, useRef } from 'react'
import { useLocale } from '../copy.js'
import { openViewerFrame, type ViewerFrame } from './frame.js'
import type { PageMessage, Theme, ViewerMessage, Watermark } from './ports.js'
import styles from './DeckFrame.module.css'

interface DeckFrameProps {
  readonly viewerOrigin: string
  /** The frame's accessible name. */
  readonly title: string
  readonly watermark: Watermark | null
  /** Called once the frame stands: whoever holds the plaintext answers reads on this port. */
  readonly onPort: (port: MessagePort) => void
  readonly onMessage?: (message: ViewerMessage) => void
  readonly isTall?: boolean
}

/** Mount it under a `key` of the version: another document is another frame. */
export function DeckFrame(props: DeckFrameProps) {
  const { viewerOrigin, title, isTall = false } = props
  const { locale } = useLocale()
  const container = useRef<HTMLDivElement>(null)
  const frame = useRef<ViewerFrame | null>(null)
  const latest = useRef(props)
  latest.current = props

  useEffect(() => {
    if (container.current === null) return
    const opened = openViewerFrame({
      viewerOrigin, title, container: container.current,
      opening: { mode: 'read', theme: themeNow(), locale: localeNow(), watermark: latest.current.watermark },
      onMessage: (message) => latest.current.onMessage?.(message),
    })
    frame.current = opened
    latest.current.onPort(opened.sourcePort)
    const stopFollowing = followTheme((theme) => opened.send({ kind: 'theme', theme }))
    return () => {
      stopFollowing()
      opened.close()
      frame.current = null
    }
  }, [viewerOrigin, title])

  useEffect(() => tell(frame.current, { kind: 'locale', locale }), [locale])

  return <div className={isTall ? styles.tall : styles.frame} ref={container} data-testid='deck' />
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
