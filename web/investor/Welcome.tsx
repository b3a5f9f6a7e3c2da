/** Who shares what, what the founder will learn, and the two fields that are asked for. */
import { useState, type FormEvent } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { SealMark } from '../ui/SealMark.js'
import { TextField } from '../ui/TextField.js'
import { Time } from '../ui/Time.js'
import { isFinal } from './Closed.js'
import { isEmailLike } from './email.js'
import { WitnessWait } from './WitnessWait.js'
import type { Sent } from './EnterCode.js'
import { useFailureWords } from './failures.js'
import styles from './investor.module.css'
import {
  enterWithLink, hasNda, isLinkEnough, sendCode, type Gate, type Opened, type Person,
  type VisitTools,
} from './visit.js'

interface WelcomeProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly onSent: (sent: Sent) => void
  readonly onEntered: (entered: { person: Person, opened: Opened }) => void
  readonly onClosed: (code: Failure) => void
}

export function Welcome(props: WelcomeProps) {
  const { gate } = props
  const copy = useCopy(investor)
  const { card } = gate.verified
  return (
    <>
      <PageHeading lead={<Lead card={card} />}>{copy.sharesWithYou(card.founder)}</PageHeading>
      <Verified gate={gate} />
      <div className={styles.sheet}>
        <p>{learnsOf(copy, gate)}</p>
        {isLinkEnough(gate) ? <OpenByLink {...props} /> : <Identify {...props} />}
      </div>
      <WhatHappens gate={gate} />
    </>
  )
}

type InvestorCopy = ReturnType<typeof useCopy<(typeof investor)['en']>>

function learnsOf(copy: InvestorCopy, gate: Gate): string {
  const { founder } = gate.verified.card
  if (hasNda(gate)) return copy.learns(founder)
  return isLinkEnough(gate) ? copy.linkLearns(founder) : copy.learnsNoNda(founder)
}

function Lead({ card }: { card: { title: string, pageCount?: number } }) {
  const copy = useCopy(investor)
  return <>{card.title}{card.pageCount !== undefined && ` · ${copy.pages(card.pageCount)}`}</>
}

function Verified({ gate }: { gate: Gate }) {
  const copy = useCopy(investor)
  return (
    <details className={styles.verified}>
      <summary><SealMark state='checked' size='small' /> {copy.verified}</summary>
      <p>{copy.sealedFor}</p>
      <p>
        {copy.fingerprint}:{' '}
        <Hash value={gate.verified.founderFingerprint} what={copy.fingerprint} />
      </p>
    </details>
  )
}

interface IdentifyProps {
  readonly tools: VisitTools
  readonly onSent: (sent: Sent) => void
  readonly onClosed: (code: Failure) => void
}

/** Name and address, and the code is on its way. Shared by the welcome and the signature's own need for an address. */
export function Identify({ tools, onSent, onClosed }: IdentifyProps) {
  const copy = useCopy(investor)
  const { locale } = useLocale()
  const words = useFailureWords()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [isTried, setTried] = useState(false)
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })
  const isNamed = name.trim() !== ''
  const isAddressed = isEmailLike(email)

  async function onSubmit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    setTried(true)
    if (!isNamed || !isAddressed) return focusField(event.currentTarget, isNamed ? 'email' : 'name')
    setState({ isBusy: true })
    const person = { name: name.trim(), email: email.trim() }
    const sent = await sendCode(tools, { ...person, locale })
    if (sent.ok) return onSent({ ...person, challenge: sent.value })
    if (isFinal(sent.code)) return onClosed(sent.code)
    setState({ isBusy: false, failure: sent.code })
  }

  return (
    <form className={styles.form} onSubmit={(event) => void onSubmit(event)} noValidate>
      <TextField
        label={copy.yourName} value={name} onValueChange={setName} name='name' autoComplete='name' maxLength={120} required
        error={isTried && !isNamed ? copy.nameMissing : undefined}
      />
      <TextField
        label={copy.yourEmail} value={email} onValueChange={setEmail} name='email' type='email' inputMode='email'
        autoComplete='email' maxLength={254} required error={isTried && !isAddressed ? copy.emailWrong : undefined}
      />
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <Button variant='primary' type='submit' isBusy={state.isBusy} isWide>{copy.continueLabel}</Button>
    </form>
  )
}

function focusField(form: HTMLFormElement, name: string): void {
  const field = form.elements.namedItem(name)
  if (field instanceof HTMLElement) field.focus()
}

function OpenByLink({ tools, gate, onEntered, onClosed }: WelcomeProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })

  async function onOpen(): Promise<void> {
    setState({ isBusy: true })
    const entered = await enterWithLink(tools, gate)
    if (entered.ok) return onEntered(entered.value)
    if (isFinal(entered.code)) return onClosed(entered.code)
    setState({ isBusy: false, failure: entered.code })
  }

  return (
    <div className={styles.form}>
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <Button variant='primary' isBusy={state.isBusy} isWide onClick={() => void onOpen()}>{copy.openLabel}</Button>
      {state.isBusy && <WitnessWait gate={gate} />}
    </div>
  )
}

function WhatHappens({ gate }: { gate: Gate }) {
  const copy = useCopy(investor)
  const { expiresAtMs } = gate.verified.policy
  const facts = [
    { name: copy.kept, value: copy.keptBody },
    ...expiresAtMs === null ? [] : [{ name: copy.expires, value: <Time atMs={expiresAtMs} style='date' /> }],
  ]
  return (
    <section className={styles.next} aria-labelledby='next-title'>
      <h2 id='next-title' className={styles.smallTitle}>{copy.whatHappens}</h2>
      <ol className={styles.steps}>
        {stepsOf(copy, gate).map((step) => <li key={step}>{step}</li>)}
      </ol>
      <Facts facts={facts} />
    </section>
  )
}

function stepsOf(copy: InvestorCopy, gate: Gate): string[] {
  const isOpenFirst = gate.parts.some((part) => part.part === 1)
  const isSigned = hasNda(gate)
  const { policy, demandedWitnessCount } = gate.verified
  const isApproved = isSigned && policy.release === 'on-approval'
  return [
    ...isLinkEnough(gate) ? [] : [copy.stepEmail],
    ...isOpenFirst ? [copy.stepOpenSlides] : [],
    ...isSigned ? [isOpenFirst ? copy.stepNda : copy.stepNdaAll] : [],
    ...isApproved ? [copy.stepApproval] : [],
    ...isSigned || isOpenFirst ? [] : [copy.stepAll],
    ...demandedWitnessCount === 0 ? [] : [copy.stepWitnesses(demandedWitnessCount)],
  ]
}
