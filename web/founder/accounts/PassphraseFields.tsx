/**
 * A new passphrase, or a known one. The text is handed out once, on submit, and the field is emptied in
 * the same tick: the page must not keep it ([Note: Keys stay in the worker]).
 */
import { useState, type SubmitEvent } from 'react'
import { MAX_PASSPHRASE_LENGTH, MIN_PASSPHRASE_LENGTH } from '../../../protocol/limits.js'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { Button } from '../../ui/Button.js'
import { TextField } from '../../ui/TextField.js'
import styles from './accounts.module.css'

interface NewPassphraseProps {
  readonly actLabel: string
  readonly isBusy: boolean
  readonly error?: string | undefined
  readonly isPrimary?: boolean
  readonly autoFocus?: boolean
  readonly onPassphrase: (passphrase: string) => void
}

export function NewPassphrase({
  actLabel, isBusy, error, isPrimary = true, autoFocus = false, onPassphrase,
}: NewPassphraseProps) {
  const copy = useCopy(accounts)
  const [text, setText] = useState('')
  const [isChecked, setChecked] = useState(false)
  // Counted as people count: a letter outside the basic plane is one.
  const missing = MIN_PASSPHRASE_LENGTH - [...text].length

  function onSubmit(event: SubmitEvent): void {
    event.preventDefault()
    if (missing > 0) return setChecked(true)
    setChecked(false)
    setText('')
    onPassphrase(text)
  }

  const short = isChecked && missing > 0 ? copy.passphraseShort(missing) : undefined
  return (
    <form className={styles.form} onSubmit={onSubmit} noValidate>
      <TextField
        label={copy.passphrase} hint={copy.passphraseHint} error={short ?? error} type='password' autoComplete='new-password'
        maxLength={MAX_PASSPHRASE_LENGTH} value={text} onValueChange={setText} autoFocus={autoFocus}
      />
      <div className={styles.acts}>
        <Button type='submit' variant={isPrimary ? 'primary' : 'plain'} isBusy={isBusy}>{actLabel}</Button>
      </div>
    </form>
  )
}

interface KnownPassphraseProps {
  /** Empty where it is asked for. */
  readonly email: string
  readonly isEmailKnown?: boolean
  readonly actLabel: string
  readonly isBusy: boolean
  readonly error?: string | undefined
  readonly onSubmit: (input: { email: string, passphrase: string }) => void
}

export function KnownPassphrase(
  { email: first, isEmailKnown = false, actLabel, isBusy, error, onSubmit }: KnownPassphraseProps,
) {
  const copy = useCopy(accounts)
  const [email, setEmail] = useState(first)
  const [passphrase, setPassphrase] = useState('')

  function submit(event: SubmitEvent): void {
    event.preventDefault()
    setPassphrase('')
    onSubmit({ email: email.trim(), passphrase })
  }

  return (
    <form className={styles.form} onSubmit={submit}>
      <TextField
        label={copy.email} type='email' autoComplete='username webauthn' required readOnly={isEmailKnown}
        value={email} onValueChange={setEmail}
      />
      <TextField
        label={copy.passphrase} error={error} type='password' autoComplete='current-password' required
        maxLength={MAX_PASSPHRASE_LENGTH} value={passphrase} onValueChange={setPassphrase}
      />
      <div className={styles.acts}>
        <Button type='submit' isBusy={isBusy}>{actLabel}</Button>
      </div>
    </form>
  )
}
