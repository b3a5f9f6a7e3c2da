/**
 * Those who wait for their events to be published. One query answers all of an instance's waiters;
 * where this instance leads, none is needed.
 */
import { Refusal } from '../protocol/refusals.js'

/** Proof of one event, as a c2sp.org/tlog-proof text. */
export interface PublishedEvent {
  readonly eventId: string
  readonly index: number
  /** The tlog-proof, with the checkpoint that was current when it was built. */
  readonly proof: string
}

interface Waiter {
  readonly missing: Set<string>
  readonly found: Map<string, PublishedEvent>
  readonly resolve: (found: ReadonlyMap<string, PublishedEvent>) => void
}

export class Waiters {
  readonly #byEvent = new Map<string, Set<Waiter>>()
  #count = 0

  /** How many wait, whatever the number of their events. */
  get count(): number {
    return this.#count
  }

  get eventIds(): string[] {
    return [...this.#byEvent.keys()]
  }

  /** @throws Refusal `log-unavailable` if the events are not all published in time. */
  async wait(
    eventIds: readonly string[], timeoutMs: number,
  ): Promise<ReadonlyMap<string, PublishedEvent>> {
    this.#count++
    return await new Promise((resolve, reject) => {
      const waiter: Waiter = {
        missing: new Set(eventIds),
        found: new Map(),
        resolve: (found) => {
          this.#count--
          clearTimeout(timer)
          resolve(found)
        },
      }
      const timer = setTimeout(() => {
        this.#count--
        this.#remove(waiter)
        reject(new Refusal('log-unavailable'))
      }, timeoutMs)
      for (const eventId of eventIds) this.#waitersOf(eventId).add(waiter)
    })
  }

  isAwaited(eventId: string): boolean {
    return this.#byEvent.has(eventId)
  }

  /** Tell that these events are published. @returns how many wait no more. */
  settle(events: readonly PublishedEvent[]): number {
    const countBefore = this.#count
    for (const event of events) {
      const waiters = this.#byEvent.get(event.eventId) ?? []
      this.#byEvent.delete(event.eventId)
      for (const waiter of waiters) {
        waiter.found.set(event.eventId, event)
        waiter.missing.delete(event.eventId)
        if (waiter.missing.size === 0) waiter.resolve(waiter.found)
      }
    }
    return countBefore - this.#count
  }

  #waitersOf(eventId: string): Set<Waiter> {
    const waiters = this.#byEvent.get(eventId) ?? new Set()
    this.#byEvent.set(eventId, waiters)
    return waiters
  }

  #remove(waiter: Waiter): void {
    for (const eventId of waiter.missing) {
      const waiters = this.#byEvent.get(eventId)
      waiters?.delete(waiter)
      if (waiters?.size === 0) this.#byEvent.delete(eventId)
    }
  }
}
