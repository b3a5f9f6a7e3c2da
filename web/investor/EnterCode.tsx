/** Eight digits from a mail. The last one submits; nothing else is to be pressed. */
import { useEffect, useState } from 'react'
import type { EmailChallenge } from '../../protocol/api.js'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { CodeField } from '../ui/CodeField.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { Spinner } from '../ui/Spinner.js'
import styles from './investor.module.css'
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
  /** Under a heading of its own, or inside another screen. */
  readonly isInline?: boolean
}

type State = { readonly step: 'typing', readonly failure?: Failure } | { readonly step: 'checking' }

export function EnterCode(
  { tools, gate, sent, onBack, onEntered, isInline = false }: EnterCodeProps,
) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [challenge, setChallenge] = useState(sent.challenge)
  const [digits, setDigits] = useState('')
  const [state, setState] = useState<State>({ step: 'typing' })

  async function onComplete(code: string): Promise<void> {
    setState({ step: 'checking' })
    const { challengeId } = challenge
    const entered = await enterWithCode(
      tools, gate, { challengeId, code, name: sent.name, email: sent.email },
    )
    if (entered.ok) return onEntered(entered.value)
    setDigits('')
    setState({ step: 'typing', failure: entered.code })
  }

  function onResent(next: EmailChallenge): void {
    setChallenge(next)
    setDigits('')
    setState({ step: 'typing' })
  }

  return (
    <div className={styles.form}>
      {isInline
        ? <p>{copy.codeLead(sent.email)}</p>
        : <PageHeading lead={copy.codeLead(sent.email)}>{copy.codeTitle}</PageHeading>}
      <CodeField
        label={copy.code} value={digits} onValueChange={setDigits} onComplete={(code) =>
          void onComplete(code)}
        isDisabled={state.step === 'checking'} autoFocus
        {...(state.step === 'typing' && state.failure !== undefined && { error: words(state.failure) })}
      />
      {state.step === 'checking' && <Spinner />}
      {gate.outboxPath !== null && (
        <Notice>{copy.outboxHint} <a href={gate.outboxPath} target='_blank' rel='noopener noreferrer'>{copy.outboxLink}</a></Notice>
      )}
      <div className={styles.actions}>
        <Resend tools={tools} sent={sent} challenge={challenge} onResent={onResent} />
        <Button variant='quiet' onClick={onBack}>{copy.otherEmail}</Button>
      </div>
    </div>
  )
}

interface ResendProps {
  readonly tools: VisitTools
  readonly sent: Sent
  readonly challenge: EmailChallenge
  readonly onResent: (challenge: EmailChallenge) => void
}

function Resend({ tools, sent, challenge, onResent }: ResendProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const { locale } = useLocale()
  const [said, setSaid] = useState('')
  const seconds = useCountdown(challenge)

  async function onResend(): Promise<void> {
    const again = await sendCode(tools, { name: sent.name, email: sent.email, locale })
    setSaid(again.ok ? copy.resent : words(again.code))
    if (again.ok) onResent(again.value)
  }

  return (
    <>
      <Button variant='quiet' disabled={seconds > 0} onClick={() => void onResend()}>
        {seconds > 0 ? copy.resendIn(seconds) : copy.resend}
      </Button>
      <LiveRegion>{said}</LiveRegion>
    </>
  )
}

/** Whole seconds until another code may be asked for. */
function useCountdown(challenge: EmailChallenge): number {
  const [seconds, setSeconds] = useState(() => Math.ceil(challenge.resendAfterMs / 1000))
  useEffect(() => {
    const endsAtMs = performance.now() + challenge.resendAfterMs
    const timer = setInterval(() => {
      const leftMs = endsAtMs - performance.now()
      setSeconds(Math.max(0, Math.ceil(leftMs / 1000)))
      if (leftMs <= 0) clearInterval(timer)
    }, 1000)
    return () => clearInterval(timer)
  }, [challenge])
  return seconds
}
