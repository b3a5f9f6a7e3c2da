/** The vaults that this account audits, and one of them. */
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import type { AuditedVault } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { readRemembered } from '../remembered.js'
import { useSession } from '../session.js'
import { buttonClass } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Page, PageHeading } from '../ui/Page.js'
import { Tag } from '../ui/Tag.js'
import { Timeline } from './Timeline.js'
import styles from './auditor.module.css'

type State = { readonly step: 'loading' } | { readonly step: 'failed', readonly code: Failure } | { readonly step: 'shown', readonly vaults: readonly AuditedVault[] }

export function Audits() {
  const copy = useCopy(auditor)
  const state = useAudits()
  return (
    <Page title={copy.auditsTitle} homeHref='/vaults' seal='checked'>
      <PageHeading lead={copy.auditsLead}>{copy.auditsTitle}</PageHeading>
      <Listed state={state} />
    </Page>
  )
}

function Listed({ state }: { state: State }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (state.step === 'loading') return <LoadingState />
  if (state.step === 'failed') return <ErrorState title={words(state.code)} code={state.code} />
  if (state.vaults.length === 0) {
    return (
      <EmptyState title={copy.noAudits}>
        {copy.noAuditsBody}
      </EmptyState>
    )
  }
  return (
    <div className={styles.cards}>
      {state.vaults.map((vault) => (
        <Card
          key={vault.invitationId} title={copy.vaultOf(vault.founderName)}
          footer={<Link className={buttonClass({ variant: 'primary', size: undefined, isWide: undefined })} to={`/audits/${vault.vaultId}`}>{copy.open}</Link>}
        >
          <p>{copy.eventCount(vault.eventCount)}</p>
          <Tag>{vault.withIdentities ? copy.withIdentities : copy.pseudonyms}</Tag>
        </Card>
      ))}
    </div>
  )
}

/** One audited vault: its log, checked against the key that the invitation pinned. */
export function Audit() {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const { vaultId = '' } = useParams()
  const state = useAudits()
  const vault = state.step === 'shown' ? state.vaults.find((one) => one.vaultId === vaultId) : undefined
  const title = vault === undefined ? copy.logTitle : copy.vaultOf(vault.founderName)
  return (
    <Page title={title} homeHref='/audits' seal='checked'>
      <PageHeading>{title}</PageHeading>
      {state.step === 'loading' && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} />}
      {state.step === 'shown' && vault === undefined && <ErrorState title={words('vault-not-found')} code='vault-not-found' />}
      {vault !== undefined && <Timeline
        vaultId={vault.vaultId} logVkey={pinnedKey(vault)} isOwner={false}
                              />}
    </Page>
  )
}

/** What the invitation pinned counts, whatever the server says today ([Note: Pinned by the invitation]). */
function pinnedKey(vault: AuditedVault): string {
  return readRemembered(`log-of-${vault.vaultId}`) ?? vault.logVkey
}

function useAudits(): State {
  const { api } = useSession()
  const [state, setState] = useState<State>({ step: 'loading' })
  useEffect(() => {
    void api.listAuditedVaults().then((list) =>
      setState(list.ok ? { step: 'shown', vaults: list.value.vaults } : { step: 'failed', code: list.code }))
  }, [api])
  return state
}
