/** A new account: who, the code from the mail, and the first way in. */
import { useState, type SubmitEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import type { Account, EmailChallenge } from '../../../protocol/api.js'
import { MAX_EMAIL_LENGTH, MAX_NAME_LENGTH } from '../../../protocol/limits.js'
import { useCopy, useLocale } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import type { Done, NewAccount } from '../../keyring.js'
import { hasPasskeys } from '../../passkey.js'
import { useSession } from '../../session.js'
import { Button } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { Notice } from '../../ui/Notice.js'
import { Tag } from '../../ui/Tag.js'
import { TextField } from '../../ui/TextField.js'
import { AccountScreen } from './AccountScreen.js'
import styles from './accounts.module.css'
import { EmailCodeStep } from './EmailCodeStep.js'
import { NewPassphrase } from './PassphraseFields.js'
import { useAct, type Act } from './use-act.js'

interface Who { readonly name: string, readonly email: string }

type Step =
  | { readonly step: 'who' }
  | { readonly step: 'code', readonly challenge: EmailChallenge }
  | { readonly step: 'way', readonly emailProof: string }

export function SignUp() {
  const copy = useCopy(accounts)
  const { locale } = useLocale()
  const { api } = useSession()
  const [who, setWho] = useState<Who>({ name: '', email: '' })
  const [state, setState] = useState<Step>({ step: 'who' })
  const titles = { who: copy.signUp.title, code: copy.signUp.codeTitle, way: copy.signUp.wayTitle }
  const leads = { who: copy.signUp.lead, code: undefined, way: copy.signUp.wayLead }

  function sendCode({ email }: Who): Promise<Done<EmailChallenge>> {
    return api.requestEmailCode({ email, purpose: 'sign-up', locale })
  }
  async function prove(proof: { challengeId: string, code: string }): Promise<Done<unknown>> {
    const proven = await api.proveEmail(proof)
    if (proven.ok) setState({ step: 'way', emailProof: proven.value.emailProof })
    return proven
  }

  return (
    <AccountScreen title={titles[state.step]} lead={leads[state.step]} step={state.step}>
      {state.step === 'who' && (
        <WhoStep
          who={who} send={sendCode}
          onSent={(given, challenge) => { setWho(given); setState({ step: 'code', challenge }) }}
        />
      )}
      {state.step === 'code' && (
        <EmailCodeStep
          email={who.email} challenge={state.challenge} onCode={prove}
          onResend={() => sendCode(who)} onBack={() => setState({ step: 'who' })}
        />
      )}
      {state.step === 'way' && <FirstWay account={{ emailProof: state.emailProof, name: who.name, locale }} />}
    </AccountScreen>
  )
}

interface WhoStepProps {
  readonly who: Who
  readonly send: (who: Who) => Promise<Done<EmailChallenge>>
  readonly onSent: (who: Who, challenge: EmailChallenge) => void
}

function WhoStep({ who: first, send, onSent }: WhoStepProps) {
  const copy = useCopy(accounts)
  const [who, setWho] = useState(first)
  const [isChecked, setChecked] = useState(false)
  const act = useAct()
  const given = { name: who.name.trim(), email: who.email.trim() }
  const errors = {
    name: given.name === '' ? copy.signUp.nameMissing : undefined,
    email: /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(given.email) ? undefined : copy.emailWrong,
  }

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    setChecked(true)
    if (errors.name !== undefined || errors.email !== undefined) return
    const sent = await act.run(() => send(given))
    if (sent?.ok === true) onSent(given, sent.value)
  }

  return (
    <>
      <Card>
        <form className={styles.form} onSubmit={onSubmit} noValidate>
          <TextField
            label={copy.signUp.name} hint={copy.signUp.nameHint} error={isChecked ? errors.name : undefined} autoComplete='name'
            maxLength={MAX_NAME_LENGTH} value={who.name}
            onValueChange={(name) => setWho({ ...who, name })}
          />
          <TextField
            label={copy.email} error={isChecked ? errors.email ?? act.error : undefined} type='email' autoComplete='email'
            maxLength={MAX_EMAIL_LENGTH} value={who.email}
            onValueChange={(email) => setWho({ ...who, email })}
          />
          <div className={styles.acts}>
            <Button type='submit' variant='primary' isBusy={act.isBusy}>{copy.signUp.send}</Button>
          </div>
        </form>
      </Card>
      <p className={styles.quiet}>{copy.signUp.haveAccount} <Link to='/sign-in'>{copy.signUp.signIn}</Link></p>
    </>
  )
}

function FirstWay({ account }: { account: NewAccount }) {
  const { keyring, open } = useSession()
  const navigate = useNavigate()
  const act = useAct()

  async function signUp(run: () => Promise<Done<Account>>): Promise<void> {
    const done = await act.run(run)
    if (done?.ok !== true) return
    open(done.value)
    await navigate('/account/recovery-code', { replace: true })
  }

  return (
    <WayChoice
      act={act}
      onPasskey={() => signUp(() => keyring.signUpWithPasskey(account))}
      onPassphrase={(passphrase) => signUp(
        () => keyring.signUpWithPassphrase({ ...account, passphrase }),
      )}
    />
  )
}

interface WayChoiceProps {
  readonly act: Act
  readonly onPasskey: () => void
  readonly onPassphrase: (passphrase: string) => void
}

/** A passkey first; the passphrase when it is chosen, or when a passkey cannot do it here. */
function WayChoice({ act, onPasskey, onPassphrase }: WayChoiceProps) {
  const copy = useCopy(accounts)
  const [isPassphrase, setPassphrase] = useState(!hasPasskeys())
  const isHopeless = act.failure === 'passkey-without-secret' || act.failure === 'passkey-unsupported'
  const isPassphraseShown = isPassphrase || isHopeless
  const hasFailed = act.error !== undefined && (isHopeless || !isPassphrase)

  return (
    <>
      {hasFailed && <Notice tone={isHopeless ? 'warn' : 'fail'} isLive>{act.error}</Notice>}
      {hasPasskeys() && !isHopeless && (
        <Card title={copy.signUp.passkeyTitle} aside={<Tag tone='seal' icon='shield'>{copy.signUp.recommended}</Tag>}>
          <p>{copy.signUp.passkeyText}</p>
          <div className={styles.acts}>
            <Button variant={isPassphrase ? 'plain' : 'primary'} icon='key' isBusy={act.isBusy && !isPassphrase} onClick={() => { setPassphrase(false); onPasskey() }}>
              {copy.signUp.passkeyAct}
            </Button>
          </div>
        </Card>
      )}
      {isPassphraseShown
        ? (
          <Card title={copy.signUp.passphraseTitle}>
            <p>{copy.signUp.passphraseText}</p>
            <NewPassphrase
              actLabel={copy.signUp.passphraseAct} isBusy={act.isBusy}
              error={hasFailed ? undefined : act.error} autoFocus={isPassphrase}
              onPassphrase={(passphrase) => { setPassphrase(true); onPassphrase(passphrase) }}
            />
          </Card>
          )
        : <div><Button variant='quiet' onClick={() => { act.clear(); setPassphrase(true) }}>{copy.signUp.passphraseChoose}</Button></div>}
    </>
  )
}
