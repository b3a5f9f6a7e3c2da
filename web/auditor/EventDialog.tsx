/** One event, whole: what was logged, what is personal about it, and its path to the root that was signed. */
import { useState } from 'react'
import type { Api } from '../api.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { CopyButton } from '../ui/CopyButton.js'
import { Dialog } from '../ui/Dialog.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Notice } from '../ui/Notice.js'
import { Time } from '../ui/Time.js'
import type { ShownEvent } from './events.js'
import { typeWords } from './EventTable.js'
import styles from './auditor.module.css'
import { namesOf, whatOf, whoOf } from './who.js'

interface EventDialogProps {
  readonly shown: ShownEvent
  readonly api: Api
  readonly isOwner: boolean
  readonly onClose: () => void
}

export function EventDialog({ shown, api, isOwner, onClose }: EventDialogProps) {
  const copy = useCopy(auditor)
  const { logged, checked } = shown
  return (
    <Dialog isOpen onClose={onClose} title={`${copy.eventTitle(logged.index)}: ${typeWords(copy.events, logged.type)}`} size='wide'>
      <Notice tone={checked.isProven ? 'seal' : 'fail'} title={checked.isProven ? copy.proven : copy.notProven}>
        {checked.isProven && checked.event === null ? copy.erasedBody : undefined}
      </Notice>
      <Summary shown={shown} />
      {checked.details !== null && (
        <>
          <h3 className={styles.smallTitle}>{copy.personalText}</h3>
          <Fields record={checked.details} />
        </>
      )}
      <h3 className={styles.smallTitle}>{copy.pathTitle}</h3>
      <p className={styles.quiet}>{copy.pathBody(logged.proof.length)}</p>
      <ProofPath path={logged.proof} index={logged.index} />
      {checked.event !== null && (
        <details className={styles.raw}>
          <summary>{copy.eventText}</summary>
          <Fields record={checked.event} />
        </details>
      )}
      <div className={styles.actions}>
        <CopyButton text={location.href} label={copy.permalink} size='small' />
        {isOwner && <SaveReceipt api={api} eventId={logged.eventId} />}
      </div>
    </Dialog>
  )
}

/** When, who, what: in words, before the record itself. */
function Summary({ shown: { logged, checked } }: { shown: ShownEvent }) {
  const copy = useCopy(auditor)
  const facts = [
    { name: copy.columnTime, value: <Time atMs={logged.atMs} style='utc' /> },
    { name: copy.columnWho, value: whoOf(copy, checked.event, namesOf(copy, [checked])) },
    { name: copy.columnWhat, value: whatOf(copy, checked.event) },
  ]
  return <Facts facts={facts.filter(({ value }) => value !== '')} />
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

/** The path as a ladder from the leaf up: on which side each neighbour stands follows from the index. */
function ProofPath({ path, index }: { path: readonly string[], index: number }) {
  return (
    <ol className={styles.path}>
      {path.map((hash, level) => (
        <li key={level} data-side={isRight(index, level) ? 'left' : 'right'}><Hash value={hash} what={String(level)} /></li>
      ))}
    </ol>
  )
}

/** Sizes here stay below 2^53, so division is exact. */
function isRight(index: number, level: number): boolean {
  return Math.floor(index / 2 ** level) % 2 === 1
}

function SaveReceipt({ api, eventId }: { api: Api, eventId: string }) {
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
