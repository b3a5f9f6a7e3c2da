/**
 * An auditor comes by a founder's link. The link pins the founder's key and the log's: what the server shows from
 * now on is held against them.
 *
 * [Note: Pinned by the invitation] The log's key is remembered in this browser at acceptance. A server that
 * later shows a log of its own under another key is refused here.
 */
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import type { AuditedVault } from '../../protocol/api.js'
import { sha256 } from '../../protocol/hash.js'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { takeFragment } from '../fragment.js'
import { remember } from '../remembered.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { Notice } from '../ui/Notice.js'
import { Page, PageHeading } from '../ui/Page.js'
import styles from './auditor.module.css'

const PIN_SIZE_BYTES = 16

type State = { readonly step: 'asking', readonly failure?: Failure } | { readonly step: 'accepting' } | { readonly step: 'incomplete' } | { readonly step: 'mismatch' }

export function AcceptInvitation() {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const navigate = useNavigate()
  const { api, crypto } = useSession()
  const { invitationId = '' } = useParams()
  const [fragment] = useState(takeFragment)
  const [state, setState] = useState<State>(fragment === null ? { step: 'incomplete' } : { step: 'asking' })

  async function onAccept(): Promise<void> {
    const pins = fragment === null ? null : await crypto.takeAuditorFragment(fragment)
    if (pins === null) return setState({ step: 'incomplete' })
    setState({ step: 'accepting' })
    const accepted = await api.acceptInvitation(invitationId)
    if (!accepted.ok) return setState({ step: 'asking', failure: accepted.code })
    if (!isPinned(accepted.value, pins)) return setState({ step: 'mismatch' })
    remember(`log-of-${accepted.value.vaultId}`, accepted.value.logVkey)
    await navigate(`/audits/${accepted.value.vaultId}`, { replace: true })
  }

  return (
    <Page title={copy.inviteTitle} width='column' homeHref='/audits'>
      <PageHeading lead={copy.inviteLead}>{copy.inviteTitle}</PageHeading>
      {state.step === 'incomplete' && <Notice tone='fail' isLive>{copy.inviteMissing}</Notice>}
      {state.step === 'mismatch' && <Notice tone='fail' isLive>{copy.inviteMismatch}</Notice>}
      {(state.step === 'asking' || state.step === 'accepting') && (
        <div className={styles.form}>
          <Notice tone='info'>{copy.invitePinned}</Notice>
          {state.step === 'asking' && state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
          <Button variant='primary' isBusy={state.step === 'accepting'} onClick={() => void onAccept()}>{copy.accept}</Button>
        </div>
      )}
    </Page>
  )
}

function isPinned(
  vault: AuditedVault, pins: { founderFingerprint: string, logKeySha256: string },
): boolean {
  const founder = encodeBase64Url(
    sha256(decodeBase64Url(vault.founderSigningKey)).subarray(0, PIN_SIZE_BYTES),
  )
  const log = encodeBase64Url(sha256(encodeUtf8(vault.logVkey)).subarray(0, PIN_SIZE_BYTES))
  return founder === pins.founderFingerprint && log === pins.logKeySha256
}
