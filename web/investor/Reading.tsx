/**
 * Inside: the deck as far as it is open, and beside it what stands between the reader and the rest. Once all is
 * open, almost nothing but the deck.
 */
import { lazy, Suspense, useState } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { LoadingState } from '../ui/LoadingState.js'
import { NativeSelect } from '../ui/NativeSelect.js'
import styles from './investor.module.css'
import { SignNda } from './SignNda.js'
import { hasNda, type Gate, type OpenDocument, type Opened, type Person, type VisitTools } from './visit.js'

// What stands before the agreement is loaded with the gate; what comes after it, when it comes.
const AfterSigning = lazy(async () => ({ default: (await import('./AfterSigning.js')).AfterSigning }))
const Deck = lazy(async () => ({ default: (await import('./Deck.js')).Deck }))
const Receipts = lazy(async () => ({ default: (await import('./Receipts.js')).Receipts }))

export interface Change {
  readonly person?: Person
  readonly opened?: Opened
}

interface ReadingProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly opened: Opened
  readonly onChanged: (change: Change) => void
  readonly onClosed: (code: Failure) => void
  readonly onForgotten: () => void
}

export function Reading(props: ReadingProps) {
  const { gate, opened } = props
  const isDue = hasNda(gate) && opened.standing !== 'released' && opened.standing !== 'reading-open'
  return <Suspense>{isDue ? <ReadingWithDue {...props} /> : <ReadingAll {...props} />}</Suspense>
}

/** The open slides first, then, in place, the agreement or its outcome. */
function ReadingWithDue(props: ReadingProps) {
  const { gate, opened } = props
  const hasSlides = opened.documents.length > 0
  return (
    <div className={hasSlides ? styles.beside : styles.alone}>
      {hasSlides && <section className={styles.deckSide}><Documents {...props} /></section>}
      <section className={styles.signSide} id='agreement' tabIndex={-1}>
        {opened.standing === 'awaiting-approval' || opened.standing === 'denied'
          ? <AfterSigning {...props} />
          : <SignNda key={gate.nda?.sha256 ?? ''} {...props} isAll={!hasSlides} />}
      </section>
    </div>
  )
}

function ReadingAll(props: ReadingProps) {
  return (
    <div className={styles.reader}>
      <Documents {...props} isTall />
      <Receipts {...props} />
    </div>
  )
}

function Documents(props: ReadingProps & { isTall?: boolean }) {
  const { gate, opened, isTall = false } = props
  const copy = useCopy(investor)
  const [chosenId, setChosenId] = useState(opened.documents[0]?.documentId)
  const chosen = opened.documents.find(({ documentId }) => documentId === chosenId) ??
    opened.documents[0]
  if (chosen === undefined) return null
  const { card } = gate.verified
  return (
    <>
      <div className={styles.deckHead}>
        <h1 className={styles.deckTitle}>{copy.deckOf(card.title, card.founder)}</h1>
        <DocumentChoice documents={opened.documents} chosen={chosen} onChosen={setChosenId} />
        {chosen.isPartial && <Button size='small' onClick={goToAgreement}>{copy.goToAgreement}</Button>}
      </div>
      <Suspense fallback={<LoadingState label={copy.opening} />}>
        <Deck
          key={chosen.versionId} {...props} shown={chosen} isTall={isTall} onUnlock={goToAgreement}
        />
      </Suspense>
    </>
  )
}

interface DocumentChoiceProps {
  readonly documents: readonly OpenDocument[]
  readonly chosen: OpenDocument
  readonly onChosen: (documentId: string) => void
}

function DocumentChoice({ documents, chosen, onChosen }: DocumentChoiceProps) {
  const copy = useCopy(investor)
  if (documents.length < 2) return null
  const options = documents.map(
    ({ documentId }, index) => ({ value: documentId, label: copy.documentNumber(index + 1) }),
  )
  return (
    <NativeSelect
      label={copy.document} value={chosen.documentId} onValueChange={onChosen} options={options}
    />
  )
}

function goToAgreement(): void {
  const agreement = document.getElementById('agreement')
  agreement?.scrollIntoView({ block: 'start' })
  agreement?.focus({ preventScroll: true })
}
