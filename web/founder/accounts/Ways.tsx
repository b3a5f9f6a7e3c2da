/** The ways into the account: what there is, one more, one less, a new recovery code. */
import { useCallback, useEffect, useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import type { KeyringRowSummary } from '../../../protocol/api.js'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import type { ApiFailure } from '../../api.js'
import type { Done } from '../../keyring.js'
import { hasPasskeys } from '../../passkey.js'
import { useAccount, useSession } from '../../session.js'
import { Button, buttonClass } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { ConfirmDialog } from '../../ui/ConfirmDialog.js'
import { ErrorState } from '../../ui/ErrorState.js'
import { Hash } from '../../ui/Hash.js'
import { Icon, type IconName } from '../../ui/Icon.js'
import { LoadingState } from '../../ui/LoadingState.js'
import { Notice } from '../../ui/Notice.js'
import { Page, PageHeading } from '../../ui/Page.js'
import { Time } from '../../ui/Time.js'
import { AppNavigation, SignOutButton } from '../../AppPage.js'
import styles from './accounts.module.css'
import { NewPassphrase } from './PassphraseFields.js'
import { Storage } from './Storage.js'
import { Unlock } from './Unlock.js'
import { useAct, useKeyringWords } from './use-act.js'

type Rows = { step: 'loading' } | { step: 'failed', code: ApiFailure } | { step: 'here', rows: KeyringRowSummary[] }

export function Ways() {
  const copy = useCopy(accounts)
  const account = useAccount()
  const [search] = useSearchParams()
  const words = useKeyringWords()
  const { state, reload } = useRows()
  const [said, setSaid] = useState<string | null>(null)
  const [isStale, setStale] = useState(false)

  function onChanged(words: string): void {
    setSaid(words)
    reload()
  }

  // A change to the ways in asks for a fresh proof: the same screen as after a reload gives one.
  if (isStale) return <Unlock account={account} onOpened={() => setStale(false)} />
  return (
    <Page title={copy.ways.title} width='column' homeHref='/' navigation={<AppNavigation />} account={<SignOutButton />}>
      <PageHeading lead={copy.ways.lead}>{copy.ways.title}</PageHeading>
      {search.has('recovered') && <Notice tone='warn'>{copy.ways.recoverNow}</Notice>}
      {!account.isRecoveryConfirmed && <Unconfirmed />}
      {said !== null && <Notice tone='seal' isLive>{said}</Notice>}
      <Card>
        {state.step === 'loading' && <LoadingState />}
        {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.shell.retry}</Button>} />}
        {state.step === 'here' && <WayList rows={state.rows} onRemoved={() => onChanged(copy.ways.removed)} onStale={() => setStale(true)} />}
      </Card>
      <AddWay onAdded={() => onChanged(copy.ways.addedNow)} onStale={() => setStale(true)} />
      <FounderKey />
      <Storage />
    </Page>
  )
}

function useRows(): { state: Rows, reload: () => void } {
  const { keyring } = useSession()
  const [state, setState] = useState<Rows>({ step: 'loading' })
  const [turn, setTurn] = useState(0)

  useEffect(() => {
    let isCurrent = true
    void keyring.listWays().then((listed) => {
      if (!isCurrent) return
      setState(listed.ok
        ? { step: 'here', rows: listed.value }
        : { step: 'failed', code: listed.code })
    })
    return () => { isCurrent = false }
  }, [keyring, turn])
  return { state, reload: useCallback(() => setTurn((before) => before + 1), []) }
}

function Unconfirmed() {
  const copy = useCopy(accounts)
  const act = <Link to='/account/recovery-code' className={buttonClass({ variant: 'plain', size: 'small', isWide: false })}>{copy.ways.recoveryConfirmAct}</Link>
  return <Notice tone='warn' actions={act}>{copy.ways.recoveryUnconfirmed}</Notice>
}

const METHOD_ICONS: Readonly<Record<KeyringRowSummary['method'], IconName>> = { passkey: 'key', passphrase: 'keyboard', recovery: 'shield' }

interface WayListProps {
  readonly rows: readonly KeyringRowSummary[]
  readonly onRemoved: () => void
  readonly onStale: () => void
}

function WayList({ rows, onRemoved, onStale }: WayListProps) {
  const copy = useCopy(accounts)
  const { keyring } = useSession()
  const [asked, setAsked] = useState<KeyringRowSummary | null>(null)
  const act = useAct()

  async function onConfirm(row: KeyringRowSummary): Promise<void> {
    const done = await act.run(() => keyring.removeWay(row.rowId))
    if (done?.ok === false && done.code === 'proof-stale') onStale()
    if (done?.ok !== true) return
    setAsked(null)
    onRemoved()
  }

  return (
    <>
      <ul className={styles.ways} role='list'>
        {rows.map((row) => <Way
          key={row.rowId} row={row} onRemove={() => { act.clear(); setAsked(row) }}
                           />)}
      </ul>
      <ConfirmDialog
        isOpen={asked !== null} title={asked === null ? '' : copy.ways.removeTitle(nameOf(asked, copy.ways.methods))}
        confirmLabel={copy.ways.removeAct} isDestructive isBusy={act.isBusy} error={act.error}
        onConfirm={() => asked !== null && onConfirm(asked)} onClose={() => setAsked(null)}
      >
        <p>{copy.ways.removeText}</p>
      </ConfirmDialog>
    </>
  )
}

function nameOf(row: KeyringRowSummary, methods: Readonly<Record<KeyringRowSummary['method'], string>>): string {
  return row.label === '' ? methods[row.method] : `${methods[row.method]} · ${row.label}`
}

function Way({ row, onRemove }: { row: KeyringRowSummary, onRemove: () => void }) {
  const copy = useCopy(accounts)
  return (
    <li className={styles.way}>
      <span className={styles.wayWords}>
        <span className={styles.wayName}>
          <Icon name={METHOD_ICONS[row.method]} />{nameOf(row, copy.ways.methods)}
        </span>
        <span className={styles.quiet}>
          {copy.ways.added} <Time atMs={row.createdAtMs} />, {row.lastUsedAtMs === null
            ? copy.ways.neverUsed
            : <>{copy.ways.used} <Time atMs={row.lastUsedAtMs} /></>}
        </span>
      </span>
      {/* A recovery code is not removed but replaced: without one, losing a device is losing the account. */}
      {row.method !== 'recovery' && (
        <Button size='small' variant='danger' aria-label={`${copy.ways.remove}: ${nameOf(row, copy.ways.methods)}`} onClick={onRemove}>{copy.ways.remove}</Button>
      )}
    </li>
  )
}

interface AddWayProps {
  readonly onAdded: () => void
  readonly onStale: () => void
}

function AddWay({ onAdded, onStale }: AddWayProps) {
  const copy = useCopy(accounts)
  const { keyring } = useSession()
  const navigate = useNavigate()
  const [isPassphrase, setPassphrase] = useState(false)
  const act = useAct()

  async function add(run: () => Promise<Done<unknown>>): Promise<void> {
    const done = await act.run(run)
    if (done?.ok === false && done.code === 'proof-stale') onStale()
    if (done?.ok !== true) return
    setPassphrase(false)
    onAdded()
  }

  return (
    <Card title={copy.ways.addTitle}>
      {act.error !== undefined && !isPassphrase && <Notice tone='fail' isLive>{act.error}</Notice>}
      <div className={styles.acts}>
        {hasPasskeys() && <Button icon='key' isBusy={act.isBusy && !isPassphrase} onClick={() => add(keyring.addPasskey)}>{copy.ways.addPasskey}</Button>}
        <Button icon='keyboard' aria-expanded={isPassphrase} onClick={() => { act.clear(); setPassphrase(!isPassphrase) }}>{copy.ways.addPassphrase}</Button>
        <Button icon='shield' onClick={() => navigate('/account/recovery-code')}>{copy.ways.newRecovery}</Button>
      </div>
      {isPassphrase && (
        <NewPassphrase
          actLabel={copy.ways.addPassphrase} isBusy={act.isBusy} error={act.error} autoFocus
          onPassphrase={(passphrase) => add(() => keyring.addPassphrase(passphrase))}
        />
      )}
      <p className={styles.quiet}>{copy.ways.newRecoveryText}</p>
    </Card>
  )
}

function FounderKey() {
  const copy = useCopy(accounts)
  const { crypto } = useSession()
  const [fingerprint, setFingerprint] = useState<string | null>(null)
  useEffect(() => {
    void crypto.owner().then((owner) => setFingerprint(owner?.fingerprint ?? null))
  }, [crypto])
  return (
    <Card title={copy.ways.identity}>
      <p className={styles.quiet}>{copy.ways.identityText}</p>
      {fingerprint !== null && <Hash value={fingerprint} what={copy.ways.identity} isWhole />}
    </Card>
  )
}
