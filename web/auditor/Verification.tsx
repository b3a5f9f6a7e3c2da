/**
 * What was checked in this browser, and when: the events on this page, that the log has grown out of the one seen
 * before, and, when asked for, every event and every entry. Says what was not checked as plainly as what was.
 */
import { useEffect, useState, type ReactNode } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords } from '../failure-words.js'
import { saveText } from '../save.js'
import { TwoHistories } from '../TwoHistories.js'
import { Button } from '../ui/Button.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Icon } from '../ui/Icon.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { Time } from '../ui/Time.js'
import type { ForkEvidence, WholeLog } from '../crypto.js'
import styles from './auditor.module.css'
import type { LogTools } from './events.js'
import type { CheckedPage } from './pages.js'
import type { Scan } from './scan.js'
import type { Running } from './use-task.js'

interface VerificationProps {
  readonly shown: CheckedPage
  readonly scan: Running<Scan>
  readonly whole: Running<Walk>
  readonly onShowOdd: () => void
}

/** `listedCount`: the number of the newest event that the list showed after the walk. */
export type Walk = WholeLog & { readonly listedCount: number }

export function Verification({ shown, scan, whole, onShowOdd }: VerificationProps) {
  const copy = useCopy(auditor)
  const { checked, events } = shown
  const provenCount = events.filter((event) => event.checked.isProven).length
  const unprovenCount = events.length - provenCount
  const proven = copy.verified(provenCount, checked.treeSize)
  return (
    <section className={styles.verification} aria-label={copy.whatWasChecked}>
      <Line
        tone={unprovenCount === 0 ? 'good' : 'bad'} title={copy.thisPage} atMs={checked.atMs} isLive
        act={<Checkpoint shown={shown} />}
      >
        {unprovenCount === 0 ? proven : `${copy.unproven(unprovenCount)} ${copy.unprovenBody} ${proven}`}
      </Line>
      <Line tone='good' title={copy.history} atMs={checked.atMs}>
        {checked.rememberedSize === null ? copy.firstSeen : copy.grown(checked.rememberedSize)}
      </Line>
      <ScanLine scan={scan} onShowOdd={onShowOdd} />
      <WholeLine whole={whole} />
    </section>
  )
}

type Tone = 'good' | 'odd' | 'bad' | 'open'

const ICONS = { good: 'shield', odd: 'warning', bad: 'failed', open: 'clock' } as const

interface LineProps {
  readonly tone: Tone
  readonly title: string
  readonly atMs?: number
  readonly isLive?: boolean
  readonly act?: ReactNode
  readonly children: ReactNode
}

function Line({ tone, title, atMs, isLive = false, act, children }: LineProps) {
  const copy = useCopy(auditor)
  const role = isLive ? (tone === 'bad' ? 'alert' : 'status') : undefined
  return (
    <div className={styles.check} data-tone={tone}>
      <span className={styles.checkMark}>
        <Icon name={ICONS[tone]} label={copy.checkTones[tone]} />
      </span>
      <div className={styles.checkWords}>
        <p className={styles.checkTitle}>
          {title}
          {atMs !== undefined && <span className={styles.checkTime}><Time atMs={atMs} style='utc' /></span>}
        </p>
        <div role={role}>{children}</div>
      </div>
      {act !== undefined && <div className={styles.checkAct}>{act}</div>}
    </div>
  )
}

/** By whose signature all of it stands, one press away. */
function Checkpoint({ shown: { checked } }: { shown: CheckedPage }) {
  const copy = useCopy(auditor)
  return (
    <details className={styles.raw}>
      <summary>{copy.checkpointDetails}</summary>
      <Facts
        facts={[
          { name: copy.signedBy, value: checked.origin },
          { name: copy.treeSize, value: copy.entryCount(checked.treeSize) },
          {
            name: copy.checkpoint,
            value: <Hash value={checked.rootHash} what={copy.checkpoint} />,
          },
        ]}
      />
    </details>
  )
}

interface ScanLineProps { readonly scan: Running<Scan>, readonly onShowOdd: () => void }

function ScanLine({ scan: { task, start, stop }, onShowOdd }: ScanLineProps) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (task.step === 'running') return <Moving title={copy.allEvents} label={copy.scanning} task={task} onStop={stop} />
  const act = <Act task={task} first={copy.scan} title={copy.allEvents} onStart={start} />
  if (task.step === 'idle') return <Line tone='open' title={copy.allEvents} act={act}>{copy.notScanned}</Line>
  if (task.step === 'failed') return <Line tone='bad' title={copy.allEvents} act={act} isLive>{words(task.code)}</Line>
  const { eventCount, provenCount, anomalies } = task.value
  const isWhole = eventCount === provenCount
  const isOdd = anomalies.length > 0
  const tone = isWhole ? (isOdd ? 'odd' : 'good') : 'bad'
  const show = <Button size='small' onClick={onShowOdd}>{copy.showOdd}</Button>
  return (
    <Line tone={tone} title={copy.allEvents} atMs={task.atMs} act={isOdd ? show : act} isLive>
      {isWhole ? copy.scanned(provenCount) : copy.unproven(eventCount - provenCount)}{' '}
      {anomalies.length === 0 ? copy.nothingOdd : copy.findings(anomalies.length)}
    </Line>
  )
}

function WholeLine({ whole }: { whole: Running<Walk> }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const { task, start, stop } = whole
  if (task.step === 'running') return <Moving title={copy.wholeLog} label={copy.walking} task={task} onStop={stop} />
  const act = <Act task={task} first={copy.walk} title={copy.wholeLog} onStart={start} />
  if (task.step === 'idle') return <Line tone='open' title={copy.wholeLog} act={act}>{copy.notWalked}</Line>
  if (task.step === 'failed') return <Line tone='bad' title={copy.wholeLog} act={act} isLive>{words(task.code)}</Line>
  const { treeSize, taggedCount, problems, listedCount } = task.value
  const isComplete = problems.length === 0 && (taggedCount === null || taggedCount <= listedCount)
  return (
    <Line tone={isComplete ? 'good' : 'bad'} title={copy.wholeLog} atMs={task.atMs} act={act} isLive>
      {copy.walked(treeSize)}{' '}
      {taggedCount !== null && isComplete && copy.complete(taggedCount)}
      {taggedCount !== null && !isComplete && copy.incomplete(taggedCount, listedCount)}
    </Line>
  )
}

interface ActProps {
  readonly task: { readonly step: string }
  /** What it is called before it was done once. */
  readonly first: string
  readonly title: string
  readonly onStart: () => void
}

function Act({ task, first, title, onStart }: ActProps) {
  const copy = useCopy(auditor)
  if (task.step === 'idle') return <Button size='small' onClick={onStart}>{first}</Button>
  const name = `${copy.again}: ${title}`
  return <Button size='small' aria-label={name} onClick={onStart}>{copy.again}</Button>
}

interface MovingProps {
  readonly title: string
  readonly label: string
  readonly task: { readonly doneCount: number, readonly totalCount: number | null }
  readonly onStop: () => void
}

function Moving({ title, label, task: { doneCount, totalCount }, onStop }: MovingProps) {
  const copy = useCopy(auditor)
  const share = totalCount === null ? null : doneCount / Math.max(1, totalCount)
  return (
    <Line tone='open' title={title} act={<Button size='small' onClick={onStop}>{copy.stop}</Button>}>
      <Progress bars={[{ label: `${label} ${copy.doneOf(doneCount, totalCount)}`, share, tone: 'seal' }]} />
    </Line>
  )
}

/** The one thing this screen must not be quiet about. */
export function Fork({ tools }: { tools: LogTools }) {
  const copy = useCopy(auditor)
  const origin = tools.logVkey.split('+', 1)[0] ?? ''

  const [fork, setFork] = useState<ForkEvidence | null>(null)
  useEffect(() => { void tools.crypto.forkEvidence(origin).then(setFork) }, [tools.crypto, origin])

  function onSave(): void {
    if (fork !== null) saveText(`${fork.remembered}\n${fork.offered}`, 'sealdeck-two-histories.txt')
  }

  return (
    <Notice tone='fail' title={copy.forked} isLive actions={<Button variant='primary' onClick={onSave}>{copy.saveEvidence}</Button>}>
      <p>{copy.forkedBody}</p>
      {fork !== null && <TwoHistories fork={fork} names={copy.histories} />}
    </Notice>
  )
}
