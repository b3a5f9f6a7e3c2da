/**
 * The viewer's end of the source port: asks for ranges of the plaintext, waits out a bad line, and
 * feeds pdf.js. See ports.ts.
 *
 * Must not keep plaintext: what has been handed to pdf.js is forgotten here.
 */
import { PDFDataRangeTransport } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { MAX_OPEN_READ_COUNT, MAX_READ_SIZE_BYTES } from './ports.js'
import type { SourceAnswer, SourceDocument, SourceErrorCode, SourceRequest } from './ports.js'
import { parseSourceAnswer, parseSourceDocument } from './parse.js'

/** A read that a passing trouble refused is asked again after these waits; then it is given up. */
const RETRY_WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const

/** pdf.js's own chunk size, and age's. */
const END_SIZE_BYTES = 65_536

/** Why no plaintext came, in the worker's words. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: SourceErrorCode

  constructor(code: SourceErrorCode) {
    super(code)
    this.code = code
  }
}

/** What is under way, for the progress line. `isStalled`: the line is down and being retried. */
export interface FetchProgress { openReadCount: number, fetchedBytes: number, isStalled: boolean }

interface OpenRead {
  take(bytes: Uint8Array<ArrayBuffer>): void
  fail(code: SourceErrorCode): void
}

type Question =
  | { kind: 'read', offset: number, length: number }
  | { kind: 'thumbnail', index: number }

const neverMind = (): void => undefined

export class RangeSource {
  onProgress: (progress: FetchProgress) => void = neverMind
  onDocument: (document: SourceDocument) => void = neverMind
  /** Told once, when ranges can no longer be had. pdf.js itself would wait for ever. */
  onLost: (code: SourceErrorCode) => void = neverMind

  readonly #port: MessagePort
  readonly #open = new Map<number, OpenRead>()
  readonly #waiting: (() => void)[] = []
  #lastId = 0
  #askedBytes = 0
  #fetchedBytes = 0
  #stalledCount = 0

  constructor(port: MessagePort) {
    this.#port = port
  }

  /** Call when `onDocument` is set: messages wait until then. */
  start(): void {
    this.#port.onmessage = (event) => this.#receive(event.data)
  }

  close(): void {
    this.#port.onmessage = null
    this.#port.close()
    this.#open.clear()
    this.#waiting.length = 0
  }

  /** Bytes of ranges that were asked for so far. */
  get askedBytes(): number {
    return this.#askedBytes
  }

  get openReadCount(): number {
    return this.#open.size + this.#waiting.length + this.#stalledCount
  }

  /**
   * One range of the document; long ones are asked for in pieces, side by side.
   * @throws SourceError when the source refuses, or a passing trouble does not pass.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#askedBytes += length
    const pieces: Promise<Uint8Array<ArrayBuffer>>[] = []
    for (let done = 0; done < length; done += MAX_READ_SIZE_BYTES) {
      const size = Math.min(MAX_READ_SIZE_BYTES, length - done)
      pieces.push(this.#readPiece(offset + done, size))
    }
    const [first, ...rest] = await Promise.all(pieces)
    if (first === undefined) return new Uint8Array(0)
    return rest.length === 0 ? first : joinPieces([first, ...rest], length)
  }

  /** A sealed thumbnail's bytes. @throws SourceError */
  readThumbnail(index: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#askPatiently({ kind: 'thumbnail', index })
  }

  async #readPiece(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#askPatiently({ kind: 'read', offset, length })
    if (bytes.length !== length) throw new SourceError('tampered')
    return bytes
  }

  async #askPatiently(question: Question): Promise<Uint8Array<ArrayBuffer>> {
    for (const waitMs of RETRY_WAITS_MS) {
      const answer = await this.#ask(question)
      if ('bytes' in answer) return answer.bytes
      if (answer.error !== 'offline' && answer.error !== 'busy') throw new SourceError(answer.error)
      await this.#waitOut(waitMs)
    }
    throw new SourceError('offline')
  }

  async #waitOut(waitMs: number): Promise<void> {
    this.#stalledCount++
    this.#report()
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    this.#stalledCount--
  }

  async #ask(question: Question): Promise<SourceAnswer> {
    if (this.#open.size >= MAX_OPEN_READ_COUNT) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const id = ++this.#lastId
    const answered = new Promise<SourceAnswer>((resolve) => {
      this.#open.set(id, {
        take: (bytes) => resolve({ id, bytes }),
        fail: (error) => resolve({ id, error }),
      })
    })
    this.#port.postMessage({ id, ...question } satisfies SourceRequest)
    this.#report()
    return answered
  }

  #receive(message: unknown): void {
    const document = parseSourceDocument(message)
    if (document !== null) return this.onDocument(document)
    const answer = parseSourceAnswer(message)
    if (answer === null) return
    const read = this.#open.get(answer.id)
    if (read === undefined) return
    this.#open.delete(answer.id)
    this.#waiting.shift()?.()
    if ('bytes' in answer) {
      this.#fetchedBytes += answer.bytes.length
      read.take(answer.bytes)
    } else {
      read.fail(answer.error)
    }
    this.#report()
  }

  #report(): void {
    this.onProgress({
      openReadCount: this.openReadCount,
      fetchedBytes: this.#fetchedBytes,
      isStalled: this.#stalledCount > 0,
    })
  }
}

function joinPieces(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(size)
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}

/** Both ends of a file: where its first page and its index lie ([Note: The tail is the index]). */
export interface FileEnds {
  size: number
  firstBytes: Uint8Array<ArrayBuffer>
  tailOffset: number
  tailBytes: Uint8Array<ArrayBuffer>
}

/** Reads both ends side by side, so that a short line's round trip is paid once. @throws SourceError */
export async function readEnds(
  source: RangeSource, { size, tailOffset: known }: Pick<SourceDocument, 'size' | 'tailOffset'>,
): Promise<FileEnds> {
  const firstSize = Math.min(size, END_SIZE_BYTES)
  const tailOffset = Math.max(firstSize, tailStart(size, known))
  const [firstBytes, tailBytes] = await Promise.all([
    source.read(0, firstSize), source.read(tailOffset, Math.max(0, size - tailOffset)),
  ])
  return { size, firstBytes, tailOffset, tailBytes }
}

/** From the beginning of a chunk, so that whole chunks can be given; one or two, if nobody knows better. */
function tailStart(size: number, known: number | undefined): number {
  const lastChunk = Math.floor((size - 1) / END_SIZE_BYTES) * END_SIZE_BYTES
  const isBelievable = known !== undefined && known % END_SIZE_BYTES === 0 &&
    known <= lastChunk && size - known <= MAX_READ_SIZE_BYTES
  return isBelievable ? known : lastChunk - END_SIZE_BYTES
}

/** What pdf.js reads from: its range requests become reads on the source port. */
export class SourceTransport extends PDFDataRangeTransport {
  readonly #source: RangeSource
  readonly #ends: FileEnds

  constructor(source: RangeSource, ends: FileEnds) {
    super(ends.size, ends.firstBytes)
    this.#source = source
    this.#ends = ends
  }

  override requestDataRange(begin: number, end: number): void {
    this.#read(begin, end).then(
      (bytes) => this.onDataRange(begin, bytes),
      (error: unknown) => this.#source.onLost(error instanceof SourceError ? error.code : 'tampered'),
    )
  }

  async #read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { tailOffset, tailBytes } = this.#ends
    if (begin >= tailOffset) return tailBytes.slice(begin - tailOffset, end - tailOffset)
    return await this.#source.read(begin, end - begin)
  }
}
