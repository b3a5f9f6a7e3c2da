/** A new link: whom it is for, under which NDA, how keys are released; then the link itself, to be copied. */
import { useEffect, useRef, useState } from 'react'
import { MAX_NAME_LENGTH } from '../../protocol/limits.js'
import { useCopy, useLocale } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt } from '../crypto.js'
import { useAccount, useSession, type SessionTools } from '../session.js'
import { Button } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { Checkbox } from '../ui/Checkbox.js'
import { ChoiceGroup } from '../ui/ChoiceGroup.js'
import { EmptyState } from '../ui/EmptyState.js'
import { Notice } from '../ui/Notice.js'
import { TextField } from '../ui/TextField.js'
import { endOfDay, tomorrow } from './days.js'
import styles from './founder.module.css'
import { LinkReady } from './LinkReady.js'
import { useAct, type Result } from './loaded.js'
import { fillDraft, startNda, type NdaDraft } from './nda-order.js'
import { NdaForm } from './NdaForm.js'
import { publishDraft } from './publish-draft.js'
import { type OwnVault } from './vault.js'
import { addressOf, currentVersions, isBehindNda, policyFor, type LinkChoices } from './versions.js'
import { WitnessChoice } from './WitnessChoice.js'

interface CreateLinkProps {
  readonly vault: OwnVault
  readonly onMade: () => void
  readonly onClose: () => void
}

interface Made { readonly name: string, readonly address: string }

export function CreateLink({ vault, onMade, onClose }: CreateLinkProps) {
  const copy = useCopy(founder)
  const [made, setMade] = useState<Made | null>(null)
  const section = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // In braces: newer browsers answer with a promise, which is no clean-up.
    void section.current?.scrollIntoView({ block: 'nearest' })
  }, [])

  function onLink(link: Made): void {
    setMade(link)
    onMade()
  }

  return (
    <div ref={section}>
      {made !== null
        ? <LinkReady {...made} onAnother={() => setMade(null)} onClose={onClose} />
        : <LinkForm vault={vault} onClose={onClose} onMade={onLink} />}
      {vault.documents.length === 0 && <Card><EmptyState icon='slides' title={copy.noVersionsTitle}>{copy.noVersions}</EmptyState></Card>}
    </div>
  )
}

interface LinkFormProps {
  readonly vault: OwnVault
  readonly onMade: (made: Made) => void
  readonly onClose: () => void
}

function LinkForm({ vault, onMade, onClose }: LinkFormProps) {
  const copy = useCopy(founder)
  const { locale } = useLocale()
  const account = useAccount()
  const tools = useSession()
  const act = useAct()
  const [name, setName] = useState('')
  const [expiry, setExpiry] = useState('')
  const [choices, setChoices] = useState<LinkChoices>({ release: 'on-signature', expiresAtMs: null, download: false, watermark: true, witnessesSha256: null })
  const [nda, setNda] = useState<NdaDraft>(() => startNda(locale, account.name))
  const hasNda = isBehindNda(currentVersions(vault.documents))
  const isSound = !hasNda || 'nda' in fillDraft(nda)

  async function onCreate(): Promise<void> {
    const linkName = name.trim() === '' ? copy.linkDefaultName(vault.links.length + 1) : name.trim()
    const order = {
      vault, linkName, founderName: account.name,
      choices: { ...choices, expiresAtMs: endOfDay(expiry) }, nda: hasNda ? nda : null,
    }
    const made = await act.run(() => makeLink(tools, order))
    if (made?.ok === true) onMade({ name: linkName, address: made.value })
  }

  return (
    <Card
      title={copy.createLinkTitle}
      footer={(
        <>
          <Button variant='primary' icon='link' isBusy={act.isBusy} disabled={!isSound || vault.documents.length === 0} onClick={onCreate}>{copy.createLink}</Button>
          <Button variant='quiet' onClick={onClose}>{copy.notNow}</Button>
        </>
      )}
    >
      <div className={styles.linkForm}>
        <div className={styles.stack}>
          <TextField
            label={copy.linkName} hint={copy.linkNameHint} isOptional value={name}
            maxLength={MAX_NAME_LENGTH}
            placeholder={copy.linkDefaultName(vault.links.length + 1)} onValueChange={setName}
          />
          {hasNda ? <NdaForm draft={nda} onDraft={setNda} /> : <Notice>{copy.noNdaNeeded}</Notice>}
          <TextField
            label={copy.expiry} hint={copy.expiryHint} isOptional type='date' min={tomorrow()} value={expiry} onValueChange={setExpiry}
          />
          <Checkbox
            checked={choices.download}
            onCheckedChange={(download) => setChoices({ ...choices, download })}
          >
            {copy.allowDownload}
          </Checkbox>
          <WitnessChoice
            chosen={choices.witnessesSha256}
            onChosen={(witnessesSha256) => setChoices({ ...choices, witnessesSha256 })}
          />
        </div>
        {hasNda && (
          <ChoiceGroup
            legend={copy.release} value={choices.release}
            onValueChange={(release) => setChoices({ ...choices, release })}
            choices={(['on-signature', 'on-approval'] as const).map((release) => ({ value: release, ...copy.releases[release] }))}
          />
        )}
      </div>
      {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
    </Card>
  )
}

interface LinkOrder {
  readonly vault: OwnVault
  readonly linkName: string
  readonly founderName: string
  readonly choices: LinkChoices
  readonly nda: NdaDraft | null
}

/** Publishes the NDA, makes the grant in the worker, stores it. @returns the whole address. */
async function makeLink(
  tools: SessionTools & { config: { logVkey: string, publicUrl: string } | null },
  order: LinkOrder,
): Promise<Result<string>> {
  const { api, crypto, config } = tools
  if (config === null) return { ok: false, code: 'not-ready' }
  const { vault, linkName, founderName, choices, nda } = order
  const published = nda === null
    ? { ok: true as const, value: null }
    : await publishDraft(api, vault.vaultId, nda)
  if (!published.ok) return published
  const versions = currentVersions(vault.documents)
  const made = await attempt(() => crypto.makeGrant({
    vaultId: vault.vaultId, policy: policyFor(versions, choices), ndaSha256: published.value,
    card: { founder: founderName, title: vault.title }, logVkey: config.logVkey, versions,
  }))
  if (!made.ok) return made
  const { fragment, ...grant } = made.value
  const nameSealed = await crypto.sealLabel({ label: linkName, context: `grant-name:${grant.grantId}` })
  const stored = await api.makeGrant(vault.vaultId, { ...grant, nameSealed })
  return stored.ok
    ? { ok: true, value: addressOf(config.publicUrl, grant.grantId, fragment) }
    : stored
}
