/**
 * The log's pulse: one elected instance integrates and publishes, every instance waits for its events and
 * makes receipts. What a turn does is in integrator.ts; here is when, and who.
 *
 * [Note: Election] An advisory lock picks the leader so that instances do not work against each other. It
 * is not what keeps history single ([Note: One history] in integrator.ts): a leader that lost its
 * lock unawares loses the compare-and-swap too.
 *
 * [Note: Pace] A checkpoint costs several files, so events that come one by one share it: after a
 * publication the next waits up to LOG_PUBLISH_INTERVAL_MS, but no longer than until as many people wait as the
 * last one answered. So somebody alone is answered at once, and so is a crowd that comes back together;
 * full batches run back to back.
 */
import { uuidv7 } from 'uuidv7'
import type { LeaderLock } from '../db/client.js'
import {
  findEventAt, getPublished, listLogged, listPending, PUBLISHED_CHANNEL, type LoggedEvent,
} from '../db/queries/log.js'
import { insertEvents } from '../db/queries/outbox.js'
import { assert } from '../protocol/errors.js'
import { encodeHex, encodeUtf8 } from '../protocol/bytes.js'
import { sha256 } from '../protocol/hash.js'
import { decodeEntry, formatTime, parseEvent, sealEvent } from '../protocol/log/event.js'
import { planInclusionProofs } from '../protocol/log/merkle.js'
import { parseNote } from '../protocol/log/note.js'
import { buildProof } from '../protocol/log/proof.js'
import { readNodes, type ReadResource } from '../protocol/log/tile.js'
import { Bell } from './bell.js'
import { SettingError } from './config.js'
import { Integrator, LogContradiction, Overtaken, sizeOf, type LogState, type Turn } from './integrator.js'
import { crossBorder, publishBorder } from './border.js'
import type { LogSpan, Standing } from './logs.js'
import { platformSha256 } from './platform-hash.js'
import { TileCache } from './tile-cache.js'
import { Waiters, type PublishedEvent } from './waiters.js'
import type { LogParts } from './world.js'

export interface CurrentLog {
  /** Over all logs ([Note: Places and indexes] in logs.ts). */
  readonly size: number
  /** A signed note; empty before the first checkpoint. */
  readonly checkpoint: string
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
  /** The proof of an event published before; `undefined` if it is unknown, still waits, or was erased. */
  proofFor(eventId: string): Promise<PublishedEvent | undefined>
  /** The checkpoint that is shown to the world just now. */
  current(): Promise<CurrentLog>
  /** A log's tiles and bundles by their paths, from memory where they are: for proofs. Never the checkpoint. */
  filesOf(log: Pick<LogSpan, 'prefix'>): ReadResource
  /** Look at the outbox at once instead of at the next poll. */
  wake(): void
  /** Throws if the log cannot publish: for readiness. */
  requireWorking(): void
  /** Whether this instance moves the checkpoint: it alone asks witnesses (server/witnesses.ts). */
  isLeading(): boolean
  /**
   * Show the newest checkpoint with these cosignatures as soon as nothing else is to be done. One that is
   * not the newest any more is not shown.
   */
  showCosigned(note: string): void
  /** Proofs in an earlier tree of this log; events that it does not hold are left out. */
  proofsUnder(eventIds: readonly string[], log: CurrentLog): Promise<PublishedEvent[]>
  /** Ends after the turn that runs. */
  stop(): Promise<void>
}

export interface SequencerOptions {
  /** Whether a log's last checkpoint has what it needs; it is waited for, for a while. */
  readonly isClosable?: (checkpoint: string) => boolean
}

const OUTBOX_CHANNEL = 'audit_outbox'
const POLL_MS = 50
/** In one process nothing is written without a wake; the poll is a net. */
const EMBEDDED_POLL_MS = 500
const ELECTION_POLL_MS = 500
const RETRY_AFTER_MS = 50
/** How long a log's last checkpoint is shown to its witnesses before the next log begins without them. */
export const CLOSING_WAIT_MS = 8_000
/** Between two looks whether they have signed. */
const CLOSING_POLL_MS = 50
const MAX_RETRY_AFTER_MS = 5_000
/** A batch of this size says that there is load: no pause then. */
const BUSY_BATCH_SIZE = 32
const MAX_RECENT_EVENTS = 1_024
/** Left behind by starts that were interrupted. */
const MAX_STARTS = 100
/** Tiles whose partial ones wait to be deleted; beyond that they stay, which harms nobody. */
const MAX_FILLED_KEYS = 10_000

/**
 * Start the log. Where this instance is the only one, the log is recovered and its first event published
 * before this returns; with others it may come to lead later.
 *
 * @throws LogContradiction if the database and what was published do not fit together.
 */
export async function startSequencer(
  parts: LogParts, options: SequencerOptions = {},
): Promise<Sequencer> {
  await parts.logs.noteFirst()
  const sequencer = new RunningSequencer(parts, options)
  await sequencer.start()
  return sequencer
}

class RunningSequencer implements Sequencer {
  readonly #parts: LogParts
  readonly #isClosable: (checkpoint: string) => boolean
  readonly #files = new Map<string, TileCache>()
  readonly #integrator: Integrator
  readonly #waiters = new Waiters()
  readonly #recent = new Map<string, LoggedEvent>()
  readonly #bell = new Bell()
  #lock: LeaderLock | undefined
  #state: LogState | undefined
  #lastPublishAtMs = 0
  #lastAnsweredCount = 0
  #isBusy = false
  #nextElectionAtMs = 0
  #failure: unknown
  #cosigned: string | undefined
  #isStopping = false
  #isNotifying = false
  #loops: Promise<unknown> = Promise.resolve()
  #filledKeys: string[] = []
  #sweeping: Promise<unknown> | undefined
  #unlisten: (() => Promise<void>)[] = []

  constructor(parts: LogParts, { isClosable = () => true }: SequencerOptions) {
    this.#parts = parts
    this.#isClosable = isClosable
    this.#integrator = new Integrator(parts, (log) => this.#cacheOf(log))
  }

  filesOf(log: Pick<LogSpan, 'prefix'>): ReadResource {
    return this.#cacheOf(log).read
  }

  #cacheOf({ prefix }: Pick<LogSpan, 'prefix'>): TileCache {
    const files = this.#files.get(prefix) ?? new TileCache(this.#parts.bucket, prefix)
    this.#files.set(prefix, files)
    return files
  }

  async start(): Promise<void> {
    const { database } = this.#parts
    this.#lock = await database.tryLead()
    if (this.#lock !== undefined) await this.#takeOverOrRelease(this.#lock)
    if (database.engine === 'postgres') {
      this.#unlisten = [
        await database.listen(PUBLISHED_CHANNEL, () => {
          if (!this.isLeading()) this.#bell.ring() // A leader hears itself.
        }),
        await database.listen(OUTBOX_CHANNEL, () => { this.#bell.ring() }),
      ]
    }
    this.#loops = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#bell.ring({ isLast: true })
    await this.#loops
    await this.#sweeping
    await Promise.all(this.#unlisten.map((unlisten) => unlisten()))
    await this.#lock?.release()
  }

  wake(): void {
    this.#bell.ring()
    if (this.#lock === undefined) this.#tellLeader()
  }

  requireWorking(): void {
    if (this.#failure !== undefined) throw new Error('the log cannot publish', { cause: this.#failure })
  }

  isLeading(): boolean {
    return this.#state !== undefined && this.#lock?.isHeld() === true
  }

  showCosigned(note: string): void {
    this.#cosigned = note
    this.#bell.ring()
  }

  // ---- Waiting and proving ----

  async published(eventIds: readonly string[]): Promise<PublishedEvent[]> {
    const recent = eventIds.flatMap((eventId) => this.#recent.get(eventId) ?? [])
    if (recent.length === eventIds.length) return await this.#prove(recent, await this.current())
    const found = this.#waiters.wait(eventIds, this.#parts.config.logWaitTimeoutMs)
    this.wake()
    const events = await found
    return eventIds.map((eventId) => {
      const event = events.get(eventId)
      assert(event !== undefined, 'all events were waited for')
      return event
    })
  }

  async proofFor(eventId: string): Promise<PublishedEvent | undefined> {
    const [event] = await listLogged(this.#parts.database.db, [eventId])
    if (event === undefined) return undefined
    const [proven] = await this.#prove([event], await this.current())
    return proven
  }

  async proofsUnder(eventIds: readonly string[], log: CurrentLog): Promise<PublishedEvent[]> {
    const events = await listLogged(this.#parts.database.db, eventIds)
    return await this.#prove(events.filter(({ index }) => index < log.size), log)
  }

  /** [Note: Proofs by the batch] Of each log tiles are read once and nodes computed once for all events of a batch. */
  async #prove(events: readonly LoggedEvent[], log: CurrentLog): Promise<PublishedEvent[]> {
    await this.#parts.logs.follow(log.checkpoint)
    const standings = events.map(({ index }) => this.#parts.logs.standing(index, log))
    const paths = new Map<Standing, readonly Uint8Array[]>()
    for (const span of new Set(standings.map((standing) => standing.span))) {
      const some = standings.filter((standing) => standing.span === span)
      const found = await this.#pathsIn(span, some)
      some.forEach((standing, at) => paths.set(standing, found[at] ?? []))
    }
    return events.flatMap(({ eventId, index: place, entry, bytes, salt }, at) => {
      const standing = standings[at]
      assert(standing !== undefined, 'every event stands somewhere')
      const { vaultTag, partyTag } = decodeEntry(entry)
      const opening = { salt, vaultTag, partyTag, eventBytes: bytes }
      const { index, checkpoint } = standing
      const proof = { index: BigInt(index), path: paths.get(standing) ?? [], opening, checkpoint }
      return [{ eventId, index: place, proof: buildProof(proof) }]
    })
  }

  async #pathsIn(span: LogSpan, standings: readonly Standing[]): Promise<Uint8Array[][]> {
    const treeSize = BigInt(standings[0]?.treeSize ?? 0)
    const proofs = planInclusionProofs(standings.map(({ index }) => BigInt(index)), treeSize)
    const wanted = { nodes: proofs.nodes, size: treeSize }
    const nodeHash = await readNodes(this.filesOf(span), wanted, platformSha256)
    return proofs.build(nodeHash, platformSha256)
  }

  async current(): Promise<CurrentLog> {
    // A leader knows; it alone moves the checkpoint.
    if (this.#state !== undefined && this.#lock?.isHeld() === true) {
      return { size: sizeOf(this.#state), checkpoint: this.#state.checkpoint }
    }
    const published = await getPublished(this.#parts.database.db)
    await this.#parts.logs.follow(published.checkpoint)
    return published
  }

  // ---- Leading ----

  async #run(): Promise<void> {
    let failureCount = 0
    while (!this.#isStopping) {
      try {
        const lock = this.#lock
        const isBusy = lock === undefined ? await this.#follow() : await this.#lead(lock)
        failureCount = 0
        if (!isBusy && !this.#isStopping) await this.#bell.wait(this.#pollMs())
      } catch (error) {
        await this.#stumble(error)
        failureCount++
        const pauseMs = Math.min(MAX_RETRY_AFTER_MS, RETRY_AFTER_MS * 2 ** failureCount)
        await this.#bell.wait(pauseMs, { isDeaf: true })
      }
    }
  }

  #pollMs(): number {
    return this.#parts.database.engine === 'pglite' ? EMBEDDED_POLL_MS : POLL_MS
  }

  /** Whatever went wrong, what we knew may be wrong too: the next turn starts from recovery. */
  async #stumble(error: unknown): Promise<void> {
    this.#state = undefined
    this.#recent.clear()
    if (!(error instanceof Overtaken)) {
      this.#failure = error
      this.#parts.log.error({ err: error }, 'the log stumbled')
    }
    // A contradiction would meet every other instance as well; but let them find out.
    const lock = this.#lock
    this.#lock = undefined
    await lock?.release()
  }

  /** One turn. @returns whether there is more to do at once. */
  async #lead(lock: LeaderLock): Promise<boolean> {
    if (!lock.isHeld()) throw new Overtaken('the leader lock was lost')
    if (this.#state === undefined) await this.#takeOver()
    assert(this.#state !== undefined, 'whoever took over knows the log')
    if (this.#state.ending !== null) return await this.#cross(this.#state)
    await this.#keepPace()
    const asked = this.#waiters.eventIds
    const turn = await this.#integrator.turn(this.#state)
    if (turn !== undefined) await this.#answer(turn)
    // Whoever asked before the turn and is not in it: published before, or not committed yet.
    await this.#settleFromDatabase(asked.filter((eventId) => this.#waiters.isAwaited(eventId)))
    if (turn === undefined) await this.#showWaiting(this.#state)
    return turn !== undefined
  }

  /** From a log's last entry to the next log ([Note: Closing in steps] in border.ts). */
  async #cross(ended: LogState): Promise<boolean> {
    const { ending, log } = ended
    assert(ending !== null, 'only a log that ends is crossed from')
    await this.#awaitClosable()
    const state = this.#state ?? ended
    // Whoever stops now must not close without the witnesses: the next start waits for them again.
    if (this.#isStopping && !this.#isClosable(state.checkpoint)) return false
    const { log: logger, keys } = this.#parts
    if (!this.#isClosable(state.checkpoint)) {
      logger.error({ log: log.origin, size: sizeOf(state) }, 'the log\'s last checkpoint has no quorum of its witnesses: receipts before it keep what they have')
    }
    const border = {
      log, root: state.root, size: sizeOf(state), closing: state.checkpoint, vkey: keys.log.vkey,
      next: ending,
    }
    await crossBorder(this.#parts, border)
    await this.#takeOver()
    return true
  }

  /** Witnesses are asked meanwhile; whoever wants something of the log waits with us. */
  async #awaitClosable(): Promise<void> {
    const endsAtMs = performance.now() + CLOSING_WAIT_MS
    while (!this.#isStopping && performance.now() < endsAtMs) {
      if (this.#state === undefined || this.#isClosable(this.#state.checkpoint)) return
      await this.#bell.wait(CLOSING_POLL_MS, { isDeaf: true })
      await this.#showWaiting(this.#state)
    }
  }

  /** The database is told while proofs are built; nobody is answered before both are done. */
  async #answer({ state, events, filledKeys }: Turn): Promise<void> {
    const awaited = events.filter(({ eventId }) => this.#waiters.isAwaited(eventId))
    const log = { size: sizeOf(state), checkpoint: state.checkpoint }
    const [proven] = await Promise.all([this.#prove(awaited, log), this.#integrator.note(state)])
    this.#state = state
    this.#lastPublishAtMs = performance.now()
    this.#isBusy = events.length >= BUSY_BATCH_SIZE
    this.#remember(events)
    this.#lastAnsweredCount = this.#waiters.settle(proven)
    this.#sweep(filledKeys)
  }

  /** Deletes in the background; at most one at a time. */
  #sweep(filledKeys: readonly string[]): void {
    const room = MAX_FILLED_KEYS - this.#filledKeys.length
    this.#filledKeys.push(...filledKeys.slice(0, room))
    if (this.#filledKeys.length === 0) return
    this.#sweeping ??= this.#sweepAll().finally(() => { this.#sweeping = undefined })
  }

  async #sweepAll(): Promise<void> {
    try {
      for (let paths = this.#filledKeys; paths.length > 0; paths = this.#filledKeys) {
        this.#filledKeys = []
        await this.#integrator.dropPartials(paths)
      }
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'tiles that full ones replace were left behind')
    }
  }

  /** Only between turns: the checkpoint in the bucket has one writer, and events go first. */
  async #showWaiting(state: LogState): Promise<void> {
    const note = this.#cosigned
    this.#cosigned = undefined
    if (note !== undefined) this.#state = await this.#integrator.showCosigned(state, note)
  }

  /** Events are often published before their request asks for them: it need not ask the database. */
  #remember(events: readonly LoggedEvent[]): void {
    for (const event of events) this.#recent.set(event.eventId, event)
    for (const eventId of this.#recent.keys()) {
      if (this.#recent.size <= MAX_RECENT_EVENTS) break
      this.#recent.delete(eventId)
    }
  }

  async #keepPace(): Promise<void> {
    const endsAtMs = this.#lastPublishAtMs + this.#parts.config.logPublishIntervalMs
    while (!this.#isBusy && !this.#isStopping && !this.#areAllBack()) {
      const restMs = endsAtMs - performance.now()
      if (restMs <= 0) break
      await this.#bell.wait(restMs)
    }
  }

  #areAllBack(): boolean {
    return this.#waiters.count > 0 && this.#waiters.count >= this.#lastAnsweredCount
  }

  async #takeOverOrRelease(lock: LeaderLock): Promise<void> {
    try {
      await this.#takeOver()
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async #takeOver(): Promise<void> {
    const state = await this.#integrator.recover()
    const isNew = sizeOf(state) === state.log.firstIndex
    const begun = isNew ? await this.#beginLog(state) : state
    await publishBorder(this.#parts, (place) => this.#provePlace(place, begun))
    this.#state = begun
    this.#failure = undefined
    this.#parts.log.info({ size: sizeOf(begun), origin: begun.log.origin }, 'leading the log')
  }

  /** The first entry of a log says which key signs it, and what it goes on from. */
  async #beginLog(empty: LogState): Promise<LogState> {
    const { keys, clock, database, logs } = this.#parts
    const { origin, vkey } = keys.log
    const before = logs.list().at(-2)
    if (before !== undefined && vkey !== empty.log.vkey) {
      throw new SettingError(`LOG_KEY (or DATA_DIR/keys/log.key) holds ${vkey}, and ${before.origin} was closed for ${empty.log.vkey}`)
    }
    const waiting = await listPending(database.logDb, MAX_STARTS, 'log.started')
    if (!waiting.some(({ bytes }) => parseEvent(bytes).log === origin)) {
      await insertEvents(database.logDb, [sealEvent({
        type: 'log.started', id: uuidv7(), log: origin, at: formatTime(clock.nowMs()), actor: 'server', logKey: vkey,
        ...before?.closing == null ? {} : {
          previousLogKey: before.vkey,
          checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(before.closing).text))),
        },
      })])
    }
    const turn = await this.#integrator.turn(empty)
    assert(turn !== undefined, 'the first event is there')
    await this.#integrator.note(turn.state)
    return turn.state
  }

  async #provePlace(place: number, state: LogState): Promise<string> {
    const { db } = this.#parts.database
    const event = await findEventAt(db, place)
    const events = event === undefined ? [] : await listLogged(db, [event.eventId])
    const log = { size: sizeOf(state), checkpoint: state.checkpoint }
    const [proven] = await this.#prove(events, log)
    if (proven === undefined) throw new LogContradiction(`entry ${place} begins or ends a log, and its opening is lost`)
    return proven.proof
  }

  // ---- Following ----

  /** Try to lead; meanwhile look whether others published what we wait for. */
  async #follow(): Promise<boolean> {
    await this.#settleFromDatabase(this.#waiters.eventIds)
    if (performance.now() < this.#nextElectionAtMs) return false
    this.#nextElectionAtMs = performance.now() + ELECTION_POLL_MS
    this.#lock = await this.#parts.database.tryLead()
    if (this.#lock === undefined) this.#failure = undefined // Another instance leads.
    return this.#lock !== undefined
  }

  /** For events that were published by another instance, or before somebody asked again. */
  async #settleFromDatabase(eventIds: readonly string[]): Promise<void> {
    if (eventIds.length === 0) return
    const events = await listLogged(this.#parts.database.db, eventIds)
    if (events.length > 0) this.#waiters.settle(await this.#prove(events, await this.current()))
  }

  /** At most one notice on its way: NOTIFY takes a lock that all share. */
  #tellLeader(): void {
    if (this.#isNotifying || this.#parts.database.engine !== 'postgres') return
    this.#isNotifying = true
    this.#parts.database.notify(OUTBOX_CHANNEL, '')
      .catch((error: unknown) => { this.#parts.log.warn({ err: error }, 'the leader was not told; it polls') })
      .finally(() => { this.#isNotifying = false })
  }
}
