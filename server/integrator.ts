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
 * [Note: The last entry] `log.closed` ends a log. It is made again when its turn comes, because only then is known how many entries
 * there are; it goes last in its batch, and only where the next log's key is at hand; nothing is integrated after it
 * until the next log has begun (border.ts), which `integrate` itself enforces, too.
 *
 * [Note: Made again] An event names its log. One that was made for a log which closed before its turn came is made again for the
 * next one: the same id, time and fields, and `because` of one that was made again, too. Nobody has seen it before.
 *
 * [Note: One history] Three things must all be fooled for a second history: the compare-and-swap on the
 * head, the files that are never rewritten with other bytes, and the conditional write of the
 * checkpoint. A leader that was away loses the first of them and starts over.
 */
import { randomBytes } from 'node:crypto'
import {
  deletePending, findEventAt, getHead, getPublished, hashEntries, integrate, listEntries,
  listPending, listPersonEvents, markPublished, updatePending,
  type Head, type LoggedEvent, type NumberedEntry, type PendingEvent,
} from '../db/queries/log.js'
import { concatBytes, decodeUtf8, encodeHex, equalBytes, encodeUtf8 } from '../protocol/bytes.js'
import { assert, ProtocolError } from '../protocol/errors.js'
import { MAX_INTEGRATION_ENTRY_COUNT } from '../protocol/limits.js'
import { parseCheckpoint, signCheckpoint } from '../protocol/log/checkpoint.js'
import {
  commitEvent, encodeEntry, encodeEvent, parseEvent, partyTag, TAG_SIZE_BYTES, vaultTag, type Event,
} from '../protocol/log/event.js'
import { EMPTY_ROOT, encodeEdge } from '../protocol/log/merkle.js'
import { equalKeys, parseNote, parseVkey, verifyNote, type NoteKey } from '../protocol/log/note.js'
import { verifyRotation } from '../protocol/log/rotation.js'
import {
  CHECKPOINT_PATH, EMPTY_TILE_EDGE, planIntegration, readTileEdge, rootOfLevels, TILE_WIDTH,
  type Integration, type Resource, type TileEdge,
} from '../protocol/log/tile.js'
import { findStatedEnd, followStatedBorder, readStatementFiles } from './border.js'
import { SettingError } from './config.js'
import type { LogSpan } from './logs.js'
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
  readonly log: LogSpan
  /** Which log goes on, where this one ends with its newest entry ([Note: The last entry]). */
  readonly ending: Ending | null
  readonly edge: TileEdge
  readonly root: Uint8Array
  /** The published checkpoint, as a note; empty before the first. */
  readonly checkpoint: string
  readonly etag: string | null
}

/** The next log, as `log.closed` names it. */
export interface Ending {
  readonly origin: string
  readonly vkey: string
}

export interface Turn {
  readonly state: LogState
  readonly events: readonly LoggedEvent[]
  /** Full tiles and bundles that came out: for `dropPartials`. */
  readonly filledKeys: readonly string[]
}

/** The checkpoint in the bucket; size 0 and an empty text if there is none. */
interface Shown extends Pick<LogState, 'root' | 'checkpoint' | 'etag'> {
  /** In its own log. */
  readonly size: number
}

type Parts = Pick<World, 'database' | 'bucket' | 'keys' | 'clock' | 'logs'>

const REPAIR = 'Repair: `npx sealdeck admin fsck --repair` imports the missing entries from the published files.'
const CHECKPOINT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }
const MAX_PARALLEL_WRITES = 16
const CLOSED = 'log.closed'
const STARTED = 'log.started'
/** Commitments of events that were made again, by those that they had: for what names one of them later. */
const MAX_REMADE = 10_000
/** Newest events of a person among which the one is looked for that another event names. */
const MAX_RECALLED = 1_000

export class Integrator {
  readonly #parts: Parts
  readonly #filesOf: (log: LogSpan) => TileCache
  readonly #remade = new Map<string, string>()

  constructor(parts: Parts, filesOf: (log: LogSpan) => TileCache) {
    this.#parts = parts
    this.#filesOf = filesOf
  }

  /**
   * Find out where the log stands and finish what a crash left: entries that were committed but not
   * published get their files and their checkpoint by the ordinary steps.
   *
   * @throws LogContradiction if the database is older than, or other than, what was published.
   */
  async recover(): Promise<LogState> {
    const { database: { logDb }, logs, keys } = this.#parts
    await logs.refresh()
    const log = logs.current()
    // In this order, because another leader may still be at work: what is read later is never behind.
    const noted = await getPublished(logDb)
    const shown = await this.#readCheckpoint(log)
    const head = await getHead(logDb)
    const size = log.firstIndex + shown.size
    requireNotBehind(head, size)
    if (keys.log.signers.length === 0) return await this.#recoverNext(log)
    if (noted.size > size) {
      throw new LogContradiction(`the bucket shows a checkpoint of ${size} entries, but ${noted.size} were published: ` +
        'the bucket was restored from an older copy. Restore the newer one')
    }
    const edge = shown.size === 0 ? EMPTY_TILE_EDGE
      : await readTileEdge(this.#filesOf(log).read, { size: BigInt(shown.size), root: shown.root })
    const { root, checkpoint, etag } = shown
    if (head.size === size && !equalBytes(head.root, root)) throw otherHistory(size)
    const atMs = this.#parts.clock.nowMs()
    if (noted.size < size) await markPublished(logDb, { size, checkpoint, atMs })
    const state = await this.#catchUp({ log, ending: null, edge, root, checkpoint, etag }, head)
    return { ...state, ending: await this.#findEnding(state) }
  }

  /** The event tells, and where a restored database has lost it, what was published of it. */
  async #findEnding(state: LogState): Promise<Ending | null> {
    const size = sizeOf(state)
    if (size === state.log.firstIndex) return null
    const last = await findEventAt(this.#parts.database.logDb, size - 1)
    if (last !== undefined) return last.type === CLOSED ? endingOf(parseEvent(last.bytes)) : null
    const stated = await findStatedEnd(this.#parts, state.log)
    return stated !== null && stated.size === size - state.log.firstIndex ? stated.next : null
  }

  /** Without this log's key all that can be done is to follow what it has published of its end. */
  async #recoverNext(log: LogSpan): Promise<LogState> {
    if (await followStatedBorder(this.#parts)) return await this.recover()
    throw new SettingError(`this instance has no key of ${log.origin}: give LOG_KEY (or DATA_DIR/keys/log.key) the newest log's`)
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
    assert(state.ending === null, 'nothing follows a log\'s last entry')
    const { logDb } = this.#parts.database
    const { pending, ending } = await this.#listPending(state)
    if (pending.length === 0) return undefined
    const batch = numberEntries(pending)
    const entries = batch.map(({ entry }) => entry)
    const plan = planIntegration(state.edge, entries, platformSha256)
    const size = sizeOf(state)
    const next = { root: plan.root, edge: encodeEdge(plan.edge.edge) }
    const isFirst = await integrate(logDb, { size, root: state.root }, next, batch)
    if (!isFirst) throw new Overtaken('the head has moved')
    const shown = await this.#show(state, plan, this.#requireStored(entries, size))
    return {
      state: { ...shown, ending },
      events: pending.map((event, at) => loggedEvent(event, entries[at], size + at)),
      filledKeys: plan.resources.map(({ path }) => `${state.log.prefix}/${path}`).filter((key) => !key.includes('.p/')),
    }
  }

  /** The next batch, for this log; a log's first entry stands alone in its batch, and its last at the end. */
  async #listPending(
    { log, edge }: LogState,
  ): Promise<{ pending: readonly PendingEvent[], ending: Ending | null }> {
    const { logDb } = this.#parts.database
    const isEmpty = edge.edge.size === 0n
    const found = await listPending(logDb, MAX_INTEGRATION_ENTRY_COUNT, isEmpty ? STARTED : null)
    const isOurs = namesLog(log)
    const ends = found.filter(({ type }) => type === CLOSED)
    await deletePending(logDb, ends.filter((end) => !isOurs(end)).map(({ eventId }) => eventId))
    if (isEmpty) return { pending: found.filter(isOurs).slice(0, 1), ending: null }
    const pending = await this.#remake(found.filter(({ type }) => type !== CLOSED), log)
    const closing = ends.find((end) => this.#isDueEnd(end, log))
    if (closing === undefined || !await this.#isLastKey(log)) return { pending, ending: null }
    const event = parseEvent(closing.bytes)
    const size = Number(edge.edge.size) + pending.length + 1
    const bytes = encodeEvent({ ...event, size })
    const last = { ...closing, bytes, commitment: commitEvent(closing.salt, bytes) }
    await updatePending(logDb, [last])
    return { pending: [...pending, last], ending: endingOf(event) }
  }

  /** Whether this event ends this log, and this instance can go on with the next. */
  #isDueEnd({ bytes }: PendingEvent, { origin }: LogSpan): boolean {
    const { log, nextLog, logKey } = parseEvent(bytes)
    return log === origin && this.#parts.keys.logs.some((next) =>
      next.origin === nextLog && next.vkey === logKey && next.origin !== origin)
  }

  /** Two keys must not follow the same one: nothing is closed while the log's key is being rotated, nor by one that was. */
  async #isLastKey(log: LogSpan): Promise<boolean> {
    const [signer, second] = this.#parts.keys.log.signers
    if (signer === undefined || second !== undefined) return false
    const newest = (await readStatementFiles(this.#parts, log)).at(-1)
    return newest === undefined || equalKeys(verifyRotation(newest).next, signer.key)
  }

  /** See [Note: Made again]. */
  async #remake(events: readonly PendingEvent[], log: LogSpan): Promise<PendingEvent[]> {
    const isOurs = namesLog(log)
    if (events.every(isOurs)) return [...events]
    for (const event of events) if (!isOurs(event)) await this.#recallRemade(event, { events, log })
    const remade = events.map((event) => isOurs(event) ? event : this.#remakeOne(event, log.origin))
    const changed = remade.filter((event, at) => event !== events[at])
    await updatePending(this.#parts.database.logDb, changed)
    return remade
  }

  /** What another process made again is recognised: by its salt it had one commitment for each log's name. */
  async #recallRemade(
    { bytes, partyId }: PendingEvent,
    { events, log }: { events: readonly PendingEvent[], log: LogSpan },
  ): Promise<void> {
    const { because, log: before } = parseEvent(bytes)
    if (because === undefined || partyId === null || this.#remade.has(because)) return
    const limit = MAX_RECALLED
    const { logDb } = this.#parts.database
    const stored = await listPersonEvents(logDb, { partyId, start: log.firstIndex, limit })
    for (const one of [...stored, ...events.filter(namesLog(log))]) {
      const old = commitEvent(one.salt, encodeEvent({ ...parseEvent(one.bytes), log: before }))
      if (encodeHex(old) !== because) continue
      this.#remade.set(because, encodeHex(commitEvent(one.salt, one.bytes)))
    }
  }

  #remakeOne(pending: PendingEvent, log: string): PendingEvent {
    const event = parseEvent(pending.bytes)
    const because = this.#remade.get(event.because ?? '') ?? event.because
    const bytes = encodeEvent({ ...event, log, ...because === undefined ? {} : { because } })
    const commitment = commitEvent(pending.salt, bytes)
    if (this.#remade.size < MAX_REMADE) {
      this.#remade.set(encodeHex(pending.commitment), encodeHex(commitment))
    }
    return { ...pending, bytes, commitment }
  }

  /**
   * Delete what a full tile replaces (c2sp.org/tlog-tiles allows it: readers fall back to the full one).
   * What a crash leaves behind is harmless.
   */
  async dropPartials(filledKeys: readonly string[]): Promise<void> {
    for (const key of filledKeys) {
      const keys = await this.#parts.bucket.list(`${key}.p/`, TILE_WIDTH)
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
    const key = `${state.log.prefix}/${CHECKPOINT_PATH}`
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
    await Promise.all([this.#writeFiles(old.log, plan.resources), checked])
    // By another way than `plan.root` came about: a slip in either is found before it is signed.
    assert(equalBytes(rootOfLevels(plan.edge.levels), plan.root), 'both ways to the root agree')
    const { keys, bucket } = this.#parts
    const { origin, signers } = keys.log
    if (origin !== old.log.origin || signers.length === 0) throw new Overtaken('another log goes on')
    const { size } = plan.edge.edge
    const checkpoint = signCheckpoint({ origin, size, root: plan.root }, signers)
    const key = `${old.log.prefix}/${CHECKPOINT_PATH}`
    const etag = await bucket.replace(key, encodeUtf8(checkpoint), old.etag, CHECKPOINT_OPTIONS)
    if (etag === undefined) throw new Overtaken('the checkpoint has moved')
    return { ...old, edge: plan.edge, root: plan.root, checkpoint, etag }
  }

  /** Tell the database, and by it all instances, that the bucket shows this checkpoint. */
  async note(state: LogState): Promise<void> {
    const { database, clock } = this.#parts
    const { checkpoint } = state
    await markPublished(database.logDb, { size: sizeOf(state), checkpoint, atMs: clock.nowMs() })
  }

  async #writeFiles(log: LogSpan, resources: readonly Resource[]): Promise<void> {
    for (let start = 0; start < resources.length; start += MAX_PARALLEL_WRITES) {
      const some = resources.slice(start, start + MAX_PARALLEL_WRITES)
      await Promise.all(some.map((resource) => this.#writeFile(log, resource)))
    }
  }

  /** A file that is there already was written by us before a crash, or by a leader before us: the same bytes. */
  async #writeFile(log: LogSpan, { path, bytes }: Resource): Promise<void> {
    const result = await this.#parts.bucket.put(`${log.prefix}/${path}`, bytes)
    if (result === 'exists') {
      const existing = await this.#parts.bucket.read(`${log.prefix}/${path}`)
      if (existing === null || !equalBytes(existing, bytes)) {
        throw new LogContradiction(`${path} is published with other bytes than the database's entries make`)
      }
    }
    this.#filesOf(log).keep(path, bytes)
  }

  async #readCheckpoint(log: LogSpan): Promise<Shown> {
    const stored = await this.#parts.bucket.readTagged(`${log.prefix}/${CHECKPOINT_PATH}`)
    if (stored === null) return { size: 0, root: EMPTY_ROOT, checkpoint: '', etag: null }
    const checkpoint = decodeUtf8(stored.bytes)
    const signers = this.#parts.keys.log.signers.map(({ key }) => key)
    const known = signers.length > 0 ? signers : [parseVkey(log.vkey)]
    const shown = parseCheckpoint(requireOurs(checkpoint, known))
    if (shown.origin !== log.origin) {
      throw new LogContradiction(`the bucket holds the log ${shown.origin}, the key is for ${log.origin}`)
    }
    return { size: Number(shown.size), root: shown.root, checkpoint, etag: stored.etag }
  }
}

/** By its bytes, which are canonical: no other text in an event can look like this. */
function namesLog({ origin }: LogSpan): (event: PendingEvent) => boolean {
  const named = Buffer.from(`"log":${JSON.stringify(origin)}`)
  return ({ bytes }) => Buffer.from(bytes).includes(named)
}

function endingOf({ nextLog, logKey }: Event): Ending {
  assert(nextLog !== undefined && logKey !== undefined, 'a log\'s end names what goes on')
  return { origin: nextLog, vkey: logKey }
}

/** The text, if one of our keys has signed it. */
function requireOurs(note: string, keys: readonly NoteKey[]): string {
  try {
    return verifyNote(note, keys).text
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'unknown-signer') throw error
    throw new LogContradiction('the bucket holds a checkpoint that the log\'s key has not signed. If the key was rotated, ' +
      'give the one that signs today in LOG_KEY (or DATA_DIR/keys/log.key)', { cause: error })
  }
}

/** Entries up to the newest one, over all logs. */
export function sizeOf(state: LogState): number {
  return state.log.firstIndex + Number(state.edge.edge.size)
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
