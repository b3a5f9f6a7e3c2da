/**
 * An export, a receipt or an evidence pack, dropped here and checked in this browser: no account, nothing sent. An
 * export alone becomes a table; everything else is told as the verifier tells it (web/verify).
 */
import { useState } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { verify } from '../copy/verify.js'
import { attempt, type CheckedLog, type CheckedReceipt, type CryptoWorker } from '../crypto.js'
import { checkFiles } from '../evidence/evidence-worker.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { useSession } from '../session.js'
import { startWorker } from '../trusted-worker.js'
import { DropZone } from '../ui/DropZone.js'
import { ErrorState } from '../ui/ErrorState.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { Page, PageHeading } from '../ui/Page.js'
import { Table } from '../ui/Table.js'
import { TextField } from '../ui/TextField.js'
import type { CheckedGroup } from '../verify/check-here.js'
import { readFiles } from '../verify/read-files.js'
import { ReportView } from '../verify/ReportView.js'
import { fieldOf } from './pages.js'
import { Proof, typeWords } from './EventTable.js'
import styles from './auditor.module.css'
import { namesOf, whatOf, whoOf } from './who.js'

/** More than any export that this browser could hold. */
const MAX_FILE_SIZE_BYTES = 256 * 1024 * 1024

/** A page is not a spreadsheet: the rest is in the file, and in the CSV. */
const MAX_SHOWN_COUNT = 500

/** Whose word it is that the key is the log's. */
type KeyFrom = 'typed' | 'file' | 'server'

type Found = { readonly keyFrom: KeyFrom } & (
  | { readonly kind: 'export', readonly log: CheckedLog }
  | { readonly kind: 'receipt', readonly receipt: CheckedReceipt }
)

/** A pack, or files that belong together; one of these alone is shown by its own kind. */
const SINGLE = /\.(?:json|tlog-proof)$/i

type State =
  | { readonly step: 'asking' }
  | { readonly step: 'checking' }
  | { readonly step: 'bad', readonly code: Failure }
  | { readonly step: 'good', readonly found: Found }
  | { readonly step: 'told', readonly groups: readonly CheckedGroup[] }

export function CheckFile() {
  const copy = useCopy(auditor)
  const told = useCopy(verify)
  const words = useFailureWords()
  const { crypto, config } = useSession()
  const [vkey, setVkey] = useState('')
  const [state, setState] = useState<State>({ step: 'asking' })

  async function onFiles(files: readonly File[]): Promise<void> {
    const [file] = files
    if (file === undefined) return
    if (files.length > 1 || !SINGLE.test(file.name)) {
      setState({ step: 'checking' })
      return setState(await checkTogether(files, vkey))
    }
    if (file.size > MAX_FILE_SIZE_BYTES) return setState({ step: 'bad', code: 'too-large' })
    setState({ step: 'checking' })
    const text = await file.text()
    const found = await attempt(() => check(crypto, { text, vkey: vkey.trim(), ownVkey: config?.logVkey ?? '' }))
    setState(found.ok ? { step: 'good', found: found.value } : { step: 'bad', code: found.code })
  }

  return (
    <Page title={copy.checkTitle} homeHref='/' seal={state.step === 'good' ? 'checked' : 'closed'}>
      <PageHeading lead={copy.checkLead}>{copy.checkTitle}</PageHeading>
      <div className={styles.form}>
        <TextField
          label={copy.checkKey} hint={copy.checkKeyHint} value={vkey} onValueChange={setVkey}
          isOptional spellCheck={false}
        />
        <DropZone
          title={copy.checkDrop} buttonLabel={copy.checkButton} dropLabel={copy.checkDrop} accept='.zip,.json,.tlog-proof,.txt' isMultiple
          onFiles={(files) => void onFiles(files)}
        />
      </div>
      {state.step === 'checking' && <LoadingState label={copy.checking} />}
      {state.step === 'bad' && <ErrorState title={copy.checkBad} code={state.code}>{words(state.code)}</ErrorState>}
      {state.step === 'good' && <Shown found={state.found} />}
      {state.step === 'told' && state.groups.map(({ name, report }) =>
        <ReportView key={name ?? ''} title={name ?? told.looseFiles} report={report} />)}
      <p className={styles.quiet}><a href='/verify.html'>{told.takeAlong}</a></p>
    </Page>
  )
}

async function checkTogether(files: readonly File[], vkey: string): Promise<State> {
  const read = await readFiles(files)
  if (typeof read === 'string') return { step: 'bad', code: read === 'tooLarge' ? 'too-large' : 'malformed-encoding' }
  const checked = await checkFiles(startWorker, { files: read, trust: vkey })
  return checked.ok ? { step: 'told', groups: checked.value } : { step: 'bad', code: checked.code }
}

async function check(
  crypto: CryptoWorker, { text, vkey, ownVkey }: { text: string, vkey: string, ownVkey: string },
): Promise<Found> {
  const isTyped = vkey !== ''
  if (text.startsWith('c2sp.org/tlog-proof@v1\n')) {
    const logVkey = isTyped ? vkey : ownVkey
    const receipt = await crypto.checkReceipt({ logVkey, proof: text })
    return { kind: 'receipt', receipt, keyFrom: isTyped ? 'typed' : 'server' }
  }
  const log = await crypto.checkExport({ text, logVkey: isTyped ? vkey : null })
  return { kind: 'export', log, keyFrom: isTyped ? 'typed' : 'file' }
}

function Shown({ found }: { found: Found }) {
  const copy = useCopy(auditor)
  if (found.kind === 'export') return <ShownExport log={found.log} keyFrom={found.keyFrom} />
  const { index, treeSize, event } = found.receipt
  const facts = [
    { name: copy.columnEvent, value: typeWords(copy.events, fieldOf(event, 'type')) },
    ...['at', 'vault', 'party', 'actor'].map((name) => ({ name, value: fieldOf(event, name) })),
  ]
  return (
    <Notice tone='seal' title={copy.checkGood} isLive>
      <p>{copy.checkReceipt(index, treeSize)} {copy.keyFrom[found.keyFrom]}</p>
      <Facts facts={facts.filter(({ value }) => value !== '')} />
    </Notice>
  )
}

function ShownExport({ log, keyFrom }: { log: CheckedLog, keyFrom: KeyFrom }) {
  const copy = useCopy(auditor)
  const hiddenCount = Math.max(0, log.events.length - MAX_SHOWN_COUNT)
  return (
    <>
      <Notice tone={log.findings.length === 0 ? 'seal' : 'warn'} title={copy.checkGood} isLive>
        <p>{copy.verified(log.events.length, log.treeSize)} {copy.keyFrom[keyFrom]}</p>
        <Facts
          facts={[
            { name: copy.signedBy, value: log.origin },
            { name: copy.checkpoint, value: <Hash value={log.rootHash} what={copy.checkpoint} /> },
          ]}
        />
        {log.findings.length > 0 && <p>{copy.findings(log.findings.length)}</p>}
        <ul>
          {log.findings.map(({ kind, index }) => (
            <li key={`${kind}/${index}`}>{copy.eventTitle(index)}: {copy.oddBody[kind]}</li>
          ))}
        </ul>
      </Notice>
      <ExportTable log={log} />
      {hiddenCount > 0 && <p className={styles.quiet}>{copy.moreInFile(hiddenCount)}</p>}
    </>
  )
}

function ExportTable({ log }: { log: CheckedLog }) {
  const copy = useCopy(auditor)
  const names = namesOf(copy, log.events)
  return (
    <Table
      label={copy.logTitle} rows={log.events.slice(0, MAX_SHOWN_COUNT)}
      rowId={({ index }) => String(index)} empty={null}
      columns={[
        { id: 'index', title: copy.columnIndex, align: 'end', cell: ({ index }) => index },
        { id: 'time', title: copy.columnTime, cell: ({ event }) => fieldOf(event, 'at') },
        {
          id: 'event', title: copy.columnEvent, isRowHeader: true,
          cell: ({ event }) => typeWords(copy.events, fieldOf(event, 'type')) || copy.erased,
        },
        { id: 'who', title: copy.columnWho, cell: ({ event }) => <span className={styles.wrap}>{whoOf(copy, event, names)}</span> },
        { id: 'what', title: copy.columnWhat, cell: ({ event }) => whatOf(copy, event) },
        { id: 'proof', title: copy.columnProof, cell: (event) => <Proof {...event} /> },
      ]}
    />
  )
}
