/** One document: in the viewer if it is a PDF, else as a file to save. */
import { useRef, useState } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import { formatBytes } from '../copy/language.js'
import { attemptReading, sourceOf, type OpenedVersion } from '../crypto.js'
import type { Failure } from '../failure-words.js'
import { saveBlob } from '../save.js'
import { Button } from '../ui/Button.js'
import { Icon } from '../ui/Icon.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { DeckFrame } from '../viewer/DeckFrame.js'
import type { ViewerMessage } from '../viewer/ports.js'
import { isFinal } from './Closed.js'
import { useFailureWords } from './failures.js'
import styles from './investor.module.css'
import type { Gate, OpenDocument, Person, VisitTools } from './visit.js'

interface DeckProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly shown: OpenDocument
  readonly isTall: boolean
  /** The reader asked, inside the viewer, for what is locked. */
  readonly onUnlock: () => void
  readonly onClosed: (code: Failure) => void
  readonly onPageCount?: (count: number) => void
}

export function Deck(props: DeckProps) {
  const { tools, gate, person, shown, isTall, onUnlock, onClosed, onPageCount } = props
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [opened, setOpened] = useState<OpenedVersion>()
  const [failure, setFailure] = useState<Failure>()
  const openedAtMs = useRef(Date.now())
  const { policy, card } = gate.verified

  async function onPort(port: MessagePort): Promise<void> {
    const { api, crypto, grantId } = tools
    const source = sourceOf(api, shown.versionId)
    const version = await attemptReading(
      () => crypto.openVersion({ grantId, versionId: shown.versionId }, source, port))
    if (!version.ok) {
      const tell = isFinal(version.code) ? onClosed : setFailure
      return tell(version.code)
    }
    setOpened(version.value)
    if (version.value.pageCount !== null) onPageCount?.(version.value.pageCount)
  }

  function onMessage(message: ViewerMessage): void {
    if (message.kind !== 'asked') return
    if (message.what === 'unlock') onUnlock()
    if (message.what === 'leave') document.querySelector('h1')?.focus()
  }

  if (failure !== undefined) {
    const again = <Button onClick={() => setFailure(undefined)}>{copy.retry}</Button>
    return <Notice tone='fail' isLive actions={again}>{words(failure)}</Notice>
  }
  if (opened !== undefined && opened.mediaType !== 'application/pdf') {
    return <File {...props} opened={opened} />
  }
  const mark = policy.watermark
    ? { email: person.email ?? person.name, atMs: openedAtMs.current }
    : null
  return (
    <>
      <DeckFrame
        viewerOrigin={gate.viewerOrigin} title={copy.deckOf(card.title, card.founder)}
        watermark={mark} isTall={isTall} onPort={(port) => void onPort(port)} onMessage={onMessage}
      />
      {policy.download && <div className={styles.saveFile}><SaveFile {...props} /></div>}
    </>
  )
}

/** What there is no viewer for: its name, its size, and one button. */
function File({ opened, ...props }: DeckProps & { opened: OpenedVersion }) {
  const copy = useCopy(investor)
  const { locale } = useLocale()
  return (
    <div className={styles.file}>
      <span className={styles.fileMark}><Icon name='file' /></span>
      <p className={styles.fileName}>{opened.fileName}</p>
      <p className={styles.quiet}>{formatBytes(locale, opened.sizeBytes)}</p>
      <p>{copy.fileOnly}</p>
      <SaveFile {...props} isPrimary />
    </div>
  )
}

type Saving =
  | { readonly step: 'idle', readonly failure?: Failure }
  | { readonly step: 'saving', readonly doneBytes: number, readonly totalBytes: number }

interface SaveFileProps extends Pick<DeckProps, 'tools' | 'shown'> {
  readonly isPrimary?: boolean
}

function SaveFile({ tools, shown, isPrimary = false }: SaveFileProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [state, setState] = useState<Saving>({ step: 'idle' })

  async function onSave(): Promise<void> {
    const { api, crypto, grantId } = tools
    const { versionId } = shown
    setState({ step: 'saving', doneBytes: 0, totalBytes: 1 })
    const saved = await attemptReading(() => crypto.saveVersion(
      { grantId, versionId }, sourceOf(api, versionId),
      (doneBytes, totalBytes) => setState({ step: 'saving', doneBytes, totalBytes }),
    ))
    setState(saved.ok ? { step: 'idle' } : { step: 'idle', failure: saved.code })
    if (saved.ok) saveBlob(saved.value.file, saved.value.fileName)
  }

  if (state.step === 'saving') {
    const { doneBytes, totalBytes } = state
    return <Progress bars={[{ label: copy.savingFile, doneBytes, totalBytes }]} />
  }
  const look = isPrimary ? { variant: 'primary' as const } : { size: 'small' as const }
  return (
    <>
      <Button {...look} icon='download' onClick={() => void onSave()}>{copy.saveFile}</Button>
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
    </>
  )
}
