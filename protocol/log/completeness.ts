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

/** The tags that are looked for, by their hex, and whose they are. One for all vaults of a scan. */
export type AheadTags = Map<string, { readonly scanner: TagScanner, readonly sequence: number }>

export interface ScanStart {
  /** The number after the last that was found before; 1 at the beginning. */
  readonly nextSequence?: number
  /** Numbers before that one that are recognised when they come again; all of them if left out. */
  readonly lookBackCount?: number
  /** Shared by the scanners of one walk over the log. */
  readonly ahead?: AheadTags
}

/** Walks a log's entries in order, for one vault; several share one `AheadTags` and one walk. */
export class TagScanner {
  readonly #tagKey: Uint8Array
  readonly #ahead: AheadTags
  readonly #first: number
  readonly #seen = new Set<number>()
  readonly tagged: TaggedEntry[] = []
  readonly problems: TagProblem[] = []
  #next: number
  #computed: number

  constructor(tagKey: Uint8Array, start: ScanStart = {}) {
    const { nextSequence = 1, lookBackCount = nextSequence, ahead = new Map() } = start
    this.#tagKey = tagKey
    this.#ahead = ahead
    this.#first = nextSequence
    this.#next = nextSequence
    this.#computed = Math.max(0, nextSequence - 1 - lookBackCount)
    this.#lookAhead()
  }

  get nextSequence(): number {
    return this.#next
  }

  #lookAhead(): void {
    while (this.#computed < this.#next + LOOK_AHEAD_COUNT) {
      this.#computed++
      const tag = encodeHex(vaultTag(this.#tagKey, this.#computed))
      this.#ahead.set(tag, { scanner: this, sequence: this.#computed })
    }
  }

  /** Look at one entry's vault tag. @returns whether it is this vault's. */
  scan(index: bigint, tag: Uint8Array): boolean {
    return findTagged(this.#ahead, index, tag) === this
  }

  /** @internal The entry at `index` carries the tag of this number: `findTagged` found out. */
  place(index: bigint, sequence: number): void {
    this.tagged.push({ index, sequence })
    if (sequence < this.#first || this.#seen.has(sequence)) {
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

/** The scanner whose vault an entry belongs to, after it has taken note of it; `undefined` if it is none's. */
export function findTagged(
  ahead: AheadTags, index: bigint, tag: Uint8Array,
): TagScanner | undefined {
  const found = ahead.get(encodeHex(tag))
  found?.scanner.place(index, found.sequence)
  return found?.scanner
}
