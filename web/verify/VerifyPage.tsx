/** Drop files, name whom you believe, read what holds. The screen of verify.html; who checks is passed in. */
import { useState } from 'react'
import type { PackFile } from '../../protocol/evidence/zip.js'
import { useCopy } from '../copy.js'
import { verify } from '../copy/verify.js'
import { Button } from '../ui/Button.js'
import { DropZone } from '../ui/DropZone.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { Page, PageHeading } from '../ui/Page.js'
import { TextArea } from '../ui/TextArea.js'
import type { CheckedGroup, CheckInput } from './check-here.js'
import { readFiles } from './read-files.js'
import { ReportView } from './ReportView.js'
import styles from './verify.module.css'

type Problem = 'tooLarge' | 'unreadable' | 'badTrust' | 'unavailable'

type State =
  | { readonly step: 'asking' }
  | { readonly step: 'checking' }
  | { readonly step: 'stopped', readonly problem: Problem }
  | { readonly step: 'checked', readonly groups: readonly CheckedGroup[] }

interface VerifyPageProps {
  readonly check: (input: CheckInput) => Promise<readonly CheckedGroup[]>
}

export function VerifyPage({ check }: VerifyPageProps) {
  const copy = useCopy(verify)
  const [files, setFiles] = useState<readonly PackFile[]>([])
  const [trust, setTrust] = useState('')
  const [state, setState] = useState<State>({ step: 'asking' })

  async function run(all: readonly PackFile[], believed: string): Promise<void> {
    setState({ step: 'checking' })
    await painted()
    setState(await checkAll(check, { files: all, trust: believed }))
  }

  async function onFiles(dropped: readonly File[]): Promise<void> {
    const read = await readFiles(dropped)
    if (typeof read === 'string') return setState({ step: 'stopped', problem: read })
    const all = [...files.filter(({ name }) => !read.some((file) => file.name === name)), ...read]
    setFiles(all)
    await run(all, trust)
  }

  function onAgain(): void {
    setFiles([])
    setState({ step: 'asking' })
  }

  return (
    <Page title={copy.title} width='column' seal={isSound(state) ? 'checked' : 'closed'}>
      <PageHeading lead={copy.lead}>{copy.title}</PageHeading>
      <DropZone
        title={copy.drop} hint={copy.dropHint} buttonLabel={copy.choose} dropLabel={copy.drop}
        isMultiple onFiles={(dropped) => void onFiles(dropped)}
      />
      <TextArea
        label={copy.trustLabel} hint={copy.trustHint} value={trust} onValueChange={setTrust}
        isOptional rows={2} spellCheck={false}
        onBlur={() => { if (files.length > 0) void run(files, trust) }}
      />
      <Outcome state={state} />
      {files.length > 0 && state.step !== 'checking' && (
        <div className={styles.actions}>
          <Button icon='upload' onClick={onAgain}>{copy.again}</Button>
          <Button variant='quiet' onClick={() => print()}>{copy.print}</Button>
        </div>
      )}
    </Page>
  )
}

function Outcome({ state }: { state: State }) {
  const copy = useCopy(verify)
  if (state.step === 'checking') return <LoadingState label={copy.checking} />
  if (state.step === 'stopped') return <Notice tone='fail' isLive>{copy[state.problem]}</Notice>
  if (state.step === 'asking') return null
  return state.groups.map(({ name, report }) =>
    <ReportView key={name ?? ''} title={name ?? copy.looseFiles} report={report} />)
}

function isSound(state: State): boolean {
  return state.step === 'checked' && state.groups.every(({ report }) => report.outcome === 'verified')
}

async function checkAll(check: VerifyPageProps['check'], input: CheckInput): Promise<State> {
  try {
    return { step: 'checked', groups: await check(input) }
  } catch (error) {
    const isTyped = error instanceof Error && /^malformed-/.test(error.message)
    return { step: 'stopped', problem: isTyped ? 'badTrust' : 'unavailable' }
  }
}

/** Lets the browser show that work has begun: a large pack keeps the page busy for a while. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 50)
  })
}
