/** The step where a code from the mail is typed. It submits itself; another one can be asked for. */
import { useEffect, useState } from 'react'
import type { EmailChallenge } from '../../../protocol/api.js'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import type { Done } from '../../keyring.js'
import { useSession } from '../../session.js'
import { Button } from '../../ui/Button.js'
import { Card } from '../../ui/Card.js'
import { CodeField } from '../../ui/CodeField.js'
import { LiveRegion } from '../../ui/LiveRegion.js'
import styles from './accounts.module.css'
import { useAct } from './use-act.js'

interface EmailCodeStepProps {
  readonly email: string
  readonly challenge: EmailChallenge
  readonly onCode: (proof: { challengeId: string, code: string }) => Promise<Done<unknown>>
  /** Where another code cannot be asked for from here, left out. */
  readonly onResend?: () => Promise<Done<EmailChallenge>>
  readonly onBack: () => void
}

export function EmailCodeStep(
  { email, challenge: first, onCode, onResend, onBack }: EmailCodeStepProps,
) {
  const copy = useCopy(accounts)
  const { config } = useSession()
  const [challenge, setChallenge] = useState(first)
  const [digits, setDigits] = useState('')
  const act = useAct()

  async function onComplete(code: string): Promise<void> {
    const done = await act.run(() => onCode({ challengeId: challenge.challengeId, code }))
    if (done?.ok === false) setDigits('')
  }

  return (
    <Card>
      <p>{copy.codeSent(email)}</p>
      {config?.outboxPath != null && (
        <p className={styles.quiet}><a href={config.outboxPath} target='_blank' rel='noopener noreferrer'>{copy.codeOutbox}</a></p>
      )}
      <CodeField
        label={copy.code} value={digits} error={act.error} isDisabled={act.isBusy} autoFocus
        onValueChange={setDigits} onComplete={onComplete}
      />
      <div className={styles.acts}>
        {onResend !== undefined && <Resend
          challenge={challenge} onResend={onResend} onSent={setChallenge}
                                   />}
        <Button variant='quiet' onClick={onBack}>{copy.otherEmail}</Button>
      </div>
    </Card>
  )
}

interface ResendProps {
  readonly challenge: EmailChallenge
  readonly onResend: () => Promise<Done<EmailChallenge>>
  readonly onSent: (challenge: EmailChallenge) => void
}

function Resend({ challenge, onResend, onSent }: ResendProps) {
  const copy = useCopy(accounts)
  const act = useAct()
  const secondsLeft = useSecondsLeft(challenge)
  const [isSent, setSent] = useState(false)

  async function onPress(): Promise<void> {
    const done = await act.run(onResend)
    if (done?.ok !== true) return
    setSent(true)
    onSent(done.value)
  }

  return (
    <>
      <Button disabled={secondsLeft > 0} isBusy={act.isBusy} onClick={onPress}>
        {secondsLeft > 0 ? copy.codeResendIn(secondsLeft) : copy.codeResend}
      </Button>
      {act.error !== undefined && <p role='alert' className={styles.quiet}>{act.error}</p>}
      <LiveRegion>{isSent ? copy.codeResent : ''}</LiveRegion>
    </>
  )
}

/** Counted on this browser's own clock, from when the challenge came. */
function useSecondsLeft(challenge: EmailChallenge): number {
  const [secondsLeft, setSecondsLeft] = useState(() => secondsOf(challenge.resendAfterMs))
  useEffect(() => {
    const untilMs = Date.now() + challenge.resendAfterMs
    setSecondsLeft(secondsOf(challenge.resendAfterMs))
    const timer = setInterval(() => setSecondsLeft(secondsOf(untilMs - Date.now())), 1000)
    return () => clearInterval(timer)
  }, [challenge])
  return secondsLeft
}

function secondsOf(durationMs: number): number {
  return Math.max(0, Math.ceil(durationMs / 1000))
}
