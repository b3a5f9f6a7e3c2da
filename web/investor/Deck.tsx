/** One document: in the viewer if it is a PDF, else as a file to save. */
import { useRef, useState } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import { attempt, sourceOf } from '../crypto.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { DeckFrame } from '../viewer/DeckFrame.js'
import type { ViewerMessage } from '../viewer/ports.js'
import styles from './investor.module.css'
import { saveBlob } from '../save.js'
import type { Gate, OpenDocument, Person, VisitTools } from './visit.js'

interface DeckProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly shown: OpenDocument
  readonly isTall: boolean
  /** The reader asked, inside the viewer, for what is locked. */
  readonly onUnlock: () => void
}

export function Deck({ tools, gate, person, shown, isTall, onUnlock }: DeckProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [failure, setFailure] = useState<Failure>()
  const [isFile, setFile] = useState(false)
  const openedAtMs = useRef(Date.now())
  const { policy, card } = gate.verified
  const source = sourceOf(tools.api, shown.versionId)

  async function onPort(port: MessagePort): Promise<void> {
    const { grantId } = tools
    const opened = await attempt(
      () => tools.crypto.openVersion({ grantId, versionId: shown.versionId }, source, port),
    )
    if (!opened.ok) setFailure(opened.code)
    else if (opened.value.mediaType !== 'application/pdf') setFile(true)
  }

  function onMessage(message: ViewerMessage): void {
    if (message.kind === 'asked' && message.what === 'unlock') onUnlock()
  }

  if (failure !== undefined) return <Notice tone='fail' isLive>{words(failure)}</Notice>
  const mark = policy.watermark
    ? { email: person.email ?? person.name, atMs: openedAtMs.current }
    : null
  return (
    <>
      {isFile
        ? <Notice>{copy.fileOnly}</Notice>
        : (
          <DeckFrame
            viewerOrigin={gate.viewerOrigin} title={copy.deckOf(
              card.title, card.founder,
            )} watermark={mark}
            isTall={isTall} onPort={(port) => void onPort(port)} onMessage={onMessage}
          />
          )}
      {(isFile || policy.download) && <SaveFile tools={tools} shown={shown} />}
    </>
  )
}

type Saving = { readonly step: 'idle', readonly failure?: Failure } | { readonly step: 'saving', readonly doneBytes: number, readonly totalBytes: number }

function SaveFile({ tools, shown }: Pick<DeckProps, 'tools' | 'shown'>) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [state, setState] = useState<Saving>({ step: 'idle' })

  async function onSave(): Promise<void> {
    const { api, crypto, grantId } = tools
    const { versionId } = shown
    setState({ step: 'saving', doneBytes: 0, totalBytes: 1 })
    const saved = await attempt(() => crypto.saveVersion({
      grantId, versionId,
    }, sourceOf(api, versionId),
    (doneBytes, totalBytes) => setState({ step: 'saving', doneBytes, totalBytes })))
    setState(saved.ok ? { step: 'idle' } : { step: 'idle', failure: saved.code })
    if (saved.ok) saveBlob(saved.value.file, saved.value.fileName)
  }

  return (
    <div className={styles.saveFile}>
      {state.step === 'saving'
        ? <Progress bars={[
          { label: copy.savingFile, doneBytes: state.doneBytes, totalBytes: state.totalBytes },
        ]}
          />
        : <Button size='small' icon='download' onClick={() => void onSave()}>{copy.saveFile}</Button>}
      {state.step === 'idle' && state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
    </div>
  )
}
