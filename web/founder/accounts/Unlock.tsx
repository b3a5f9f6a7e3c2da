/** After a reload: the session lives, the keys do not. One touch of the passkey brings them back. */
import { useState } from 'react'
import { Link } from 'react-router'
import type { Account, EmailChallenge } from '../../../protocol/api.js'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { hasPasskeys } from '../../passkey.js'
import { useSession } from '../../session.js'
import { Button } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { AccountScreen } from './AccountScreen.js'
import styles from './accounts.module.css'
import { PassphraseAct, PassphraseCode, PasskeyAct } from './SignIn.js'

interface UnlockProps {
  readonly account: Account
  /** For who is here already and only proves it again. */
  readonly onOpened?: () => void
}

export function Unlock({ account, onOpened }: UnlockProps) {
  const copy = useCopy(accounts)
  const { keyring, open, signOut } = useSession()
  const [isPassphrase, setPassphrase] = useState(!hasPasskeys())
  const [challenge, setChallenge] = useState<EmailChallenge | null>(null)

  function onDone(opened: Account): void {
    open(opened)
    onOpened?.()
  }

  if (challenge !== null) {
    return (
      <AccountScreen title={copy.signIn.codeTitle} step='code'>
        <PassphraseCode
          email={account.email} challenge={challenge} onDone={onDone} onBack={() =>
            setChallenge(null)}
        />
      </AccountScreen>
    )
  }
  return (
    <AccountScreen title={copy.unlock.title} lead={copy.unlock.lead(account.name)} step='ways'>
      <Card>
        {hasPasskeys() && <PasskeyAct
          label={copy.unlock.passkeyAct} signIn={keyring.signInWithPasskey} onDone={onDone}
                          />}
        {isPassphrase
          ? <PassphraseAct
              email={account.email} isEmailKnown onChallenge={(_email, sent) => setChallenge(sent)}
            />
          : <Button variant='quiet' onClick={() => setPassphrase(true)}>{copy.unlock.passphraseChoose}</Button>}
      </Card>
      <div className={styles.acts}>
        <Button variant='quiet' onClick={signOut}>{copy.unlock.signOut}</Button>
        <span className={styles.quiet}><Link to='/recover'>{copy.signIn.lost}</Link></span>
      </div>
    </AccountScreen>
  )
}
