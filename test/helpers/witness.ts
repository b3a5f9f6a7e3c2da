/** Witnesses for a test: the real command in a process of its own, and policy files that name them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ed25519Signer, formatSecretKey, formatVkey } from '../../protocol/log/note.js'
import { randomBytes } from '../../protocol/sodium.js'
import { findSparePort, makeFolder, removeFolder } from './engine.js'

const LAUNCHER = fileURLToPath(new URL('../../scripts/sealdeck.mjs', import.meta.url))

export interface RunningWitness {
  readonly name: string
  readonly vkey: string
  /** Without a slash at its end. */
  readonly url: string
  /** As a power cut would. Start it again with `restart`. */
  kill(): Promise<void>
  restart(): Promise<void>
}

/** A witness of one log, on a state and a port that a restart keeps. Ends with the test. */
export async function startWitness(
  t: Test, name: string, logVkey: string,
): Promise<RunningWitness> {
  const folder = await makeFolder('witness')
  const port = await findSparePort()
  const args = [
    LAUNCHER, 'witness', '--log', logVkey, '--key', join(folder, 'key'), '--state', join(folder, 'state'),
    '--port', String(port), '--name', `${name}.example`,
  ]
  let child: ChildProcess | undefined
  let vkey = ''
  async function start(): Promise<void> {
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child = started
    for await (const line of createInterface(started.stdout)) {
      const found = /policies: (\S+)/.exec(line)?.[1]
      if (found === undefined) continue
      vkey = found
      break
    }
  }
  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(async () => {
    await kill()
    await removeFolder(folder)
  })
  await start()
  return { name, vkey, url: `http://127.0.0.1:${port}`, kill, restart: start }
}

/** As an operator writes it: k of these. @returns the file's path, for WITNESSES. */
export async function writePolicy(
  folder: string,
  witnesses: readonly Pick<RunningWitness, 'name' | 'vkey' | 'url'>[],
  quorum: number,
): Promise<string> {
  const path = join(folder, 'witnesses.txt')
  const lines = [
    ...witnesses.map(({ name, vkey, url }) => `witness ${name} ${vkey} ${url}`),
    `group enough ${quorum} ${witnesses.map(({ name }) => name).join(' ')}`, 'quorum enough',
  ]
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

/** A log's key from the start, so that witnesses know it before its server runs. */
export function makeLogKey(origin: string): { LOG_KEY: string, vkey: string } {
  const seed = randomBytes(32)
  const { key } = ed25519Signer(origin, seed)
  return { LOG_KEY: formatSecretKey(key, seed), vkey: formatVkey(key) }
}
