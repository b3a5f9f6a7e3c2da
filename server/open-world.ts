/** Opens the engines that the settings name, in order, and closes them again. */
import pino, { type DestinationStream, type Logger } from 'pino'
import { openDb, type DbSettings } from '../db/client.js'
import type { Bucket } from './bucket.js'
import { startCollector } from './collector.js'
import type { Config, LogLevel } from './config.js'
import { openCounters, type Counters } from './counters.js'
import { openFolderBucket } from './folder-bucket.js'
import { openKeys } from './keys.js'
import { openLogs } from './logs.js'
import { startMailer } from './mailer.js'
import { startRotations } from './rotations.js'
import { openS3Bucket } from './s3-bucket.js'
import { startSequencer } from './sequencer.js'
import { startTimeStamper } from './time-stamper.js'
import { openTokens } from './tokens.js'
import type { Tracing } from './tracing.js'
import { watchBucket, type Watch } from './watched-bucket.js'
import { closableBy, openWitnessPolicy } from './witness-policy.js'
import { startWitnesses } from './witnesses.js'
import { systemClock, type Clock, type LogParts, type World } from './world.js'

/** What a log line must never hold, should an object that has it be logged by mistake. */
const REDACTED = [
  'authorization', 'cookie', 'set-cookie', 'token', 'accessToken', 'refreshToken', 'emailProof', 'code', 'email', 'recipientEmail',
  'passphrase', 'secretAccessKey', 'opaqueServerSetup',
]

export interface OpenWorld {
  readonly world: World
  close(): Promise<void>
}

export interface WorldOptions {
  readonly clock?: Clock
  readonly log?: Logger
  /** Another database than the settings': for tests. */
  readonly database?: DbSettings
}

/** @throws SettingError, DataFolderLocked, LogContradiction: each says what to do in its message. */
export async function openWorld(config: Config, options: WorldOptions = {}): Promise<OpenWorld> {
  const { parts, counters, tracing, closers, close } = await openEngines(config, options)
  const { clock, database, bucket, keys, logs, log } = parts
  try {
    const witnessPolicy = await openWitnessPolicy(config, parts)
    const isClosable = closableBy(witnessPolicy, keys)
    const sequencer = await startSequencer(parts, { isClosable })
    closers.push(() => sequencer.stop())
    const witnesses = await startWitnesses({ ...parts, sequencer, policy: witnessPolicy })
    closers.push(() => witnesses.stop())
    const rotations = await startRotations({ ...parts, sequencer })
    closers.push(() => rotations.stop())
    const timeStamper = await startTimeStamper({ ...parts, sequencer })
    closers.push(() => timeStamper.stop())
    const mailer = await startMailer({ config, clock, db: database.db, log })
    closers.push(() => mailer.stop())
    const collector = startCollector({ ...parts, db: database.db })
    closers.push(() => collector.stop())
    const tokens = await openTokens({ issuer: config.publicUrl, key: keys.token, clock })
    return { world: {
      config, clock, db: database.db, database, bucket, sequencer, witnesses,
      rotations, timeStamper, mailer, keys, logs, tokens, counters, tracing, log,
    }, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Closer = () => Promise<void> | void

export interface OpenEngines {
  readonly parts: LogParts
  readonly counters: Counters
  readonly tracing: Tracing | undefined
  /** What else is to be closed, last opened first. */
  readonly closers: Closer[]
  close(): Promise<void>
}

/**
 * Database, bucket and keys alone, with nothing running on them: for the operator's commands.
 * @throws SettingError, DataFolderLocked.
 */
export async function openEngines(
  config: Config, options: WorldOptions = {},
): Promise<OpenEngines> {
  const { clock = systemClock, log = openLog(config.logLevel) } = options
  const closers: Closer[] = []
  async function close(): Promise<void> {
    for (const closeOne of closers.reverse()) await closeOne()
    closers.length = 0
  }
  try {
    // First: it takes the lock on the data folder.
    const database = await openDb(options.database ?? databaseSettings(config))
    closers.push(() => database.close())
    const keys = await openKeys(config, clock)
    const opened = await openBucket(config, clock)
    closers.push(() => opened.close())
    const counters = openCounters()
    const tracing = await startTracing(config, closers)
    const bucket = watchBucket(opened, watchOf(counters, tracing))
    const logs = await openLogs({ database, keys, bucket })
    const parts = { config, clock, database, bucket, keys, logs, log }
    return { parts, counters, tracing, closers, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Its packages are loaded here, where they are wanted, and nowhere else. */
async function startTracing(
  { otlpEndpoint }: Config, closers: Closer[],
): Promise<Tracing | undefined> {
  if (otlpEndpoint === undefined) return undefined
  const { openTracing } = await import('./tracing.js')
  const tracing = await openTracing(otlpEndpoint)
  closers.push(() => tracing.stop())
  return tracing
}

function watchOf(counters: Counters, tracing: Tracing | undefined): Watch {
  return async (operation, run) => {
    try {
      return await (tracing === undefined ? run() : tracing.watch(operation, run))
    } catch (error) {
      counters.bucketFailed(operation)
      throw error
    }
  }
}

function databaseSettings(config: Config): DbSettings {
  return config.databaseUrl === undefined
    ? { engine: 'pglite', folder: config.databaseFolder, lockFolder: config.dataFolder }
    : { engine: 'postgres', url: config.databaseUrl, maxConnections: config.databaseMaxConnections }
}

async function openBucket(config: Config, clock: Clock): Promise<Bucket> {
  return config.s3 === undefined
    ? await openFolderBucket(config.bucketFolder)
    : openS3Bucket(config.s3)
}

/** One JSON object a line. Addresses of requests are logged without their queries (server/app.ts). */
export function openLog(level: LogLevel, destination?: DestinationStream): Logger {
  const options = { level, base: null, redact: { paths: REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`]), censor: '[redacted]' } }
  return destination === undefined ? pino(options) : pino(options, destination)
}
