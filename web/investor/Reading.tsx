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
import { useHeadingFocus } from './heading-focus.js'
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
  useHeadingFocus(opened.standing)
  return isDue ? <ReadingWithDue {...props} /> : <ReadingAll {...props} />
}

/** The open slides first, then, in place, the agreement or its outcome. */
function ReadingWithDue(props: ReadingProps) {
  const { gate, opened } = props
  const hasSlides = opened.documents.length > 0
  const isSigned = opened.standing === 'awaiting-approval' || opened.standing === 'denied'
  return (
    <div className={hasSlides ? styles.beside : styles.alone}>
      {hasSlides && <section className={styles.deckSide}><OpenSlides {...props} /></section>}
      <section className={styles.signSide} id='agreement' tabIndex={-1}>
        {isSigned
          ? (
            <Suspense fallback={<LoadingState />}>
              <AfterSigning {...props} isAll={!hasSlides} />
            </Suspense>
            )
          : <SignNda key={gate.nda?.sha256 ?? ''} {...props} isAll={!hasSlides} />}
      </section>
    </div>
  )
}

function OpenSlides(props: ReadingProps) {
  const copy = useCopy(investor)
  const { card } = props.gate.verified
  const [chosen, choose] = useChosen(props.opened)
  const [openCount, setOpenCount] = useState<number | null>(null)
  if (chosen === undefined) return null
  const isCounted = openCount !== null && card.pageCount !== undefined && openCount < card.pageCount
  return (
    <>
      <div className={styles.deckHead}>
        <Title {...props} />
        <DocumentChoice documents={props.opened.documents} chosen={chosen} onChosen={choose} />
      </div>
      <ShownDeck {...props} chosen={chosen} isTall={false} onPageCount={setOpenCount} />
      {chosen.isPartial && (
        <p className={styles.caption}>
          {isCounted ? copy.openSlides(openCount, card.pageCount ?? 0) : copy.openSome} {copy.restOpens}{' '}
          <button type='button' className={styles.jump} onClick={goToAgreement}>{copy.goToAgreement}</button>
        </p>
      )}
    </>
  )
}

/** A bar with a name, and the deck to the edges of the window. The proof opens over it and goes again. */
function ReadingAll(props: ReadingProps) {
  const { opened } = props
  const copy = useCopy(investor)
  const [chosen, choose] = useChosen(opened)
  const hasJustSigned = opened.receipts.some(({ eventType }) => eventType === 'nda.accepted')
  const [proof, showProof] = useState<'hidden' | 'fresh' | 'asked'>(hasJustSigned ? 'fresh' : 'hidden')
  const isProofShown = proof !== 'hidden'
  return (
    <div className={styles.reader}>
      <div className={styles.readerHead}>
        <Title {...props} />
        <DocumentChoice documents={opened.documents} chosen={chosen} onChosen={choose} />
        <Button
          variant='quiet' size='small' icon='shield' aria-expanded={isProofShown} aria-controls='proof'
          onClick={() => showProof(isProofShown ? 'hidden' : 'asked')}
        >
          {copy.receipt}
        </Button>
      </div>
      <div id='proof' className={styles.proof} hidden={!isProofShown}>
        <Suspense fallback={<LoadingState />}>
          <Receipts {...props} isFresh={proof === 'fresh'} onHidden={() => showProof('hidden')} />
        </Suspense>
      </div>
      {chosen !== undefined && <ShownDeck {...props} chosen={chosen} isTall />}
    </div>
  )
}

function Title({ gate }: Pick<ReadingProps, 'gate'>) {
  const copy = useCopy(investor)
  const { card } = gate.verified
  return <h1 className={styles.deckTitle} tabIndex={-1}>{copy.deckOf(card.title, card.founder)}</h1>
}

interface ShownDeckProps extends ReadingProps {
  readonly chosen: OpenDocument
  readonly isTall: boolean
  readonly onPageCount?: (count: number) => void
}

function ShownDeck({ chosen, ...props }: ShownDeckProps) {
  const copy = useCopy(investor)
  return (
    <Suspense fallback={<LoadingState label={copy.opening} />}>
      <Deck key={chosen.versionId} {...props} shown={chosen} onUnlock={goToAgreement} />
    </Suspense>
  )
}

function useChosen(
  { documents }: Opened,
): [OpenDocument | undefined, (documentId: string) => void] {
  const [chosenId, choose] = useState(documents[0]?.documentId)
  const chosen = documents.find(({ documentId }) => documentId === chosenId) ?? documents[0]
  return [chosen, choose]
}

interface DocumentChoiceProps {
  readonly documents: readonly OpenDocument[]
  readonly chosen: OpenDocument | undefined
  readonly onChosen: (documentId: string) => void
}

function DocumentChoice({ documents, chosen, onChosen }: DocumentChoiceProps) {
  const copy = useCopy(investor)
  if (chosen === undefined || documents.length < 2) return null
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
