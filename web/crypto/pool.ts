/**
 * A second worker for large versions: parts are sealed and ranges opened there or here, whichever has
 * less to do, and the bytes are the same whoever did it. Must not be given anything but one payload's
 * key and what is sealed or opened with it, and must leave nothing undone when the second worker
 * fails: this one goes on alone.
 *
 * [Note: Two workers] The second is this very script under another name, started from here, so that
 * nobody stands between the two. It gets a payload key by message, wipes the message, and is ended
 * with the last payload. A file is read there where its part is sealed; ciphertext and what comes of it
 * move between the two, they are not copied. How much is on its way is bounded by whoever asks.
 */
import { assert } from '../../protocol/errors.js'
import { makeSodiumCipher, type ChunkCipher, type MakeChunkCipher } from '../../protocol/deck/cipher.js'
import type { Share } from '../../protocol/deck/deck.js'
import {
  makePartSealer, makeRangeOpener, type PartSealer, type RangeOpener, type SealedPart,
  type SealedRange,
} from '../../protocol/deck/parts.js'
import { AEAD_TAG_SIZE_BYTES, CHUNK_SIZE_BYTES } from '../../protocol/limits.js'
import { wipe } from '../../protocol/sodium.js'
import type { HashBulk } from '../../protocol/hash.js'
import type { SealInput } from '../crypto.js'
import { archiveOf } from './plaintext.js'

/** What the second worker is called; the script looks for it when it starts. */
export const SECOND_NAME = 'second'
/** A reader who looks at a page or two is not worth a second worker; who reads on is. */
const MIN_OPENED_SIZE_BYTES = 8 * 1024 * 1024

type Bytes = Uint8Array<ArrayBuffer>

/** What is sealed: the same input gives the same plaintext there as here. */
export interface ToSeal { readonly input: SealInput, readonly nonce: Uint8Array }

type Work =
  | { readonly kind: 'hash' | 'seal', readonly index: number }
  | { readonly kind: 'open', readonly range: Omit<SealedRange, 'read'>, readonly sealed: Bytes }
type Result = Bytes | SealedPart

export type Task =
  | { readonly kind: 'begin', readonly payload: number, readonly payloadKey: Bytes,
    readonly toSeal: ToSeal | null }
  | { readonly kind: 'work', readonly id: number, readonly payload: number, readonly work: Work }
  | { readonly kind: 'end', readonly payload: number }

/** `result` null: it failed there; whoever asked does it again here, and learns why. */
export interface TaskDone { readonly id: number, readonly result: Result | null }

/** The line to a second worker. */
export interface SecondWorker {
  post(task: Task, moved: ArrayBuffer[]): void
  listen(onMessage: (message: unknown) => void, onGone: () => void): void
  end(): void
}

export interface Pool {
  /** Shares the sealing of one version. */
  shareSealing(toSeal: ToSeal): Share<PartSealer>
  /** Shares the opening of one version, once there is much of it. */
  shareOpening(): Share<RangeOpener>
}

export function createPool(start: () => SecondWorker): Pool {
  let second: Second | null = null
  let nextPayload = 0
  let openCount = 0

  function begin(payloadKey: Bytes, toSeal: ToSeal | null): Lent {
    const payload = nextPayload++
    openCount++
    const lent = second ??= new Second(start())
    lent.begin(payload, payloadKey, toSeal)
    return { second: lent, payload, end: () => leave(payload) }
  }
  function leave(payload: number): void {
    second?.end(payload)
    openCount--
    if (openCount > 0) return
    second?.close()
    second = null
  }
  return {
    shareSealing: (toSeal) => (own, payloadKey) => shareSealing(own, begin(payloadKey, toSeal)),
    shareOpening: () => (own, payloadKey) =>
      shareOpening(own, payloadKey.slice(), (key) => begin(key, null)),
  }
}

/** The second worker, for one payload. */
interface Lent {
  readonly second: Second
  readonly payload: number
  readonly end: () => void
}

/** Whoever has less to do does it; at a tie this worker, which needs no message. */
class Scale {
  #here = 0
  readonly #lent: Lent

  constructor(lent: Lent) {
    this.#lent = lent
  }

  get isThere(): boolean {
    return this.#lent.second.isThere && this.#lent.second.workCount < this.#here
  }

  async here<T>(work: Promise<T>): Promise<T> {
    this.#here++
    try {
      return await work
    } finally {
      this.#here--
    }
  }
}

function shareSealing(own: PartSealer, lent: Lent): PartSealer {
  const scale = new Scale(lent)
  const { second, payload } = lent
  return {
    async hashStretch(index) {
      const hash = scale.isThere ? await second.run(payload, async () => ({ kind: 'hash', index })) : null
      return isBytes(hash) ? hash : await scale.here(own.hashStretch(index))
    },
    async sealPart(index) {
      const part = scale.isThere ? await second.run(payload, async () => ({ kind: 'seal', index })) : null
      return part === null || isBytes(part) ? await scale.here(own.sealPart(index)) : part
    },
    end: endOnce(() => {
      own.end()
      lent.end()
    }),
  }
}

/** @param key - kept until the second worker is wanted. */
function shareOpening(own: RangeOpener, key: Bytes, begin: (key: Bytes) => Lent): RangeOpener {
  let lent: { lent: Lent, scale: Scale } | null = null
  let openedBytes = 0
  let isEnded = false
  function findSecond() {
    if (lent !== null || isEnded || openedBytes < MIN_OPENED_SIZE_BYTES) return lent
    const begun = begin(key)
    wipe(key)
    lent = { lent: begun, scale: new Scale(begun) }
    return lent
  }
  return {
    async open(range) {
      openedBytes += range.chunkCount * CHUNK_SIZE_BYTES
      const found = findSecond()
      if (found === null) return await own.open(range)
      if (found.scale.isThere) {
        const opened = await openThere(found.lent, range)
        if (opened !== null) return opened
      }
      return await found.scale.here(own.open(range))
    },
    end: endOnce(() => {
      isEnded = true
      own.end()
      wipe(key)
      lent?.lent.end()
    }),
  }
}

/** `null`: not opened there, or not all of it. What was read went there, so that it is read again here. */
async function openThere(
  { second, payload }: Lent, { read, ...range }: SealedRange,
): Promise<Bytes | null> {
  let sizeBytes = 0
  const opened = await second.run(payload, async () => {
    const sealed = await read()
    sizeBytes = sealed.length - range.chunkCount * AEAD_TAG_SIZE_BYTES
    return { kind: 'open', range, sealed }
  })
  return isBytes(opened) && opened.length === sizeBytes ? opened : null
}

function endOnce(end: () => void): () => void {
  let isEnded = false
  return () => {
    if (!isEnded) end()
    isEnded = true
  }
}

/** The other worker as this one sees it. */
class Second {
  #isStarted = false
  #isGone = false
  #workCount = 0
  readonly #worker: SecondWorker
  readonly #waiting = new Map<number, (result: Result | null) => void>()
  #nextId = 0

  constructor(worker: SecondWorker) {
    this.#worker = worker
    worker.listen((message) => this.#hear(message), () => this.#giveUp())
  }

  /** Until it has started, and after it has failed, nobody waits for it. */
  get isThere(): boolean {
    return this.#isStarted && !this.#isGone
  }

  /** Asked for and not yet done. */
  get workCount(): number {
    return this.#workCount
  }

  begin(payload: number, payloadKey: Uint8Array, toSeal: ToSeal | null): void {
    if (this.#isGone) return
    const copy = new Uint8Array(payloadKey)
    this.#worker.post({ kind: 'begin', payload, payloadKey: copy, toSeal }, [copy.buffer])
  }

  /** @returns `null` if it was not done there. @throws whatever `prepare` throws. */
  async run(payload: number, prepare: () => Promise<Work>): Promise<Result | null> {
    this.#workCount++
    try {
      const work = await prepare()
      return this.#isGone ? null : await this.#post(payload, work)
    } finally {
      this.#workCount--
    }
  }

  #post(payload: number, work: Work): Promise<Result | null> {
    const id = this.#nextId++
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#worker.post({ kind: 'work', id, payload, work },
        work.kind === 'open' ? [work.sealed.buffer] : [])
    })
  }

  end(payload: number): void {
    if (!this.#isGone) this.#worker.post({ kind: 'end', payload }, [])
  }

  close(): void {
    this.#giveUp()
    this.#worker.end()
  }

  #hear(message: unknown): void {
    if (message === 'started') this.#isStarted = true
    if (message === 'unsafe') this.#giveUp()
    if (!isDone(message)) return
    this.#waiting.get(message.id)?.(message.result)
    this.#waiting.delete(message.id)
  }

  #giveUp(): void {
    this.#isGone = true
    for (const resolve of this.#waiting.values()) resolve(null)
    this.#waiting.clear()
  }
}

function isDone(message: unknown): message is TaskDone {
  return typeof message === 'object' && message !== null && 'id' in message && 'result' in message
}

function isBytes(result: Result | null): result is Bytes {
  return result instanceof Uint8Array
}

// ---- in the second worker

interface Job {
  run(work: Work): Promise<Result>
  end(): void
}

/** @returns what to do with each task; answers go to `answer`. */
export function serveTasks(
  tools: { readonly makeCipher: Promise<MakeChunkCipher | undefined>, readonly hash: HashBulk },
  answer: (done: TaskDone, moved: ArrayBuffer[]) => void,
): (task: Task) => Promise<void> {
  const jobs = new Map<number, Promise<Job>>()

  async function takeKey(payloadKey: Bytes): Promise<ChunkCipher> {
    try {
      return await (await tools.makeCipher ?? makeSodiumCipher)(payloadKey)
    } finally {
      wipe(payloadKey)
    }
  }
  async function begin(payloadKey: Bytes, toSeal: ToSeal | null): Promise<Job> {
    const cipher = await takeKey(payloadKey)
    if (toSeal === null) return openingJob(makeRangeOpener(cipher, tools.hash))
    try {
      const plaintext = await archiveOf(toSeal.input)
      const { nonce } = toSeal
      return sealingJob(makePartSealer(cipher, { plaintext, nonce, hash: tools.hash }))
    } catch (error) {
      cipher.end()
      throw error
    }
  }
  async function work(task: Extract<Task, { kind: 'work' }>): Promise<void> {
    const result = await jobOf(task.payload).then((job) => job.run(task.work)).catch(() => null)
    answer({ id: task.id, result }, result === null ? [] : [bytesOf(result).buffer])
  }
  function jobOf(payload: number): Promise<Job> {
    const job = jobs.get(payload)
    assert(job !== undefined, 'a payload is begun before its work comes')
    return job
  }
  return async (task) => {
    if (task.kind === 'work') return await work(task)
    if (task.kind === 'begin') {
      const beginning = begin(task.payloadKey, task.toSeal)
      beginning.catch(() => undefined) // Its work is answered with null.
      jobs.set(task.payload, beginning)
      return
    }
    const job = await jobOf(task.payload).catch(() => null)
    job?.end()
    jobs.delete(task.payload)
  }
}

function bytesOf(result: Result): Bytes {
  return isBytes(result) ? result : result.bytes
}

function sealingJob(sealer: PartSealer): Job {
  return {
    async run(work) {
      assert(work.kind !== 'open', 'a payload is sealed or opened')
      return work.kind === 'seal'
        ? await sealer.sealPart(work.index)
        : new Uint8Array(await sealer.hashStretch(work.index))
    },
    end: () => sealer.end(),
  }
}

function openingJob(opener: RangeOpener): Job {
  return {
    async run(work) {
      assert(work.kind === 'open', 'a payload is sealed or opened')
      return await opener.open({ ...work.range, read: async () => work.sealed })
    },
    end: () => opener.end(),
  }
}
