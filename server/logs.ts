/**
 * The logs of this instance, one after another (SPEC.md § 7.13): which one an entry is in, and where it stands in that one's tree. Reads
 * rows and remembers them; what begins and ends logs is border.ts.
 *
 * [Note: Places and indexes] The database, the API and everything that lists numbers entries through, over all logs: a *place*. A proof, a
 * tile and a checkpoint count within one log: an *index*. This file alone translates.
 */
import type { Bucket } from './bucket.js'
import type { OpenDatabase } from '../db/client.js'
import { getPublished } from '../db/queries/log.js'
import { insertFirstOrigin, listOrigins, type OriginRow } from '../db/queries/origins.js'
import { assert } from '../protocol/errors.js'
import { parseCheckpoint, statedOrigin } from '../protocol/log/checkpoint.js'
import { parseNote } from '../protocol/log/note.js'
import { findStatedEnd } from './border.js'
import { SettingError } from './config.js'
import { logPrefix, type ServerKeys } from './keys.js'

export interface LogSpan {
  readonly origin: string
  readonly vkey: string
  /** Folder of its files in the bucket and below PUBLIC_URL. */
  readonly prefix: string
  /** The place of its entry 0. */
  readonly firstIndex: number
  /** Its last checkpoint, once it was closed. */
  readonly closing: string | null
}

/** A checkpoint, and how many entries there are up to it over all logs. */
export interface ShownLog {
  readonly size: number
  readonly checkpoint: string
}

/** An entry in its own log's tree, under that log's newest or last checkpoint. */
export interface Standing {
  readonly span: LogSpan
  readonly index: number
  readonly treeSize: number
  readonly checkpoint: string
}

export interface Logs {
  /** Oldest first; the last one grows. */
  list(): readonly LogSpan[]
  current(): LogSpan
  /** `undefined` for a name that is none of ours. */
  find(origin: string): LogSpan | undefined
  /** The log of an entry, by its place. */
  at(place: number): LogSpan
  /** Where an entry stands, while this is shown of the newest log. */
  standing(place: number, shown: ShownLog): Standing
  /** Read what other instances may have begun, if this checkpoint is of no log that is known. */
  follow(checkpoint: string): Promise<void>
  /** Read the rows; the keys are those of the newest log afterwards. */
  refresh(): Promise<void>
  /** Note the first log, if there is none. @throws SettingError if the key is for another one. */
  noteFirst(): Promise<void>
}

interface Parts {
  readonly database: Pick<OpenDatabase, 'logDb'>
  readonly keys: ServerKeys
  readonly bucket: Pick<Bucket, 'read'>
}

/** @throws SettingError if the keys are of none of this instance's logs. */
export async function openLogs(parts: Parts): Promise<Logs> {
  const logs = new KnownLogs(parts)
  await logs.refresh()
  return logs
}

class KnownLogs implements Logs {
  readonly #parts: Parts
  #spans: readonly LogSpan[] = []

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async refresh(): Promise<void> {
    const { database, keys } = this.#parts
    const rows = await listOrigins(database.logDb)
    const last = rows.at(-1)
    if (last === undefined) {
      this.#spans = [spanOf({ ...keys.log, firstIndex: 0, closing: null })]
      return
    }
    this.#spans = rows.map(spanOf)
    keys.useLog(last)
  }

  async noteFirst(): Promise<void> {
    const { database: { logDb }, keys } = this.#parts
    // A database from before there were rows: what it published says whose it is, and the row is for ever.
    const { checkpoint } = await getPublished(logDb)
    const isFirst = (await listOrigins(logDb)).length === 0
    if (isFirst && checkpoint !== '' && statedOrigin(checkpoint) !== keys.log.origin) {
      throw this.#otherLog(statedOrigin(checkpoint))
    }
    await insertFirstOrigin(logDb, keys.log)
    await this.refresh()
    const isKnown = keys.logs.some(({ origin }) => this.find(origin) !== undefined)
    if (isKnown || await this.#hasEnded()) return
    throw this.#otherLog(this.current().origin)
  }

  #otherLog(origin: string): SettingError {
    const first = this.#parts.keys.logs[0]?.origin ?? ''
    return new SettingError(`LOG_KEY (or DATA_DIR/keys/log.key) is for ${first}, and this database holds the log ${origin}`)
  }

  /** Whether this log has ended, by what it has published: the database is older, and our key a later log's. */
  async #hasEnded(): Promise<boolean> {
    return await findStatedEnd(this.#parts, this.current()) !== null
  }

  async follow(checkpoint: string): Promise<void> {
    if (checkpoint !== '' && this.find(statedOrigin(checkpoint)) === undefined) await this.refresh()
  }

  list(): readonly LogSpan[] {
    return this.#spans
  }

  current(): LogSpan {
    const last = this.#spans.at(-1)
    assert(last !== undefined, 'there is a log, if only its name')
    return last
  }

  find(origin: string): LogSpan | undefined {
    return this.#spans.find((span) => span.origin === origin)
  }

  at(place: number): LogSpan {
    const span = this.#spans.findLast(({ firstIndex }) => firstIndex <= place)
    assert(span !== undefined, 'the first log begins at place 0')
    return span
  }

  standing(place: number, { size, checkpoint }: ShownLog): Standing {
    const span = this.at(place)
    const index = place - span.firstIndex
    return span.closing === null
      ? { span, index, treeSize: size - span.firstIndex, checkpoint }
      : { span, index, treeSize: sizeOfNote(span.closing), checkpoint: span.closing }
  }
}

function spanOf(row: OriginRow): LogSpan {
  const { origin, vkey, firstIndex, closing } = row
  return { origin, vkey, prefix: logPrefix(origin), firstIndex, closing }
}

/** The size in a checkpoint of ours. */
export function sizeOfNote(note: string): number {
  return Number(parseCheckpoint(parseNote(note).text).size)
}
