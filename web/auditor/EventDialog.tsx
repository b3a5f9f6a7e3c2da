/** One event, whole: what was logged, what is odd or personal about it, and its way to the root that was signed. */
import { useEffect, useState } from 'react'
import type { AnomalyKind } from '../../protocol/log/anomalies.js'
import { useCopy, useLocale } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { formatDateTime, formatUtc } from '../copy/language.js'
import { attempt, type TracedEvent } from '../crypto.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { CopyButton } from '../ui/CopyButton.js'
import { Dialog } from '../ui/Dialog.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Notice } from '../ui/Notice.js'
import { Time } from '../ui/Time.js'
import type { LogTools } from './events.js'
import { fieldOf, type ShownEvent } from './pages.js'
import { isAlarm, typeWords } from './EventTable.js'
import { NO_FILTER, type Filter } from './filter.js'
import { ProofPath } from './ProofPath.js'
import styles from './auditor.module.css'
import { namesOf, vaultOf, whatOf, whoOf } from './who.js'

interface EventDialogProps {
  readonly shown: ShownEvent
  readonly tools: LogTools
  readonly marks: readonly AnomalyKind[]
  readonly isOwner: boolean
  readonly onFilter: (filter: Filter) => void
  readonly onClose: () => void
}

export function EventDialog({ shown, tools, marks, isOwner, onFilter, onClose }: EventDialogProps) {
  const copy = useCopy(auditor)
  const { logged, checked } = shown
  const title = typeWords(copy.events, logged.type)
  return (
    <Dialog isOpen onClose={onClose} title={`${copy.eventTitle(logged.index)}: ${title}`} size='wide'>
      <Notice tone={checked.isProven ? 'seal' : 'fail'} title={checked.isProven ? copy.proven : copy.notProven}>
        {checked.isProven && checked.event === null ? copy.erasedBody : undefined}
      </Notice>
      {marks.filter((kind) => kind !== 'erased').map((kind) => (
        <Notice key={kind} tone={isAlarm(kind) ? 'fail' : 'warn'} title={copy.odd[kind]}>{copy.oddBody[kind]}</Notice>
      ))}
      <Summary shown={shown} withVault={tools.vaultId === null} />
      {checked.details !== null && (
        <>
          <h3 className={styles.smallTitle}>{copy.personalText}</h3>
          <Fields record={checked.details} />
        </>
      )}
      <Proof shown={shown} tools={tools} title={title} />
      {checked.event !== null && (
        <details className={styles.raw}>
          <summary>{copy.eventText}</summary>
          <Fields record={checked.event} />
        </details>
      )}
      <div className={styles.actions}>
        <CopyButton text={location.href} label={copy.permalink} size='small' />
        <Narrow shown={shown} onFilter={onFilter} />
        {isOwner && <SaveReceipt tools={tools} eventId={logged.eventId} />}
      </div>
    </Dialog>
  )
}

/** When, who, what: in words, before the record itself. */
function Summary({ shown, withVault }: { shown: ShownEvent, withVault: boolean }) {
  const { logged, checked } = shown
  const copy = useCopy(auditor)
  const { locale } = useLocale()
  const { event, vaultSequence } = checked
  const facts = [
    { name: copy.columnTime, value: formatUtc(logged.atMs) },
    { name: copy.localTime, value: formatDateTime(locale, logged.atMs) },
    { name: copy.columnWho, value: whoOf(copy, event, namesOf(copy, [checked])) },
    { name: copy.columnWhat, value: whatOf(copy, event) },
    { name: copy.columnVault, value: withVault ? vaultOf(copy, event) : '' },
    { name: copy.numberInVault, value: vaultSequence === null ? '' : copy.numbered(vaultSequence) },
  ]
  return <Facts facts={facts.filter(({ value }) => value !== '')} />
}

type Traced =
  | { readonly step: 'checking' }
  | { readonly step: 'not-proven' }
  | { readonly step: 'failed', readonly code: Failure }
  | { readonly step: 'traced', readonly path: TracedEvent, readonly atMs: number }

/** Checked once more when it is looked at: this very event, under this very checkpoint, now. */
function Proof({ shown, tools, title }: { shown: ShownEvent, tools: LogTools, title: string }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const traced = useTraced(shown, tools)
  if (traced.step === 'checking') return <p className={styles.quiet}>{copy.checkingOne}</p>
  if (traced.step === 'failed') return <Notice tone='fail'>{words(traced.code)}</Notice>
  if (traced.step === 'not-proven') return <Notice tone='fail'>{copy.notProvenBody}</Notice>
  return (
    <section aria-label={copy.pathTitle}>
      <h3 className={styles.smallTitle}>{copy.pathTitle}</h3>
      <p className={styles.quiet}>
        {copy.checkedOne(traced.path.treeSize)} <Time atMs={traced.atMs} style='utc' />
      </p>
      <ProofPath traced={traced.path} index={traced.path.index} title={title} />
    </section>
  )
}

function useTraced({ logged, checkpoint }: ShownEvent, tools: LogTools): Traced {
  const [traced, setTraced] = useState<Traced>({ step: 'checking' })
  const { crypto, vaultId, logVkey } = tools
  useEffect(() => {
    let isLeft = false
    void attempt(() => crypto.traceEvent({ vaultId, logVkey, checkpoint, logged })).then((path) => {
      if (isLeft) return
      if (!path.ok) setTraced({ step: 'failed', code: path.code })
      else if (path.value === null) setTraced({ step: 'not-proven' })
      else setTraced({ step: 'traced', path: path.value, atMs: Date.now() })
    })
    return () => { isLeft = true }
  }, [logged.index, checkpoint])
  return traced
}

/** From one event to all that share its person, its document or its kind. */
function Narrow({ shown, onFilter }: { shown: ShownEvent, onFilter: (filter: Filter) => void }) {
  const copy = useCopy(auditor)
  const { event } = shown.checked
  const [personId, documentId] = [fieldOf(event, 'party'), fieldOf(event, 'document')]
  const { type } = shown.logged
  return (
    <>
      {personId !== '' && <Button size='small' variant='quiet' icon='filter' onClick={() => onFilter({ ...NO_FILTER, personId })}>{copy.onlyPerson}</Button>}
      {documentId !== '' && <Button size='small' variant='quiet' icon='filter' onClick={() => onFilter({ ...NO_FILTER, documentId })}>{copy.onlyDocument}</Button>}
      <Button size='small' variant='quiet' icon='filter' onClick={() => onFilter({ ...NO_FILTER, type })}>{copy.onlyType}</Button>
    </>
  )
}

function Fields({ record }: { record: unknown }) {
  const entries = Object.entries(Object(record))
  return (
    <Facts facts={entries.map(
      ([name, value]) => ({ name, value: <FieldValue value={value} name={name} /> }),
    )}
    />
  )
}

const HASH_LENGTH = 64

function FieldValue({ name, value }: { name: string, value: unknown }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text.length === HASH_LENGTH && /^[0-9a-f]+$/.test(text)) return <Hash value={text} what={name} />
  if (text.includes('\n')) return <pre className={styles.note} tabIndex={0}>{text}</pre>
  return <span className={styles.wrap}>{text}</span>
}

function SaveReceipt({ tools: { api }, eventId }: { tools: LogTools, eventId: string }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const [failure, setFailure] = useState<Failure>()

  async function onSave(): Promise<void> {
    const receipt = await api.readReceipt(eventId)
    if (receipt.ok) saveText(receipt.value.proof, `sealdeck-${receipt.value.eventType}.tlog-proof`)
    else setFailure(receipt.code)
  }

  return (
    <>
      <Button size='small' icon='download' onClick={() => void onSave()}>{copy.saveReceipt}</Button>
      {failure !== undefined && <p role='alert'>{words(failure)}</p>}
    </>
  )
}
