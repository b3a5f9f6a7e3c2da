/**
 * The agreement in place, then its signature: typed name, consent, one button that says what it does. An
 * address that was not proven yet is proven here first.
 */
import { useEffect, useRef, useState, type MouseEvent, type ReactNode } from 'react'
import type { NdaText as NdaTextAnswer } from '../../protocol/api.js'
import { parseNdaText, type NdaBlock } from '../../protocol/nda.js'
import { common, useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { Checkbox } from '../ui/Checkbox.js'
import { LoadingState } from '../ui/LoadingState.js'
import { NdaText } from '../ui/NdaText.js'
import { Notice } from '../ui/Notice.js'
import { TextField } from '../ui/TextField.js'
import { EnterCode, type Sent } from './EnterCode.js'
import styles from './investor.module.css'
import type { Change } from './Reading.js'
import { saveText } from '../save.js'
import {
  decline, previewSignature, sign, type Gate, type Opened, type Person, type Signature,
  type VisitTools,
} from './visit.js'
import { Identify } from './Welcome.js'

/** A button that binds must have been seen, not slid under a finger. */
const MIN_VISIBLE_MS = 1_000

interface SignNdaProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly opened: Opened
  readonly isAll: boolean
  readonly onChanged: (change: Change) => void
  readonly onClosed: (code: Failure) => void
}

export function SignNda(props: SignNdaProps) {
  const { tools, gate, person, isAll, opened, onClosed } = props
  const copy = useCopy(investor)
  const [nda, setNda] = useState<NdaTextAnswer>()
  const [isReopened, setReopened] = useState(false)

  useEffect(() => {
    void tools.api.readGateNda(tools.grantId).then((read) => {
      if (read.ok) setNda(read.value)
      else onClosed(read.code)
    })
  }, [tools])

  if (opened.standing === 'declined' && !isReopened) {
    return (
      <Notice
        title={copy.declinedTitle}
        actions={<Button onClick={() => setReopened(true)}>{copy.signAfterAll}</Button>}
      >
        {copy.declinedBody}
      </Notice>
    )
  }
  if (nda === undefined) return <LoadingState />
  return (
    <>
      <h2 className={styles.signTitle}>{isAll ? copy.signAllTitle : copy.signTitle}</h2>
      <p className={styles.quiet}>{copy.signLead(gate.verified.card.founder)}</p>
      <Agreement nda={nda} />
      {person.email === null
        ? <ProveFirst {...props} />
        : <SignatureForm
            {...props} nda={nda} person={{ name: person.name, email: person.email }}
          />}
    </>
  )
}

function Agreement({ nda }: { nda: NdaTextAnswer }) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const blocks = useBlocks(nda.text)
  if (blocks === null) return <Notice tone='fail'>{words('malformed-nda')}</Notice>
  const actions = (
    <>
      <Button variant='quiet' size='small' icon='download' onClick={() => saveText(nda.text, `${nda.title}.txt`)}>{copy.ndaDownload}</Button>
      <Button variant='quiet' size='small' onClick={() => print()}>{copy.ndaPrint}</Button>
    </>
  )
  return <NdaText blocks={blocks} language={nda.language} isFramed level={3} actions={actions} />
}

function useBlocks(text: string): readonly NdaBlock[] | null {
  const [blocks] = useState(() => {
    try {
      return parseNdaText(text)
    } catch (error) {
      // Not ours to render: the screen says so, and nothing is signed.
      if (error instanceof Error && error.name === 'ProtocolError') return null
      throw error
    }
  })
  return blocks
}

function ProveFirst({ tools, gate, onChanged }: SignNdaProps) {
  const copy = useCopy(investor)
  const [sent, setSent] = useState<Sent>()
  return (
    <>
      <p>{copy.verifyFirst}</p>
      {sent === undefined
        ? <Identify tools={tools} onSent={setSent} />
        : <EnterCode
            tools={tools} gate={gate} sent={sent} isInline onBack={() => setSent(
              undefined,
            )} onEntered={onChanged}
          />}
    </>
  )
}

type SigningState = { readonly step: 'reading', readonly failure?: Failure } | { readonly step: 'signing' } | { readonly step: 'declining' }

interface SignatureFormProps extends Omit<SignNdaProps, 'person'> {
  readonly nda: NdaTextAnswer
  readonly person: { readonly name: string, readonly email: string }
}

function SignatureForm(props: SignatureFormProps) {
  const { tools, gate, nda, person, onChanged } = props
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
    const signed = await sign(tools, gate, signature)
    if (signed.ok) {
      onChanged(
        { person: { name: signature.name, email: person.email }, opened: signed.value.opened },
      )
    } else setState({ step: 'reading', failure: signed.code })
  }

  if (state.step === 'declining') return <ConfirmDecline {...props} onBack={() => setState({ step: 'reading' })} />
  return (
    <div className={styles.form}>
      <TextField
        label={copy.yourSignature} value={name} onValueChange={setName} autoComplete='name' maxLength={120}
        error={isTried && signature.name === '' ? copy.nameMissing : undefined}
      />
      <TextField
        label={copy.signingFor} value={signingFor} onValueChange={setSigningFor}
        hint={copy.signingForHint} isOptional
        autoComplete='organization' maxLength={120}
      />
      <ExactText tools={tools} signature={signature} />
      <Checkbox
        checked={hasConsented} onCheckedChange={setConsented} error={isTried &&
        !hasConsented ? copy.consentMissing : undefined}
      >
        {copy.consent(nda.title)}
      </Checkbox>
      {gate.verified.policy.release === 'on-approval' && <p className={styles.quiet}>{copy.releaseOnApproval}</p>}
      {state.step === 'reading' && state.failure !== undefined && <Notice tone='fail' isLive>{words(state.failure)}</Notice>}
      <div className={styles.actions}>
        <Button variant='primary' isBusy={state.step === 'signing'} onClick={(event) => void onSign(event)}>{copy.signAndOpen}</Button>
        <Button variant='quiet' onClick={() => setState({ step: 'declining' })}>{copy.declineLabel}</Button>
      </div>
    </div>
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
      ? <pre className={styles.exact} tabIndex={0}>{text.value}</pre>
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

function ConfirmDecline(
  { tools, opened, onChanged, onBack }: SignatureFormProps & { onBack: () => void },
) {
  const copy = useCopy(investor)
  const shared = useCopy(common)
  const words = useFailureWords()
  const [state, setState] = useState<{ isBusy: boolean, failure?: Failure }>({ isBusy: false })

  async function onDecline(): Promise<void> {
    setState({ isBusy: true })
    const declined = await decline(tools)
    if (declined.ok) onChanged({ opened: { ...opened, standing: declined.value } })
    else setState({ isBusy: false, failure: declined.code })
  }

  return (
    <Notice tone='warn' title={copy.declineTitle} isLive>
      <p>{copy.declineBody}</p>
      {state.failure !== undefined && <p role='alert'>{words(state.failure)}</p>}
      <div className={styles.actions}>
        <Button variant='danger' isBusy={state.isBusy} onClick={() => void onDecline()}>{copy.declineConfirm}</Button>
        <Button variant='quiet' onClick={onBack}>{copy.declineKeep ?? shared.back}</Button>
      </div>
    </Notice>
  )
}
