/**
 * The copies that both sides get of a signature: the agreement, what was signed, the receipt. Nothing of
 * the deck: mail servers read along.
 */
import { findNda } from '../db/queries/gate.js'
import { insertMails, type NewMail } from '../db/queries/mail.js'
import type { OutboxEvent } from '../db/queries/outbox.js'
import type { Investor } from '../db/queries/releases.js'
import type { MailAttachment } from '../db/schema.js'
import type { Receipt } from '../protocol/api.js'
import type { OpenGate } from './gate.js'
import { listedEvents, noticeMail } from './mail-texts.js'
import type { World } from './world.js'

interface Signed {
  readonly investor: Investor
  readonly acceptanceId: string
  readonly note: string
  readonly receipt: Receipt | undefined
  /** The acceptance and what it released, for the founder to compare. */
  readonly events: readonly OutboxEvent[]
}

/** Queue both mails of one acceptance, each once however often this is called. */
export async function mailReceipts(world: World, gate: OpenGate, signed: Signed): Promise<void> {
  const { investor, acceptanceId, note, receipt, events } = signed
  if (receipt === undefined || investor.email === null) return
  const { grant } = gate
  const nda = grant.ndaSha256 === null ? undefined
    : await findNda(world.db, { vaultId: grant.vaultId, sha256: grant.ndaSha256 })
  const proof = attach('acceptance.tlog-proof', receipt.proof)
  const toFounder = gate.policy.release === 'on-approval' ? 'approval-due' : 'signature-received'
  const mails: NewMail[] = [
    {
      ...noticeMail(world, 'nda-signed', { email: investor.email, locale: investor.locale }), id: receipt.eventId,
      attachments: [proof, attach('acceptance.txt', note), ...nda === undefined ? [] : [attach('agreement.txt', nda.text)]],
    },
    {
      ...noticeMail(
        world, toFounder, { email: grant.ownerEmail, locale: grant.ownerLocale },
        listedEvents(events, investor.email),
      ),
      id: acceptanceId,
      attachments: [proof],
    },
  ]
  await insertMails(world.db, mails)
  world.mailer.wake()
}

function attach(filename: string, text: string): MailAttachment {
  return { filename, contentType: 'text/plain; charset=utf-8', contentBase64: Buffer.from(text).toString('base64') }
}
