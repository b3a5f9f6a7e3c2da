/**
 * Sends the mail that waits in `mail_outbox` (db/queries/mail.ts): by SMTP, or into a folder of `.eml` files
 * where no server is set. Never in a request's way: a request only queues, in the statement that
 * makes the change.
 *
 * [Note: At least once] A mail is claimed before it is sent and marked after. A crash in between sends it
 * again when its claim has run out; the Message-ID is the row's id, so that a mail program shows one.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { claimMails, markFailed, markSent, type ClaimedMail } from '../db/queries/mail.js'
import type { World } from './world.js'

export interface Mailer {
  /** Look at the queue at once instead of at the next poll. */
  wake(): void
  /** Resolves when the mails that are being sent just now are sent or put off. */
  settled(): Promise<void>
  /** Ends after the mails that are being sent. */
  stop(): Promise<void>
}

type Parts = Pick<World, 'config' | 'clock' | 'db' | 'log'>

const POLL_MS = 1_000
const BATCH_SIZE = 10
const CLAIM_MS = 60_000
const MAX_TRIES = 8
const FIRST_RETRY_MS = 15_000
const MAX_RETRY_MS = 30 * 60_000
const SMTP_TIMEOUT_MS = 10_000

/** Begin to send. */
export async function startMailer(parts: Parts): Promise<Mailer> {
  const { smtpUrl, outboxFolder } = parts.config
  if (smtpUrl !== undefined) return new RunningMailer(parts, bySmtp(smtpUrl))
  await mkdir(outboxFolder, { recursive: true, mode: 0o700 })
  return new RunningMailer(parts, intoFolder(outboxFolder))
}

type Send = (mail: SendMailOptions, id: string) => Promise<void>

function bySmtp(url: string): Send {
  const transport = createTransport({
    url, connectionTimeout: SMTP_TIMEOUT_MS, greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
  })
  return async (mail) => { await transport.sendMail(mail) }
}

/** A file appears whole: whoever lists the folder never reads half a mail. */
function intoFolder(folder: string): Send {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  return async (mail, id) => {
    const { message } = await transport.sendMail(mail)
    const draft = join(folder, `.${id}`)
    await writeFile(draft, message, { mode: 0o600 })
    await rename(draft, join(folder, `${id}.eml`))
  }
}

class RunningMailer implements Mailer {
  readonly #parts: Parts
  readonly #send: Send
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #isAskedAgain = false
  #isStopping = false

  constructor(parts: Parts, send: Send) {
    this.#parts = parts
    this.#send = send
    this.#timer = setInterval(() => { this.wake() }, POLL_MS)
    this.wake()
  }

  wake(): void {
    if (this.#isStopping) return
    this.#isAskedAgain = true
    if (!this.#isRunning) this.#running = this.#work()
  }

  async settled(): Promise<void> {
    await this.#running
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    await this.#running
  }

  /** Never rejects: a queue that cannot be read now is read at the next poll. */
  async #work(): Promise<void> {
    this.#isRunning = true
    try {
      while (this.#isAskedAgain && !this.#isStopping) {
        this.#isAskedAgain = await this.#sendBatch() === BATCH_SIZE
      }
    } catch (error) {
      this.#parts.log.error({ err: error }, 'the mail queue could not be read')
    } finally {
      this.#isRunning = false
    }
  }

  async #sendBatch(): Promise<number> {
    const { db, clock } = this.#parts
    this.#isAskedAgain = false
    const nowMs = clock.nowMs()
    const mails = await claimMails(db, { nowMs, untilMs: nowMs + CLAIM_MS, limit: BATCH_SIZE })
    await Promise.all(mails.map((mail) => this.#sendOne(mail)))
    return mails.length
  }

  async #sendOne(mail: ClaimedMail): Promise<void> {
    const { db, clock, log } = this.#parts
    try {
      await this.#send(this.#compose(mail), mail.id)
      await markSent(db, mail.id, clock.nowMs())
    } catch (error) {
      const isLast = mail.tryCount >= MAX_TRIES || isRefusedForGood(error)
      log.warn({ mailId: mail.id, kind: mail.kind, tryCount: mail.tryCount, isLast, reason: reasonOf(error) }, 'a mail was not sent')
      const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (mail.tryCount - 1))
      const nowMs = clock.nowMs()
      const failedAtMs = isLast ? nowMs : null
      await markFailed(db, mail.id, { nextTryAtMs: nowMs + retryMs, failedAtMs })
    }
  }

  #compose(mail: ClaimedMail): SendMailOptions {
    return {
      from: this.#parts.config.mailFrom,
      to: { name: '', address: mail.recipientEmail },
      subject: mail.subject ?? '',
      text: mail.text ?? '',
      // A code stays readable in the file, whatever the language around it.
      textEncoding: 'quoted-printable',
      ...(mail.html === null ? {} : { html: mail.html }),
      date: new Date(mail.createdAtMs),
      messageId: `<${mail.id}@${new URL(this.#parts.config.publicUrl).hostname}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
      attachments: (mail.attachments ?? []).map(({ filename, contentType, contentBase64 }) => (
        { filename, contentType, content: contentBase64, encoding: 'base64' })),
      disableFileAccess: true,
      disableUrlAccess: true,
    }
  }
}

/** The server's answer without its text, which may quote the address. */
function reasonOf(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'responseCode') ?? Reflect.get(Object(error), 'code')
  return String(code ?? 'unknown')
}

/** 5xx: no such mailbox and the like. Another try would only annoy. */
function isRefusedForGood(error: unknown): boolean {
  const code: unknown = Reflect.get(Object(error), 'responseCode')
  return typeof code === 'number' && code >= 500 && code < 600
}
