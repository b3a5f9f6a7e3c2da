/**
 * Another end, another way to let in, downloading, witnesses or another agreement for a link that is out: a new
 * revision, signed by the founder, under the same address. Says before what it means for those who have signed.
 */
import { useState } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt, type Policy } from '../crypto.js'
import { useFailureWords } from '../failure-words.js'
import { useAccount, useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { Checkbox } from '../ui/Checkbox.js'
import { ChoiceGroup } from '../ui/ChoiceGroup.js'
import { ConfirmDialog } from '../ui/ConfirmDialog.js'
import { Dialog } from '../ui/Dialog.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Notice } from '../ui/Notice.js'
import { TextField } from '../ui/TextField.js'
import { showToast } from '../ui/Toasts.js'
import { dayOf, endOfDay, tomorrow } from './days.js'
import styles from './founder.module.css'
import { useAct, useLoaded, type Result } from './loaded.js'
import { fillDraft, startNda, type NdaDraft } from './nda-order.js'
import { NdaForm } from './NdaForm.js'
import { publishDraft } from './publish-draft.js'
import type { OwnLink, OwnVault } from './vault.js'
import { currentVersions } from './versions.js'
import { WitnessChoice } from './WitnessChoice.js'

interface ReviseLinkProps {
  readonly vault: OwnVault
  readonly link: OwnLink
  readonly onClose: () => void
  readonly onRevised: () => void
}

/** What the link says now, as the worker has verified it. */
interface Terms {
  readonly policy: Policy
  readonly ndaSha256: string | null
  readonly card: { readonly founder: string, readonly title: string, readonly pageCount?: number }
}

export function ReviseLink(props: ReviseLinkProps) {
  const { vault, link, onClose } = props
  const copy = useCopy(founder)
  const words = useFailureWords()
  const { crypto } = useSession()
  const { state } = useLoaded<Terms>(link.summary.grantId, async () =>
    await attempt(() => crypto.readGrant({ vaultId: vault.vaultId, summary: link.summary })))
  if (state.step === 'here') return <Form {...props} terms={state.value} />
  return (
    <Dialog isOpen onClose={onClose} title={copy.reviseTitle(link.name)}>
      {state.step === 'loading' ? <LoadingState /> : <ErrorState title={words(state.code)} code={state.code} />}
    </Dialog>
  )
}

function Form({ vault, link, terms, onClose, onRevised }: ReviseLinkProps & { terms: Terms }) {
  const copy = useCopy(founder)
  const { locale } = useLocale()
  const account = useAccount()
  const tools = useSession()
  const act = useAct()
  const [day, setDay] = useState(dayOf(terms.policy.expiresAtMs))
  const [chosen, setChosen] = useState(terms.policy)
  const [nda, setNda] = useState<NdaDraft | null>(null)
  const [isAsking, setAsking] = useState(false)
  const change = { vault, link, terms, nda, policy: { ...chosen, expiresAtMs: endOfDay(day) } }
  const effects = effectsOf(change)
  const isSame = effects.length === 0
  const isSound = nda === null || 'nda' in fillDraft(nda)

  async function onRevise(): Promise<void> {
    const done = await act.run(() => reviseLink(tools, change))
    setAsking(false)
    if (done?.ok !== true) return
    showToast({ tone: 'seal', text: copy.revised(link.name) })
    onRevised()
  }

  const actions = (
    <Button
      variant='primary' isBusy={act.isBusy} disabled={isSame || !isSound}
      onClick={() => effects.some(isAskedFirst) ? setAsking(true) : void onRevise()}
    >
      {copy.revise}
    </Button>
  )
  return (
    <Dialog isOpen size='wide' onClose={onClose} title={copy.reviseTitle(link.name)} actions={actions}>
      <div className={styles.stack}>
        <p className={styles.quiet}>{copy.reviseLead}</p>
        <TextField label={copy.expiry} hint={copy.expiryHint} isOptional type='date' min={tomorrow()} value={day} onValueChange={setDay} />
        <Handling terms={terms} chosen={chosen} onChosen={setChosen} />
        {terms.policy.gate === 'nda' && (
          <>
            <ChoiceGroup
              legend={copy.release} value={chosen.release}
              onValueChange={(release) => setChosen({ ...chosen, release })}
              choices={(['on-signature', 'on-approval'] as const).map((value) => ({ value, ...copy.releases[value] }))}
            />
            <Checkbox
              checked={nda !== null}
              onCheckedChange={(isNew) => setNda(isNew ? startNda(locale, account.name) : null)}
            >
              {copy.reviseNda}
            </Checkbox>
            {nda !== null && <NdaForm draft={nda} onDraft={setNda} />}
          </>
        )}
        {!isSame && <Effects effects={effects} />}
        {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
      </div>
      <ConfirmDialog
        isOpen={isAsking} title={copy.reviseConfirm(link.name)} confirmLabel={copy.revise}
        isDestructive isBusy={act.isBusy} onConfirm={() => void onRevise()}
        onClose={() => setAsking(false)}
      >
        <Effects effects={effects} />
      </ConfirmDialog>
    </Dialog>
  )
}

interface HandlingProps {
  readonly terms: Terms
  readonly chosen: Policy
  readonly onChosen: (policy: Policy) => void
}

/** What is asked of the log before a key leaves, and what a reader may do after. */
function Handling({ terms, chosen, onChosen }: HandlingProps) {
  const copy = useCopy(founder)
  return (
    <>
      <Checkbox
        checked={chosen.download}
        onCheckedChange={(download) => onChosen({ ...chosen, download })}
      >
        {copy.allowDownload}
      </Checkbox>
      <WitnessChoice
        chosen={chosen.witnessesSha256} named={terms.policy.witnessesSha256}
        onChosen={(witnessesSha256) => onChosen({ ...chosen, witnessesSha256 })}
      />
    </>
  )
}

export type RevisionEffect =
  | 'ends' | 'downloads' | 'no-downloads' | 'witnesses' | 'no-witnesses'
  | 'opens-at-once' | 'waits-for-her' | 'signs-again'

/** What deletes keys, or asks people to sign again. */
function isAskedFirst(effect: RevisionEffect): boolean {
  return effect === 'waits-for-her' || effect === 'signs-again'
}

interface Change {
  readonly vault: OwnVault
  readonly link: OwnLink
  readonly terms: Terms
  readonly policy: Policy
  readonly nda: NdaDraft | null
}

function effectsOf({ terms, policy, nda }: Change): RevisionEffect[] {
  const isReleaseNew = policy.release !== terms.policy.release
  const { download, witnessesSha256 } = terms.policy
  return [
    ...dayOf(policy.expiresAtMs) === dayOf(terms.policy.expiresAtMs) ? [] : ['ends' as const],
    ...policy.download === download ? []
      : [policy.download ? 'downloads' as const : 'no-downloads' as const],
    ...policy.witnessesSha256 === witnessesSha256 ? []
      : [policy.witnessesSha256 === null ? 'no-witnesses' as const : 'witnesses' as const],
    ...isReleaseNew && policy.release === 'on-signature' ? ['opens-at-once' as const] : [],
    ...isReleaseNew && policy.release === 'on-approval' ? ['waits-for-her' as const] : [],
    ...nda === null ? [] : ['signs-again' as const],
  ]
}

function Effects({ effects }: { effects: readonly RevisionEffect[] }) {
  const copy = useCopy(founder)
  return (
    <Notice title={copy.revisionMeans}>
      <ul className={styles.outcome}>
        {effects.map((effect) => <li key={effect}>{copy.revisionEffects[effect]}</li>)}
      </ul>
    </Notice>
  )
}

/** Publishes the agreement if it is another one, signs the next revision in the worker, puts it in force. */
async function reviseLink(
  tools: SessionTools & { config: { logVkey: string } | null }, change: Change,
): Promise<Result<null>> {
  const { api, crypto, config } = tools
  if (config === null) return { ok: false, code: 'not-ready' }
  const { vault: { vaultId, documents }, link: { summary }, terms, nda } = change
  const published = nda === null
    ? { ok: true as const, value: terms.ndaSha256 }
    : await publishDraft(api, vaultId, nda)
  if (!published.ok) return published
  const ndaSha256 = published.value
  const versions = currentVersions(documents)
    .filter(({ gate }) => gate !== 'nda' || ndaSha256 !== null)
  // An end that was not touched keeps its very second.
  const isSameDay = dayOf(change.policy.expiresAtMs) === dayOf(terms.policy.expiresAtMs)
  const expiresAtMs = isSameDay ? terms.policy.expiresAtMs : change.policy.expiresAtMs
  const signed = await attempt(() => crypto.reviseGrant({
    vaultId, versions, ndaSha256, card: terms.card, logVkey: config.logVkey, previous: summary,
    policy: { ...change.policy, expiresAtMs },
  }))
  if (!signed.ok) return signed
  const { nameSealed } = summary
  const revised = await api.reviseGrant(summary.grantId, { ...signed.value, nameSealed })
  return revised.ok ? { ok: true, value: null } : revised
}
