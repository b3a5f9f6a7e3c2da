/**
 * Cosignatures: the leader shows the newest checkpoint to every witness, in the background, and notes it once
 * the quorum of WITNESSES has cosigned (SPEC.md § 7.8). Nothing here is in the way of publishing: a witness
 * that is slow, down or wrong costs only its own signature. Only signatures that verify by the configured
 * keys count.
 *
 * [Note: Rounds] All witnesses of a round are asked about the same checkpoint, or their signatures would
 * never meet. A round ends with its quorum or with its last answer, whichever is first; who is still being
 * asked then is left out of the next one, and what comes late is added to the checkpoint it belongs to.
 *
 * [Note: Witnessed release] A link may demand that no header leaves before acceptance and release lie under
 * a checkpoint that its witnesses have cosigned. Who waits for that rings, and the round begins at once.
 */
import { getPublished, markCosigned } from '../db/queries/log.js'
import { ProtocolError } from '../protocol/errors.js'
import {
  formatNote, formatSignature, parseNote, type NoteSignature,
} from '../protocol/log/note.js'
import type { Policy } from '../protocol/log/policy.js'
import { addCosignatures } from '../protocol/log/witness.js'
import { Refusal } from '../protocol/refusals.js'
import { Bell } from './bell.js'
import type { LogSpan } from './logs.js'
import type { CurrentLog, Sequencer } from './sequencer.js'
import { askWitness, type WitnessFailureReason, WitnessFailure } from './witness-client.js'
import { isWitnessedBy, ofLog, type WitnessMember, type WitnessPolicy } from './witness-policy.js'
import type { LogParts } from './world.js'

export interface WitnessStanding {
  readonly name: string
  /** What this instance last got a signature for; 0 before the first, and where it does not lead. */
  readonly size: number
  readonly failureCount: number
}

export interface Witnesses {
  /** Who cosigns; `undefined` where WITNESSES is not set. */
  readonly policy: WitnessPolicy | undefined
  /** The newest checkpoint that a quorum has cosigned, with their lines; size 0 before the first. */
  newest(): Promise<CurrentLog>
  /**
   * Wait until a cosigned checkpoint covers the entry at `index`.
   *
   * @param policy - of the link that asks: its witnesses may be older than this server's.
   * @throws Refusal `witnesses-awaited` after LOG_WAIT_TIMEOUT_MS; asked again, it goes on waiting.
   */
  cosigned(index: number, policy: Policy): Promise<CurrentLog>
  standings(): readonly WitnessStanding[]
  /** How many published entries lie under no cosigned checkpoint yet: for metrics. */
  countBehind(): Promise<number>
  /** Ends after what is being stored. */
  stop(): Promise<void>
}

type Parts = LogParts & {
  readonly sequencer: Sequencer, readonly policy: WitnessPolicy | undefined,
}

/** Told by whoever stored a cosigned checkpoint, and by whoever waits for one. */
const COSIGNED_CHANNEL = 'tlog_cosigned'
const WANTED_CHANNEL = 'tlog_cosign_wanted'
const ANSWER_TIMEOUT_MS = 5_000
/** Between two looks while somebody waits: the net under the notices, and the pace of retries. */
const AWAITED_PAUSE_MS = 500
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000
/** While somebody waits, a witness that failed is asked again soon, however often it has failed. */
const MAX_AWAITED_RETRY_MS = 2_000

/** @returns at once; rounds begin when this instance leads. */
export async function startWitnesses(parts: Parts): Promise<Witnesses> {
  const { policy } = parts
  if (policy === undefined) return noWitnesses(parts)
  const witnesses = new RunningWitnesses(parts, policy)
  await witnesses.start()
  return witnesses
}

/** Nobody cosigns any more or ever did; what was cosigned once stays good. */
function noWitnesses({ database }: Parts): Witnesses {
  return {
    policy: undefined,
    newest: () => readNewest(database),
    cosigned: () => Promise.reject(new Refusal('witnesses-awaited')),
    standings: () => [],
    countBehind: () => Promise.resolve(0),
    stop: () => Promise.resolve(),
  }
}

async function readNewest({ db }: Parts['database']): Promise<CurrentLog> {
  const { cosignedSize, cosignedCheckpoint } = await getPublished(db)
  return { size: cosignedSize, checkpoint: cosignedCheckpoint ?? '' }
}

interface Waiter {
  readonly index: number
  readonly policy: Policy
  readonly resolve: (log: CurrentLog) => void
}

/** One checkpoint on its way to the witnesses, who know sizes in its own log alone. */
interface Round {
  readonly log: LogSpan
  readonly current: CurrentLog
  /** With the cosignatures so far. */
  note: string
}

/** What is known of one witness between rounds. */
interface Member extends WitnessMember {
  isAsked: boolean
  /** Size of the last checkpoint that it cosigned for us: where its next proof begins. */
  size: number
  failureCount: number
  lastReason: WitnessFailureReason | undefined
  failedAtMs: number
}

class RunningWitnesses implements Witnesses {
  readonly policy: WitnessPolicy
  readonly #parts: Parts
  readonly #members: Member[]
  readonly #bell = new Bell()
  readonly #waiters = new Set<Waiter>()
  readonly #asking = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  #round: Round | undefined
  #storing: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()
  #unlisten: (() => Promise<void>)[] = []

  constructor(parts: Parts, policy: WitnessPolicy) {
    this.#parts = parts
    this.policy = policy
    this.#members = policy.members.map((member) => ({
      ...member, isAsked: false, size: 0, failureCount: 0, lastReason: undefined, failedAtMs: 0,
    }))
  }

  async start(): Promise<void> {
    const { database } = this.#parts
    if (database.engine === 'postgres') {
      this.#unlisten = [
        await database.listen(COSIGNED_CHANNEL, () => { this.#bell.ring() }),
        await database.listen(WANTED_CHANNEL, () => { this.#bell.ring() }),
      ]
    }
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    this.#bell.ring({ isLast: true })
    await this.#loop
    await Promise.all(this.#asking)
    await this.#storing
    await Promise.all(this.#unlisten.map((unlisten) => unlisten()))
  }

  newest(): Promise<CurrentLog> {
    return readNewest(this.#parts.database)
  }

  standings(): readonly WitnessStanding[] {
    return this.#members.map(({ name, size, failureCount }) => ({ name, size, failureCount }))
  }

  async countBehind(): Promise<number> {
    const { size, cosignedSize } = await getPublished(this.#parts.database.db)
    return size - cosignedSize
  }

  // ---- Waiting ----

  async cosigned(index: number, policy: Policy): Promise<CurrentLog> {
    const newest = await this.newest()
    if (this.#isEnough(newest, { index, policy })) return newest
    return await new Promise((resolve, reject) => {
      const waiter: Waiter = {
        index, policy,
        resolve: (log) => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          resolve(log)
        },
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        reject(new Refusal('witnesses-awaited'))
      }, this.#parts.config.logWaitTimeoutMs)
      this.#waiters.add(waiter)
      this.#want()
    })
  }

  #want(): void {
    this.#bell.ring()
    if (!this.#parts.sequencer.isLeading()) this.#tell(WANTED_CHANNEL)
  }

  #tell(channel: string): void {
    const { database, log } = this.#parts
    if (database.engine !== 'postgres') return
    database.notify(channel, '').catch((error: unknown) => {
      log.warn({ err: error }, 'other instances were not told of cosigning; they look by themselves')
    })
  }

  #settle(log: CurrentLog): void {
    for (const waiter of this.#waiters) if (this.#isEnough(log, waiter)) waiter.resolve(log)
  }

  /** Whoever began to wait in the log before is answered by the next one's checkpoint, too. */
  #isEnough(
    { size, checkpoint }: CurrentLog, { index, policy }: Pick<Waiter, 'index' | 'policy'>,
  ): boolean {
    const { origin, vkey } = this.#parts.keys.log
    const isOfLog = policy.logs.some(({ key }) => key.name === origin)
    return size > index && isWitnessedBy(checkpoint, isOfLog ? policy : ofLog(policy, vkey))
  }

  // ---- Rounds ----

  async #run(): Promise<void> {
    const { config, log, sequencer } = this.#parts
    while (!this.#ending.signal.aborted) {
      try {
        if (sequencer.isLeading()) await this.#askAll()
        if (this.#waiters.size > 0) this.#settle(await this.newest())
        if (this.#waiters.size > 0 && !sequencer.isLeading()) this.#tell(WANTED_CHANNEL)
      } catch (error) {
        log.warn({ err: error }, 'no round of cosigning; the next one comes')
      }
      await this.#bell.wait(this.#waiters.size > 0 ? AWAITED_PAUSE_MS : config.witnessIntervalMs)
    }
  }

  /** See [Note: Rounds]. */
  async #askAll(): Promise<void> {
    const current = await this.#parts.sequencer.current()
    if (current.size === 0) return
    const round = this.#roundOf(current)
    const due = this.#members.filter((member) => this.#isDue(member, round))
    if (due.length === 0) return
    const answers = due.map((member) => this.#ask(member, round))
    await new Promise<void>((resolve, reject) => {
      const endWithQuorum = () => { if (this.#hasQuorum(round)) resolve() }
      for (const answer of answers) answer.then(endWithQuorum).catch(reject)
      void Promise.all(answers).then(() => { resolve() })
    })
  }

  /** The same checkpoint goes on collecting; another one begins anew. */
  #roundOf(current: CurrentLog): Round {
    const isSame = this.#round !== undefined &&
      parseNote(this.#round.note).text === parseNote(current.checkpoint).text
    if (!isSame || this.#round === undefined) {
      const checkpoint = keepVerified(current.checkpoint, this.#members)
      const log = this.#parts.logs.at(current.size - 1)
      // Of another log no witness has seen anything yet.
      const isNewLog = this.#round?.log.origin !== log.origin
      if (isNewLog) for (const member of this.#members) member.size = 0
      const size = current.size - log.firstIndex
      this.#round = { log, current: { size, checkpoint }, note: checkpoint }
    }
    return this.#round
  }

  #isDue(member: Member, { note }: Round): boolean {
    if (member.isAsked || hasSigned(note, member)) return false
    if (member.failureCount === 0) return true
    const maxMs = this.#waiters.size > 0 ? MAX_AWAITED_RETRY_MS : MAX_RETRY_MS
    const retryMs = Math.min(maxMs, FIRST_RETRY_MS * 2 ** (member.failureCount - 1))
    return performance.now() - member.failedAtMs >= retryMs
  }

  /** Never rejects: what went wrong is the member's record, and the next round's matter. */
  #ask(member: Member, round: Round): Promise<void> {
    member.isAsked = true
    const asking = this.#askOne(member, round)
      .catch((error: unknown) => { this.#noteFailure(member, error) })
      .finally(() => {
        member.isAsked = false
        this.#asking.delete(asking)
      })
    this.#asking.add(asking)
    return asking
  }

  async #askOne(member: Member, round: Round): Promise<void> {
    const { current, log: { firstIndex } } = round
    const { sequencer, log } = this.#parts
    const signed = await askWitness(member, {
      current, oldSize: Math.min(member.size, current.size), read: sequencer.filesOf(round.log),
      timeoutMs: ANSWER_TIMEOUT_MS, signal: this.#ending.signal,
    })
    if (member.failureCount > 0) log.info({ witness: member.name }, 'a witness cosigns again')
    const isOfLog = this.#round?.log.origin === round.log.origin
    const size = isOfLog ? current.size : 0
    Object.assign(member, { size, failureCount: 0, lastReason: undefined })
    round.note = addCosignatures(round.note, parseLines(signed), [member.key])
    const cosigned = { size: firstIndex + current.size, checkpoint: round.note }
    if (this.#hasQuorum(round)) await this.#store(cosigned)
  }

  #noteFailure(member: Member, error: unknown): void {
    if (this.#ending.signal.aborted) return
    const reason = error instanceof WitnessFailure ? error.reason : undefined
    const isNews = member.failureCount === 0 || reason !== member.lastReason
    member.failureCount++
    member.failedAtMs = performance.now()
    member.lastReason = reason
    // What it has seen is asked of it anew: it may have been restored, or replaced.
    member.size = 0
    if (!isNews) return
    const line = reason === 'ahead' ? 'a witness has seen a larger tree than this log has: look at once' : 'a witness does not cosign'
    this.#parts.log.warn({ witness: member.name, err: error }, line)
  }

  #hasQuorum({ note }: Round): boolean {
    return isWitnessedBy(note, ofLog(this.policy.policy, this.#parts.keys.log.vkey))
  }

  /** One after another, so that the fuller one comes last. */
  #store(cosigned: CurrentLog): Promise<void> {
    const stored = this.#storing.then(async () => {
      await markCosigned(this.#parts.database.logDb, cosigned)
      this.#parts.sequencer.showCosigned(cosigned.checkpoint)
      this.#settle(cosigned)
      this.#tell(COSIGNED_CHANNEL)
    })
    this.#storing = stored.catch(() => undefined) // Whoever asked hears of it.
    return stored
  }
}

function hasSigned(note: string, { key }: Member): boolean {
  return parseNote(note).signatures.some(({ name, keyId }) => name === key.name && keyId === key.id)
}

/** The note without what members are said to have signed and have not: the bucket's word is not enough. */
function keepVerified(note: string, members: readonly WitnessMember[]): string {
  const { text, signatures } = parseNote(note)
  const isBy = (line: NoteSignature, { key }: WitnessMember) =>
    line.name === key.name && line.keyId === key.id
  const others = signatures.filter((line) => !members.some((member) => isBy(line, member)))
  return members.reduce((kept, member) => {
    const lines = signatures.filter((line) => isBy(line, member)).map(formatSignature).join('')
    return addIfVerified(kept, lines, member)
  }, formatNote({ text, signatures: others }))
}

function addIfVerified(note: string, lines: string, { key }: WitnessMember): string {
  try {
    return lines === '' ? note : addCosignatures(note, lines, [key])
  } catch (error) {
    if (error instanceof ProtocolError) return note
    throw error
  }
}

/** The signature lines of a note. */
function parseLines(note: string): string {
  return note.slice(parseNote(note).text.length + 1)
}
