/** Into an account from this browser: by passkey, or by passphrase and a code from the mail. */
import { useState } from 'react'
import { Link } from 'react-router'
import type { Account, EmailChallenge } from '../../../protocol/api.js'
import { useCopy, useLocale } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import type { Done } from '../../keyring.js'
import { hasPasskeys } from '../../passkey.js'
import { useSession } from '../../session.js'
import { Button } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { Notice } from '../../ui/Notice.js'
import { AccountScreen } from './AccountScreen.js'
import styles from './accounts.module.css'
import { EmailCodeStep } from './EmailCodeStep.js'
import { KnownPassphrase } from './PassphraseFields.js'
import { useAct } from './use-act.js'

type Step = { readonly step: 'ways' } | { readonly step: 'code', readonly email: string, readonly challenge: EmailChallenge }

export function SignIn() {
  const copy = useCopy(accounts)
  const { keyring, open } = useSession()
  const [state, setState] = useState<Step>({ step: 'ways' })

  if (state.step === 'code') {
    return (
      <AccountScreen title={copy.signIn.codeTitle} step='code'>
        <PassphraseCode email={state.email} challenge={state.challenge} onDone={open} onBack={() => setState({ step: 'ways' })} />
      </AccountScreen>
    )
  }
  return (
    <AccountScreen title={copy.signIn.title} lead={copy.signIn.lead} step='ways'>
      <Card>
        {hasPasskeys() && (
          <>
            <PasskeyAct
              label={copy.signIn.passkeyAct} signIn={keyring.signInWithPasskey} onDone={open}
            />
            <p className={styles.divider}>{copy.signIn.or}</p>
          </>
        )}
        <PassphraseAct email='' onChallenge={(email, challenge) => setState({ step: 'code', email, challenge })} />
      </Card>
      <div className={styles.acts}>
        <span className={styles.quiet}>{copy.signIn.noAccount} <Link to='/sign-up'>{copy.signIn.signUp}</Link></span>
        <span className={styles.quiet}><Link to='/recover'>{copy.signIn.lost}</Link></span>
      </div>
    </AccountScreen>
  )
}

interface PasskeyActProps {
  readonly label: string
  readonly signIn: () => Promise<Done<Account>>
  readonly onDone: (account: Account) => void
}

export function PasskeyAct({ label, signIn, onDone }: PasskeyActProps) {
  const act = useAct()

  async function onPress(): Promise<void> {
    const done = await act.run(signIn)
    if (done?.ok === true) onDone(done.value)
  }

  return (
    <>
      <Button variant='primary' icon='key' isWide isBusy={act.isBusy} onClick={onPress}>{label}</Button>
      {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
    </>
  )
}

interface PassphraseActProps {
  readonly email: string
  readonly isEmailKnown?: boolean
  readonly onChallenge: (email: string, challenge: EmailChallenge) => void
}

export function PassphraseAct(
  { email: first, isEmailKnown = false, onChallenge }: PassphraseActProps,
) {
  const copy = useCopy(accounts)
  const { locale } = useLocale()
  const { keyring } = useSession()
  const act = useAct()

  async function onSubmit(input: { email: string, passphrase: string }): Promise<void> {
    const started = await act.run(() => keyring.startPassphraseSignIn({ ...input, locale }))
    if (started?.ok === true) onChallenge(input.email, started.value)
  }

  return (
    <KnownPassphrase
      email={first} isEmailKnown={isEmailKnown} actLabel={copy.signIn.passphraseAct}
      isBusy={act.isBusy} error={act.error} onSubmit={onSubmit}
    />
  )
}

interface PassphraseCodeProps {
  readonly email: string
  readonly challenge: EmailChallenge
  readonly onDone: (account: Account) => void
  readonly onBack: () => void
}

/** No second code from here: each needs the passphrase again, which the page does not keep. */
export function PassphraseCode({ email, challenge, onDone, onBack }: PassphraseCodeProps) {
  const { keyring } = useSession()

  async function onCode(proof: { challengeId: string, code: string }): Promise<Done<unknown>> {
    const done = await keyring.finishPassphraseSignIn(proof)
    if (done.ok) onDone(done.value)
    return done
  }
  return <EmailCodeStep email={email} challenge={challenge} onCode={onCode} onBack={onBack} />
}
