/** Who came through the links, how far each has come, and when. */
import { useState } from 'react'
import type { Person, PersonState, RevocationReport } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { VaultPack } from '../evidence/VaultPack.js'
import { useFailureWords } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { EmptyState } from '../ui/EmptyState.js'
import { ErrorState } from '../ui/ErrorState.js'
import type { IconName } from '../ui/Icon.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Table, type TableColumn, type TableSort } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import { TextField } from '../ui/TextField.js'
import { Time } from '../ui/Time.js'
import styles from './founder.module.css'
import { useAct, useLoaded } from './loaded.js'
import { PersonReceipt } from './PersonReceipt.js'
import { useRevocations } from './RevocationOutcome.js'
import { sorted } from './sorted.js'
import { listAllPeople, type OwnVault } from './vault.js'

interface PeopleProps {
  readonly vault: OwnVault
  /** Changes when something was decided elsewhere on the screen. */
  readonly turn: number
  readonly onChanged: () => void
}

export function People({ vault, turn, onChanged }: PeopleProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const tools = useSession()
  const { state, reload } = useLoaded(`${vault.vaultId}/${turn}`, () => listAllPeople(tools, vault.vaultId))
  const { asked, ask, outcome, onRevoked } = useRevocations<Person>(
    (person) => nameOf(person, copy.somebody), onChanged)

  if (state.step === 'loading') return <LoadingState />
  if (state.step === 'failed') return <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />
  return (
    <div className={styles.stack}>
      {outcome}
      <PeopleTable people={state.value} vault={vault} onRevoke={ask} />
      {asked !== null && (
        <RevokePerson person={asked} onClose={() => ask(null)} onRevoked={onRevoked} />
      )}
    </div>
  )
}

export function nameOf({ name, email }: Pick<Person, 'name' | 'email'>, somebody: string): string {
  return name === '' ? email ?? somebody : name
}

const STATE_LOOKS: Readonly<Record<PersonState, { tone: 'neutral' | 'accent' | 'seal' | 'warn' | 'fail', icon: IconName }>> = {
  asked: { tone: 'neutral', icon: 'user' },
  verified: { tone: 'neutral', icon: 'mail' },
  awaiting: { tone: 'warn', icon: 'clock' },
  signed: { tone: 'seal', icon: 'sign' },
  released: { tone: 'seal', icon: 'key' },
  opened: { tone: 'seal', icon: 'eye' },
  declined: { tone: 'neutral', icon: 'close' },
  denied: { tone: 'neutral', icon: 'close' },
  revoked: { tone: 'fail', icon: 'close' },
}

interface PeopleTableProps {
  readonly people: readonly Person[]
  readonly vault: OwnVault
  readonly onRevoke: (person: Person) => void
}

const FILTER_FROM_COUNT = 6

function PeopleTable({ people, vault, onRevoke }: PeopleTableProps) {
  const copy = useCopy(founder)
  const [sort, setSort] = useState<TableSort>({ columnId: 'asked', direction: 'descending' })
  const [wanted, setWanted] = useState('')
  const linkNames = new Map(vault.links.map(({ summary, name }) => [summary.grantId, name]))
  const linkOf = (person: Person): string => linkNames.get(person.grantId) ?? ''
  const shown = people.filter((person) => `${person.name} ${person.email} ${linkOf(person)}`.toLowerCase().includes(wanted.trim().toLowerCase()))
  const keys: Readonly<Record<string, (person: Person) => string | number>> = {
    person: (person) => nameOf(person, ''), link: linkOf, asked: ({ askedAtMs }) => askedAtMs, state: ({ state }) => state,
  }
  return (
    <>
      {people.length >= FILTER_FROM_COUNT && <TextField label={copy.filterPeople} type='search' value={wanted} onValueChange={setWanted} />}
      <Table
        label={copy.tabs.people} columns={personColumns(copy, vault.vaultId, linkOf, onRevoke)}
        rows={sorted(shown, keys, sort)} rowId={({ personId }) => personId} sort={sort}
        onSort={setSort}
        empty={<EmptyState icon='users' title={wanted === '' ? copy.noPeopleTitle : copy.nobodyFound}>{wanted === '' && copy.noPeople}</EmptyState>}
      />
    </>
  )
}

type Copy = ReturnType<typeof useCopy<typeof founder['en']>>

function personColumns(
  copy: Copy, vaultId: string, linkOf: (person: Person) => string,
  onRevoke: (person: Person) => void,
): ReadonlyArray<TableColumn<Person>> {
  return [
    {
      id: 'person', title: copy.person, isRowHeader: true, isSortable: true,
      cell: (person) => <span className={styles.who}><span>{nameOf(person, copy.somebody)}</span>{person.name !== '' && person.email !== null && <span className={styles.quiet}>{person.email}</span>}</span>,
    },
    { id: 'link', title: copy.link, isSortable: true, cell: linkOf },
    { id: 'state', title: copy.state, isSortable: true, cell: ({ state }) => <Tag {...STATE_LOOKS[state]}>{copy.personStates[state]}</Tag> },
    { id: 'asked', title: copy.steps, isSortable: true, cell: (person) => <Steps person={person} /> },
    {
      id: 'acts', title: copy.more, align: 'actions',
      cell: (person) => (
        <div className={styles.rowActs}>
          <PersonReceipt vaultId={vaultId} person={person} name={nameOf(person, copy.somebody)} />
          {person.signedAtMs !== null && <PersonPack vaultId={vaultId} person={person} />}
          {person.revokedAtMs === null && (
            <Button size='small' variant='danger' aria-label={`${copy.revoke}: ${nameOf(person, copy.somebody)}`} onClick={() => onRevoke(person)}>{copy.revoke}</Button>
          )}
        </div>
      ),
    },
  ]
}

function PersonPack({ vaultId, person }: { vaultId: string, person: Person }) {
  const copy = useCopy(founder)
  const { config } = useSession()
  if (config === null) return null
  const of = { personId: person.personId, name: nameOf(person, copy.somebody) }
  return <VaultPack vaultId={vaultId} logVkey={config.logVkey} isOwner person={of} />
}

function Steps({ person }: { person: Person }) {
  const copy = useCopy(founder)
  const steps = ([
    ['askedAtMs', copy.stepAsked], ['verifiedAtMs', copy.stepVerified], ['signedAtMs', copy.stepSigned], ['releasedAtMs', copy.stepReleased],
    ['openedAtMs', copy.stepOpened], ['declinedAtMs', copy.stepDeclined], ['revokedAtMs', copy.stepRevoked],
  ] as const).flatMap(([key, name]) => {
    const atMs = person[key]
    return atMs === null ? [] : [{ name, atMs }]
  })
  return (
    <ul className={styles.steps} role='list'>
      {steps.map(({ name, atMs }) => <li key={name}>{name} <Time atMs={atMs} /></li>)}
    </ul>
  )
}

interface RevokePersonProps {
  readonly person: Person
  readonly onClose: () => void
  readonly onRevoked: (report: RevocationReport) => void
}

function RevokePerson({ person, onClose, onRevoked }: RevokePersonProps) {
  const copy = useCopy(founder)
  const { api, crypto } = useSession()
  const act = useAct()
  const name = nameOf(person, copy.somebody)

  async function onRevoke(): Promise<void> {
    const done = await act.run(() => api.revokePerson(person.grantId, person.personId))
    if (done?.ok !== true) return
    await crypto.noteRevoked([person.personId])
    onRevoked(done.value)
  }

  return (
    <ConfirmDialog
      isOpen title={copy.revokePersonTitle(name)} confirmLabel={copy.revoke} isDestructive
      isBusy={act.isBusy} error={act.error} onConfirm={onRevoke} onClose={onClose}
    >
      <p>{copy.revokePersonText(name)}</p>
      <p>{person.releasedAtMs === null ? copy.hasNoKey(name) : copy.hasKey(name)}</p>
    </ConfirmDialog>
  )
}
