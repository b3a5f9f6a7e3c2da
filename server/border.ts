/**
 * From one log to the next (SPEC.md § 7.13): the rows that end a log and begin another, and the statement that leads from one
 * key to the other. When to do it is sequencer.ts's; must not sign anything.
 *
 * [Note: Closing in steps] Each is found again by what the one before left, so a crash between any two is mended by the next
 * start: `log.closed` in the outbox; the last entry, and its checkpoint; the row of the next log; `log.started` in the outbox,
 * then its first entry; the statement, in the old folder and in the new one. Nothing else is integrated before that last
 * step, so nobody is shown an entry of the next log without what leads there.
 */
import { getHead } from '../db/queries/log.js'
import { insertBorder } from '../db/queries/origins.js'
import { decodeUtf8, encodeUtf8, equalBytes } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { MAX_ROTATION_COUNT } from '../protocol/limits.js'
import { formatVkey } from '../protocol/log/note.js'
import { rotationPath, verifyRotation } from '../protocol/log/rotation.js'
import type { LogSpan } from './logs.js'
import type { World } from './world.js'

type Parts = Pick<World, 'bucket' | 'database' | 'logs'>

const STATEMENT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }

/** How a log ended, by what was published of it. */
export interface StatedEnd {
  /** In the log's own tree. */
  readonly size: number
  readonly root: Uint8Array
  readonly closing: string
  /** The key that signed it. */
  readonly vkey: string
  readonly next: { readonly origin: string, readonly vkey: string }
}

/** The statements in a log's folder, oldest first, as they are. */
export async function readStatementFiles(
  { bucket }: { readonly bucket: Pick<World['bucket'], 'read'> }, { prefix }: Pick<LogSpan, 'prefix'>,
): Promise<string[]> {
  const read: string[] = []
  for (let number = 1; number <= MAX_ROTATION_COUNT; number++) {
    const bytes = await bucket.read(`${prefix}/${rotationPath(number)}`)
    if (bytes === null) break
    read.push(decodeUtf8(bytes))
  }
  return read
}

/** What the newest statement in a log's folder says of its end; `null` if it says none. */
export async function findStatedEnd(
  parts: Parameters<typeof readStatementFiles>[0], log: Pick<LogSpan, 'prefix' | 'origin'>,
): Promise<StatedEnd | null> {
  const statement = (await readStatementFiles(parts, log)).at(-1)
  return statement === undefined ? null : endIn(statement, log.origin)
}

function endIn(statement: string, origin: string): StatedEnd | null {
  try {
    const { closing, previous, next } = verifyRotation(statement)
    if (closing === undefined || closing.checkpoint.origin !== origin) return null
    return {
      size: Number(closing.checkpoint.size), root: closing.checkpoint.root, closing: closing.note,
      vkey: formatVkey(previous), next: { origin: next.name, vkey: formatVkey(next) },
    }
  } catch (error) {
    if (error instanceof ProtocolError) return null // rotations.ts refuses it, and says so.
    throw error
  }
}

/** What a log ends with, and who goes on. */
export interface NewBorder {
  readonly log: LogSpan
  readonly root: Uint8Array
  /** Over all logs. */
  readonly size: number
  readonly closing: string
  readonly vkey: string
  readonly next: { readonly origin: string, readonly vkey: string }
}

/** @returns false if another instance was first. Either way the newest log is known afterwards. */
export async function crossBorder(
  { database, logs }: Parts, { log, root, size, closing, vkey, next }: NewBorder,
): Promise<boolean> {
  const closed = { origin: log.origin, vkey, closing }
  const isFirst = await insertBorder(database.logDb, { size, root }, { closed, next })
  await logs.refresh()
  return isFirst
}

/**
 * A database from before a border, whose log has the entries up to it again: follow what was published.
 * @returns whether there was such a border.
 */
export async function followStatedBorder(parts: Parts): Promise<boolean> {
  const log = parts.logs.current()
  const [head, end] = [await getHead(parts.database.logDb), await findStatedEnd(parts, log)]
  const isThere = end !== null && head.size === log.firstIndex + end.size &&
    equalBytes(head.root, end.root)
  return isThere && await crossBorder(parts, { ...end, log, size: head.size })
}

/** The receipt of an entry, by its place. */
export type ProvePlace = (place: number) => Promise<string>

/** Publish the statement that leads to the newest log, unless it is there. */
export async function publishBorder(parts: Parts, prove: ProvePlace): Promise<void> {
  const [before, log] = parts.logs.list().slice(-2)
  if (before === undefined || log === undefined) return
  const old = await readStatementFiles(parts, before)
  const last = old.at(-1)
  const isStated = last !== undefined && endIn(last, before.origin) !== null
  const statements = isStated ? old
    : [...old, `${await prove(log.firstIndex - 1)}${await prove(log.firstIndex)}`]
  verifyRotation(statements.at(-1) ?? '')
  const place = (folder: LogSpan, number: number): string => `${folder.prefix}/${rotationPath(number)}`
  if (await parts.bucket.read(place(log, statements.length)) !== null) return
  for (const [at, statement] of statements.entries()) {
    const bytes = encodeUtf8(statement)
    await parts.bucket.put(place(before, at + 1), bytes, STATEMENT_OPTIONS)
    await parts.bucket.put(place(log, at + 1), bytes, STATEMENT_OPTIONS)
  }
}
