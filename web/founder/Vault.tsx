/** One vault: its deck, links, people, log and auditors. */
import { Suspense, lazy, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { MAX_TITLE_LENGTH } from '../../protocol/limits.js'
import { useCopy } from '../copy.js'
import { evidence } from '../copy/evidence.js'
import { founder } from '../copy/founder.js'
import { TakeVaultPack } from '../evidence/TakeVaultPack.js'
import { useFailureWords } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Dialog } from '../ui/Dialog.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Menu } from '../ui/Menu.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Tabs, type TabView } from '../ui/Tabs.js'
import { TextField } from '../ui/TextField.js'
import { showToast } from '../ui/Toasts.js'
import { Auditors } from './Auditors.js'
import { CreateLink } from './CreateLink.js'
import { useLetGo } from './dropped.js'
import { ExportVault } from './ExportVault.js'
import { FounderPage } from './FounderPage.js'
import { Links } from './Links.js'
import { useAct, useLoaded } from './loaded.js'
import { People } from './People.js'
import { Requests } from './Requests.js'
import { LetIn } from './serving.js'
import { readOwnVault, type OwnVault } from './vault.js'
import { VaultDeck } from './VaultDeck.js'
import { Older, Watch } from './Watch.js'

/** The log's view, shared with auditors; loaded when it is looked at. */
const Timeline = lazy(async () => ({ default: (await import('../auditor/Timeline.js')).Timeline }))

const TABS = ['deck', 'links', 'people', 'log', 'auditors'] as const
type TabId = typeof TABS[number]

export function Vault() {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const { vaultId = '' } = useParams()
  useLetGo()
  const { state, reload } = useLoaded(vaultId, () => readOwnVault(tools, vaultId, copy.unreadable))
  return (
    <FounderPage title={copy.deck}>
      {state.step === 'loading' && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />}
      {state.step === 'here' && <Opened key={vaultId} vault={state.value} reload={reload} />}
    </FounderPage>
  )
}

interface OpenedProps {
  readonly vault: OwnVault
  readonly reload: () => void
}

function Opened({ vault, reload }: OpenedProps) {
  const copy = useCopy(founder)
  const [search, setSearch] = useSearchParams()
  const isLinkAsked = search.get('link') === 'new'
  const [turn, setTurn] = useState(0)
  const selected = TABS.find((tab) => tab === search.get('tab')) ?? 'deck'

  function show(tab: TabId): void {
    setSearch(tab === 'deck' ? {} : { tab }, { replace: true })
  }

  function onChanged(): void {
    reload()
    setTurn(turn + 1)
  }

  return (
    <>
      <PageHeading
        actions={(
          <>
            {!isLinkAsked && (
              <Button variant='primary' icon='link' onClick={() => setSearch({ link: 'new' })}>
                {copy.createLinkOpen}
              </Button>
            )}
            <VaultMenu vault={vault} onChanged={reload} />
          </>
        )}
      >
        {vault.title}
      </PageHeading>
      <Older states={vault.older} />
      <Watch vaultId={vault.vaultId} titles={new Map([[vault.vaultId, vault.title]])} />
      <LetIn vault={vault} />
      <Requests vaultId={vault.vaultId} onChanged={onChanged} />
      {isLinkAsked && (
        <CreateLink vault={vault} onMade={reload} onClose={() => show('links')} />
      )}
      <Tabs
        label={vault.title} selected={selected} onSelect={show}
        views={views({ vault, turn, onChanged, copy })}
      />
    </>
  )
}

interface ViewsInput {
  readonly vault: OwnVault
  readonly turn: number
  readonly onChanged: () => void
  readonly copy: { readonly tabs: Readonly<Record<TabId, string>> }
}

function views({ vault, turn, onChanged, copy: { tabs } }: ViewsInput): TabView<TabId>[] {
  return [
    { id: 'deck', title: tabs.deck, content: <VaultDeck vault={vault} /> },
    { id: 'links', title: tabs.links, content: <Links vault={vault} onChanged={onChanged} /> },
    { id: 'people', title: tabs.people, content: <People vault={vault} turn={turn} onChanged={onChanged} /> },
    { id: 'log', title: tabs.log, content: <Log vaultId={vault.vaultId} /> },
    { id: 'auditors', title: tabs.auditors, content: <Auditors vault={vault} /> },
  ]
}

function Log({ vaultId }: { vaultId: string }) {
  const { config } = useSession()
  if (config === null) return <LoadingState />
  return (
    <Suspense fallback={<LoadingState />}>
      <Timeline vaultId={vaultId} logVkey={config.logVkey} isOwner />
    </Suspense>
  )
}

// ---------------------------------------------------------------------------- renaming and deleting

function VaultMenu({ vault, onChanged }: { vault: OwnVault, onChanged: () => void }) {
  const copy = useCopy(founder)
  const words = useCopy(evidence)
  const [asked, setAsked] = useState<'rename' | 'evidence' | 'export' | 'delete' | null>(null)
  const close = (): void => setAsked(null)
  return (
    <>
      <Menu
        label={copy.more}
        entries={[
          { id: 'rename', label: copy.rename, icon: 'edit', onAction: () => setAsked('rename') },
          { id: 'evidence', label: words.take, icon: 'shield', onAction: () => setAsked('evidence') },
          { id: 'export', label: copy.exportVault, icon: 'download', onAction: () => setAsked('export') },
          { id: 'delete', label: copy.deleteVault, icon: 'trash', isDestructive: true, onAction: () => setAsked('delete') },
        ]}
      />
      {asked === 'rename' && <Rename vault={vault} onClose={close} onRenamed={() => { close(); onChanged() }} />}
      {asked === 'evidence' && <TakeVaultPack vaultId={vault.vaultId} onClose={close} />}
      {asked === 'export' && <ExportVault vault={vault} onClose={close} />}
      {asked === 'delete' && <Delete vault={vault} onClose={close} />}
    </>
  )
}

function Rename(
  { vault, onClose, onRenamed }: { vault: OwnVault, onClose: () => void, onRenamed: () => void }
) {
  const copy = useCopy(founder)
  const { api, crypto } = useSession()
  const act = useAct()
  const [title, setTitle] = useState(vault.title)

  async function onRename(): Promise<void> {
    if (title.trim() === '') return
    const { vaultId } = vault
    const done = await act.run(async () => await api.renameVault(vaultId, {
      titleSealed: await crypto.sealLabel({ label: title.trim(), context: `vault-title:${vaultId}` }),
    }))
    if (done?.ok === true) onRenamed()
  }

  return (
    <Dialog isOpen onClose={onClose} title={copy.renameTitle} actions={<Button variant='primary' isBusy={act.isBusy} onClick={onRename}>{copy.rename}</Button>}>
      <TextField
        label={copy.deckTitle} hint={copy.renameHint} value={title} onValueChange={setTitle}
        maxLength={MAX_TITLE_LENGTH} autoFocus
        error={title.trim() === '' ? copy.titleMissing : undefined}
      />
      {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
    </Dialog>
  )
}

function Delete({ vault, onClose }: { vault: OwnVault, onClose: () => void }) {
  const copy = useCopy(founder)
  const { api, crypto, config } = useSession()
  const navigate = useNavigate()
  const act = useAct()

  async function onDelete(): Promise<void> {
    const done = await act.run(() => api.removeVault(vault.vaultId))
    if (done?.ok !== true) return
    if (config !== null) await crypto.forgetVault(config.logVkey, vault.vaultId)
    showToast({ text: copy.deleted(vault.title) })
    await navigate('/vaults', { replace: true })
  }

  return (
    <ConfirmDialog
      isOpen title={copy.deleteTitle(vault.title)} confirmLabel={copy.deleteVault} isDestructive
      isBusy={act.isBusy} error={act.error} onConfirm={onDelete} onClose={onClose}
    >
      <p>{copy.deleteText(vault.links.length)}</p>
      <p>{copy.deleteLog}</p>
    </ConfirmDialog>
  )
}
