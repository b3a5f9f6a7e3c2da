/**
 * What was checked in this browser, and when: the events on this page, that the log has grown out of the one seen
 * before, and, when asked for, every event and every entry. Says what was not checked as plainly as what was.
 */
import type { ReactNode } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords } from '../failure-words.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Icon } from '../ui/Icon.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { Time } from '../ui/Time.js'
import type { WholeLog } from '../crypto.js'
import styles from './auditor.module.css'
import type { CheckedPage, LogTools } from './events.js'
import type { Scan } from './scan.js'
import type { Running } from './use-task.js'

interface VerificationProps {
  readonly shown: CheckedPage
  readonly scan: Running<Scan>
  readonly whole: Running<WholeLog>
}

export function Verification({ shown, scan, whole }: VerificationProps) {
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
      <ScanLine scan={scan} />
      <WholeLine whole={whole} totalCount={shown.totalCount} />
    </section>
  )
}

type Tone = 'good' | 'bad' | 'open'

const ICONS = { good: 'shield', bad: 'failed', open: 'clock' } as const

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

function ScanLine({ scan: { task, start, stop } }: { scan: Running<Scan> }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (task.step === 'running') return <Moving title={copy.allEvents} label={copy.scanning} task={task} onStop={stop} />
  const act = <Button size='small' onClick={start}>{task.step === 'idle' ? copy.scan : copy.again}</Button>
  if (task.step === 'idle') return <Line tone='open' title={copy.allEvents} act={act}>{copy.notScanned}</Line>
  if (task.step === 'failed') return <Line tone='bad' title={copy.allEvents} act={act} isLive>{words(task.code)}</Line>
  const { eventCount, provenCount, anomalies } = task.value
  const isWhole = eventCount === provenCount
  return (
    <Line tone={isWhole ? 'good' : 'bad'} title={copy.allEvents} atMs={task.atMs} act={act} isLive>
      {isWhole ? copy.scanned(provenCount) : copy.unproven(eventCount - provenCount)}{' '}
      {anomalies.length === 0 ? copy.nothingOdd : copy.findings(anomalies.length)}
    </Line>
  )
}

interface WholeLineProps { readonly whole: Running<WholeLog>, readonly totalCount: number }

function WholeLine({ whole, totalCount }: WholeLineProps) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const { task, start, stop } = whole
  if (task.step === 'running') return <Moving title={copy.wholeLog} label={copy.walking} task={task} onStop={stop} />
  const act = <Button size='small' onClick={start}>{task.step === 'idle' ? copy.walk : copy.again}</Button>
  if (task.step === 'idle') return <Line tone='open' title={copy.wholeLog} act={act}>{copy.notWalked}</Line>
  if (task.step === 'failed') return <Line tone='bad' title={copy.wholeLog} act={act} isLive>{words(task.code)}</Line>
  const { treeSize, taggedCount, problems } = task.value
  const isComplete = problems.length === 0 && (taggedCount === null || taggedCount >= totalCount)
  return (
    <Line tone={isComplete ? 'good' : 'bad'} title={copy.wholeLog} atMs={task.atMs} act={act} isLive>
      {copy.walked(treeSize)}{' '}
      {taggedCount !== null && isComplete && copy.complete(taggedCount)}
      {taggedCount !== null && !isComplete && copy.incomplete(taggedCount, totalCount)}
    </Line>
  )
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

  async function onSave(): Promise<void> {
    const evidence = await tools.crypto.forkEvidence(origin)
    if (evidence !== null) saveText(`${evidence.remembered}\n${evidence.offered}`, 'sealdeck-two-histories.txt')
  }

  return (
    <Notice tone='fail' title={copy.forked} isLive actions={<Button variant='primary' onClick={() => void onSave()}>{copy.saveEvidence}</Button>}>
      {copy.forkedBody}
    </Notice>
  )
}
