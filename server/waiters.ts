/**
 * Those who wait for their events to be published. One query answers all of an instance's waiters;
 * where this instance leads, none is needed.
 */
import type { LoggedEvent } from '../db/queries/log.js'
import { Refusal } from '../protocol/refusals.js'

interface Waiter {
  readonly missing: Set<string>
  readonly found: Map<string, LoggedEvent>
  readonly resolve: (found: ReadonlyMap<string, LoggedEvent>) => void
}

export class Waiters {
  readonly #byEvent = new Map<string, Set<Waiter>>()

  get isEmpty(): boolean {
    return this.#byEvent.size === 0
  }

  get eventIds(): string[] {
    return [...this.#byEvent.keys()]
  }

  /** @throws Refusal `log-unavailable` if the events are not all published in time. */
  async wait(
    eventIds: readonly string[], timeoutMs: number,
  ): Promise<ReadonlyMap<string, LoggedEvent>> {
    return await new Promise((resolve, reject) => {
      const waiter: Waiter = {
        missing: new Set(eventIds),
        found: new Map(),
        resolve: (found) => {
          clearTimeout(timer)
          resolve(found)
        },
      }
      const timer = setTimeout(() => {
        this.#remove(waiter)
        reject(new Refusal('log-unavailable'))
      }, timeoutMs)
      for (const eventId of eventIds) this.#waitersOf(eventId).add(waiter)
    })
  }

  /** Tell that these events are published. */
  settle(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      const waiters = this.#byEvent.get(event.eventId) ?? []
      this.#byEvent.delete(event.eventId)
      for (const waiter of waiters) {
        waiter.found.set(event.eventId, event)
        waiter.missing.delete(event.eventId)
        if (waiter.missing.size === 0) waiter.resolve(waiter.found)
      }
    }
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
