/**
 * `sealdeck witness`: cosigns the checkpoints of logs it was told of, and only while each follows from
 * the one before (c2sp.org/tlog-witness). Run it on a machine that the log's operator does not own.
 *
 * [Note: One at a time] Check and store are one step: requests are judged one after another, a lock in
 * the state folder keeps a second witness out, and the file is replaced durably before the answer
 * leaves. A witness that forgot what it cosigned could be led onto a fork.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { decodeUtf8, encodeHex, encodeUtf8 } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { sha256 } from '../protocol/hash.js'
import { MAX_ADD_CHECKPOINT_SIZE_BYTES } from '../protocol/limits.js'
import { parseCheckpoint, type Checkpoint } from '../protocol/log/checkpoint.js'
import {
  COSIGNATURE_KEY_TYPE, cosigner, ED25519_KEY_TYPE, formatSecretKey, formatVkey, parseSecretKey,
  parseVkey, verifyNote, type NoteKey, type NoteSigner,
} from '../protocol/log/note.js'
import { formatCosignatures, judgeAddCheckpoint } from '../protocol/log/witness.js'
import { randomBytes, ready } from '../protocol/sodium.js'
import { readArguments, UsageError, type Arguments, type Run, type Terminal } from './command.js'
import { replaceFile } from './replace-file.js'

const USAGE = 'sealdeck witness --log VKEY [--log VKEY ...] --key FILE --state DIR --port N [--host ADDRESS] [--name NAME]'
const MAX_KEY_FILE_SIZE_BYTES = 1024
const MAX_CONNECTION_COUNT = 100
const REQUEST_TIMEOUT_MS = 10_000

export const run: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['log', 'key', 'state', 'port', 'host', 'name'], positionalCount: 0, usage: USAGE,
  })
  await ready()
  const logKeys = readLogKeys(parsed.list('log'))
  const state = await openState(requireOption(parsed, 'state'))
  try {
    const key = await openKey(requireOption(parsed, 'key'), parsed.option('name'))
    const witness = await startWitness({ logKeys, key, state })
    const { server } = witness
    const port = await listen(server, readPort(parsed), parsed.option('host') ?? '127.0.0.1')
    announce(witness, port, terminal)
    await untilStopped(server)
    return 0
  } finally {
    await state.close()
  }
}

function requireOption({ option }: Arguments, name: string): string {
  const value = option(name)
  if (value === undefined) throw new UsageError(`usage: ${USAGE}`)
  return value
}

function readLogKeys(vkeys: readonly string[]): NoteKey[] {
  if (vkeys.length === 0) throw new UsageError(`usage: ${USAGE}`)
  return vkeys.map((vkey) => {
    const key = parseVkey(vkey)
    if (key.type !== ED25519_KEY_TYPE) throw new UsageError('--log takes the key of a log')
    return key
  })
}

function readPort(parsed: Arguments): number {
  const port = Number(requireOption(parsed, 'port'))
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UsageError('--port is 0 to 65535')
  return port
}

// ---- Key ----

interface SecretKey { readonly key: NoteKey, readonly seed: Uint8Array }

/** The key in the file; made there if there is none yet. Readable by its owner alone. */
async function openKey(path: string, name: string | undefined): Promise<SecretKey> {
  const text = await findText(path)
  if (text === null) return await makeKey(path, name ?? `witness.${hostname()}`)
  if (text.length > MAX_KEY_FILE_SIZE_BYTES) throw new UsageError(`${path} is not a key`)
  const secret = parseSecretKey(text.trimEnd())
  if (secret.key.type !== COSIGNATURE_KEY_TYPE) {
    throw new UsageError(`${path} is not the key of a witness`)
  }
  return secret
}

async function makeKey(path: string, name: string): Promise<SecretKey> {
  const seed = randomBytes(32)
  const { key } = cosigner(name, seed, () => 1)
  await replaceFile(path, `${formatSecretKey(key, seed)}\n`)
  return { key, seed }
}

async function findText(path: string): Promise<string | null> {
  try {
    return decodeUtf8(await readFile(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

// ---- State: for each log its latest cosigned checkpoint, as a file ----

interface State {
  readonly find: (origin: string) => Promise<string | null>
  readonly store: (origin: string, note: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** @throws UsageError if another witness that still runs holds the folder. */
async function openState(folder: string): Promise<State> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lockPath = join(folder, 'lock')
  await takeLock(lockPath)
  const pathOf = (origin: string) => join(folder, `${hashOrigin(origin)}.checkpoint`)
  return {
    find: (origin) => findText(pathOf(origin)),
    store: (origin, note) => replaceFile(pathOf(origin), note),
    close: () => rm(lockPath, { force: true }),
  }
}

export function hashOrigin(origin: string): string {
  return encodeHex(sha256(encodeUtf8(origin)))
}

async function takeLock(path: string): Promise<void> {
  const holder = await findText(path)
  if (holder !== null) {
    const pid = Number(holder)
    // In a container every witness is process 1: a lock of our own number is an earlier life's.
    const isHeld = pid !== process.pid && isRunning(pid)
    if (isHeld) throw new UsageError(`process ${pid} already uses this state`)
    // Its process is gone: a crash leaves the lock behind, and nothing half-written.
    await rm(path, { force: true })
  }
  const file = await open(path, 'wx', 0o600)
  await file.writeFile(`${process.pid}\n`)
  await file.close()
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

// ---- Answers ----

interface Answer { readonly status: number, readonly type: string, readonly body: string }

const PLAIN = 'text/plain; charset=utf-8'
const SIZE = 'text/x.tlog.size'

export interface Witness {
  readonly server: Server
  readonly key: NoteKey
}

interface WitnessSettings {
  readonly logKeys: readonly NoteKey[]
  readonly key: SecretKey
  readonly state: State
}

async function startWitness({ logKeys, key: secret, state }: WitnessSettings): Promise<Witness> {
  const { key, seed } = secret
  const latest = await readLatest(logKeys, key, state)
  let lastSeconds = latest.lastSeconds
  // The clock may be set back; what a witness has said of time it does not take back.
  function nowSeconds(): number {
    lastSeconds = Math.max(lastSeconds, Math.floor(Date.now() / 1000))
    return lastSeconds
  }
  const signer = cosigner(key.name, seed, nowSeconds)
  const judging = { logKeys, latest, signer, state }
  const judge = oneAtATime((body: string) => addCheckpoint(body, judging))
  const server = createServer((request, response) => {
    void respond(request, response, { judge, logKeys, state })
  })
  server.maxConnections = MAX_CONNECTION_COUNT
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = REQUEST_TIMEOUT_MS
  return { server, key }
}

interface Latest {
  readonly checkpoints: Map<string, Checkpoint>
  readonly lastSeconds: number
}

/** What was cosigned before, proved by the witness's own signature under it. */
async function readLatest(
  logKeys: readonly NoteKey[], key: NoteKey, state: State,
): Promise<Latest> {
  const checkpoints = new Map<string, Checkpoint>()
  let lastSeconds = 0
  for (const origin of new Set(logKeys.map(({ name }) => name))) {
    const note = await state.find(origin)
    if (note === null) continue
    const { text, signatures } = verifyNote(note, [key])
    checkpoints.set(origin, parseCheckpoint(text))
    lastSeconds = Math.max(lastSeconds, Number(signatures[0]?.timeSeconds ?? 0n))
  }
  return { checkpoints, lastSeconds }
}

interface Judging {
  readonly logKeys: readonly NoteKey[]
  readonly latest: Latest
  readonly signer: NoteSigner
  readonly state: State
}

/** See [Note: One at a time]. */
async function addCheckpoint(
  body: string, { logKeys, latest, signer, state }: Judging,
): Promise<Answer> {
  const latestOf = (origin: string) => latest.checkpoints.get(origin) ?? null
  const answer = judgeAddCheckpoint(body, { logKeys, latestOf })
  if (answer.status === 409) return { status: 409, type: SIZE, body: `${answer.latestSize}\n` }
  if (answer.status !== 200) return { status: answer.status, type: PLAIN, body: '' }

  const lines = formatCosignatures(answer.note, [signer])
  await state.store(answer.checkpoint.origin, `${answer.note}${lines}`)
  latest.checkpoints.set(answer.checkpoint.origin, answer.checkpoint)
  return { status: 200, type: PLAIN, body: lines }
}

/** Calls of one function, each begun when the one before is done, however that ended. */
function oneAtATime<T>(run: (body: string) => Promise<T>): (body: string) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (body) => {
    const next = last.then(() => run(body), () => run(body))
    last = next
    return next
  }
}

// ---- HTTP ----

interface Handling {
  readonly judge: (body: string) => Promise<Answer>
  readonly logKeys: readonly NoteKey[]
  readonly state: State
}

async function respond(
  request: IncomingMessage, response: ServerResponse, handling: Handling,
): Promise<void> {
  const { status, type, body } = await answerOrFail(request, handling)
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

async function answerOrFail(request: IncomingMessage, handling: Handling): Promise<Answer> {
  try {
    return await route(request, handling)
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'malformed-text') {
      return { status: 400, type: PLAIN, body: '' }
    }
    process.stderr.write(`sealdeck witness: ${error instanceof Error ? error.message : String(error)}\n`)
    return { status: 500, type: PLAIN, body: '' }
  }
}

async function route(request: IncomingMessage, handling: Handling): Promise<Answer> {
  const { method = '', url = '' } = request
  if (method === 'POST' && url === '/add-checkpoint') {
    const body = await readBody(request)
    return body === null
      ? { status: 413, type: PLAIN, body: '' }
      : await handling.judge(decodeUtf8(body))
  }
  if (method === 'GET' && url.endsWith('/checkpoint')) return await showCheckpoint(url, handling)
  return { status: 404, type: PLAIN, body: '' }
}

/** `GET /<hex sha256(origin)>/checkpoint`: the latest that was cosigned. */
async function showCheckpoint(url: string, { logKeys, state }: Handling): Promise<Answer> {
  const log = logKeys.find(({ name }) => url === `/${hashOrigin(name)}/checkpoint`)
  const note = log === undefined ? null : await state.find(log.name)
  return note === null ? { status: 404, type: PLAIN, body: '' } : { status: 200, type: PLAIN, body: note }
}

/** The body, or `null` if it is over the limit. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request) {
    if (!(part instanceof Uint8Array)) continue
    size += part.length
    if (size > MAX_ADD_CHECKPOINT_SIZE_BYTES) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}

// ---- Running ----

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => { resolve() })
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function announce({ key, server }: Witness, port: number, terminal: Terminal): void {
  const address = server.address()
  const host = typeof address === 'object' && address !== null ? address.address : ''
  const shown = host.includes(':') ? `[${host}]` : host
  terminal.out(`Witness ${key.name} listens on http://${shown}:${port}/`)
  terminal.out(`Its key, for policies: ${formatVkey(key)}`)
}

/** Resolves at SIGINT or SIGTERM, when the last answer has left. */
async function untilStopped(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const stop = () => {
      server.close(() => { resolve() })
      server.closeIdleConnections()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })
}
