/**
 * What use-cases act on: the engines, the clock and the settings, opened once and handed down. Nothing
 * below this file opens an engine or asks for the time by itself.
 */
import type { Logger } from 'pino'
import type { Db, OpenDatabase } from '../db/client.js'
import type { Bucket } from './bucket.js'
import type { Config } from './config.js'
import type { Counters } from './counters.js'
import type { ServerKeys } from './keys.js'
import type { Logs } from './logs.js'
import type { Mailer } from './mailer.js'
import type { Rotations } from './rotations.js'
import type { Sequencer } from './sequencer.js'
import type { TimeStamper } from './time-stamper.js'
import type { Tokens } from './tokens.js'
import type { Tracing } from './tracing.js'
import type { Witnesses } from './witnesses.js'

/** The one thing tests replace. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

export interface World {
  readonly config: Config
  readonly clock: Clock
  readonly db: Db
  readonly database: OpenDatabase
  readonly bucket: Bucket
  readonly sequencer: Sequencer
  readonly witnesses: Witnesses
  readonly rotations: Rotations
  readonly timeStamper: TimeStamper
  readonly mailer: Mailer
  readonly keys: ServerKeys
  readonly logs: Logs
  readonly tokens: Tokens
  readonly counters: Counters
  /** `undefined`: no traces are made. */
  readonly tracing: Tracing | undefined
  readonly log: Logger
}

/** What the log runs on. */
export type LogParts = Pick<World, 'config' | 'clock' | 'database' | 'bucket' | 'keys' | 'logs' | 'log'>
