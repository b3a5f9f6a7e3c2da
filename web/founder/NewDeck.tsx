/** From a dropped file to a sealed deck: look at it, draw the lock line, seal and upload. */
import { useEffect, useState, type ReactNode } from 'react'
import { useNavigate, useParams } from 'react-router'
import type { Config, StoredVersion } from '../../protocol/api.js'
import { MAX_TITLE_LENGTH } from '../../protocol/limits.js'
import { useCopy, useLocale } from '../copy.js'
import { founder } from '../copy/founder.js'
import { formatBytes } from '../copy/language.js'
import { useFailureWords } from '../failure-words.js'
import { useAccount, useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { ChoiceGroup } from '../ui/ChoiceGroup.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Progress } from '../ui/Progress.js'
import { TextField } from '../ui/TextField.js'
import { DeckDrop, RecoveryDue } from './DeckDrop.js'
import { useDropped } from './dropped.js'
import { FounderPage, useLeaveGuard } from './FounderPage.js'
import styles from './founder.module.css'
import { rememberLine } from './interrupted.js'
import { useLoaded } from './loaded.js'
import { LockLine } from './LockLine.js'
import type { KeepReason } from '../../protocol/pdf/prepare.js'
import { newPlace, planUpload, suggestTerms, type Mode, type Place, type Terms } from './plan-deck.js'
import type { PreparedDeck, Refused } from './prepare-deck.js'
import { UploadBars, useUploadWords } from './UploadBars.js'
import { usePreparation } from './use-preparation.js'
import { useUpload } from './use-upload.js'
import { ApprovalNotice, useServing } from './serving.js'
import { readOwnVault, type OwnVault } from './vault.js'
import { newestOf } from './versions.js'

export function NewDeck() {
  const copy = useCopy(founder)
  const navigate = useNavigate()
  const { clear } = useDropped()
  const [place] = useState(newPlace)

  async function onStored(): Promise<void> {
    clear()
    await navigate(`/vaults/${place.vaultId}?link=new`, { replace: true })
  }

  return (
    <FounderPage title={copy.newDeck} seal='open'>
      <Dropped title={copy.newDeck} place={place} onStored={onStored} />
    </FounderPage>
  )
}

export function NewVersion() {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const { vaultId = '', documentId = '' } = useParams()
  const { state, reload } = useLoaded(vaultId, () => readOwnVault(tools, vaultId, copy.unreadable))
  return (
    <FounderPage title={copy.newVersion} seal='open'>
      {state.step === 'loading' && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />}
      {state.step === 'here' && <VersionOf vault={state.value} documentId={documentId} />}
    </FounderPage>
  )
}

function VersionOf({ vault, documentId }: { vault: OwnVault, documentId: string }) {
  const copy = useCopy(founder)
  const navigate = useNavigate()
  const { clear } = useDropped()
  const document = vault.documents.find((one) => one.documentId === documentId) ?? null
  const { serve, unserved } = useServing(vault, async () => {
    clear()
    await navigate(`/vaults/${vault.vaultId}`, { replace: true })
  })

  if (unserved !== null) return unserved
  const place = { vaultId: vault.vaultId, isNewVault: false, documentId, document }
  return (
    <>
      <ApprovalNotice vault={vault} />
      <Dropped
        title={copy.newVersionOf(document?.name ?? vault.title)} place={place} onStored={serve}
      />
    </>
  )
}

interface DroppedProps {
  readonly title: string
  readonly place: Place
  readonly onStored: (versions: readonly StoredVersion[]) => Promise<void>
}

function Dropped(props: DroppedProps) {
  const copy = useCopy(founder)
  const { config } = useSession()
  const account = useAccount()
  const { file, drop, take } = useDropped()
  useEffect(take, [take])
  if (config === null) return <LoadingState />
  if (file === null) {
    return (
      <>
        <PageHeading lead={copy.newDeckLead}>{props.title}</PageHeading>
        {!account.isRecoveryConfirmed && <RecoveryDue />}
        <DeckDrop size='large' onFile={drop} />
      </>
    )
  }
  return <DeckForm key={`${file.name}/${file.size}/${file.lastModified}`} {...props} file={file} config={config} />
}

interface DeckFormProps extends DroppedProps {
  readonly file: File
  readonly config: Config
}

function DeckForm({ title, place, file, config, onStored }: DeckFormProps) {
  const copy = useCopy(founder)
  const { clear } = useDropped()
  const { preparation, preparer, container } = usePreparation(file, config)
  const upload = useUpload((versions) => void onStored(versions))
  const isUnderWay = upload.state.step !== 'idle' && upload.state.step !== 'failed'
  useLeaveGuard(isUnderWay)

  async function onSeal(terms: Terms, sealed: File, deck: PreparedDeck | null): Promise<void> {
    const preparing = preparer.current
    if (preparing === null) return
    rememberLine(place.documentId, terms.openCount)
    await upload.start(
      () => planUpload(place, { file: sealed, deck, preparation: preparing }, terms)
    )
  }

  return (
    <>
      <div ref={container} className={styles.preparer} aria-hidden='true' inert />
      <PageHeading lead={<FileLine file={file} />}>{title}</PageHeading>
      {'code' in upload.state && upload.state.step === 'failed' && <Failed code={upload.state.code} />}
      {upload.state.step !== 'idle' && upload.state.step !== 'failed' && (
        <UploadBars
          title={copy.sealingTitle} state={upload.state} onGoOn={upload.goOn}
          onCancel={upload.cancel}
        />
      )}
      <div hidden={isUnderWay} className={styles.stack}>
        {preparation.step === 'reading' && <Card><Progress bars={[{ label: copy.reading, share: null }]} /></Card>}
        {preparation.step === 'refused' && <RefusedFile reason={preparation.reason} config={config} onOther={clear} />}
        {preparation.step === 'file' && <Choosing file={preparation.file} place={place} deck={null} onSeal={onSeal} onOther={clear} />}
        {preparation.step === 'deck' && <Choosing file={preparation.deck.file} place={place} deck={preparation.deck} onSeal={onSeal} onOther={clear} />}
      </div>
    </>
  )
}

function FileLine({ file }: { file: File }) {
  const { locale } = useLocale()
  return <span className={styles.breaking}>{file.name} · {formatBytes(locale, file.size)}</span>
}

function Failed({ code }: { code: Parameters<ReturnType<typeof useUploadWords>>[0] }) {
  const copy = useCopy(founder)
  const words = useUploadWords()
  return <Notice tone='fail' title={copy.notSealed} isLive>{words(code)}</Notice>
}

function RefusedFile(
  { reason, config, onOther }: { reason: Refused, config: Config, onOther: () => void }
) {
  const copy = useCopy(founder)
  const { locale } = useLocale()
  const limit = formatBytes(locale, config.maxFileSizeBytes)
  return (
    <Card>
      <ErrorState title={copy.refusedTitle[reason]} actions={<Button variant='primary' onClick={onOther}>{copy.otherFile}</Button>}>
        <p>{reason === 'too-large' ? copy.refusedTooLarge(limit) : copy.refused[reason]}</p>
      </ErrorState>
    </Card>
  )
}

interface ChoosingProps {
  readonly file: File
  readonly place: Place
  readonly deck: PreparedDeck | null
  readonly onSeal: (terms: Terms, file: File, deck: PreparedDeck | null) => Promise<void>
  readonly onOther: () => void
}

function Choosing({ file, place, deck, onSeal, onOther }: ChoosingProps) {
  const copy = useCopy(founder)
  const { isRecoveryConfirmed } = useAccount()
  const pageCount = deck?.pageSizes.length ?? 0
  const noLine = noLineReason(deck)
  const [terms, setTerms] = useState<Terms>(
    () => initialTerms(file, place, noLine === null ? pageCount : 0)
  )
  const isReady = deck === null || deck.isDrawn
  const drawnCount = deck?.thumbnails.filter((one) => one !== null).length ?? 0
  const titleError = terms.title.trim() === '' ? copy.titleMissing : undefined

  function onMove(openCount: number): void {
    const mode: Mode = openCount === 0 ? 'all-nda' : openCount === pageCount ? 'all-email' : 'line'
    setTerms({ ...terms, mode, openCount: mode === 'line' ? openCount : terms.openCount })
  }

  const shownCount = { line: terms.openCount, 'all-nda': 0, 'all-email': pageCount, 'all-link': pageCount }[terms.mode]
  return (
    <>
      {deck === null && <Notice title={copy.notPdfTitle}>{copy.notPdf}</Notice>}
      {noLine !== null && deck !== null && (
        <Notice title={copy.noLineTitle}>{copy.noLine[noLine]}</Notice>
      )}
      {deck !== null && (
        <section className={styles.stack} aria-label={copy.slides}>
          {noLine === null && <p className={styles.lineWords} aria-hidden='true'>{copy.lineValue(shownCount, pageCount)}</p>}
          <LockLine
            thumbnails={deck.thumbnails} openCount={shownCount}
            onMove={noLine === null ? onMove : null}
          />
        </section>
      )}
      <TermsCard
        terms={terms} place={place} hasLine={noLine === null && deck !== null}
        titleError={titleError} onTerms={setTerms}
      />
      <div className={styles.sticky}>
        {!isRecoveryConfirmed && <RecoveryDue />}
        <div className={styles.acts}>
          <Button
            variant='primary' icon='shield' isBusy={!isReady} disabled={titleError !== undefined || !isRecoveryConfirmed}
            onClick={() => onSeal(terms, file, deck)}
          >
            {isReady ? copy.sealAndUpload : copy.drawing(drawnCount, pageCount)}
          </Button>
          <Button variant='quiet' onClick={onOther}>{copy.otherFile}</Button>
        </div>
      </div>
    </>
  )
}

type NoLine = KeepReason | 'one-page'

function noLineReason(deck: PreparedDeck | null): NoLine | null {
  if (deck === null) return null
  if (deck.keptReason !== null) return deck.keptReason
  return deck.pageSizes.length < 2 ? 'one-page' : null
}

/** A new version begins where the one before it stood. */
function initialTerms(file: File, { document }: Place, pageCount: number): Terms {
  const suggested = suggestTerms(file.name, pageCount)
  if (document === null) return suggested
  const [open, whole] = [newestOf(document.versions, 1), newestOf(document.versions, 0)]
  const wholeMode = { nda: 'all-nda', email: 'all-email', link: 'all-link' } as const
  const hasLine = open !== null && whole?.gate === 'nda' && pageCount > 1
  return {
    ...suggested, title: document.name, openGate: open?.gate === 'link' ? 'link' : 'email',
    mode: hasLine ? 'line' : wholeMode[whole?.gate ?? 'nda'],
  }
}

interface TermsCardProps {
  readonly terms: Terms
  readonly place: Place
  readonly hasLine: boolean
  readonly titleError: string | undefined
  readonly onTerms: (terms: Terms) => void
}

function TermsCard({ terms, place, hasLine, titleError, onTerms }: TermsCardProps) {
  const copy = useCopy(founder)
  const modes: readonly Mode[] = hasLine ? ['line', 'all-nda', 'all-email', 'all-link'] : ['all-nda', 'all-email', 'all-link']
  const losesLine = place.document !== null && newestOf(place.document.versions, 1) !== null && terms.mode !== 'line'
  return (
    <Card>
      <TextField
        label={copy.deckTitle} hint={copy.deckTitleHint} value={terms.title}
        maxLength={MAX_TITLE_LENGTH} error={titleError}
        onValueChange={(title) => onTerms({ ...terms, title })}
      />
      <div className={styles.choices}>
        <ChoiceGroup
          legend={copy.whoOpens} value={terms.mode}
          onValueChange={(mode) => onTerms({ ...terms, mode })}
          choices={modes.map((mode) => ({ value: mode, ...copy.modes[mode] }))}
        />
        {terms.mode === 'line' && (
          <ChoiceGroup
            legend={copy.whoOpensOpen} value={terms.openGate}
            onValueChange={(openGate) => onTerms({ ...terms, openGate })}
            choices={(['email', 'link'] as const).map((gate) => ({ value: gate, ...copy.openGates[gate] }))}
          />
        )}
      </div>
      {losesLine && <LineLost />}
    </Card>
  )
}

function LineLost(): ReactNode {
  const copy = useCopy(founder)
  return <Notice tone='warn'>{copy.lineLost}</Notice>
}
