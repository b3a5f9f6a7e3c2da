/** Takes an interrupted upload up again, in another tab or after a crash: same file, same key, same line. */
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import type { Config } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useFailureWords } from '../failure-words.js'
import { useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Progress } from '../ui/Progress.js'
import { DeckDrop } from './DeckDrop.js'
import { useDropped } from './dropped.js'
import { FounderPage, useLeaveGuard } from './FounderPage.js'
import styles from './founder.module.css'
import { findInterrupted, placeOf, rememberedLine, termsOf, type Interrupted } from './interrupted.js'
import { useLoaded, type Result } from './loaded.js'
import { LockLine } from './LockLine.js'
import { planUpload } from './plan-deck.js'
import type { PreparedDeck } from './prepare-deck.js'
import { UploadBars, useUploadWords } from './UploadBars.js'
import { usePreparation } from './use-preparation.js'
import { useUpload } from './use-upload.js'
import { useServing } from './serving.js'
import { readOwnVault } from './vault.js'

async function findIn(
  tools: SessionTools, vaultId: string, unreadable: string,
): Promise<Result<Interrupted | null>> {
  const vault = await readOwnVault(tools, vaultId, unreadable)
  return vault.ok ? await findInterrupted(tools, vault.value) : vault
}

export function ResumeUpload() {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const { vaultId = '' } = useParams()
  const { file, drop } = useDropped()
  const { state, reload } = useLoaded(
    vaultId, () => findIn(tools, vaultId, copy.unreadable),
  )
  return (
    <FounderPage title={copy.resume} seal='open'>
      {(state.step === 'loading' || tools.config === null) && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />}
      {state.step === 'here' && state.value === null && <EmptyState title={copy.nothingBegun} />}
      {state.step === 'here' && state.value !== null && file === null && (
        <>
          <PageHeading lead={copy.resumeLead}>{copy.resumeOf(state.value.title)}</PageHeading>
          <DeckDrop size='large' onFile={drop} />
        </>
      )}
      {state.step === 'here' && state.value !== null && file !== null && tools.config !== null && (
        <Resuming key={`${file.name}/${file.size}`} found={state.value} file={file} config={tools.config} />
      )}
    </FounderPage>
  )
}

function Resuming({ found, file, config }: { found: Interrupted, file: File, config: Config }) {
  const copy = useCopy(founder)
  const words = useUploadWords()
  const tools = useSession()
  const navigate = useNavigate()
  const { clear } = useDropped()
  const { preparation, preparer, container } = usePreparation(file, config)
  const [openCount, setOpenCount] = useState(() => rememberedLine(found))
  const { serve, unserved } = useServing(found.vault, async () => {
    clear()
    await navigate(`/vaults/${found.vault.vaultId}?link=new`, { replace: true })
  })
  const upload = useUpload((versions) => void serve(versions))
  const isUnderWay = upload.state.step !== 'idle' && upload.state.step !== 'failed'
  useLeaveGuard(isUnderWay)
  const deck = preparation.step === 'deck' ? preparation.deck : null
  const isReady = preparation.step === 'file' || deck?.isDrawn === true
  const hasLine = found.uploads.some(({ part }) => part === 1)

  async function onCancel(): Promise<void> {
    await upload.cancel()
    // A vault with nothing in it is no vault.
    if (found.document === null) await tools.api.removeVault(found.vault.vaultId)
    await navigate('/vaults', { replace: true })
  }

  async function onResume(): Promise<void> {
    const preparing = preparer.current
    if (preparing === null) return
    const sealed = { file: deck?.file ?? file, deck, preparation: preparing }
    await upload.start(
      () => planUpload(placeOf(found), sealed, termsOf(found, openCount), found.uploads)
    )
  }

  if (unserved !== null) return unserved
  return (
    <>
      <div ref={container} className={styles.preparer} aria-hidden='true' inert />
      <PageHeading lead={hasLine ? copy.resumeLine : copy.resumeLead}>
        {copy.resumeOf(found.title)}
      </PageHeading>
      {upload.state.step === 'failed' && (
        <Notice tone='fail' isLive actions={<Button size='small' onClick={clear}>{copy.otherFile}</Button>}>{words(upload.state.code)}</Notice>
      )}
      {upload.state.step !== 'idle' && upload.state.step !== 'failed' && (
        <UploadBars
          title={copy.sealingTitle} state={upload.state} onGoOn={upload.goOn}
          onCancel={onCancel}
        />
      )}
      <div hidden={isUnderWay} className={styles.stack}>
        {preparation.step === 'reading' && <Card><Progress bars={[{ label: copy.reading, share: null }]} /></Card>}
        {preparation.step === 'refused' && <Notice tone='fail' title={copy.refusedTitle[preparation.reason]}>{copy.differentFile}</Notice>}
        {deck !== null && hasLine && (
          <Line deck={deck} openCount={openCount} onMove={setOpenCount} />
        )}
        <div className={styles.acts}>
          <Button variant='primary' isBusy={!isReady && preparation.step !== 'refused'} disabled={preparation.step === 'refused'} onClick={onResume}>{copy.resume}</Button>
          <Button variant='quiet' onClick={clear}>{copy.otherFile}</Button>
        </div>
      </div>
    </>
  )
}

function Line(
  { deck, openCount, onMove }: {
    deck: PreparedDeck, openCount: number, onMove: (openCount: number) => void,
  }
) {
  const copy = useCopy(founder)
  const pageCount = deck.pageSizes.length
  const count = Math.min(Math.max(1, openCount), Math.max(1, pageCount - 1))
  return (
    <section className={styles.stack} aria-label={copy.slides}>
      <p className={styles.lineWords} aria-hidden='true'>{copy.lineValue(count, pageCount)}</p>
      <LockLine thumbnails={deck.thumbnails} openCount={count} onMove={onMove} />
    </section>
  )
}
