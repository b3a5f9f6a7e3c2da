/**
 * Has the newest checkpoint stamped by a time-stamp authority (RFC 3161), now and then: a stranger's word that the
 * log was so at that time. Runs beside the log and must never stand in a release's way; what fails is
 * tried again, later each time.
 *
 * [Note: One stamp a size] A checkpoint's files are written once, its note first. Whoever finds the note there already,
 * from before a crash or by another instance, has those very bytes stamped.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { encodeUtf8 } from '../protocol/bytes.js'
import { sha256 } from '../protocol/hash.js'
import { MAX_TIME_STAMP_SIZE_BYTES } from '../protocol/limits.js'
import { SettingError } from './config.js'
import {
  BadTimeStamp, encodeQuery, NONCE_SIZE_BYTES, readTrusted, verifyTimeStamp, type TimeStamp,
} from './time-stamp-token.js'
import { readLogFile, timeStampPath } from './time-stamps.js'
import type { World } from './world.js'

export interface TimeStamper {
  /** How long the newest checkpoint has been without a stamp; 0 where it has one, or another instance sees to it. */
  waitingSeconds(): Promise<number>
  /** Ends after the request that runs. */
  stop(): Promise<void>
}

export interface Authority {
  readonly url: string
  /** Certificates in PEM that the authority's must lead to. */
  readonly trustedPem: string | undefined
}

type Parts = Pick<World, 'config' | 'clock' | 'bucket' | 'keys' | 'logs' | 'log' | 'sequencer'>

const TICK_MS = 10_000
const MINUTE_MS = 60_000
const MAX_RETRY_AFTER_MS = 30 * MINUTE_MS
const MAX_BACKOFF_STEPS = 10
const REQUEST_TIMEOUT_MS = 20_000
const CHECKPOINT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }
const TOKEN_OPTIONS = { contentType: 'application/timestamp-reply' }

/** Begin to stamp where the settings name an authority. @throws SettingError if its certificates cannot be read. */
export async function startTimeStamper(parts: Parts): Promise<TimeStamper> {
  const { timestampUrl: url, timestampCaFile: path } = parts.config
  if (url === undefined) return NO_STAMPER
  const trustedPem = path === undefined ? undefined : await readCertificates(path)
  return new RunningTimeStamper(parts, { url, trustedPem })
}

async function readCertificates(path: string): Promise<string> {
  try {
    const pem = await readFile(path, 'utf8')
    readTrusted(pem)
    return pem
  } catch (error) {
    throw new SettingError(`TIMESTAMP_CA_FILE must name a file of certificates in PEM; ${path} is none`, { cause: error })
  }
}

const NO_STAMPER: TimeStamper = {
  waitingSeconds: () => Promise.resolve(0),
  stop: () => Promise.resolve(),
}

class RunningTimeStamper implements TimeStamper {
  readonly #parts: Parts
  readonly #authority: Authority
  readonly #timer: NodeJS.Timeout
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #dueAtMs = 0
  #failureCount = 0
  #stampedSize = 0
  #stampedAtMs: number

  constructor(parts: Parts, authority: Authority) {
    this.#parts = parts
    this.#authority = authority
    this.#stampedAtMs = parts.clock.nowMs()
    this.#timer = setInterval(() => { this.#tick() }, TICK_MS)
    this.#timer.unref()
    this.#tick()
  }

  async waitingSeconds(): Promise<number> {
    const { sequencer, clock } = this.#parts
    if (!sequencer.isLeading()) return 0
    if ((await sequencer.current()).size <= this.#stampedSize) return 0
    return Math.max(0, clock.nowMs() - this.#stampedAtMs) / 1_000
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#running
  }

  #tick(): void {
    const { clock, sequencer } = this.#parts
    if (this.#isRunning || clock.nowMs() < this.#dueAtMs || !sequencer.isLeading()) return
    this.#isRunning = true
    this.#running = this.#stampSafely().finally(() => { this.#isRunning = false })
  }

  async #stampSafely(): Promise<void> {
    const { clock, config, log } = this.#parts
    try {
      this.#stampedSize = await stampNewest(this.#parts, this.#authority, this.#stopping.signal)
      this.#stampedAtMs = clock.nowMs()
      this.#failureCount = 0
      this.#dueAtMs = clock.nowMs() + config.timestampIntervalMinutes * MINUTE_MS
    } catch (error) {
      const pauseMs = Math.min(MAX_RETRY_AFTER_MS, MINUTE_MS * 2 ** this.#failureCount)
      this.#failureCount = Math.min(this.#failureCount + 1, MAX_BACKOFF_STEPS)
      this.#dueAtMs = clock.nowMs() + pauseMs
      if (this.#stopping.signal.aborted) return
      log.warn({ err: error }, 'the checkpoint was not stamped; it is tried again')
    }
  }
}

/**
 * Have the newest checkpoint stamped and store the answer, unless that was done ([Note: One stamp a size]).
 *
 * @returns how many entries, over all logs, lie under the stamped checkpoint; 0 if nothing is published yet.
 * @throws BadTimeStamp if the answer proves nothing; what the network and the bucket throw.
 */
export async function stampNewest(
  parts: Pick<Parts, 'bucket' | 'keys' | 'logs' | 'sequencer' | 'log'>, authority: Authority,
  stopping?: AbortSignal,
): Promise<number> {
  const { bucket, log } = parts
  const { size: place, checkpoint: newest } = await parts.sequencer.current()
  if (place === 0) return 0
  const { prefix: folder, firstIndex } = parts.logs.at(place - 1)
  const size = place - firstIndex
  const tokenPath = timeStampPath(size, 'tsr')
  const files = { ...parts, folder }
  if (await readLogFile(files, tokenPath) !== null) return place
  const checkpointPath = timeStampPath(size, 'checkpoint')
  const bytes = encodeUtf8(newest)
  const put = await bucket.put(`${folder}/${checkpointPath}`, bytes, CHECKPOINT_OPTIONS)
  const stamped = put === 'stored' ? bytes : await readLogFile(files, checkpointPath) ?? bytes
  const { answer, timeStamp } = await askForTimeStamp(sha256(stamped), authority, stopping)
  await bucket.put(`${folder}/${tokenPath}`, answer, TOKEN_OPTIONS)
  log.info({ size, atMs: timeStamp.atMs, signer: timeStamp.signer }, 'the checkpoint was stamped')
  return place
}

async function askForTimeStamp(
  hash: Uint8Array, { url, trustedPem }: Authority, stopping?: AbortSignal,
): Promise<{ answer: Uint8Array, timeStamp: TimeStamp }> {
  const nonce = randomBytes(NONCE_SIZE_BYTES)
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
  const response = await fetch(url, {
    method: 'POST', redirect: 'error', body: Buffer.from(encodeQuery({ sha256: hash, nonce })),
    headers: { 'content-type': 'application/timestamp-query', 'accept': 'application/timestamp-reply' },
    signal: stopping === undefined ? timeout : AbortSignal.any([timeout, stopping]),
  })
  if (!response.ok) throw new BadTimeStamp(`the authority answered ${response.status}`)
  const answer = await readBounded(response)
  return { answer, timeStamp: verifyTimeStamp(answer, { sha256: hash, nonce, trustedPem }) }
}

async function readBounded({ body }: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  if (body === null) return new Uint8Array()
  for await (const part of body) {
    size += part.length
    if (size > MAX_TIME_STAMP_SIZE_BYTES) throw new BadTimeStamp('the answer is too large')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
