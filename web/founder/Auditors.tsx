/** Who may read a vault's log: invited by address, with or without the names of those who came. */
import { useState, type FormEvent } from 'react'
import type { Invitation } from '../../protocol/api.js'
import { MAX_EMAIL_LENGTH } from '../../protocol/limits.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useFailureWords } from '../failure-words.js'
import { useSession, type Session } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { Checkbox } from '../ui/Checkbox.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { CopyButton } from '../ui/CopyButton.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { Table, type TableColumn } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import { TextField } from '../ui/TextField.js'
import { Time } from '../ui/Time.js'
import styles from './founder.module.css'
import { useAct, useLoaded, type Result } from './loaded.js'
import { type OwnVault } from './vault.js'
import { stateOf } from './versions.js'

interface Invited { readonly invitation: Invitation, readonly address: string }

/** The fragment pins her key and the log's, so that no server can show an auditor another log. */
async function withAddress({ crypto, config }: Session, invitation: Invitation): Promise<Invited> {
  const fragment = await crypto.auditorFragment(config?.logVkey ?? '')
  return { invitation, address: `${config?.publicUrl ?? ''}/audit/${invitation.invitationId}#${fragment}` }
}

export function Auditors({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const session = useSession()
  const { state, reload } = useLoaded(vault.vaultId, () => listInvited(session, vault.vaultId))
  const [asked, setAsked] = useState<Invitation | null>(null)
  return (
    <div className={styles.stack}>
      <Invite vaultId={vault.vaultId} onInvited={reload} />
      {state.step === 'loading' && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />}
      {state.step === 'here' && <InvitedTable invited={state.value} onRevoke={setAsked} />}
      {asked !== null && (
        <Withdraw
          invitation={asked} onClose={() => setAsked(null)}
          onDone={() => { setAsked(null); reload() }}
        />
      )}
    </div>
  )
}

async function listInvited(session: Session, vaultId: string): Promise<Result<readonly Invited[]>> {
  const listed = await session.api.listInvitations(vaultId)
  if (!listed.ok) return listed
  return {
    ok: true,
    value: await Promise.all(listed.value.invitations.map((one) => withAddress(session, one))),
  }
}

function Invite({ vaultId, onInvited }: { vaultId: string, onInvited: () => void }) {
  const copy = useCopy(founder)
  const session = useSession()
  const act = useAct()
  const [email, setEmail] = useState('')
  const [withIdentities, setWithIdentities] = useState(true)
  const [isTried, setTried] = useState(false)
  const [made, setMade] = useState<Invited | null>(null)
  const isSound = /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(email.trim())

  async function onInvite(event: FormEvent): Promise<void> {
    event.preventDefault()
    setTried(true)
    if (!isSound) return
    const done = await act.run(
      () => session.api.inviteAuditor(vaultId, { email: email.trim(), withIdentities })
    )
    if (done?.ok !== true) return
    setMade(await withAddress(session, done.value))
    setEmail('')
    setTried(false)
    onInvited()
  }

  return (
    <Card title={copy.inviteAuditor}>
      <p className={styles.quiet}>{copy.inviteText}</p>
      <form className={styles.stack} onSubmit={(event) => void onInvite(event)} noValidate>
        <TextField
          label={copy.auditorEmail} type='email' autoComplete='off' value={email} maxLength={MAX_EMAIL_LENGTH} onValueChange={setEmail}
          error={isTried && !isSound ? copy.emailWrong : undefined}
        />
        <Checkbox checked={withIdentities} onCheckedChange={setWithIdentities}>
          {copy.withIdentities}
        </Checkbox>
        {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
        <div className={styles.acts}><Button type='submit' isBusy={act.isBusy}>{copy.invite}</Button></div>
      </form>
      {made !== null && (
        <Notice tone='seal' title={copy.invitedTitle(made.invitation.email)} isLive actions={<CopyButton text={made.address} label={copy.copyInvitation} />}>
          <p>{copy.invitedText}</p>
          <code className={styles.address}>{made.address}</code>
        </Notice>
      )}
    </Card>
  )
}

function InvitedTable(
  { invited, onRevoke }: { invited: readonly Invited[], onRevoke: (invitation: Invitation) => void }
) {
  const copy = useCopy(founder)
  const nowMs = Date.now()
  const isLive = ({ invitation }: Invited): boolean => stateOf(invitation, nowMs) === 'live'
  const columns: ReadonlyArray<TableColumn<Invited>> = [
    { id: 'email', title: copy.auditorEmail, isRowHeader: true, cell: ({ invitation }) => invitation.email },
    { id: 'names', title: copy.sees, cell: ({ invitation }) => invitation.withIdentities ? copy.seesNames : copy.seesEvents },
    { id: 'state', title: copy.state, cell: (one) => <AuditorState invitation={one.invitation} nowMs={nowMs} /> },
    { id: 'made', title: copy.invitedAt, cell: ({ invitation }) => <Time atMs={invitation.createdAtMs} /> },
    {
      id: 'acts', title: copy.more, align: 'actions',
      cell: (one) => isLive(one) && (
        <span className={styles.rowActs}>
          {one.invitation.acceptedAtMs === null && <CopyButton size='small' text={one.address} label={copy.copyInvitation} />}
          <Button size='small' variant='danger' aria-label={`${copy.revoke}: ${one.invitation.email}`} onClick={() => onRevoke(one.invitation)}>{copy.revoke}</Button>
        </span>
      ),
    },
  ]
  return (
    <Table
      label={copy.tabs.auditors} columns={columns} rows={invited}
      rowId={({ invitation }) => invitation.invitationId}
      empty={<EmptyState icon='shield' title={copy.noAuditorsTitle}>{copy.noAuditors}</EmptyState>}
    />
  )
}

function AuditorState({ invitation, nowMs }: { invitation: Invitation, nowMs: number }) {
  const copy = useCopy(founder)
  if (invitation.revokedAtMs !== null) return <Tag tone='fail' icon='close'>{copy.linkStates.revoked}</Tag>
  if (invitation.acceptedAtMs !== null) return <Tag tone='seal' icon='check'>{copy.accepted}</Tag>
  return stateOf(invitation, nowMs) === 'expired' ? <Tag icon='clock'>{copy.linkStates.expired}</Tag> : <Tag icon='mail'>{copy.pending}</Tag>
}

function Withdraw(
  { invitation, onClose, onDone }: {
    invitation: Invitation, onClose: () => void, onDone: () => void,
  }
) {
  const copy = useCopy(founder)
  const { api } = useSession()
  const act = useAct()

  async function onRevoke(): Promise<void> {
    const done = await act.run(() => api.revokeInvitation(invitation.invitationId))
    if (done?.ok === true) onDone()
  }

  return (
    <ConfirmDialog
      isOpen title={copy.withdrawTitle(invitation.email)} confirmLabel={copy.revoke} isDestructive
      isBusy={act.isBusy} error={act.error} onConfirm={onRevoke} onClose={onClose}
    >
      <p>{copy.withdrawText}</p>
    </ConfirmDialog>
  )
}
