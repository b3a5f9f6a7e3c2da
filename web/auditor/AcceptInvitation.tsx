/** An auditor comes by a founder's link, which says whom and what to believe ([Note: Pinned by the invitation]). */
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { dropInvitation, findInvitation } from '../kept-invitation.js'
import { useSession } from '../session.js'
import { Button } from '../ui/Button.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { AuditPage } from './AuditPage.js'
import styles from './auditor.module.css'
import { pinningOf, rememberPins } from './pins.js'

type State =
  | { readonly step: 'asking', readonly failure?: Failure }
  | { readonly step: 'accepting' }
  | { readonly step: 'incomplete' }
  | { readonly step: 'mismatch' }

/** The fragment of this very invitation; `null` if it was lost on the way, or was another's. */
function findFragment(invitationId: string): string | null {
  const kept = findInvitation()
  return kept?.invitationId === invitationId ? kept.fragment : null
}

export function AcceptInvitation() {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const navigate = useNavigate()
  const { api, crypto, logVkeys } = useSession()
  const { invitationId = '' } = useParams()
  const [fragment] = useState(() => findFragment(invitationId))
  const [state, setState] = useState<State>({ step: fragment === null ? 'incomplete' : 'asking' })

  async function onAccept(): Promise<void> {
    const pins = fragment === null ? null : await crypto.takeAuditorFragment(fragment)
    if (pins === null) return setState({ step: 'incomplete' })
    setState({ step: 'accepting' })
    rememberPins(invitationId, pins)
    const accepted = await api.acceptInvitation(invitationId)
    if (!accepted.ok) return setState({ step: 'asking', failure: accepted.code })
    dropInvitation()
    if (pinningOf(accepted.value, logVkeys) !== 'pinned') return setState({ step: 'mismatch' })
    await navigate(`/audits/${accepted.value.vaultId}`, { replace: true })
  }

  function onNotNow(): void {
    dropInvitation()
    void navigate('/vaults', { replace: true })
  }

  const failure = state.step === 'asking' ? state.failure : undefined
  return (
    <AuditPage title={copy.inviteTitle} width='column'>
      <PageHeading lead={copy.inviteLead}>{copy.inviteTitle}</PageHeading>
      {state.step === 'incomplete' && <Notice tone='fail' isLive>{copy.inviteMissing}</Notice>}
      {state.step === 'mismatch' && <Notice tone='fail' isLive>{copy.inviteMismatch}</Notice>}
      {(state.step === 'asking' || state.step === 'accepting') && (
        <div className={styles.form}>
          <Notice>{copy.invitePinned}</Notice>
          {failure !== undefined && <Notice tone='fail' isLive>{words(failure)}</Notice>}
          <Button
            variant='primary' isBusy={state.step === 'accepting'} onClick={() => void onAccept()}
          >
            {copy.accept}
          </Button>
          <Button variant='quiet' onClick={onNotNow}>{copy.notNow}</Button>
        </div>
      )}
    </AuditPage>
  )
}
