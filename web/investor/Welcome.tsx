/** Who shares what, what the founder will learn, and the two fields that are asked for. */
import { useState, type FormEvent } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Notice } from '../ui/Notice.js'
import { PageHeading } from '../ui/Page.js'
import { SealMark } from '../ui/SealMark.js'
import { TextField } from '../ui/TextField.js'
import { Time } from '../ui/Time.js'
import { isEmailLike } from './email.js'
import type { Sent } from './EnterCode.js'
import styles from './investor.module.css'
import { enterWithLink, hasNda, isLinkEnough, sendCode, type Gate, type Opened, type Person, type VisitTools } from './visit.js'

interface WelcomeProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly onSent: (sent: Sent) => void
  readonly onEntered: (entered: { person: Person, opened: Opened }) => void
}

export function Welcome({ tools, gate, onSent, onEntered }: WelcomeProps) {
  const copy = useCopy(investor)
  const { card } = gate.verified
  return (
    <>
      <PageHeading lead={<Lead card={card} />}>{copy.sharesWithYou(card.founder)}</PageHeading>
      <Verified gate={gate} />
      {isLinkEnough(gate)
        ? <OpenByLink tools={tools} gate={gate} onEntered={onEntered} />
        : <Identify tools={tools} onSent={onSent} />}
      <WhatHappens gate={gate} />
    </>
  )
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
      <p>{copy.fingerprint}: <Hash
        value={gate.verified.founderFingerprint} what={copy.fingerprint}
                             />
      </p>
    </details>
  )
}

/** Name and address, and the code is on its way. Shared by the welcome and the signature's own need for an address. */
export function Identify({ tools, onSent }: { tools: VisitTools, onSent: (sent: Sent) => void }) {
  const copy = useCopy(investor)
  const { locale } = useLocale()
  const words = useFailureWords()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [isTried, setTried] = useState(false)
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })
  const nameError = isTried && name.trim() === '' ? copy.nameMissing : undefined
  const emailError = isTried && !isEmailLike(email) ? copy.emailWrong : undefined

  async function onSubmit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setTried(true)
    if (name.trim() === '' || !isEmailLike(email)) return
    setState({ isBusy: true })
    const person = { name: name.trim(), email: email.trim() }
    const sent = await sendCode(tools, { ...person, locale })
    if (sent.ok) onSent({ ...person, challenge: sent.value })
    else setState({ isBusy: false, failure: sent.code })
  }

  return (
    <form className={styles.form} onSubmit={(event) => void onSubmit(event)} noValidate>
      <TextField
        label={copy.yourName} value={name} onValueChange={setName} error={nameError} autoComplete='name'
        maxLength={120} required
      />
      <TextField
        label={copy.yourEmail} value={email} onValueChange={setEmail} error={emailError} type='email'
        inputMode='email' autoComplete='email' maxLength={254} required
      />
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <Button variant='primary' type='submit' isBusy={state.isBusy} isWide>{copy.continueLabel}</Button>
    </form>
  )
}

function OpenByLink({ tools, gate, onEntered }: Pick<WelcomeProps, 'tools' | 'gate' | 'onEntered'>) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })

  async function onOpen(): Promise<void> {
    setState({ isBusy: true })
    const entered = await enterWithLink(tools, gate)
    if (entered.ok) onEntered(entered.value)
    else setState({ isBusy: false, failure: entered.code })
  }

  return (
    <div className={styles.form}>
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <Button variant='primary' isBusy={state.isBusy} isWide onClick={() => void onOpen()}>{copy.openLabel}</Button>
    </div>
  )
}

function WhatHappens({ gate }: { gate: Gate }) {
  const copy = useCopy(investor)
  const { policy } = gate.verified
  const isOpenFirst = gate.parts.some((part) => part.part === 1)
  const steps = [
    ...isLinkEnough(gate) ? [] : [copy.stepEmail],
    ...isOpenFirst ? [copy.stepOpenSlides] : [],
    ...hasNda(gate) && gate.nda !== null ? [copy.stepNda(gate.nda.title)] : [],
    ...hasNda(gate) && policy.release === 'on-approval' ? [copy.stepApproval] : [],
    ...hasNda(gate) || isOpenFirst ? [] : [copy.stepAll],
  ]
  const facts = [
    {
      name: copy.learns,
      value: isLinkEnough(gate) && !hasNda(gate) ? copy.linkLearns : copy.learnsBody,
    },
    ...policy.expiresAtMs === null ? [] : [{ name: copy.expires, value: <Time atMs={policy.expiresAtMs} style='date' /> }],
  ]
  return (
    <section className={styles.next} aria-labelledby='next-title'>
      <h2 id='next-title' className={styles.smallTitle}>{copy.whatHappens}</h2>
      <ol className={styles.steps}>{steps.map((step) => <li key={step}>{step}</li>)}</ol>
      <Facts facts={facts} />
    </section>
  )
}
