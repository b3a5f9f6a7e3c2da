/** Back in without a way in: the mailbox, and the recovery code. */
import { useState, type SubmitEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import type { EmailChallenge } from '../../../protocol/api.js'
import { MAX_EMAIL_LENGTH } from '../../../protocol/limits.js'
import { useCopy, useLocale } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import type { Done } from '../../keyring.js'
import { useSession } from '../../session.js'
import { Button } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { TextArea } from '../../ui/TextArea.js'
import { TextField } from '../../ui/TextField.js'
import { AccountScreen } from './AccountScreen.js'
import styles from './accounts.module.css'
import { EmailCodeStep } from './EmailCodeStep.js'
import { useAct } from './use-act.js'

const MAX_TYPED_LENGTH = 100

type Step =
  | { readonly step: 'email' }
  | { readonly step: 'code', readonly challenge: EmailChallenge }
  | { readonly step: 'recovery', readonly emailProof: string }

export function Recovery() {
  const copy = useCopy(accounts)
  const { locale } = useLocale()
  const { api } = useSession()
  const [email, setEmail] = useState('')
  const [state, setState] = useState<Step>({ step: 'email' })

  function sendCode(to: string): Promise<Done<EmailChallenge>> {
    return api.requestEmailCode({ email: to, purpose: 'recover', locale })
  }
  async function prove(proof: { challengeId: string, code: string }): Promise<Done<unknown>> {
    const proven = await api.proveEmail(proof)
    if (proven.ok) setState({ step: 'recovery', emailProof: proven.value.emailProof })
    return proven
  }

  return (
    <AccountScreen title={copy.recovery.title} lead={copy.recovery.lead} step={state.step}>
      {state.step === 'email' && (
        <EmailStep
          email={email} send={sendCode}
          onSent={(given, challenge) => { setEmail(given); setState({ step: 'code', challenge }) }}
        />
      )}
      {state.step === 'code' && (
        <EmailCodeStep
          email={email} challenge={state.challenge} onCode={prove} onResend={() => sendCode(email)}
          onBack={() => setState({ step: 'email' })}
        />
      )}
      {state.step === 'recovery' && <RecoveryStep emailProof={state.emailProof} />}
    </AccountScreen>
  )
}

interface EmailStepProps {
  readonly email: string
  readonly send: (email: string) => Promise<Done<EmailChallenge>>
  readonly onSent: (email: string, challenge: EmailChallenge) => void
}

function EmailStep({ email: first, send, onSent }: EmailStepProps) {
  const copy = useCopy(accounts)
  const [email, setEmail] = useState(first)
  const act = useAct()

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const sent = await act.run(() => send(email.trim()))
    if (sent?.ok === true) onSent(email.trim(), sent.value)
  }

  return (
    <>
      <Card>
        <form className={styles.form} onSubmit={onSubmit}>
          <TextField
            label={copy.email} error={act.error} type='email' autoComplete='email' required maxLength={MAX_EMAIL_LENGTH}
            value={email} onValueChange={setEmail}
          />
          <div className={styles.acts}>
            <Button type='submit' variant='primary' isBusy={act.isBusy}>{copy.recovery.send}</Button>
          </div>
        </form>
      </Card>
      <p className={styles.quiet}>{copy.recovery.nothingLeft} <Link to='/sign-up'>{copy.signIn.signUp}</Link></p>
    </>
  )
}

function RecoveryStep({ emailProof }: { emailProof: string }) {
  const copy = useCopy(accounts)
  const { keyring, open } = useSession()
  const navigate = useNavigate()
  const [code, setCode] = useState('')
  const act = useAct()

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const done = await act.run(() => keyring.recover({ emailProof, code }))
    if (done?.ok !== true) return
    setCode('')
    open(done.value)
    await navigate('/account?recovered', { replace: true })
  }

  return (
    <Card>
      <form className={styles.form} onSubmit={onSubmit}>
        <div className={styles.code}>
          <TextArea
            label={copy.recovery.codeLabel} hint={copy.recovery.codeHint} error={act.error}
            required rows={2} maxLength={MAX_TYPED_LENGTH} autoComplete='off'
            autoCapitalize='characters' spellCheck={false} value={code} onValueChange={setCode}
          />
        </div>
        <div className={styles.acts}>
          <Button type='submit' variant='primary' isBusy={act.isBusy}>{copy.recovery.act}</Button>
        </div>
      </form>
    </Card>
  )
}
