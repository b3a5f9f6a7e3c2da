/**
 * Finds a vault's events in the public log by their tags ([Note: Completeness] in event.ts), and with
 * them what was hidden, doubled or put out of order. Pure; must not decide what to do about it.
 */
import { encodeHex } from '../bytes.js'
import { vaultTag } from './event.js'

/** How far ahead of the next number a tag is recognised: a gap may be this wide. */
const LOOK_AHEAD_COUNT = 1024

/** An entry that carries the tag of this vault's event number `sequence`. */
export interface TaggedEntry {
  readonly index: bigint
  readonly sequence: number
}

/** What is wrong with the numbers: 1, 2, 3 ... in the log's order is what is right. */
export interface TagProblem {
  readonly kind: 'missing' | 'doubled' | 'out-of-order'
  readonly sequence: number
  /** Where it was noticed. */
  readonly index: bigint
}

/** Walks a log's entries in order. */
export class TagScanner {
  readonly #tagKey: Uint8Array
  readonly #ahead = new Map<string, number>()
  readonly #seen = new Set<number>()
  readonly tagged: TaggedEntry[] = []
  readonly problems: TagProblem[] = []
  #next: number
  #computed = 0

  /** @param nextSequence - the number after the last that was found before, or 1. */
  constructor(tagKey: Uint8Array, nextSequence = 1) {
    this.#tagKey = tagKey
    this.#next = nextSequence
    for (let sequence = 1; sequence < nextSequence; sequence++) this.#seen.add(sequence)
    this.#lookAhead()
  }

  get nextSequence(): number {
    return this.#next
  }

  #lookAhead(): void {
    while (this.#computed < this.#next + LOOK_AHEAD_COUNT) {
      this.#computed++
      this.#ahead.set(encodeHex(vaultTag(this.#tagKey, this.#computed)), this.#computed)
    }
  }

  /** Look at one entry's vault tag. @returns whether it is this vault's. */
  scan(index: bigint, tag: Uint8Array): boolean {
    const sequence = this.#ahead.get(encodeHex(tag))
    if (sequence === undefined) return false
    this.tagged.push({ index, sequence })
    this.#place(index, sequence)
    return true
  }

  #place(index: bigint, sequence: number): void {
    if (this.#seen.has(sequence)) {
      this.problems.push({ kind: 'doubled', sequence, index })
      return
    }
    this.#seen.add(sequence)
    if (sequence < this.#next) {
      this.problems.push({ kind: 'out-of-order', sequence, index })
      return
    }
    for (let missing = this.#next; missing < sequence; missing++) {
      this.problems.push({ kind: 'missing', sequence: missing, index })
    }
    this.#next = sequence + 1
    this.#lookAhead()
  }
}
