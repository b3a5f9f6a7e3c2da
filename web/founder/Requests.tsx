/**
 * Signed requests that wait for the founder. *Let in* has the worker check signature and device against
 * her own grant, and only then makes the headers: a server that invents a signer gets nothing.
 */
import { useState } from 'react'
import { Link } from 'react-router'
import type { AccessRequest, VaultDetail } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt } from '../crypto.js'
import { useFailureWords } from '../failure-words.js'
import { useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Notice } from '../ui/Notice.js'
import { Tag } from '../ui/Tag.js'
import { Time } from '../ui/Time.js'
import { showToast } from '../ui/Toasts.js'
import styles from './founder.module.css'
import { useAct, useLoaded, type Result } from './loaded.js'
import { openLabel } from './vault.js'
import { currentVersions } from './versions.js'

interface Waiting {
  readonly request: AccessRequest
  readonly vaultTitle: string
  readonly linkName: string
}

interface RequestsProps {
  /** One vault's alone. */
  readonly vaultId?: string
  readonly onChanged: () => void
}

export function Requests({ vaultId, onChanged }: RequestsProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const { state, reload } = useLoaded('requests', () => listWaiting(tools, copy.unreadable))

  function onSettled(): void {
    reload()
    onChanged()
  }

  if (state.step === 'loading') return null
  if (state.step === 'failed') return <Notice tone='fail' actions={<Button size='small' onClick={reload}>{copy.retry}</Button>}>{copy.requestsFailed} {words(state.code)}</Notice>
  const waiting = state.value.filter(
    ({ request }) => vaultId === undefined || request.vaultId === vaultId
  )
  if (waiting.length === 0) return null
  return (
    <Card title={copy.waitingForYou} aside={<Tag tone='warn' icon='clock'>{copy.waitingCount(waiting.length)}</Tag>}>
      <ul className={styles.requests} role='list'>
        {waiting.map((one) => (
          <li key={one.request.acceptanceId}>
            <Request waiting={one} isInVault={vaultId !== undefined} onSettled={onSettled} />
          </li>
        ))}
      </ul>
    </Card>
  )
}

async function listWaiting(
  tools: SessionTools, unreadable: string,
): Promise<Result<readonly Waiting[]>> {
  const listed = await tools.api.listRequests()
  if (!listed.ok) return listed
  const waiting = listed.value.requests.map(async (request) => ({
    request,
    vaultTitle: await openLabel(tools, request.vaultTitleSealed, `vault-title:${request.vaultId}`) ?? unreadable,
    linkName: await openLabel(tools, request.grantNameSealed, `grant-name:${request.grantId}`) ?? unreadable,
  }))
  return { ok: true, value: await Promise.all(waiting) }
}

interface RequestProps {
  readonly waiting: Waiting
  readonly isInVault: boolean
  readonly onSettled: () => void
}

function Request({ waiting, isInVault, onSettled }: RequestProps) {
  const copy = useCopy(founder)
  const { request, vaultTitle, linkName } = waiting
  return (
    <div className={styles.request}>
      <div className={styles.requestWords}>
        <span className={styles.requestName}>{request.name}</span>
        {request.email !== null && <span className={styles.quiet}>{request.email}</span>}
        <span className={styles.quiet}>
          {copy.signedNda} {!isInVault && <><Link to={`/vaults/${request.vaultId}`}>{vaultTitle}</Link> · </>}{copy.throughLink(linkName)} · <Time atMs={request.signedAtMs} />
        </span>
      </div>
      <Decide request={request} onSettled={onSettled} />
    </div>
  )
}

function Decide({ request, onSettled }: { request: AccessRequest, onSettled: () => void }) {
  const copy = useCopy(founder)
  const tools = useSession()
  const letting = useAct()
  const declining = useAct()
  const [isAsking, setAsking] = useState(false)

  async function onLetIn(): Promise<void> {
    const done = await letting.run(() => letIn(tools, request))
    if (done?.ok !== true) return
    showToast({ tone: 'seal', text: copy.letInDone(request.name) })
    onSettled()
  }

  async function onDecline(): Promise<void> {
    const done = await declining.run(() => tools.api.deny(request.acceptanceId))
    if (done?.ok !== true) return
    setAsking(false)
    showToast({ text: copy.declineDone(request.name) })
    onSettled()
  }

  return (
    <>
      <div className={styles.acts}>
        <Button variant='primary' size='small' isBusy={letting.isBusy} onClick={onLetIn}>{copy.letIn(request.name)}</Button>
        <Button variant='quiet' size='small' aria-label={`${copy.decline}: ${request.name}`} onClick={() => { declining.clear(); setAsking(true) }}>{copy.decline}</Button>
      </div>
      {letting.error !== undefined && <Notice tone='fail' isLive>{letting.error}</Notice>}
      <ConfirmDialog
        isOpen={isAsking} title={copy.declineTitle(request.name)} confirmLabel={copy.decline}
        isDestructive
        isBusy={declining.isBusy} error={declining.error} onConfirm={onDecline}
        onClose={() => setAsking(false)}
      >
        <p>{copy.declineText(request.name)}</p>
      </ConfirmDialog>
    </>
  )
}

async function letIn(tools: SessionTools, request: AccessRequest): Promise<Result<null>> {
  const { api, crypto } = tools
  const vault = await api.readVault(request.vaultId)
  if (!vault.ok) return vault
  const summary = vault.value.grants.find(({ grantId }) => grantId === request.grantId)
  if (summary === undefined) return { ok: false, code: 'grant-not-found' }
  const versions = versionsOf(vault.value)
  const made = await attempt(
    () => crypto.approve({ vaultId: request.vaultId, summary, request, versions })
  )
  return made.ok ? await api.approve(request.acceptanceId, made.value) : made
}

function versionsOf({ documents }: VaultDetail) {
  return currentVersions(documents.map(({ documentId, versions }) => ({ documentId, name: '', versions })))
}
