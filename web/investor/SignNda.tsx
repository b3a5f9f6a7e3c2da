/**
 * The agreement in place, then its signature: typed name, consent, one button that says what it does. An
 * address that was not proven yet is proven here first.
 */
import { useEffect, useRef, useState, type MouseEvent, type ReactNode } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { Checkbox } from '../ui/Checkbox.js'
import { LoadingState } from '../ui/LoadingState.js'
import { NdaText } from '../ui/NdaText.js'
import { Notice } from '../ui/Notice.js'
import { TextField } from '../ui/TextField.js'
import { isFinal } from './Closed.js'
import { EnterCode, type Sent } from './EnterCode.js'
import { useFailureWords } from './failures.js'
import styles from './investor.module.css'
import type { Change } from './Reading.js'
import { SignHeading } from './SignHeading.js'
import {
  decline, previewSignature, readNda, sign, type Gate, type Opened, type Person, type ReadNda,
  type Signature, type VisitTools,
} from './visit.js'
import { Identify } from './Welcome.js'
import { WitnessWait } from './WitnessWait.js'

/** A button that binds must have been seen, not slid under a finger. */
const MIN_VISIBLE_MS = 1_000

interface SignNdaProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly opened: Opened
  /** Nothing else is on the screen: its heading is the page's. */
  readonly isAll: boolean
  readonly onChanged: (change: Change) => void
  readonly onClosed: (code: Failure) => void
}

export function SignNda(props: SignNdaProps) {
  const { gate, person, opened, isAll } = props
  const copy = useCopy(investor)
  const nda = useNda(props)
  const [isReopened, setReopened] = useState(false)

  if (opened.standing === 'declined' && !isReopened) {
    return <Declined isAll={isAll} onReopen={() => setReopened(true)} />
  }
  if (nda === undefined) return <LoadingState />
  const { founder } = gate.verified.card
  return (
    <>
      <div className={styles.signHead}>
        <SignHeading isAll={isAll}>{isAll ? copy.signAllTitle : copy.signTitle}</SignHeading>
        <p className={styles.quiet}>{isAll ? copy.signAllLead(founder) : copy.signLead(founder)}</p>
      </div>
      <Agreement nda={nda} level={isAll ? 2 : 3} />
      <section className={styles.signature} aria-label={copy.signHere}>
        {person.email === null
          ? <ProveFirst {...props} />
          : <SignatureForm {...props} nda={nda} person={{ ...person, email: person.email }} />}
      </section>
    </>
  )
}

function useNda({ tools, gate, onClosed }: SignNdaProps): ReadNda | undefined {
  const [nda, setNda] = useState<ReadNda>()
  useEffect(() => {
    void readNda(tools, gate).then((read) => {
      if (read.ok) setNda(read.value)
      else onClosed(read.code)
    })
  }, [tools, gate])
  return nda
}

function Declined({ isAll, onReopen }: { isAll: boolean, onReopen: () => void }) {
  const copy = useCopy(investor)
  return (
    <div className={styles.waiting}>
      <SignHeading isAll={isAll}>{copy.declinedTitle}</SignHeading>
      <p>{copy.declinedBody}</p>
      <Button onClick={onReopen}>{copy.signAfterAll}</Button>
    </div>
  )
}

function Agreement({ nda, level }: { nda: ReadNda, level: 2 | 3 }) {
  const copy = useCopy(investor)
  const actions = (
    <div className={styles.quietActions}>
      <Button variant='quiet' size='small' icon='download' onClick={() => saveText(nda.text, `${nda.title}.txt`)}>{copy.ndaDownload}</Button>
      <Button variant='quiet' size='small' icon='print' onClick={() => print()}>{copy.ndaPrint}</Button>
    </div>
  )
  const { blocks, language } = nda
  return <NdaText blocks={blocks} language={language} isFramed level={level} actions={actions} />
}

function ProveFirst({ tools, gate, onChanged, onClosed }: SignNdaProps) {
  const copy = useCopy(investor)
  const [sent, setSent] = useState<Sent>()
  if (sent === undefined) {
    return (
      <>
        <p>{copy.verifyFirst}</p>
        <Identify tools={tools} onSent={setSent} onClosed={onClosed} />
      </>
    )
  }
  return (
    <EnterCode
      tools={tools} gate={gate} sent={sent} isInline onBack={() => setSent(undefined)}
      onEntered={onChanged} onClosed={onClosed}
    />
  )
}

type SigningState =
  | { readonly step: 'reading', readonly failure?: Failure }
  | { readonly step: 'signing' }
  | { readonly step: 'declining' }

interface SignatureFormProps extends Omit<SignNdaProps, 'person'> {
  readonly nda: ReadNda
  readonly person: { readonly name: string, readonly email: string }
}

function SignatureForm(props: SignatureFormProps) {
  const { tools, gate, nda, person, opened, onChanged, onClosed } = props
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [name, setName] = useState(person.name)
  const [signingFor, setSigningFor] = useState('')
  const [hasConsented, setConsented] = useState(false)
  const [isTried, setTried] = useState(false)
  const [state, setState] = useState<SigningState>({ step: 'reading' })
  const shownAtMs = useRef(performance.now())
  const signature: Signature = {
    nda, name: name.trim(), email: person.email, signingFor: signingFor.trim(),
  }

  async function onSign(event: MouseEvent): Promise<void> {
    setTried(true)
    const isSeen = event.nativeEvent.isTrusted &&
      performance.now() - shownAtMs.current > MIN_VISIBLE_MS
    if (!isSeen || !hasConsented || signature.name === '') return
    setState({ step: 'signing' })
    const signed = await sign(tools, gate, { signature, before: opened })
    if (signed.ok) {
      return onChanged({
        person: { name: signature.name, email: person.email }, opened: signed.value.opened,
      })
    }
    if (isFinal(signed.code)) return onClosed(signed.code)
    setState({ step: 'reading', failure: signed.code })
  }

  if (state.step === 'declining') return <ConfirmDecline {...props} onBack={() => setState({ step: 'reading' })} />
  return (
    <>
      <div className={styles.signed}>
        <TextField
          label={copy.yourSignature} value={name} onValueChange={setName} autoComplete='name' maxLength={120} spellCheck={false}
          error={isTried && signature.name === '' ? copy.nameMissing : undefined}
        />
      </div>
      <TextField
        label={copy.signingFor} value={signingFor} onValueChange={setSigningFor}
        hint={copy.signingForHint} isOptional autoComplete='organization' maxLength={120}
      />
      <Checkbox
        checked={hasConsented} onCheckedChange={setConsented}
        error={isTried && !hasConsented ? copy.consentMissing : undefined}
      >
        {copy.consent(nda.title)}
      </Checkbox>
      {gate.verified.policy.release === 'on-approval' && <p className={styles.quiet}>{copy.releaseOnApproval}</p>}
      {state.step === 'signing' && <WitnessWait gate={gate} />}
      {state.step === 'reading' && state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <div className={styles.actions}>
        <Button variant='primary' icon='sign' isBusy={state.step === 'signing'} onClick={(event) => void onSign(event)}>{copy.signAndOpen}</Button>
        <Button variant='quiet' onClick={() => setState({ step: 'declining' })}>{copy.declineLabel}</Button>
      </div>
      <ExactText tools={tools} signature={signature} />
    </>
  )
}

/** For whoever wants to see it: what the keys will sign, byte for byte but for the moment and the nonce. */
function ExactText({ tools, signature }: { tools: VisitTools, signature: Signature }) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [shown, setShown] = useState<ReactNode>(null)

  async function onOpen(isOpen: boolean): Promise<void> {
    if (!isOpen || signature.name === '') return setShown(null)
    const text = await previewSignature(tools, signature)
    setShown(text.ok
      ? <pre className={styles.exact} tabIndex={0} role='region' aria-label={copy.exactText}>{text.value}</pre>
      : <p>{words(text.code)}</p>)
  }

  return (
    <details className={styles.details} onToggle={(event) => void onOpen(event.currentTarget.open)}>
      <summary>{copy.exactText}</summary>
      <p className={styles.quiet}>{copy.exactTextHint}</p>
      {shown}
    </details>
  )
}

function ConfirmDecline(props: SignatureFormProps & { onBack: () => void }) {
  const { tools, opened, isAll, onChanged, onClosed, onBack } = props
  const Heading = isAll ? 'h2' : 'h3'
  const copy = useCopy(investor)
  const words = useFailureWords()
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })

  async function onDecline(): Promise<void> {
    setState({ isBusy: true })
    const declined = await decline(tools)
    if (declined.ok) return onChanged({ opened: { ...opened, standing: declined.value } })
    if (isFinal(declined.code)) return onClosed(declined.code)
    setState({ isBusy: false, failure: declined.code })
  }

  return (
    <>
      <Heading className={styles.smallTitle}>{copy.declineTitle}</Heading>
      <p>{copy.declineBody}</p>
      {state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <div className={styles.actions}>
        <Button variant='danger' isBusy={state.isBusy} onClick={() => void onDecline()}>{copy.declineConfirm}</Button>
        <Button variant='quiet' autoFocus onClick={onBack}>{copy.declineKeep}</Button>
      </div>
    </>
  )
}
