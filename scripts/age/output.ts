/**
 * Where a command's bytes go: standard output, a device or pipe that is there, or a file that takes its name
 * only when all of it is good. Whatever ends the command early, nothing half-written stays.
 */
import { createWriteStream, rmSync } from 'node:fs'
import { lstat, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { UsageError } from '../command.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Output {
  readonly stream: Writable
  /** All of it was good: the file takes its name. */
  keep(): Promise<void>
  /** The file was never there. */
  discard(): Promise<void>
}

/**
 * @param path - `undefined` for standard output.
 * @throws UsageError if that is the input itself.
 */
export async function openOutput(
  path: string | undefined, input: string | undefined,
): Promise<Output> {
  if (path === undefined) return asItComes(standardOutput())
  const target = await findTarget(path)
  if (target.isThere && input !== undefined) await requireOther(target.path, input)
  // A device or a pipe is written to; only files are replaced.
  return target.isFile ? openFile(target.path) : asItComes(createWriteStream(target.path, { flags: 'w' }))
}

interface Target { readonly path: string, readonly isThere: boolean, readonly isFile: boolean }

async function findTarget(path: string): Promise<Target> {
  const isThere = await lstat(path).then(() => true, () => false)
  if (!isThere) return { path, isThere, isFile: true }
  const real = await realpath(path)
  return { path: real, isThere, isFile: (await stat(real)).isFile() }
}

async function requireOther(path: string, input: string): Promise<void> {
  const [one, other] = await Promise.all([stat(path), stat(input)])
  if (one.dev === other.dev && one.ino === other.ino) throw new UsageError('input and output are the same file')
}

function openFile(path: string): Output {
  // Short, so that every name that the folder takes can be given.
  const draft = join(dirname(path), `.sealdeck-${process.pid}.part`)
  const forget = onSignals(() => rmSync(draft, { force: true }))
  return {
    stream: createWriteStream(draft, { flags: 'wx', mode: 0o600 }),
    async keep() {
      await rename(draft, path)
      forget()
    },
    async discard() {
      await rm(draft, { force: true })
      forget()
    },
  }
}

/** Tidies, and then ends as the signal says. */
function onSignals(tidy: () => void): () => void {
  const listeners = SIGNALS.map((signal) => [signal, () => {
    tidy()
    forget()
    process.kill(process.pid, signal)
  }] as const)
  function forget(): void {
    for (const [signal, listener] of listeners) process.removeListener(signal, listener)
  }
  for (const [signal, listener] of listeners) process.once(signal, listener)
  return forget
}

function asItComes(stream: Writable): Output {
  return { stream, keep: async () => undefined, discard: async () => undefined }
}

/** Standard output outlives this command: written to, never ended. */
function standardOutput(): Writable {
  const output = new Writable({
    write(piece, _encoding, done) { process.stdout.write(piece, done) },
  })
  process.stdout.once('error', (error) => output.destroy(error))
  return output
}
