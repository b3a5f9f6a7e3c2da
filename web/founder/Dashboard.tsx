/** The founder's first screen: who waits for her, her decks, and where the next one is dropped. */
import { useEffect } from 'react'
import { Link, Navigate, useNavigate } from 'react-router'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useFailureWords } from '../failure-words.js'
import { useAccount, useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { PageHeading } from '../ui/Page.js'
import { Tag } from '../ui/Tag.js'
import { Time } from '../ui/Time.js'
import { Cover } from './Cover.js'
import { DeckDrop, RecoveryDue } from './DeckDrop.js'
import { useDropped, useLetGo } from './dropped.js'
import { FounderPage } from './FounderPage.js'
import styles from './founder.module.css'
import { useLoaded } from './loaded.js'
import { Requests } from './Requests.js'
import { Unfinished } from './Unfinished.js'
import { listOwnVaults, type VaultCard } from './vault.js'
import { Watch } from './Watch.js'

export function Dashboard() {
  const copy = useCopy(founder)
  const tools = useSession()
  const account = useAccount()
  const navigate = useNavigate()
  const { file, isHeld, drop, hold } = useDropped()
  const { state, reload } = useLoaded('vaults', () => listOwnVaults(tools, copy.unreadable))
  useReloadOnReturn(reload)
  useLetGo()

  function onFile(dropped: File): void {
    drop(dropped)
    if (account.isRecoveryConfirmed) return void navigate('/vaults/new')
    // The recovery code comes first; the file waits in this tab's memory.
    hold()
    void navigate('/account/recovery-code')
  }

  // Back from the recovery code: the file that led there is taken up again.
  if (file !== null && isHeld && account.isRecoveryConfirmed) return <Navigate to='/vaults/new' replace />
  return (
    <FounderPage title={copy.decks}>
      <PageHeading lead={copy.decksLead}>{copy.decks}</PageHeading>
      {!account.isRecoveryConfirmed && <RecoveryDue hasFile={file !== null} />}
      <Watch titles={titlesOf(state)} />
      <Requests onChanged={reload} />
      <Decks state={state} reload={reload} />
      <DeckDrop onFile={onFile} {...(state.step === 'here' && state.value.length === 0 && { size: 'large' as const })} />
    </FounderPage>
  )
}

function titlesOf(state: DecksProps['state']): ReadonlyMap<string, string> {
  if (state.step !== 'here') return new Map()
  return new Map(state.value.map(({ summary, title }) => [summary.vaultId, title]))
}

/** Somebody may have signed while the tab lay in the background. */
function useReloadOnReturn(reload: () => void): void {
  useEffect(() => {
    const look = (): void => { if (document.visibilityState === 'visible') reload() }
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [reload])
}

interface DecksProps {
  readonly state: ReturnType<typeof useLoaded<readonly VaultCard[]>>['state']
  readonly reload: () => void
}

function Decks({ state, reload }: DecksProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  if (state.step === 'loading') return <Card><LoadingState label={copy.decksLoading} /></Card>
  if (state.step === 'failed') {
    return (
      <Card>
        <ErrorState
          title={words(state.code)} code={state.code}
          actions={<Button onClick={reload}>{copy.retry}</Button>}
        />
      </Card>
    )
  }
  if (state.value.length === 0) {
    return <Card><EmptyState icon='slides' title={copy.noDecksTitle}>{copy.noDecks}</EmptyState></Card>
  }
  const sealed = state.value.filter(({ summary }) => summary.versionCount > 0)
  const begun = state.value.filter(({ summary }) => summary.versionCount === 0)
  return (
    <>
      {begun.length > 0 && <Unfinished vaults={begun} onChanged={reload} />}
      {sealed.length > 0 && (
        <ul className={styles.cards} role='list' aria-label={copy.decks}>
          {sealed.map((card) => <li key={card.summary.vaultId}><DeckCard card={card} /></li>)}
        </ul>
      )}
    </>
  )
}

function DeckCard({ card: { summary, title } }: { card: VaultCard }) {
  const copy = useCopy(founder)
  const {
    vaultId, liveGrantCount, personCount, awaitingCount, lastEventAtMs, createdAtMs,
  } = summary
  return (
    <Link className={styles.deckCard} to={`/vaults/${vaultId}`}>
      <Cover vaultId={vaultId} />
      <span className={styles.deckName}>{title}</span>
      <span className={styles.deckCounts}>
        {copy.linkCount(liveGrantCount)} · {copy.personCount(personCount)}
      </span>
      {awaitingCount > 0 && <span><Tag tone='warn' icon='clock'>{copy.waitingCount(awaitingCount)}</Tag></span>}
      <span className={styles.deckTime}>
        {copy.lastEvent} <Time atMs={lastEventAtMs ?? createdAtMs} />
      </span>
    </Link>
  )
}
