/** Sends the mail that waits in `mail_outbox`. */
export interface Mailer {
  /** Look at once instead of at the next poll. */
  wake(): void
  stop(): Promise<void>
}
