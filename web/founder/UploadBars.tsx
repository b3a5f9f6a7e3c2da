/** Sealing and uploading as two bars, and what can be done about them. */
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useFailureWords } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { SealMark } from '../ui/SealMark.js'
import styles from './founder.module.css'
import type { UploadFailure, UploadProgress } from './upload-deck.js'
import type { UploadState } from './use-upload.js'

interface UploadBarsProps {
  readonly title: string
  readonly state: Exclude<UploadState, { step: 'idle' | 'failed' }>
  readonly onGoOn: () => void
  readonly onCancel: () => void
}

export function UploadBars({ title, state, onGoOn, onCancel }: UploadBarsProps) {
  const copy = useCopy(founder)
  if (state.step === 'cancelling') return <LoadingState label={copy.cancelling} />
  const isStopped = state.step === 'stopped'
  const isSealed = 'progress' in state && state.progress !== null && state.progress.sealedBytes >= state.progress.sealTotalBytes
  return (
    <Card
      title={title} aside={<SealMark state={isSealed ? 'closed' : 'open'} />}
      footer={(
        <>
          {isStopped && <Button variant='primary' onClick={onGoOn}>{copy.goOn}</Button>}
          {state.step !== 'cutting' && <Button onClick={onCancel}>{copy.cancelUpload}</Button>}
        </>
      )}
    >
      {state.step === 'cutting' ? <Progress bars={[{ label: copy.cutting, share: null, tone: 'seal' }]} /> : <Bars progress={state.progress} />}
      {isStopped && <Stopped code={state.code} />}
      <p className={styles.quiet}>{copy.keepOpen}</p>
    </Card>
  )
}

function Bars({ progress }: { progress: UploadProgress | null }) {
  const copy = useCopy(founder)
  const now = progress ?? { sealedBytes: 0, sealTotalBytes: 1, sentBytes: 0, sendTotalBytes: 1 }
  return (
    <Progress
      bars={[
        { label: copy.sealing, tone: 'seal', doneBytes: now.sealedBytes, totalBytes: now.sealTotalBytes },
        { label: copy.uploading, doneBytes: now.sentBytes, totalBytes: now.sendTotalBytes },
      ]}
    />
  )
}

function Stopped({ code }: { code: UploadFailure }) {
  const words = useUploadWords()
  return <Notice tone='warn' isLive>{words(code)}</Notice>
}

export function useUploadWords(): (code: UploadFailure) => string {
  const copy = useCopy(founder)
  const words = useFailureWords()
  return (code) => code === 'different-file' ? copy.differentFile : words(code)
}
