/**
 * A second worker for large files: half of the chunks are sealed or opened there, the rest here, and
 * the bytes are the same whoever did it. Must not be given anything but one payload's key and chunks,
 * and must leave nothing undone when the second worker fails: this one goes on alone.
 *
 * [Note: Two workers] The second is this very script under another name, started from here, so that
 * nobody stands between the two. It gets a payload key by message, wipes the message, and is ended
 * with the last payload. Chunks move, they are not copied again; how many are on their way is bounded
 * by whoever asks: the chunks of one part, or of one range.
 */
import { assert } from '../../protocol/errors.js'
import type { ChunkCipher, MakeChunkCipher } from '../../protocol/deck/cipher.js'
import type { ChunkPlace } from '../../protocol/deck/stream.js'
import { AEAD_TAG_SIZE_BYTES } from '../../protocol/limits.js'
import { wipe } from '../../protocol/sodium.js'

/** What the second worker is called; the script looks for it when it starts. */
export const SECOND_NAME = 'second'

type Bytes = Uint8Array<ArrayBuffer>

export type Task =
  | { readonly kind: 'begin', readonly payload: number, readonly payloadKey: Bytes }
  | { readonly kind: 'seal' | 'open', readonly id: number, readonly payload: number,
    readonly place: ChunkPlace, readonly bytes: Bytes }
  | { readonly kind: 'end', readonly payload: number }

/** `bytes` null: not authentic. */
export interface TaskDone { readonly id: number, readonly bytes: Bytes | null }

/** The line to a second worker. */
export interface SecondWorker {
  post(task: Task, moved: ArrayBuffer[]): void
  listen(onMessage: (message: unknown) => void, onGone: () => void): void
  end(): void
}

/** Shares the chunks of every cipher made this way between here and one second worker. */
export function createPool(start: () => SecondWorker): (make: MakeChunkCipher) => MakeChunkCipher {
  let second: Second | null = null
  let nextPayload = 0
  let openCount = 0

  function leave(payload: number): void {
    second?.end(payload)
    openCount--
    if (openCount > 0) return
    second?.close()
    second = null
  }
  return (make) => async (payloadKey) => {
    const own = await make(payloadKey)
    const payload = nextPayload++
    openCount++
    const shared = second ??= new Second(start())
    shared.begin(payload, payloadKey)
    return share({ own, second: shared, payload, leave: () => leave(payload) })
  }
}

interface Shared {
  readonly own: ChunkCipher
  readonly second: Second
  readonly payload: number
  readonly leave: () => void
}

/** Turn by turn. */
function share({ own, second, payload, leave }: Shared): ChunkCipher {
  let turn = 0
  let isEnded = false
  const isOwnTurn = (): boolean => !second.isThere || turn++ % 2 === 0
  return {
    async seal(place, plaintext, target) {
      if (isOwnTurn()) return await own.seal(place, plaintext, target)
      const done = await second.run('seal', payload, { place, bytes: plaintext.slice() })
      if (done === 'gone' || done === null) return await own.seal(place, plaintext, target)
      target.set(done)
    },
    async open(place, sealed) {
      if (isOwnTurn()) return await own.open(place, sealed)
      const done = await second.run('open', payload, { place, bytes: sealed.slice() })
      return done === 'gone' ? await own.open(place, sealed) : done
    },
    end() {
      if (isEnded) return
      isEnded = true
      own.end()
      leave()
    },
  }
}

/** The other worker as this one sees it. */
class Second {
  #isStarted = false
  #isGone = false
  readonly #worker: SecondWorker
  readonly #waiting = new Map<number, (bytes: Bytes | null | 'gone') => void>()
  #nextId = 0

  constructor(worker: SecondWorker) {
    this.#worker = worker
    worker.listen((message) => this.#hear(message), () => this.#giveUp())
  }

  /** Until it has started, and after it has failed, nobody waits for it. */
  get isThere(): boolean {
    return this.#isStarted && !this.#isGone
  }

  begin(payload: number, payloadKey: Uint8Array): void {
    const copy = new Uint8Array(payloadKey)
    this.#worker.post({ kind: 'begin', payload, payloadKey: copy }, [copy.buffer])
  }

  /** `gone`: it will not be done there. */
  run(
    kind: 'seal' | 'open', payload: number, { place, bytes }: { place: ChunkPlace, bytes: Bytes },
  ): Promise<Bytes | null | 'gone'> {
    if (this.#isGone) return Promise.resolve('gone')
    const id = this.#nextId++
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#worker.post({ kind, id, payload, place, bytes }, [bytes.buffer])
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
    this.#waiting.get(message.id)?.(message.bytes)
    this.#waiting.delete(message.id)
  }

  #giveUp(): void {
    this.#isGone = true
    for (const resolve of this.#waiting.values()) resolve('gone')
    this.#waiting.clear()
  }
}

function isDone(message: unknown): message is TaskDone {
  return typeof message === 'object' && message !== null && 'id' in message && 'bytes' in message
}

// ---- in the second worker

/** @returns what to do with each task; answers go to `answer`. */
export function serveTasks(
  make: Promise<MakeChunkCipher>, answer: (done: TaskDone, moved: ArrayBuffer[]) => void,
): (task: Task) => Promise<void> {
  const ciphers = new Map<number, Promise<ChunkCipher>>()

  async function begin(payload: number, payloadKey: Bytes): Promise<void> {
    const made = make.then((makeCipher) => makeCipher(payloadKey))
    ciphers.set(payload, made)
    await made
    wipe(payloadKey)
  }
  async function cipherOf(payload: number): Promise<ChunkCipher> {
    const cipher = ciphers.get(payload)
    assert(cipher !== undefined, 'a payload is begun before its chunks come')
    return await cipher
  }
  return async (task) => {
    if (task.kind === 'begin') return await begin(task.payload, task.payloadKey)
    const cipher = await cipherOf(task.payload)
    if (task.kind === 'end') {
      ciphers.delete(task.payload)
      return cipher.end()
    }
    const bytes = await run(cipher, task)
    answer({ id: task.id, bytes }, bytes === null ? [] : [bytes.buffer])
  }
}

async function run(
  cipher: ChunkCipher, { kind, place, bytes }: Extract<Task, { kind: 'seal' | 'open' }>,
): Promise<Bytes | null> {
  if (kind === 'open') return await cipher.open(place, bytes)
  const sealed = new Uint8Array(bytes.length + AEAD_TAG_SIZE_BYTES)
  await cipher.seal(place, bytes, sealed)
  wipe(bytes)
  return sealed
}
