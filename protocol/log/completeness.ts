/**
 * Finds a vault's events in the public log by their tags ([Note: Completeness] in event.ts), and with
 * them what was hidden, doubled or put out of order. Pure; must not decide what to do about it.
 */
import { equalBytes } from '../bytes.js'
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

/** A tag that is looked for, and whose it is. */
interface AwaitedTag {
  readonly tag: Uint8Array
  readonly scanner: TagScanner
  readonly sequence: number
}

/** The tags that are looked for, of all vaults of one walk: nearly every entry of a log is nobody's here. */
export class AwaitedTags {
  readonly #byPrefix = new Map<number, AwaitedTag[]>()

  add(awaited: AwaitedTag): void {
    const prefix = prefixOf(awaited.tag)
    const others = this.#byPrefix.get(prefix)
    if (others === undefined) this.#byPrefix.set(prefix, [awaited])
    else others.push(awaited)
  }

  find(tag: Uint8Array): AwaitedTag | undefined {
    return this.#byPrefix.get(prefixOf(tag))?.find((awaited) => equalBytes(awaited.tag, tag))
  }
}

function prefixOf(tag: Uint8Array): number {
  return ((tag[0] ?? 0) << 24 | (tag[1] ?? 0) << 16 | (tag[2] ?? 0) << 8 | (tag[3] ?? 0)) >>> 0
}

export interface ScanStart {
  /** The number after the last that was found before; 1 at the beginning. */
  readonly nextSequence?: number
  /** Numbers before that one that are recognised when they come again; all of them if left out. */
  readonly lookBackCount?: number
  /** Entries before this one were walked before and are not looked at. */
  readonly firstIndex?: bigint
  /** Shared by the scanners of one walk over the log. */
  readonly awaited?: AwaitedTags
}

/** Walks a log's entries in order, for one vault; several share one `AwaitedTags` and one walk. */
export class TagScanner {
  readonly #tagKey: Uint8Array
  readonly #awaited: AwaitedTags
  readonly #firstIndex: bigint
  readonly #first: number
  readonly #seen = new Set<number>()
  readonly tagged: TaggedEntry[] = []
  readonly problems: TagProblem[] = []
  #next: number
  #computed: number

  constructor(tagKey: Uint8Array, start: ScanStart = {}) {
    const { nextSequence = 1, lookBackCount = nextSequence, firstIndex = 0n } = start
    this.#tagKey = tagKey
    this.#awaited = start.awaited ?? new AwaitedTags()
    this.#firstIndex = firstIndex
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
      const tag = vaultTag(this.#tagKey, this.#computed)
      this.#awaited.add({ tag, scanner: this, sequence: this.#computed })
    }
  }

  /** Look at one entry's vault tag. @returns whether it is this vault's. */
  scan(index: bigint, tag: Uint8Array): boolean {
    return scanTag(this.#awaited, index, tag) === this
  }

  /** The entry at `index` carries the tag of this number. @returns false if it was walked before. */
  place(index: bigint, sequence: number): boolean {
    if (index < this.#firstIndex) return false
    this.#place(index, sequence)
    return true
  }

  #place(index: bigint, sequence: number): void {
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

/** The scanner whose vault an entry belongs to, once it has taken note of it; `undefined` if it is none's. */
export function scanTag(
  tags: AwaitedTags, index: bigint, tag: Uint8Array,
): TagScanner | undefined {
  const found = tags.find(tag)
  return found?.scanner.place(index, found.sequence) === true ? found.scanner : undefined
}
