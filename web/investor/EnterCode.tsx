/** Eight digits from a mail. The last one submits; nothing else is to be pressed. */
import { useEffect, useRef, useState } from 'react'
import type { EmailChallenge } from '../../protocol/api.js'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { CodeField } from '../ui/CodeField.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Spinner } from '../ui/Spinner.js'
import { isFinal } from './Closed.js'
import { useFailureWords } from './failures.js'
import styles from './investor.module.css'
import { WitnessWait } from './WitnessWait.js'
import { enterWithCode, sendCode, type Gate, type Opened, type Person, type VisitTools } from './visit.js'

export interface Sent {
  readonly name: string
  readonly email: string
  readonly challenge: EmailChallenge
}

interface EnterCodeProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly sent: Sent
  readonly onBack: () => void
  readonly onEntered: (entered: { person: Person, opened: Opened }) => void
  readonly onClosed: (code: Failure) => void
  /** Under a heading of its own, or inside another screen. */
  readonly isInline?: boolean
}

export function EnterCode(props: EnterCodeProps) {
  const { gate, sent, isInline = false } = props
  const copy = useCopy(investor)
  const [challenge, setChallenge] = useState(sent.challenge)
  return (
    <>
      {isInline
        ? <p>{copy.codeLead(sent.email)}</p>
        : <PageHeading lead={copy.codeLead(sent.email)}>{copy.codeTitle}</PageHeading>}
      <div className={isInline ? styles.form : styles.sheet}>
        <Digits key={challenge.challengeId} {...props} challengeId={challenge.challengeId} />
        <div className={styles.quietActions}>
          <Resend {...props} challenge={challenge} onResent={setChallenge} />
          <Button variant='quiet' size='small' onClick={props.onBack}>{copy.otherEmail}</Button>
        </div>
      </div>
      {gate.outboxPath !== null && (
        <Notice>{copy.outboxHint} <a href={gate.outboxPath} target='_blank' rel='noopener noreferrer'>{copy.outboxLink}</a></Notice>
      )}
    </>
  )
}

type State = { readonly step: 'typing', readonly failure?: Failure } | { readonly step: 'checking' }

function Digits(
  { tools, gate, sent, challengeId, onEntered, onClosed }: EnterCodeProps & { challengeId: string },
) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [digits, setDigits] = useState('')
  const [state, setState] = useState<State>({ step: 'typing' })
  const field = useRef<HTMLInputElement>(null)
  const failure = state.step === 'typing' ? state.failure : undefined

  // A field that waits is disabled, and loses focus to nothing: the next try starts in it again.
  useEffect(() => { if (failure !== undefined) field.current?.focus() }, [failure, state])

  async function onComplete(code: string): Promise<void> {
    setState({ step: 'checking' })
    const entered = await enterWithCode(
      tools, gate, { challengeId, code, name: sent.name, email: sent.email },
    )
    if (entered.ok) return onEntered(entered.value)
    if (isFinal(entered.code)) return onClosed(entered.code)
    setDigits('')
    setState({ step: 'typing', failure: entered.code })
  }

  return (
    <>
      <CodeField
        ref={field} label={copy.code} value={digits} onValueChange={setDigits} autoFocus
        onComplete={(code) => void onComplete(code)} isDisabled={state.step === 'checking'}
        {...(failure !== undefined && { error: words(failure) })}
      />
      <p className={styles.checking} role='status'>
        {state.step === 'checking' && <><Spinner /> {copy.checkingCode}</>}
      </p>
      {state.step === 'checking' && <WitnessWait gate={gate} />}
    </>
  )
}

interface ResendProps extends Pick<EnterCodeProps, 'tools' | 'sent' | 'onClosed'> {
  readonly challenge: EmailChallenge
  readonly onResent: (challenge: EmailChallenge) => void
}

function Resend({ tools, sent, challenge, onResent, onClosed }: ResendProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const { locale } = useLocale()
  const [said, setSaid] = useState('')
  const seconds = useCountdown(challenge)

  async function onResend(): Promise<void> {
    const again = await sendCode(tools, { name: sent.name, email: sent.email, locale })
    if (!again.ok && isFinal(again.code)) return onClosed(again.code)
    setSaid(again.ok ? copy.resent : words(again.code))
    if (again.ok) onResent(again.value)
  }

  return (
    <>
      <Button variant='quiet' size='small' disabled={seconds > 0} onClick={() => void onResend()}>
        {seconds > 0 ? copy.resendIn(seconds) : copy.resend}
      </Button>
      <p className={styles.said} role='status'>{said}</p>
    </>
  )
}

/** Whole seconds until another code may be asked for. */
function useCountdown(challenge: EmailChallenge): number {
  const [leftMs, setLeftMs] = useState(challenge.resendAfterMs)
  useEffect(() => {
    setLeftMs(challenge.resendAfterMs)
    const endsAtMs = performance.now() + challenge.resendAfterMs
    const timer = setInterval(() => {
      const nowLeftMs = Math.max(0, endsAtMs - performance.now())
      setLeftMs(nowLeftMs)
      if (nowLeftMs === 0) clearInterval(timer)
    }, 1000)
    return () => clearInterval(timer)
  }, [challenge])
  return Math.ceil(leftMs / 1000)
}
