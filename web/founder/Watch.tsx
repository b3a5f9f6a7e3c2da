/**
 * What the founder's own look at her log has found: quiet where nothing is wrong, and as loud as this product can be
 * where an event is hidden or was not hers.
 */
import { useState } from 'react'
import { Link } from 'react-router'
import { useCopy } from '../copy.js'
import { watch } from '../copy/watch.js'
import type { OlderState } from '../../protocol/deck/newest.js'
import type { WatchFinding, WatchReport } from '../crypto.js'
import { saveText } from '../save.js'
import { useSession } from '../session.js'
import { Button, buttonClass } from '../ui/Button.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Icon } from '../ui/Icon.js'
import { Notice } from '../ui/Notice.js'
import { Progress } from '../ui/Progress.js'
import { TwoHistories } from '../TwoHistories.js'
import { Time } from '../ui/Time.js'
import styles from './founder.module.css'
import { useLoaded } from './loaded.js'
import { useWatch, type Watching } from './watch.js'

interface WatchProps {
  /** One vault's alone, and what concerns the whole log. */
  readonly vaultId?: string
  /** Titles by vault, as far as they are known here. */
  readonly titles: ReadonlyMap<string, string>
}

const MAX_SHOWN = 5

export function Watch({ vaultId, titles }: WatchProps) {
  const copy = useCopy(watch)
  const watching = useWatch()
  const { state, lookOn } = watching
  if (state.step === 'waiting') return null
  if (state.step === 'not-looked') return <p className={styles.watched}><Icon name='clock' />{copy.notLooked}</p>
  if (state.step === 'looking') return <Looking {...state} />
  const { report } = state
  const findings = report.findings.filter((finding) =>
    vaultId === undefined || finding.vaultId === '' || finding.vaultId === vaultId)
  if (findings.length > 0) return <Alarm findings={findings} titles={titles} watching={watching} />
  return <Quiet report={report} lookOn={lookOn} />
}

/** Shown only where there is enough to wait for. */
const LONG_ENTRY_COUNT = 4_096

function Looking({ doneCount, totalCount }: { doneCount: number, totalCount: number }) {
  const copy = useCopy(watch)
  if (totalCount < LONG_ENTRY_COUNT) return null
  return <Progress bars={[{ label: copy.looking, tone: 'seal', share: doneCount / totalCount }]} />
}

function Quiet({ report, lookOn }: { report: WatchReport, lookOn: () => void }) {
  const copy = useCopy(watch)
  const { checkedSize, treeSize, eventCount, atMs } = report
  if (treeSize === 0 || eventCount === 0) return null
  const isWhole = checkedSize === treeSize
  return (
    <p className={styles.watched}>
      <Icon name={isWhole ? 'shield' : 'clock'} />
      <span>
        {isWhole ? copy.quiet(eventCount, treeSize) : copy.partly(checkedSize, treeSize)}{' '}
        {isWhole && <>{copy.lookedAt} <Time atMs={atMs} />.</>}
      </span>
      {!isWhole && <Button size='small' onClick={lookOn}>{copy.goOn}</Button>}
    </p>
  )
}

interface AlarmProps {
  readonly findings: readonly WatchFinding[]
  readonly titles: ReadonlyMap<string, string>
  readonly watching: Watching
}

const OF_THE_LOG: readonly WatchFinding['kind'][] = ['fork', 'false-files', 'other-log']

function Alarm({ findings, titles, watching }: AlarmProps) {
  const copy = useCopy(watch)
  const { crypto, config } = useSession()
  const [isAsking, setAsking] = useState(false)
  const isBroken = findings.some(({ kind }) => OF_THE_LOG.includes(kind))
  const isGone = findings.every(({ kind }) => kind === 'vault-gone')
  const alarm = isGone ? copy.goneTitle : copy.alarmTitle(findings.length)
  const title = isBroken ? copy.brokenTitle : alarm
  const moreCount = findings.length - MAX_SHOWN

  async function onSave(): Promise<void> {
    if (config === null) return
    saveText(await crypto.watchEvidence(config.logVkey), 'sealdeck-alarm.json')
  }

  async function onSettle(): Promise<void> {
    setAsking(false)
    await watching.settle(findings.map(({ key }) => key))
  }

  return (
    <Notice
      tone={isGone ? 'warn' : 'fail'} title={title} isLive
      actions={(
        <>
          {!isGone && <Button variant='primary' icon='download' onClick={() => void onSave()}>{copy.saveEvidence}</Button>}
          <Button onClick={() => setAsking(true)}>{copy.dealtWith}</Button>
        </>
      )}
    >
      <ul className={styles.findings}>
        {findings.slice(0, MAX_SHOWN).map((finding) => (
          <li key={finding.key}><Found finding={finding} titles={titles} /></li>
        ))}
      </ul>
      {findings.some(({ kind }) => kind === 'fork') && <Histories />}
      {moreCount > 0 && <p>{copy.more(moreCount)}</p>}
      {!isGone && <p>{isBroken ? copy.whatToDoFork : copy.whatToDo}</p>}
      <ConfirmDialog
        isOpen={isAsking} title={copy.dealtTitle} confirmLabel={copy.dealtAct} isDestructive
        onConfirm={() => void onSettle()} onClose={() => setAsking(false)}
      >
        <p>{copy.dealtText}</p>
      </ConfirmDialog>
    </Notice>
  )
}

function Histories() {
  const copy = useCopy(watch)
  const { crypto, config } = useSession()
  const [origin = ''] = (config?.logVkey ?? '').split('+', 1)
  const { state } = useLoaded(origin, async () => (
    { ok: true, value: await crypto.forkEvidence(origin) }))
  return state.step === 'here' && state.value !== null ? <TwoHistories fork={state.value} names={copy.histories} /> : null
}

/** What, in which deck, when, about whom, and by which numbers it is found again. */
function Found(
  { finding, titles }: { finding: WatchFinding, titles: ReadonlyMap<string, string> }
) {
  const copy = useCopy(watch)
  const { kind, vaultId, index, at, who, eventId, eventType } = finding
  const title = titles.get(vaultId)
  return (
    <>
      <p className={styles.strong}>{copy.kinds[kind]}</p>
      {vaultId !== '' && <p>{title === undefined ? copy.unknownDeck : copy.inDeck(title)}</p>}
      <p className={styles.findingPlace}>
        {at !== null && <span><Time atMs={Date.parse(at)} style='utc' /></span>}
        {who !== null && <span>{copy.about(who)}</span>}
        {index !== null && <span>{copy.entry(index)}</span>}
        {eventId !== null && (
          <span>{copy.event} {eventType} <code className={styles.breaking}>{eventId}</code></span>
        )}
      </p>
      {title !== undefined && index !== null && (
        <Link className={buttonClass({ variant: 'plain', size: 'small', isWide: false })} to={`/vaults/${vaultId}?tab=log&entry=${index}`}>{copy.seeInLog}</Link>
      )}
    </>
  )
}

/** The server went back behind what this browser has seen: said before anything is done with it. */
export function Older({ states }: { states: readonly OlderState[] }) {
  const copy = useCopy(watch)
  const kinds = [...new Set(states.map(({ kind }) => kind))]
  if (kinds.length === 0) return null
  return (
    <Notice tone='fail' title={copy.olderTitle} isLive>
      <ul className={styles.findings}>
        {kinds.map((kind) => <li key={kind}>{copy.older[kind]}</li>)}
      </ul>
      <p>{copy.olderText}</p>
    </Notice>
  )
}
