/** The vaults that this account audits, one of them, and the whole instance for whom its operator has named. */
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import type { AuditedVault, AuditedVaultList } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { useSession } from '../session.js'
import { buttonClass } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Tag } from '../ui/Tag.js'
import { AuditPage } from './AuditPage.js'
import styles from './auditor.module.css'
import { pinningOf } from './pins.js'
import { Timeline } from './Timeline.js'

type State =
  | { readonly step: 'loading' }
  | { readonly step: 'failed', readonly code: Failure }
  | { readonly step: 'shown', readonly list: AuditedVaultList }

const OPEN_LOOK = buttonClass({ variant: 'primary', size: undefined, isWide: undefined })

export function Audits() {
  const copy = useCopy(auditor)
  return (
    <AuditPage title={copy.auditsTitle}>
      <PageHeading lead={copy.auditsLead}>{copy.auditsTitle}</PageHeading>
      <Listed state={useAudits()} />
      <p className={styles.quiet}>{copy.checkAlso} <Link to='/check'>{copy.checkTitle}</Link></p>
    </AuditPage>
  )
}

function Listed({ state }: { state: State }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  if (state.step === 'loading') return <LoadingState />
  if (state.step === 'failed') return <ErrorState title={words(state.code)} code={state.code} />
  const { vaults, instance } = state.list
  if (vaults.length === 0 && instance === null) {
    const { noAudits, noAuditsBody } = copy
    return <EmptyState title={noAudits}>{noAuditsBody}</EmptyState>
  }
  return (
    <div className={styles.cards}>
      {instance !== null && (
        <Card
          title={copy.instanceTitle}
          footer={<Link className={OPEN_LOOK} to='/audits/instance'>{copy.open}</Link>}
        >
          <p>{copy.eventCount(instance.eventCount)}</p>
          <div><Tag>{copy.pseudonyms}</Tag></div>
        </Card>
      )}
      {vaults.map((vault) => (
        <Card
          key={vault.invitationId} title={copy.vaultOf(vault.founderName)}
          footer={<Link className={OPEN_LOOK} to={`/audits/${vault.vaultId}`}>{copy.open}</Link>}
        >
          <p>{copy.eventCount(vault.eventCount)}</p>
          <div><Tag>{vault.withIdentities ? copy.withIdentities : copy.pseudonyms}</Tag></div>
        </Card>
      ))}
    </div>
  )
}

/** One audited vault: its log, held against what the invitation pinned. */
export function Audit() {
  const copy = useCopy(auditor)
  const { vaultId = '' } = useParams()
  const state = useAudits()
  const vaults = state.step === 'shown' ? state.list.vaults : []
  const vault = vaults.find((one) => one.vaultId === vaultId)
  const title = vault === undefined ? copy.logTitle : copy.vaultOf(vault.founderName)
  return (
    <AuditPage title={title}>
      <PageHeading>{title}</PageHeading>
      {state.step === 'shown' && vault !== undefined
        ? <Audited vault={vault} />
        : <NotShown state={state} />}
    </AuditPage>
  )
}

/** The log as a whole: every vault's events and the instance's own, as pseudonyms. */
export function InstanceAudit() {
  const copy = useCopy(auditor)
  const state = useAudits()
  const instance = state.step === 'shown' ? state.list.instance : null
  return (
    <AuditPage title={copy.instanceTitle}>
      <PageHeading lead={copy.instanceBody}>{copy.instanceTitle}</PageHeading>
      {instance === null
        ? <NotShown state={state} />
        : <Timeline vaultId={null} logVkey={instance.logVkey} isOwner={false} />}
    </AuditPage>
  )
}

function NotShown({ state }: { state: State }) {
  const words = useFailureWords()
  if (state.step === 'loading') return <LoadingState />
  const code = state.step === 'failed' ? state.code : 'vault-not-found'
  return <ErrorState title={words(code)} code={code} />
}

/** Keys that are not the invitation's stop everything; an invitation that is not known here is said. */
function Audited({ vault }: { vault: AuditedVault }) {
  const copy = useCopy(auditor)
  const pinning = pinningOf(vault, useSession().logVkeys)
  if (pinning === 'mismatch') return <Notice tone='fail' isLive>{copy.inviteMismatch}</Notice>
  return (
    <>
      {pinning === 'unknown' && <Notice tone='warn' title={copy.unpinned}>{copy.unpinnedBody}</Notice>}
      <Timeline vaultId={vault.vaultId} logVkey={vault.logVkey} isOwner={false} />
    </>
  )
}

function useAudits(): State {
  const { api } = useSession()
  const [state, setState] = useState<State>({ step: 'loading' })
  useEffect(() => {
    void api.listAuditedVaults().then((list) => setState(list.ok
      ? { step: 'shown', list: list.value }
      : { step: 'failed', code: list.code }))
  }, [api])
  return state
}
