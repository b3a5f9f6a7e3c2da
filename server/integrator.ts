/**
 * One turn of the log: from events in the outbox to a published checkpoint, and from whatever a crash
 * left to a state from which turns go on. Decides nothing about when (sequencer.ts does); writes no
 * file before its entries are committed, and no checkpoint before its files.
 *
 *   outbox -> integrate (commit) -> root again, by another way -> sign -> bundles, tiles -> checkpoint -> published
 *
 * [Note: Commit before sign] What is signed exists in the database for good. A crash after the commit
 * leaves entries without a checkpoint; recovery makes the same files and the same signature from them.
 *
 * [Note: One history] Three things must all be fooled for a second history: the compare-and-swap on the
 * head, the files that are never rewritten with other bytes, and the conditional write of the
 * checkpoint. A leader that was away loses the first of them and starts over.
 */
import { randomBytes } from 'node:crypto'
import {
  getHead, getPublished, hashEntries, integrate, listEntries, listPending, markPublished,
  type Head, type LoggedEvent, type NumberedEntry, type PendingEvent,
} from '../db/queries/log.js'
import { concatBytes, decodeUtf8, equalBytes, encodeUtf8 } from '../protocol/bytes.js'
import { assert, ProtocolError } from '../protocol/errors.js'
import { MAX_INTEGRATION_ENTRY_COUNT } from '../protocol/limits.js'
import { parseCheckpoint, signCheckpoint } from '../protocol/log/checkpoint.js'
import { encodeEntry, partyTag, TAG_SIZE_BYTES, vaultTag } from '../protocol/log/event.js'
import { EMPTY_ROOT, encodeEdge } from '../protocol/log/merkle.js'
import { parseNote, verifyNote, type NoteSigner } from '../protocol/log/note.js'
import {
  CHECKPOINT_PATH, EMPTY_TILE_EDGE, planIntegration, readTileEdge, rootOfLevels, TILE_WIDTH,
  type Integration, type Resource, type TileEdge,
} from '../protocol/log/tile.js'
import { platformSha256 } from './platform-hash.js'
import { TileCache } from './tile-cache.js'
import type { World } from './world.js'

/** The database and the published log contradict each other: a person must look. */
export class LogContradiction extends Error {
  override readonly name = 'LogContradiction'
}

/** Another integrator was first; start over from what it left. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** What the integrator knows between two turns. */
export interface LogState {
  readonly edge: TileEdge
  readonly root: Uint8Array
  /** The published checkpoint, as a note; empty before the first. */
  readonly checkpoint: string
  readonly etag: string | null
}

export interface Turn {
  readonly state: LogState
  readonly events: readonly LoggedEvent[]
  /** Full tiles and bundles that came out: for `dropPartials`. */
  readonly filledPaths: readonly string[]
}

/** The checkpoint in the bucket; size 0 and an empty text if there is none. */
interface Shown extends Pick<LogState, 'root' | 'checkpoint' | 'etag'> {
  readonly size: number
}

type Parts = Pick<World, 'database' | 'bucket' | 'keys' | 'clock'>

const REPAIR = 'Repair: `npx sealdeck admin fsck --repair` imports the missing entries from the published files.'
const CHECKPOINT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }
const MAX_PARALLEL_WRITES = 16

export class Integrator {
  readonly #parts: Parts
  readonly #files: TileCache

  constructor(parts: Parts, files: TileCache) {
    this.#parts = parts
    this.#files = files
  }

  /**
   * Find out where the log stands and finish what a crash left: entries that were committed but not
   * published get their files and their checkpoint by the ordinary steps.
   *
   * @throws LogContradiction if the database is older than, or other than, what was published.
   */
  async recover(): Promise<LogState> {
    const { logDb } = this.#parts.database
    // In this order, because another leader may still be at work: what is read later is never behind.
    const noted = await getPublished(logDb)
    const shown = await this.#readCheckpoint()
    const head = await getHead(logDb)
    requireNotBehind(head, shown.size)
    if (noted.size > shown.size) {
      throw new LogContradiction(`the bucket shows a checkpoint of ${shown.size} entries, but ${noted.size} were published: ` +
        'the bucket was restored from an older copy. Restore the newer one')
    }
    const edge = shown.size === 0 ? EMPTY_TILE_EDGE
      : await readTileEdge(this.#files.read, { size: BigInt(shown.size), root: shown.root })
    const { size, root, checkpoint, etag } = shown
    if (head.size === size && !equalBytes(head.root, root)) throw otherHistory(size)
    const atMs = this.#parts.clock.nowMs()
    if (noted.size < size) await markPublished(logDb, { size, checkpoint, atMs })
    return await this.#catchUp({ edge, root, checkpoint, etag }, head)
  }

  /** Publish what is committed and not yet published, batch by batch. */
  async #catchUp(start: LogState, head: Head): Promise<LogState> {
    let state = start
    while (sizeOf(state) < head.size) {
      const from = sizeOf(state)
      const end = Math.min(head.size, from + MAX_INTEGRATION_ENTRY_COUNT)
      const entries = await listEntries(this.#parts.database.logDb, { start: from, end })
      if (entries.length !== end - from) throw new LogContradiction(`entries are missing between ${from} and ${end}. ${REPAIR}`)
      const plan = planIntegration(state.edge, entries, platformSha256)
      if (end === head.size && !equalBytes(plan.root, head.root)) throw otherHistory(head.size)
      state = await this.#show(state, plan)
      await this.note(state)
    }
    return state
  }

  /**
   * Take the oldest events into the log and show them under a new checkpoint; `note` has to follow.
   *
   * @returns the new state and the events, or `undefined` if none wait.
   * @throws Overtaken if another integrator was first.
   */
  async turn(state: LogState): Promise<Turn | undefined> {
    const { logDb } = this.#parts.database
    const pending = await listPending(logDb, MAX_INTEGRATION_ENTRY_COUNT)
    if (pending.length === 0) return undefined
    const batch = numberEntries(pending)
    const entries = batch.map(({ entry }) => entry)
    const plan = planIntegration(state.edge, entries, platformSha256)
    const size = sizeOf(state)
    const next = { root: plan.root, edge: encodeEdge(plan.edge.edge) }
    const isFirst = await integrate(logDb, { size, root: state.root }, next, batch)
    if (!isFirst) throw new Overtaken('the head has moved')
    return {
      state: await this.#show(state, plan, this.#requireStored(entries, size)),
      events: pending.map((event, at) => loggedEvent(event, entries[at], size + at)),
      filledPaths: plan.resources.map(({ path }) => path).filter((path) => !path.includes('.p/')),
    }
  }

  /**
   * Delete what a full tile replaces (c2sp.org/tlog-tiles allows it: readers fall back to the full one).
   * What a crash leaves behind is harmless.
   */
  async dropPartials(filledPaths: readonly string[]): Promise<void> {
    for (const path of filledPaths) {
      const keys = await this.#parts.bucket.list(this.#key(`${path}.p/`), TILE_WIDTH)
      await Promise.all(keys.map((key) => this.#parts.bucket.delete(key)))
    }
  }

  /**
   * Put the published checkpoint out again with what witnesses have added. One of another tree is left alone.
   *
   * @throws Overtaken if the checkpoint in the bucket is not ours.
   */
  async showCosigned(state: LogState, note: string): Promise<LogState> {
    if (state.checkpoint === '' || parseNote(note).text !== parseNote(state.checkpoint).text) return state
    const key = this.#key(CHECKPOINT_PATH)
    const etag = await this.#parts.bucket
      .replace(key, encodeUtf8(note), state.etag, CHECKPOINT_OPTIONS)
    if (etag === undefined) throw new Overtaken('the checkpoint has moved')
    return { ...state, checkpoint: note, etag }
  }

  /** What was committed is what was planned: asked of the database, not of our memory. */
  async #requireStored(entries: readonly Uint8Array[], start: number): Promise<void> {
    const { logDb } = this.#parts.database
    const stored = await hashEntries(logDb, { start, end: start + entries.length })
    if (!equalBytes(stored, platformSha256(concatBytes(...entries)))) {
      throw new LogContradiction(`the database holds other entries from ${start} than were integrated`)
    }
  }

  /**
   * Files first, then the checkpoint.
   * @param checked - what must be true before anything is signed; files are written meanwhile.
   */
  async #show(
    old: LogState, plan: Integration, checked: Promise<void> = Promise.resolve(),
  ): Promise<LogState> {
    await Promise.all([this.#writeFiles(plan.resources), checked])
    // By another way than `plan.root` came about: a slip in either is found before it is signed.
    assert(equalBytes(rootOfLevels(plan.edge.levels), plan.root), 'both ways to the root agree')
    const { keys, bucket } = this.#parts
    const { origin, signers } = keys.log
    const { size } = plan.edge.edge
    const checkpoint = signCheckpoint({ origin, size, root: plan.root }, signers)
    const key = this.#key(CHECKPOINT_PATH)
    const etag = await bucket.replace(key, encodeUtf8(checkpoint), old.etag, CHECKPOINT_OPTIONS)
    if (etag === undefined) throw new Overtaken('the checkpoint has moved')
    return { edge: plan.edge, root: plan.root, checkpoint, etag }
  }

  /** Tell the database, and by it all instances, that the bucket shows this checkpoint. */
  async note(state: LogState): Promise<void> {
    const { database, clock } = this.#parts
    const { checkpoint } = state
    await markPublished(database.logDb, { size: sizeOf(state), checkpoint, atMs: clock.nowMs() })
  }

  async #writeFiles(resources: readonly Resource[]): Promise<void> {
    for (let start = 0; start < resources.length; start += MAX_PARALLEL_WRITES) {
      const some = resources.slice(start, start + MAX_PARALLEL_WRITES)
      await Promise.all(some.map((resource) => this.#writeFile(resource)))
    }
  }

  /** A file that is there already was written by us before a crash, or by a leader before us: the same bytes. */
  async #writeFile({ path, bytes }: Resource): Promise<void> {
    const result = await this.#parts.bucket.put(this.#key(path), bytes)
    if (result === 'exists') {
      const existing = await this.#parts.bucket.read(this.#key(path))
      if (existing === null || !equalBytes(existing, bytes)) {
        throw new LogContradiction(`${path} is published with other bytes than the database's entries make`)
      }
    }
    this.#files.keep(path, bytes)
  }

  async #readCheckpoint(): Promise<Shown> {
    const stored = await this.#parts.bucket.readTagged(this.#key(CHECKPOINT_PATH))
    if (stored === null) return { size: 0, root: EMPTY_ROOT, checkpoint: '', etag: null }
    const checkpoint = decodeUtf8(stored.bytes)
    const { origin, signers } = this.#parts.keys.log
    const shown = parseCheckpoint(requireOurs(checkpoint, signers))
    if (shown.origin !== origin) {
      throw new LogContradiction(`the bucket holds the log ${shown.origin}, the key is for ${origin}`)
    }
    return { size: Number(shown.size), root: shown.root, checkpoint, etag: stored.etag }
  }

  #key(path: string): string {
    return `${this.#parts.keys.log.prefix}/${path}`
  }
}

/** The text, if one of our keys has signed it. */
function requireOurs(note: string, signers: readonly NoteSigner[]): string {
  try {
    return verifyNote(note, signers.map(({ key }) => key)).text
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'unknown-signer') throw error
    throw new LogContradiction('the bucket holds a checkpoint that the log\'s key has not signed. If the key was rotated, ' +
      'give the one that signs today in LOG_KEY (or DATA_DIR/keys/log.key)', { cause: error })
  }
}

export function sizeOf(state: LogState): number {
  return Number(state.edge.edge.size)
}

function requireNotBehind(head: Head, shownSize: number): void {
  if (head.size >= shownSize) return
  throw new LogContradiction(`the database ends at entry ${head.size}, but ${shownSize} entries are published: ` +
    `it was restored from an older copy, or lost power. ${REPAIR}`)
}

function otherHistory(size: number): LogContradiction {
  return new LogContradiction(`the database's entries up to ${size} are not those that were published. ${REPAIR}`)
}

/** Give each event the next number of its vault and of its person, and make the tags from them. */
function numberEntries(pending: readonly PendingEvent[]): NumberedEntry[] {
  const counts = new Map<string, number>()
  function next(scopeId: string | null, tagKey: Uint8Array | null, count: number | null) {
    if (scopeId === null || tagKey === null) return null
    const number = (counts.get(scopeId) ?? count ?? 0) + 1
    counts.set(scopeId, number)
    return number
  }
  return pending.map((event) => {
    const vaultSequence = next(event.vaultId, event.vaultTagKey, event.vaultCount)
    const partySequence = next(event.partyId, event.partyTagKey, event.partyCount)
    const entry = encodeEntry({
      commitment: event.commitment,
      vaultTag: makeTag(vaultTag, event.vaultTagKey, vaultSequence),
      partyTag: makeTag(partyTag, event.partyTagKey, partySequence),
    })
    return { eventId: event.eventId, entry, vaultSequence, partySequence }
  })
}

/** Random where none applies, so that entries of all kinds look alike. */
function makeTag(
  make: typeof vaultTag, tagKey: Uint8Array | null, sequence: number | null,
): Uint8Array {
  const isTagged = tagKey !== null && sequence !== null
  return isTagged ? make(tagKey, sequence) : randomBytes(TAG_SIZE_BYTES)
}

function loggedEvent(
  event: PendingEvent, entry: Uint8Array | undefined, index: number,
): LoggedEvent {
  assert(entry !== undefined, 'each event has its entry')
  return { eventId: event.eventId, index, entry, bytes: event.bytes, salt: event.salt }
}
