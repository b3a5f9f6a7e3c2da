/**
 * The recovery code: shown once, kept by the person, confirmed by typing two of its groups. It stands on
 * the screen, so it stands in this page's memory until the screen is left, and nowhere else.
 */
import { useEffect, useRef, useState, type SubmitEvent } from 'react'
import { Link } from 'react-router'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { findInvitation, homePath } from '../../kept-invitation.js'
import type { NewRecoveryCode } from '../../keyring.js'
import { useAccount, useSession } from '../../session.js'
import { Button, buttonClass } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { CopyButton } from '../../ui/CopyButton.js'
import { ErrorState } from '../../ui/ErrorState.js'
import { LoadingState } from '../../ui/LoadingState.js'
import { Notice } from '../../ui/Notice.js'
import { TextField } from '../../ui/TextField.js'
import { AccountScreen } from './AccountScreen.js'
import styles from './accounts.module.css'
import { Unlock } from './Unlock.js'
import { useAct, type Act } from './use-act.js'

type Step = 'show' | 'confirm' | 'done'

export function RecoveryCode() {
  const copy = useCopy(accounts)
  const account = useAccount()
  const { made, act, retry } = useNewCode()
  const [step, setStep] = useState<Step>('show')
  const titles = {
    show: copy.recoveryCode.title, confirm: copy.recoveryCode.confirmTitle,
    done: copy.recoveryCode.doneTitle,
  }
  const leads = {
    show: copy.recoveryCode.lead, confirm: copy.recoveryCode.confirmLead, done: undefined,
  }

  if (act.failure === 'proof-stale') return <Unlock account={account} onOpened={retry} />
  return (
    <AccountScreen title={titles[step]} lead={leads[step]} step={step} seal={step === 'done' ? 'checked' : 'closed'}>
      {made === null && <Making act={act} onRetry={retry} />}
      {made !== null && step === 'show' && <ShowCode code={made.code} onKept={() => setStep('confirm')} />}
      {made !== null && step === 'confirm' && (
        <ConfirmCode made={made} onShow={() => setStep('show')} onConfirmed={() => setStep('done')} />
      )}
      {step === 'done' && (
        <Card>
          <p>{copy.recoveryCode.doneText}</p>
          <div className={styles.acts}><Onward /></div>
        </Card>
      )}
    </AccountScreen>
  )
}

/** To what she came for: an invitation that waits, or her decks. */
function Onward() {
  const { recoveryCode } = useCopy(accounts)
  const words = findInvitation() === null ? recoveryCode.toDecks : recoveryCode.toInvitation
  const look = buttonClass({ variant: 'primary', size: 'normal', isWide: false })
  return <Link to={homePath()} className={look}>{words}</Link>
}

/** One code a visit of this screen, however often it is drawn. */
function useNewCode(): { made: NewRecoveryCode | null, act: Act, retry: () => void } {
  const { keyring } = useSession()
  const { userId } = useAccount()
  const [made, setMade] = useState<NewRecoveryCode | null>(null)
  const act = useAct()
  const isAsked = useRef(false)

  async function make(): Promise<void> {
    const done = await act.run(() => keyring.makeRecoveryCode(userId))
    if (done?.ok === true) setMade(done.value)
  }
  useEffect(() => {
    if (isAsked.current) return
    isAsked.current = true
    void make()
  })
  return { made, act, retry: () => void make() }
}

function Making({ act, onRetry }: { act: Act, onRetry: () => void }) {
  const copy = useCopy(accounts)
  if (act.failure === null) return <LoadingState label={copy.recoveryCode.making} />
  return (
    <ErrorState title={act.error ?? ''} code={act.failure} actions={<Button onClick={onRetry}>{copy.shell.retry}</Button>} />
  )
}

function ShowCode({ code, onKept }: { code: string, onKept: () => void }) {
  const copy = useCopy(accounts)
  const { email } = useAccount()

  function onDownload(): void {
    const text = copy.recoveryCode.fileText({ email, code, host: location.host })
    saveText(copy.recoveryCode.fileName, text)
  }

  return (
    <>
      <Card>
        <ol className={styles.groups}>
          {code.split('-').map((group, index) => (
            <li key={index} className={styles.group}>
              <span className={styles.position}>{index + 1}</span>
              <code>{group}</code>
            </li>
          ))}
        </ol>
        <div className={`${styles.acts} ${styles.unprinted}`}>
          <CopyButton text={code} label={copy.recoveryCode.copyAct} />
          <Button icon='download' onClick={onDownload}>{copy.recoveryCode.downloadAct}</Button>
          <Button icon='print' onClick={() => print()}>{copy.recoveryCode.printAct}</Button>
        </div>
      </Card>
      <Notice tone='warn'>{copy.recoveryCode.plain}</Notice>
      <div className={`${styles.acts} ${styles.unprinted}`}>
        <Button variant='primary' onClick={onKept}>{copy.recoveryCode.kept}</Button>
        <Link to={homePath()} className={styles.quiet}>{copy.recoveryCode.later}</Link>
      </div>
    </>
  )
}

function saveText(fileName: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  URL.revokeObjectURL(url)
}

interface ConfirmCodeProps {
  readonly made: NewRecoveryCode
  readonly onShow: () => void
  readonly onConfirmed: () => void
}

function ConfirmCode({ made, onShow, onConfirmed }: ConfirmCodeProps) {
  const copy = useCopy(accounts)
  const { keyring, open } = useSession()
  const [positions] = useState(() => twoPositions(made.code))
  const [typed, setTyped] = useState<readonly [string, string]>(['', ''])
  const [isChecked, setChecked] = useState(false)
  const act = useAct()
  const isRight = positions.map((position, index) => normal(typed[index] ?? '') === made.code.split('-')[position])

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    setChecked(true)
    if (!isRight.every(Boolean)) return
    const done = await act.run(() => keyring.confirmRecoveryCode(made.rowId))
    if (done?.ok !== true) return
    open(done.value)
    onConfirmed()
  }

  return (
    <Card>
      <form className={styles.form} onSubmit={onSubmit}>
        <div className={styles.pair}>
          {positions.map((position, index) => (
            <TextField
              key={position} label={copy.recoveryCode.group(position + 1)} value={typed[index] ?? ''}
              error={isChecked && !isRight[index] ? copy.recoveryCode.groupWrong : undefined}
              autoComplete='off' autoCapitalize='characters' spellCheck={false} maxLength={6} autoFocus={index === 0}
              onValueChange={(text) => {
                setChecked(false); setTyped(
                  index === 0 ? [text, typed[1]] : [typed[0], text],
                )
              }}
            />
          ))}
        </div>
        {act.error !== undefined && <Notice tone='fail' isLive>{act.error}</Notice>}
        <div className={styles.acts}>
          <Button type='submit' variant='primary' isBusy={act.isBusy}>{copy.recoveryCode.confirmAct}</Button>
          <Button variant='quiet' onClick={onShow}>{copy.recoveryCode.showAgain}</Button>
        </div>
      </form>
    </Card>
  )
}

/** As recovery codes are read: any case, O for 0, I and L for 1. */
function normal(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

/** Two different groups, the earlier first, another pair each time. */
function twoPositions(code: string): [number, number] {
  const count = code.split('-').length
  const [first = 0, step = 0] = crypto.getRandomValues(new Uint32Array(2))
  const a = first % count
  const b = (a + 1 + step % (count - 1)) % count
  return [Math.min(a, b), Math.max(a, b)]
}
