/** The integrator. */

/** Proof of one event, as a c2sp.org/tlog-proof text. */
export interface PublishedEvent {
  readonly eventId: string
  readonly index: number
  /** The tlog-proof, with the checkpoint that was current when it was built. */
  readonly proof: string
}

export interface Sequencer {
  /**
   * Wait until all these events lie under a published checkpoint.
   *
   * @returns their proofs, in the order asked.
   * @throws Refusal `log-unavailable` after LOG_WAIT_TIMEOUT_MS. The events stay in the outbox, and
   * are published when the log works again: ask again with the same ids.
   */
  published(eventIds: readonly string[]): Promise<PublishedEvent[]>
  /** The proof of an event published before; `undefined` if it is unknown or still waits. */
  proofFor(eventId: string): Promise<PublishedEvent | undefined>
  /** Look at the outbox at once instead of at the next poll. */
  wake(): void
  /** Throws if the log cannot publish: for readiness. */
  requireWorking(): void
}
