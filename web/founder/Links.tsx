/** The links of a vault: for whom, until when, who came; copied again, or revoked. */
import { useState } from 'react'
import type { RevocationReport } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt } from '../crypto.js'
import { useFailureWords } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Dialog } from '../ui/Dialog.js'
import { EmptyState } from '../ui/EmptyState.js'
import { Menu, type MenuEntry } from '../ui/Menu.js'
import { Notice } from '../ui/Notice.js'
import { Table, type TableColumn, type TableSort } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import { Time } from '../ui/Time.js'
import styles from './founder.module.css'
import { LinkAddress } from './LinkReady.js'
import { useAct, type Result } from './loaded.js'
import { ReviseLink } from './ReviseLink.js'
import { useRevocations } from './RevocationOutcome.js'
import { sorted } from './sorted.js'
import { type OwnLink, type OwnVault } from './vault.js'
import { addressOf, stateOf, type LinkState } from './versions.js'

interface LinksProps {
  readonly vault: OwnVault
  readonly onChanged: () => void
}

interface ShownLink { readonly name: string, readonly address: string }

export function Links({ vault, onChanged }: LinksProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const [shown, setShown] = useState<ShownLink | null>(null)
  const [revising, setRevising] = useState<OwnLink | null>(null)
  const { asked, ask, outcome, onRevoked } = useRevocations<OwnLink>(({ name }) => name, onChanged)
  const [error, setError] = useState<string | null>(null)
  const readAddress = useAddress(vault.vaultId)

  async function onShow(link: OwnLink): Promise<void> {
    const read = await readAddress(link)
    setError(read.ok ? null : words(read.code))
    if (read.ok) setShown({ name: link.name, address: read.value })
  }

  return (
    <div className={styles.stack}>
      {outcome}
      {error !== null && <Notice tone='fail' isLive>{error}</Notice>}
      <LinkTable vault={vault} onShow={onShow} onRevise={setRevising} onRevoke={ask} />
      {shown !== null && (
        <Dialog isOpen onClose={() => setShown(null)} title={copy.linkFor(shown.name)}>
          <LinkAddress {...shown} />
        </Dialog>
      )}
      {asked !== null && (
        <Revoke link={asked} onClose={() => ask(null)} onRevoked={onRevoked} />
      )}
      {revising !== null && (
        <ReviseLink
          vault={vault} link={revising} onClose={() => setRevising(null)}
          onRevised={() => { setRevising(null); onChanged() }}
        />
      )}
    </div>
  )
}

/** Made again from her root: the server has never had the whole link. */
function useAddress(vaultId: string): (link: OwnLink) => Promise<Result<string>> {
  const { crypto, config } = useSession()
  return async ({ summary }) => {
    const read = await attempt(() => crypto.readGrant({ vaultId, summary }))
    return read.ok ? { ok: true, value: addressOf(config?.publicUrl ?? '', summary.grantId, read.value.fragment) } : read
  }
}

const STATE_TONES = { live: 'seal', expired: 'neutral', revoked: 'fail' } as const
const STATE_ICONS = { live: 'link', expired: 'clock', revoked: 'close' } as const

interface LinkTableProps {
  readonly vault: OwnVault
  readonly onShow: (link: OwnLink) => void
  readonly onRevise: (link: OwnLink) => void
  readonly onRevoke: (link: OwnLink) => void
}

function LinkTable({ vault, onShow, onRevise, onRevoke }: LinkTableProps) {
  const copy = useCopy(founder)
  const [sort, setSort] = useState<TableSort>({ columnId: 'created', direction: 'descending' })
  const nowMs = Date.now()
  const stateOfLink = ({ summary }: OwnLink): LinkState => stateOf(summary, nowMs)
  const columns: ReadonlyArray<TableColumn<OwnLink>> = [
    { id: 'name', title: copy.linkNameColumn, isRowHeader: true, isSortable: true, cell: ({ name }) => name },
    { id: 'created', title: copy.made, isSortable: true, cell: ({ summary }) => <Time atMs={summary.createdAtMs} /> },
    { id: 'expires', title: copy.expires, isSortable: true, cell: ({ summary }) => summary.expiresAtMs === null ? copy.never : <Time atMs={summary.expiresAtMs} style='date' /> },
    { id: 'people', title: copy.tabs.people, isSortable: true, align: 'end', cell: ({ summary }) => summary.personCount },
    {
      id: 'state', title: copy.state, isSortable: true,
      cell: (link) => (
        <Tag tone={STATE_TONES[stateOfLink(link)]} icon={STATE_ICONS[stateOfLink(link)]}>
          {copy.linkStates[stateOfLink(link)]}
        </Tag>
      ),
    },
    {
      id: 'acts', title: copy.more, align: 'actions',
      cell: (link) => stateOfLink(link) !== 'revoked' && (
        <LinkActs link={link} isLive={stateOfLink(link) === 'live'} onShow={onShow} onRevise={onRevise} onRevoke={onRevoke} />
      ),
    },
  ]
  const keys: Readonly<Record<string, (link: OwnLink) => string | number>> = {
    name: ({ name }) => name,
    created: ({ summary }) => summary.createdAtMs,
    people: ({ summary }) => summary.personCount,
    expires: ({ summary }) => summary.expiresAtMs ?? Number.MAX_SAFE_INTEGER, state: stateOfLink,
  }
  return (
    <Table
      label={copy.tabs.links} columns={columns} rows={sorted(vault.links, keys, sort)}
      rowId={({ summary }) => summary.grantId} sort={sort} onSort={setSort}
      empty={<EmptyState icon='link' title={copy.noLinksTitle}>{copy.noLinks}</EmptyState>}
    />
  )
}

interface LinkActsProps extends Omit<LinkTableProps, 'vault'> {
  readonly link: OwnLink
  readonly isLive: boolean
}

/** One whose day has passed can be given another. */
function LinkActs({ link, isLive, onShow, onRevise, onRevoke }: LinkActsProps) {
  const copy = useCopy(founder)
  const entries: readonly MenuEntry[] = [
    { id: 'revise', label: copy.reviseOpen, icon: 'edit', onAction: () => onRevise(link) },
    { id: 'revoke', label: copy.revoke, icon: 'close', isDestructive: true, onAction: () => onRevoke(link) },
  ]
  return (
    <span className={styles.rowActs}>
      {isLive && <Button size='small' icon='link' aria-label={`${copy.showLink}: ${link.name}`} onClick={() => onShow(link)}>{copy.showLink}</Button>}
      <Menu label={`${copy.more}: ${link.name}`} isIconOnly entries={entries} />
    </span>
  )
}

interface RevokeProps {
  readonly link: OwnLink
  readonly onClose: () => void
  readonly onRevoked: (report: RevocationReport) => void
}

function Revoke({ link, onClose, onRevoked }: RevokeProps) {
  const copy = useCopy(founder)
  const { api, crypto } = useSession()
  const act = useAct()

  async function onRevoke(): Promise<void> {
    const { grantId } = link.summary
    const done = await act.run(() => api.revokeGrant(grantId))
    if (done?.ok !== true) return
    await crypto.noteRevoked([grantId])
    onRevoked(done.value)
  }

  return (
    <ConfirmDialog
      isOpen title={copy.revokeTitle(link.name)} confirmLabel={copy.revoke} isDestructive
      isBusy={act.isBusy} error={act.error} onConfirm={onRevoke} onClose={onClose}
    >
      <p>{copy.revokeText(link.summary.personCount)}</p>
      <p>{copy.revokeHonest}</p>
    </ConfirmDialog>
  )
}
