/**
 * The log's keys, one after another (SPEC.md § 7.11): reads the published statements, and where LOG_KEY holds two keys
 * that none links yet, logs `log.key-rotated` and publishes its receipt as the statement. Changes no key:
 * that is the operator's command (scripts/admin/rotate-log-key.ts).
 *
 * [Note: Rotation in steps] Each step is found again by what the one before left, so a crash between any two is
 * mended by the next start: both keys in LOG_KEY; the event in the outbox; the event in the log; a
 * checkpoint by both keys; the statement's file, write-once. Only that last one ends it.
 */
import { uuidv7 } from 'uuidv7'
import { listEventBytes, listWaitingBytes } from '../db/queries/log-check.js'
import { insertEvents } from '../db/queries/outbox.js'
import { decodeUtf8, encodeUtf8 } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { MAX_ROTATION_COUNT } from '../protocol/limits.js'
import { formatTime, parseEvent, sealEvent } from '../protocol/log/event.js'
import { equalKeys, formatVkey, type NoteKey } from '../protocol/log/note.js'
import type { Policy } from '../protocol/log/policy.js'
import {
  listLinkedKeys, rotationPath, verifyRotation, withLinkedKeys, type Rotation,
} from '../protocol/log/rotation.js'
import { SettingError } from './config.js'
import { LogContradiction } from './integrator.js'
import type { World } from './world.js'

export interface Rotations {
  /** The published receipts, oldest first: what clients follow from the key they know. */
  statements(): readonly string[]
  /** What the statements say, oldest first. */
  links(): readonly Rotation[]
  /** All keys that the log has had, oldest first. */
  keys(): readonly NoteKey[]
  /** The policy with all of this log's keys. */
  trust(policy: Policy): Policy
  /** Whether a client may pin this key. */
  knows(vkey: string): boolean
  /** Read what has been published since, if a new log was begun: until it says what leads there, or for a while. */
  refresh(): Promise<void>
  /** Look for a statement, and try to publish one that is due. @returns whether none is due any more. */
  settle(): Promise<boolean>
  stop(): Promise<void>
}

type Parts = Pick<World, 'clock' | 'bucket' | 'keys' | 'log' | 'logs' | 'database' | 'sequencer'>

const EVENT_TYPE = 'log.key-rotated'
const MAX_EVENTS = 100
const TICK_MS = 30_000
/** A new log's statement follows its first entry at once. */
const MAX_REFRESHES = 100
const REFRESH_AFTER_MS = 50
const STATEMENT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }

/**
 * Read the statements, publish one where it is due, and look again now and then.
 * @throws SettingError if LOG_KEY contradicts the statements; LogContradiction if a published one is broken.
 */
export async function startRotations(parts: Parts): Promise<Rotations> {
  const rotations = new RunningRotations(parts)
  await rotations.load()
  rotations.start()
  return rotations
}

class RunningRotations implements Rotations {
  readonly #parts: Parts
  readonly #statements: string[] = []
  readonly #links: Rotation[] = []
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  statements(): readonly string[] {
    return this.#statements
  }

  links(): readonly Rotation[] {
    return this.#links
  }

  keys(): readonly NoteKey[] {
    return listLinkedKeys(this.#parts.keys.log.signer.key, this.#links)
  }

  trust(policy: Policy): Policy {
    return withLinkedKeys(policy, this.#links)
  }

  knows(vkey: string): boolean {
    return this.keys().some((key) => formatVkey(key) === vkey)
  }

  start(): void {
    this.#tick()
    this.#timer = setInterval(() => { this.#tick() }, TICK_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  #tick(): void {
    this.#running = this.#running.then(() => this.#settleSafely())
  }

  async #settleSafely(): Promise<void> {
    try {
      await this.settle()
    } catch (error) {
      this.#parts.log.error({ err: error }, 'the log\'s new key is not announced yet; it is tried again')
    }
  }

  async refresh(): Promise<void> {
    const { logs, sequencer } = this.#parts
    await sequencer.current() // Reads of a log that another instance has begun.
    for (let tryIndex = 0; tryIndex < MAX_REFRESHES; tryIndex++) {
      const { origin } = logs.current()
      const isFirst = logs.list()[0]?.origin === origin
      if (isFirst || this.#links.some(({ next }) => next.name === origin)) return
      await this.load()
      if (tryIndex > 0) await new Promise((resolve) => setTimeout(resolve, REFRESH_AFTER_MS))
    }
  }

  async settle(): Promise<boolean> {
    await this.load()
    const [previous, next] = this.#parts.keys.log.signers
    if (previous === undefined || next === undefined || this.#isLinked(next.key)) return true
    const receipt = await this.#stateRotation(previous.key, next.key)
    if (receipt === undefined) return false
    const { bucket, keys, log } = this.#parts
    const path = rotationPath(this.#statements.length + 1)
    await bucket.put(`${keys.log.prefix}/${path}`, encodeUtf8(receipt), STATEMENT_OPTIONS)
    await this.load() // Another instance may have been first; either way the file counts.
    log.info({ key: formatVkey(next.key) }, 'the log\'s new key is announced')
    return this.#isLinked(next.key)
  }

  /** Read the statements that are not known yet. */
  async load(): Promise<void> {
    const knownCount = this.#statements.length
    for (const { statement, link } of await readStatements(this.#parts, { knownCount })) {
      if (this.#statements.includes(statement)) continue // Read at the same time.
      this.#links.push(link)
      this.#statements.push(statement)
    }
    this.#requireOrder()
  }

  #isLinked(key: NoteKey): boolean {
    return this.keys().some((known) => equalKeys(known, key))
  }

  /** The first of two keys is the one before the other, or the last of all. */
  #requireOrder(): void {
    const [first, second] = this.#parts.keys.log.signers
    if (first === undefined || second === undefined) return
    const keys = this.keys()
    const at = keys.findIndex((key) => equalKeys(key, first.key))
    const after = keys[at + 1]
    const isNext = after === undefined ? !this.#isLinked(second.key) : equalKeys(after, second.key)
    if (isNext) return
    throw new SettingError('LOG_KEY (or DATA_DIR/keys/log.key) must hold the older key first, and the one that follows it')
  }

  /** A receipt of the event under both keys, or `undefined` while the one that publishes has not both yet. */
  async #stateRotation(previous: NoteKey, next: NoteKey): Promise<string | undefined> {
    const isLeading = this.#parts.sequencer.isLeading()
    const eventId = await this.#findEvent(previous, next) ?? await this.#append(previous, next)
    const receipt = await this.#receiptOf(eventId)
    if (receipt !== undefined || !isLeading) return receipt
    // The event was published before this instance signed with both keys. It may stand twice: it says the same.
    return await this.#receiptOf(await this.#append(previous, next))
  }

  async #receiptOf(eventId: string): Promise<string | undefined> {
    const [published] = await this.#parts.sequencer.published([eventId])
    if (published === undefined) return undefined
    try {
      verifyRotation(published.proof)
      return published.proof
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'unknown-signer') return undefined
      throw error
    }
  }

  async #findEvent(previous: NoteKey, next: NoteKey): Promise<string | undefined> {
    const { logDb } = this.#parts.database
    const bytes = [
      ...await listEventBytes(logDb, EVENT_TYPE, MAX_EVENTS),
      ...await listWaitingBytes(logDb, EVENT_TYPE, MAX_EVENTS),
    ]
    return bytes.map((one) => parseEvent(one)).findLast(({ logKey, previousLogKey }) =>
      logKey === formatVkey(next) && previousLogKey === formatVkey(previous))?.id
  }

  async #append(previous: NoteKey, next: NoteKey): Promise<string> {
    const { keys, clock, database } = this.#parts
    const event = sealEvent({
      type: EVENT_TYPE, id: uuidv7(), log: keys.log.origin, at: formatTime(clock.nowMs()),
      actor: 'operator', logKey: formatVkey(next), previousLogKey: formatVkey(previous),
    })
    await insertEvents(database.logDb, [event])
    return event.id
  }
}

/**
 * The published statements after the first `knownCount`, each verified in itself.
 * @throws LogContradiction if one is broken.
 */
export async function readStatements(
  { bucket, keys }: Pick<Parts, 'bucket' | 'keys'>,
  { knownCount = 0, folder = keys.log.prefix }: { knownCount?: number, folder?: string } = {},
): Promise<{ statement: string, link: Rotation }[]> {
  const read: { statement: string, link: Rotation }[] = []
  for (let number = knownCount + 1; number <= MAX_ROTATION_COUNT; number++) {
    const bytes = await bucket.read(`${folder}/${rotationPath(number)}`)
    if (bytes === null) break
    const statement = decodeUtf8(bytes)
    read.push({ statement, link: readStatement(statement, number) })
  }
  return read
}

function readStatement(statement: string, number: number): Rotation {
  try {
    return verifyRotation(statement)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new LogContradiction(`${rotationPath(number)} in the bucket is no statement of a key's rotation: ${error.message}`, { cause: error })
  }
}
