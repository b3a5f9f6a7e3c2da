/**
 * Checks a whole log: every entry hashed again, every tile compared, the root against the checkpoint
 * (SPEC.md § 7). Pure; must not believe a tile: each is computed from the entries below it.
 */
import { decodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES, sha256, type Hash } from '../hash.js'
import { hashLeaf, rootOfFullSubtree } from './merkle.js'
import { verifyCheckpoint, type Policy, type TrustedCheckpoint } from './policy.js'
import {
  CHECKPOINT_PATH, listBundles, readBundle, readTileBytes, rootOfLevels, TILE_WIDTH, tilePath,
  type Bundle, type ReadResource, type Tile,
} from './tile.js'

/** Bundles under way at once: hides the way to a far server, and bounds what is held. */
const READ_AHEAD_COUNT = 16

export interface WholeLogOptions {
  /** The platform's SHA-256 where there is a faster one. */
  readonly hash?: Hash
  /** Called with each entry, in order. */
  readonly onEntry?: OnEntry
  /** Called with the number of entries checked so far, about every 4,096. */
  readonly onProgress?: (entryCount: bigint) => void
}

/** @throws ProtocolError `missing-tile` if there is no checkpoint; what `verifyCheckpoint` throws. */
export async function readCheckpoint(
  read: ReadResource, policy: Policy,
): Promise<TrustedCheckpoint> {
  const bytes = await read(CHECKPOINT_PATH)
  if (bytes === null) throw new ProtocolError('missing-tile', CHECKPOINT_PATH)
  return verifyCheckpoint(decodeUtf8(bytes), policy)
}

/**
 * Read a log from its first entry to its checkpoint.
 *
 * @throws ProtocolError `bad-tile` where entries and tiles differ, `bad-proof` if they lead to another
 * root than the checkpoint's, `missing-tile`, `malformed-tile`, what `readCheckpoint` throws.
 */
export async function verifyLog(
  read: ReadResource, policy: Policy, options: WholeLogOptions = {},
): Promise<TrustedCheckpoint> {
  const trusted = await readCheckpoint(read, policy)
  await verifyTree(read, trusted.checkpoint, options)
  return trusted
}

/** As `verifyLog`, for a size and root that the caller already trusts. */
export async function verifyTree(
  read: ReadResource,
  { size, root }: { size: bigint, root: Uint8Array },
  options: WholeLogOptions = {},
): Promise<void> {
  const rows = new TileRows(read, options.hash ?? sha256)
  for await (const { bundle, entries, tile } of readAhead(read, size)) {
    if (options.onEntry !== undefined) visit(bundle, entries, options.onEntry)
    await rows.add(entries, { level: 0, ...bundle }, tile)
    const isReportDue = bundle.index % BigInt(READ_AHEAD_COUNT) === 0n
    if (isReportDue) options.onProgress?.(bundle.index * BigInt(TILE_WIDTH) + BigInt(bundle.width))
  }
  await rows.end()
  if (!equalBytes(rows.root(), root)) {
    throw new ProtocolError('bad-proof', 'the entries lead to another root than the checkpoint')
  }
}

type OnEntry = (index: bigint, entry: Uint8Array) => void

function visit(bundle: Bundle, entries: readonly Uint8Array[], onEntry: OnEntry): void {
  let index = bundle.index * BigInt(TILE_WIDTH)
  for (const entry of entries) onEntry(index++, entry)
}

/** 1 to 256 entries, and what the level-0 tile says they hash to. */
interface Stretch {
  readonly bundle: Bundle
  readonly entries: readonly Uint8Array[]
  readonly tile: Uint8Array
}

async function * readAhead(read: ReadResource, size: bigint): AsyncGenerator<Stretch> {
  const waiting: Promise<Stretch>[] = []
  for (const bundle of listBundles(size)) {
    const reading = readStretch(read, bundle)
    // Awaited in order below; until then a failure is not an unhandled one.
    reading.catch(() => undefined)
    waiting.push(reading)
    const next = waiting.length > READ_AHEAD_COUNT ? waiting.shift() : undefined
    if (next !== undefined) yield await next
  }
  for (const reading of waiting) yield await reading
}

async function readStretch(read: ReadResource, bundle: Bundle): Promise<Stretch> {
  const [entries, tile] = await Promise.all([
    readBundle(read, bundle), readTileBytes(read, { level: 0, ...bundle }),
  ])
  return { bundle, entries, tile }
}

/** The unfinished tile of each level; a finished one is compared, and its root goes one level up. */
class TileRows {
  readonly #read: ReadResource
  readonly #hash: Hash
  readonly #rows: Uint8Array[][] = []
  readonly #finished: bigint[] = []

  constructor(read: ReadResource, hash: Hash) {
    this.#read = read
    this.#hash = hash
  }

  async add(entries: readonly Uint8Array[], place: Tile, tile: Uint8Array): Promise<void> {
    const leaves = entries.map((entry) => hashLeaf(entry, this.#hash))
    requireSameHashes(place, tile, leaves)
    this.#rows[0] = leaves
    if (leaves.length === TILE_WIDTH) await this.#finish(0, leaves)
  }

  async #finish(level: number, row: readonly Uint8Array[]): Promise<void> {
    this.#rows[level] = []
    this.#finished[level] = (this.#finished[level] ?? 0n) + 1n
    const above = [...this.#rows[level + 1] ?? [], rootOfFullSubtree(row, this.#hash)]
    this.#rows[level + 1] = above
    if (above.length < TILE_WIDTH) return
    await this.#compare(level + 1, above)
    await this.#finish(level + 1, above)
  }

  /** Compare what is left at the right edge above level 0. */
  async end(): Promise<void> {
    for (const [level, row] of this.#rows.entries()) {
      if (level > 0 && row.length > 0) await this.#compare(level, row)
    }
  }

  async #compare(level: number, row: readonly Uint8Array[]): Promise<void> {
    const tile = { level, index: this.#finished[level] ?? 0n, width: row.length }
    requireSameHashes(tile, await readTileBytes(this.#read, tile), row)
  }

  root(): Uint8Array {
    return rootOfLevels(this.#rows)
  }
}

function requireSameHashes(place: Tile, there: Uint8Array, computed: readonly Uint8Array[]): void {
  const isSame = there.length === computed.length * HASH_SIZE_BYTES &&
    computed.every((hash, at) => isHashAt(there, at * HASH_SIZE_BYTES, hash))
  if (isSame) return
  throw new ProtocolError('bad-tile', `${tilePath(place)} is not what its entries hash to`)
}

// A plain loop without copies: it runs over every byte of every tile.
function isHashAt(bytes: Uint8Array, start: number, hash: Uint8Array): boolean {
  for (let at = 0; at < HASH_SIZE_BYTES; at++) {
    if (bytes[start + at] !== hash[at]) return false
  }
  return true
}
