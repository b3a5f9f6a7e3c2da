/** What proves this visit, to be kept; and the way to leave no key behind in this browser. */
import { useEffect, useState } from 'react'
import type { Receipt } from '../../protocol/api.js'
import { decodeBase64Url, decodeUtf8 } from '../../protocol/bytes.js'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { SealMark } from '../ui/SealMark.js'
import styles from './investor.module.css'
import { OwnPack } from './OwnPack.js'
import { readReceipt, type Gate, type KeptReceipt, type Opened, type VisitTools } from './visit.js'

/** Witnesses are asked every few seconds; a minute is long for them. */
const LOOK_AGAIN_AFTER_MS = 5_000
const MAX_LOOK_COUNT = 60

interface ReceiptsProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly opened: Opened
  readonly onForgotten: () => void
  /** It came by itself, so it says one thing only. */
  readonly isFresh?: boolean
  /** Where it stands in the way of the deck: how it goes. */
  readonly onHidden?: () => void
}

export function Receipts(
  { tools, gate, opened, onForgotten, isFresh = false, onHidden }: ReceiptsProps,
) {
  const copy = useCopy(investor)
  const signed = opened.receipts.find(({ eventType }) => eventType === 'nda.accepted')
  const shown = useUpgraded(tools, gate, signed ?? opened.receipts.at(-1))
  return (
    <aside className={styles.receipts} aria-label={copy.receipt}>
      {shown !== undefined && (
        <div className={styles.receipt} role='status'>
          <SealMark state='checked' size='small' />
          <p className={styles.receiptTitle}>
            {signed === undefined ? copy.openedReceipt : copy.signedReceipt}
          </p>
          <p className={styles.receiptWords}>
            {signed === undefined ? copy.receiptPlain : copy.receiptBody}{' '}
            {copy.recordedAs(indexOf(shown))}{' '}
            {gate.verified.hasWitnesses && witnessWords(copy, shown)}
          </p>
          <ReceiptButtons tools={tools} gate={gate} receipt={shown} onHidden={onHidden} />
        </div>
      )}
      {!isFresh && <Forget tools={tools} onForgotten={onForgotten} />}
    </aside>
  )
}

type InvestorCopy = ReturnType<typeof useCopy<(typeof investor)['en']>>

function witnessWords(copy: InvestorCopy, { cosignedBy }: KeptReceipt): string {
  return cosignedBy.length === 0 ? copy.notCosigned : copy.cosignedBy(cosignedBy)
}

/** The receipt, and in its place the same one with the witnesses' signatures once there are any. */
function useUpgraded(
  tools: VisitTools, gate: Gate, receipt: KeptReceipt | undefined,
): KeptReceipt | undefined {
  const [upgraded, setUpgraded] = useState<KeptReceipt>()
  const shown = upgraded?.eventId === receipt?.eventId ? upgraded : receipt
  const isDue = gate.verified.hasWitnesses && shown?.cosignedBy.length === 0

  useEffect(() => {
    if (!isDue || receipt === undefined) return
    let lookCount = 0
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return
      if (++lookCount > MAX_LOOK_COUNT) return clearInterval(timer)
      void readReceipt(tools, receipt.eventId).then((read) => {
        // What cannot be had now is asked for at the next look; the plain receipt is there.
        if (read.ok) setUpgraded(read.value)
      })
    }, LOOK_AGAIN_AFTER_MS)
    return () => clearInterval(timer)
  }, [isDue, receipt?.eventId])
  return shown
}

interface ReceiptButtonsProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly receipt: Receipt
  readonly onHidden: (() => void) | undefined
}

function ReceiptButtons({ tools, gate, receipt, onHidden }: ReceiptButtonsProps) {
  const copy = useCopy(investor)
  const note = noteOf(receipt)
  return (
    <div className={styles.actions}>
      <Button size='small' icon='download' onClick={() => saveText(receipt.proof, `sealdeck-${receipt.eventType}.tlog-proof`)}>
        {copy.receiptDownload}
      </Button>
      {note !== null && (
        <Button size='small' icon='download' onClick={() => saveText(note, 'sealdeck-acceptance.txt')}>{copy.agreementDownload}</Button>
      )}
      {gate.verified.hasWitnesses && (
        <Button size='small' icon='download' onClick={() => saveText(gate.verified.logPolicy, 'policy.txt')}>{copy.policyDownload}</Button>
      )}
      {note !== null && <OwnPack tools={tools} gate={gate} />}
      {onHidden !== undefined && <Button variant='quiet' size='small' onClick={onHidden}>{copy.hideReceipt}</Button>}
    </div>
  )
}

/** The entry's number in the log, as its proof states it (c2sp.org/tlog-proof). */
function indexOf({ proof }: Receipt): number {
  return Number(/^index (\d+)$/m.exec(proof)?.[1] ?? 0)
}

/** The signed note, from the details that belong to the event. */
function noteOf({ details }: Receipt): string | null {
  if (details === null) return null
  const parsed: unknown = JSON.parse(decodeUtf8(decodeBase64Url(details.bytes)))
  const note: unknown = Reflect.get(Object(parsed), 'note')
  return typeof note === 'string' ? note : null
}

function Forget({ tools, onForgotten }: Pick<ReceiptsProps, 'tools' | 'onForgotten'>) {
  const copy = useCopy(investor)
  const [isAsking, setAsking] = useState(false)

  async function onForget(): Promise<void> {
    await tools.crypto.forgetDevice(tools.grantId)
    tools.api.holdSession(null)
    onForgotten()
  }

  if (isAsking) {
    return (
      <div className={styles.forget} role='group' aria-label={copy.forgetTitle}>
        <p>{copy.forgetBody}</p>
        <div className={styles.actions}>
          <Button variant='danger' size='small' onClick={() => void onForget()}>{copy.forgetConfirm}</Button>
          <Button variant='quiet' size='small' autoFocus onClick={() => setAsking(false)}>{copy.declineKeep}</Button>
        </div>
      </div>
    )
  }
  return (
    <div className={styles.forget}>
      <p className={styles.quiet}>{copy.notPromised}</p>
      <Button variant='quiet' size='small' onClick={() => setAsking(true)}>{copy.forget}</Button>
    </div>
  )
}
