/**
 * Real programs as children of a test: a spare port, a folder, a log, a clean end. What the engines
 * of this folder (PostgreSQL, S3, Chromium) have in common; nothing here knows any of them.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const READY_TIMEOUT_MS = 60_000
const READY_POLL_MS = 25
const STOP_TIMEOUT_MS = 20_000
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024

const execute = promisify(execFile)

/** A unix account to run as: some engines refuse root. */
export interface Account { readonly uid: number, readonly gid: number }

export interface Engine {
  readonly pid: number
  /** Sends the signal and waits until the process is gone. Safe to call twice. */
  stop(signal: NodeJS.Signals): Promise<void>
}

export interface EngineCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly logPath: string
  readonly account?: Account | undefined
  readonly env?: NodeJS.ProcessEnv
}

/** A port that was free a moment ago, on loopback. */
export async function findSparePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return address.port
}

/** A folder of its own under the system's temporary one. */
export async function makeFolder(name: string): Promise<string> {
  return await mkdtemp(join(tmpdir(), `sealdeck-${name}-`))
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** The first place where a program is, or `undefined`: first the given folders, then PATH. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter)
  return [...folders, ...path, '/usr/sbin'].map((folder) => join(folder, name)).find((file) => existsSync(file))
}

/** Runs a program to its end and returns what it printed; throws with its stderr if it fails. */
export async function run(
  program: string, args: readonly string[], account?: Account,
): Promise<string> {
  const options = { maxBuffer: OUTPUT_LIMIT_BYTES, cwd: tmpdir(), ...account }
  const { stdout } = await execute(program, [...args], options)
  return stdout
}

/** Starts a program that stays, its output in a log file. It never outlives this process. */
export function startEngine({ program, args, logPath, account, env }: EngineCommand): Engine {
  const log = openSync(logPath, 'a')
  const [command, ...rest] = withDeathSignal([program, ...args], account)
  const child = spawn(command, rest, { stdio: ['ignore', log, log], cwd: tmpdir(), env: env ?? process.env })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve()).once('exit', () => resolve())
  })
  const killNow = (): void => { child.kill('SIGKILL') }
  process.once('exit', killNow)

  return {
    pid: child.pid ?? -1,
    async stop(signal) {
      await endChild(child, { signal, ended })
      process.removeListener('exit', killNow)
    },
  }
}

/** A test that is killed cannot stop its programs; on Linux the kernel then does it. */
export function withDeathSignal(
  command: readonly [string, ...string[]], account?: Account,
): [string, ...string[]] {
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) {
    if (account !== undefined) throw new Error('changing the account needs setpriv (util-linux)')
    return [...command]
  }
  const identity = account === undefined
    ? []
    : ['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups']
  return [setpriv, ...identity, '--pdeathsig', 'KILL', '--', ...command]
}

async function endChild(
  child: ChildProcess, { signal, ended }: { signal: NodeJS.Signals, ended: Promise<void> },
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Asks again and again until `isReady` says yes; throws with `name` after a minute. */
export async function waitUntil(name: string, isReady: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < endMs) {
    if (await isReady()) return
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  throw new Error(`${name} was not ready after ${READY_TIMEOUT_MS / 1000} s`)
}
