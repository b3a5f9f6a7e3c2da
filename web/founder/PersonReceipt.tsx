/**
 * The receipt of a signature, asked for anew so that it carries the witnesses' signatures as soon as there are
 * any, and checked in this browser before it is shown or saved.
 */
import { useState } from 'react'
import type { Person, Receipt } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { attempt, type CheckedReceipt } from '../crypto.js'
import { useFailureWords } from '../failure-words.js'
import { saveText } from '../save.js'
import { useSession, type Session } from '../session.js'
import { Button } from '../ui/Button.js'
import { Dialog } from '../ui/Dialog.js'
import { ErrorState } from '../ui/ErrorState.js'
import { LoadingState } from '../ui/LoadingState.js'
import { useLoaded, type Result } from './loaded.js'

const RECEIPT_FILE = 'acceptance.tlog-proof'
const POLICY_FILE = 'policy.txt'

interface PersonReceiptProps {
  readonly vaultId: string
  readonly person: Person
  /** As the table calls her. */
  readonly name: string
}

export function PersonReceipt({ person, ...rest }: PersonReceiptProps) {
  const copy = useCopy(founder)
  const [isOpen, setOpen] = useState(false)
  const { signedEventId } = person
  if (signedEventId === null) return null
  return (
    <>
      <Button size='small' aria-label={`${copy.receiptOpen}: ${rest.name}`} onClick={() => setOpen(true)}>{copy.receiptOpen}</Button>
      {isOpen && (
        <ReceiptDialog
          {...rest} person={person} eventId={signedEventId} onClose={() => setOpen(false)}
        />
      )}
    </>
  )
}

interface ReceiptDialogProps extends PersonReceiptProps {
  readonly eventId: string
  readonly onClose: () => void
}

function ReceiptDialog({ vaultId, person, name, eventId, onClose }: ReceiptDialogProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const session = useSession()
  const { state, reload } = useLoaded(
    eventId, () => readReceipt(session, { eventId, vaultId, personId: person.personId }))
  return (
    <Dialog isOpen title={copy.receiptTitle(name)} onClose={onClose}>
      {state.step === 'loading' && <LoadingState />}
      {state.step === 'failed' && <ErrorState title={words(state.code)} code={state.code} actions={<Button onClick={reload}>{copy.retry}</Button>} />}
      {state.step === 'here' && <Checked {...state.value} hasWitnesses={session.config?.witnesses != null} />}
    </Dialog>
  )
}

interface ReadReceipt { readonly receipt: Receipt, readonly checked: CheckedReceipt }

function Checked({ receipt, checked, hasWitnesses }: ReadReceipt & { hasWitnesses: boolean }) {
  const copy = useCopy(founder)
  const { index, treeSize, cosignedBy } = checked
  return (
    <>
      <p>{copy.receiptChecked(index, treeSize)}</p>
      <p>
        {!hasWitnesses && copy.receiptNoWitnesses}
        {hasWitnesses && (cosignedBy.length === 0
          ? copy.receiptNotCosigned
          : copy.receiptCosigned(cosignedBy))}
      </p>
      <p><Button icon='download' onClick={() => saveText(receipt.proof, RECEIPT_FILE)}>{copy.receiptSave}</Button></p>
      <p>{copy.receiptKeep} <a href='/api/log/policy.txt' download={POLICY_FILE}>{POLICY_FILE}</a> {copy.receiptRun}</p>
      <code>npx sealdeck verify receipt {RECEIPT_FILE} --policy {POLICY_FILE}</code>
    </>
  )
}

/** Only what proves this person's signature in this vault, by the log and witnesses of this server. */
async function readReceipt(
  { api, crypto, config }: Session, of: { eventId: string, vaultId: string, personId: string },
): Promise<Result<ReadReceipt>> {
  if (config === null) return { ok: false, code: 'not-ready' }
  const read = await api.readReceipt(of.eventId)
  if (!read.ok) return read
  const receipt = read.value
  const witnesses = config.witnesses?.text ?? null
  const checked = await attempt(() => crypto.checkReceipt({
    logVkey: config.logVkey, proof: receipt.proof, witnesses,
  }))
  if (!checked.ok) return checked
  const fieldOf = (key: string): unknown => Reflect.get(Object(checked.value.event), key)
  const isHers = fieldOf('type') === 'nda.accepted' && fieldOf('vault') === of.vaultId && fieldOf('party') === of.personId
  return isHers ? { ok: true, value: { receipt, checked: checked.value } } : { ok: false, code: 'bad-proof' }
}
