/**
 * Where time-stamps of checkpoints lie among the log's files (SPEC.md § 7.10): the checkpoint as it was stamped,
 * byte for byte, and the authority's answer beside it. Public like the log itself. Sizes have a fixed
 * width in names, so that the names' order is that of the sizes.
 *
 *   timestamps/0000000000001234.checkpoint
 *   timestamps/0000000000001234.tsr
 */
import type { World } from './world.js'

const FOLDER = 'timestamps'
const SIZE_WIDTH = 16
/** What a listing reads for one answer: two files each. */
const FILES_PER_STAMP = 2
const MAX_SEARCHED_FILES = 100

export type StampFile = 'checkpoint' | 'tsr'

export function timeStampPath(size: number, file: StampFile): string {
  return `${FOLDER}/${String(size).padStart(SIZE_WIDTH, '0')}.${file}`
}

/** `null` for any other path. */
export function parseTimeStampPath(path: string): { size: number, file: StampFile } | null {
  const match = /^timestamps\/([0-9]{16})\.(checkpoint|tsr)$/.exec(path)
  const size = Number(match?.[1])
  if (match === null || size < 1 || !Number.isSafeInteger(size)) return null
  return { size, file: match[2] === 'tsr' ? 'tsr' : 'checkpoint' }
}

interface Parts {
  readonly bucket: World['bucket']
  /** Of the log whose stamps are meant; the newest one's otherwise. */
  readonly folder?: string | undefined
  readonly keys: World['keys']
}

/** Sizes of checkpoints that have a token, ascending, above `after`. */
export async function listTimeStamps(
  parts: Parts, { after, limit }: { after: number, limit: number },
): Promise<number[]> {
  const files = await listFiles(parts, { after, limit: limit * FILES_PER_STAMP })
  return files.filter(({ file }) => file === 'tsr').map(({ size }) => size)
}

export interface StampedCheckpoint {
  readonly size: number
  /** The signed note that was stamped, byte for byte. */
  readonly checkpoint: Uint8Array
  /** The authority's answer: what `openssl ts` calls a reply, a `.tsr` file. */
  readonly token: Uint8Array
}

/**
 * The first stamped checkpoint over the entry with this index, or `undefined` if it has not been stamped yet. For evidence:
 * the entry is proved under this very checkpoint with `proveEvents(world, rows, size)`.
 */
export async function findTimeStamp(
  parts: Parts, index: number,
): Promise<StampedCheckpoint | undefined> {
  const files = await listFiles(parts, { after: index, limit: MAX_SEARCHED_FILES })
  const found = files.find(({ file }) => file === 'tsr')
  if (found === undefined) return undefined
  const [checkpoint, token] = await Promise.all([
    readLogFile(parts, timeStampPath(found.size, 'checkpoint')),
    readLogFile(parts, timeStampPath(found.size, 'tsr')),
  ])
  return checkpoint === null || token === null
    ? undefined
    : { size: found.size, checkpoint, token }
}

export async function readLogFile(
  { bucket, keys, folder = keys.log.prefix }: Parts, path: string,
): Promise<Uint8Array | null> {
  return await bucket.read(`${folder}/${path}`)
}

async function listFiles(
  { bucket, keys, folder = keys.log.prefix }: Parts,
  { after, limit }: { after: number, limit: number },
): Promise<{ size: number, file: StampFile }[]> {
  const prefix = `${folder}/`
  const last = `${prefix}${timeStampPath(after, 'tsr')}` // The last name of that size.
  const paths = await bucket.list(`${prefix}${FOLDER}/`, limit, last)
  return paths.flatMap((path) => parseTimeStampPath(path.slice(prefix.length)) ?? [])
}
