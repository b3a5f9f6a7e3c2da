/** Where the bytes of a command come from and go to: files, or standard input and output. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.js'
import { UsageError, type Terminal } from '../command.js'
import { openOutput } from './output.js'

const READ_SIZE_BYTES = 1024 * 1024
const PROGRESS_EVERY_SIZE_BYTES = 32 * 1024 * 1024

export interface Flow {
  /** A path, or `undefined` for standard input. */
  readonly input: string | undefined
  /** A path, or `undefined` for standard output. */
  readonly output: string | undefined
  /** Whether what comes out may be shown on a terminal. */
  readonly isText: boolean
  readonly terminal: Terminal
}

/** Turns input into output, piece by piece; both directions of age have this shape. */
export interface Transformer {
  push(piece: Uint8Array): Iterable<Uint8Array>
  end(): Iterable<Uint8Array>
}

/**
 * Run a transformer from input to output. A file is written under another name and takes its own only
 * when all of it is good; standard output gets what is authentic as it comes.
 *
 * @returns 0, or 1 with one line of why.
 */
export async function flow(where: Flow, transformer: Transformer): Promise<number> {
  if (where.output === undefined && process.stdout.isTTY && !where.isText) {
    throw new UsageError('binary output would garble the terminal: -o FILE, -a, or a pipe')
  }
  const output = await openOutput(where.output, where.input)
  try {
    await pipeline(openInput(where.input), (pieces: AsyncIterable<Uint8Array>) =>
      transform(pieces, transformer, where), output.stream)
    await output.keep()
    return 0
  } catch (error) {
    await output.discard()
    if (error instanceof ProtocolError) return refuse(error, where.terminal)
    // Whoever read the pipe has had enough; nothing is wrong with the file.
    if (error instanceof Error && Reflect.get(error, 'code') === 'EPIPE') return 1
    throw error
  }
}

/** One line for what was refused, in the words of whoever holds the file. */
export function refuse(error: ProtocolError, terminal: Terminal): number {
  terminal.err(`sealdeck: ${SENTENCES[error.code] ?? error.message}`)
  return 1
}

const SENTENCES: Partial<Record<ProtocolErrorCode, string>> = {
  'wrong-header': 'sealed for somebody else: no identity or passphrase given here fits',
  'unsupported-version': 'not an age file, or of a later version than v1',
}

/** @throws Error if the path is no readable file. */
export function openInput(path: string | undefined): Readable {
  if (path === undefined) return process.stdin
  return createReadStream(path, { highWaterMark: READ_SIZE_BYTES })
}

async function * transform(
  pieces: AsyncIterable<Uint8Array>, transformer: Transformer, where: Flow,
): AsyncGenerator<Uint8Array> {
  const totalSize = where.input === undefined ? null : (await stat(where.input)).size
  let doneSize = 0
  for await (const piece of pieces) {
    yield * transformer.push(piece)
    const before = doneSize
    doneSize += piece.length
    const isDue = Math.floor(before / PROGRESS_EVERY_SIZE_BYTES) !==
      Math.floor(doneSize / PROGRESS_EVERY_SIZE_BYTES)
    if (isDue && where.terminal.isWatched) where.terminal.err(formatProgress(doneSize, totalSize))
  }
  yield * transformer.end()
}

function formatProgress(doneSize: number, totalSize: number | null): string {
  const mebibytes = (size: number) => Math.round(size / (1024 * 1024))
  if (totalSize === null || totalSize === 0) return `${mebibytes(doneSize)} MiB`
  const percent = Math.floor(doneSize / totalSize * 100)
  return `${mebibytes(doneSize)} of ${mebibytes(totalSize)} MiB, ${percent} %`
}
