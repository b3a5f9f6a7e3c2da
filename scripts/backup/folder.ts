/**
 * A backup's folder: what lies where, and how it is read again. Knows neither the database nor the bucket
 * that it is a copy of.
 *
 *   objects/<key>                    write-once objects, shared by all snapshots: the next backup adds what is new
 *   snapshots/<time>/rows/*.gz       the database: one JSON object a line, a file a table
 *   snapshots/<time>/objects/<key>   the few objects that may change: the log's checkpoint
 *   snapshots/<time>/SHA256SUMS      of every file above, for `sha256sum --check` in the backup's folder
 *   snapshots/<time>/backup.json     written last: without it the snapshot is none
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGunzip, createGzip, type Gzip } from 'node:zlib'
import { assert } from '../../protocol/errors.js'
import { parseJson } from '../../server/json.js'
import { Refused } from '../command.js'

export const FORMAT = 'sealdeck-backup-v1'
const MANIFEST = 'backup.json'
const SUMS = 'SHA256SUMS'
const SNAPSHOT_NAME = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/

export interface Manifest {
  readonly format: typeof FORMAT
  readonly madeAt: string
  /** The migrations that made the tables: rows fit into tables made by the same. */
  readonly migrations: readonly string[]
  readonly logOrigin: string
  readonly logVkey: string
  /** Entries under the checkpoint that this copy shows, and entries that its database holds. */
  readonly publishedSize: number
  readonly headSize: number
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  readonly objectCount: number
  readonly objectBytes: number
  readonly sumsSha256: string
}

/** `2026-11-22T20-15-00-000Z`: sorts by time, and is a file name everywhere. */
export function snapshotName(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[:.]/g, '-')
}

export function snapshotFolder(folder: string, name: string): string {
  return join(folder, 'snapshots', name)
}

/** The whole snapshots, oldest first. */
export async function listSnapshots(folder: string): Promise<string[]> {
  const names = (await readdir(join(folder, 'snapshots')).catch(absentAs([])))
    .filter((name) => SNAPSHOT_NAME.test(name)).sort()
  const whole = await Promise.all(names.map(async (name) =>
    await readFile(join(snapshotFolder(folder, name), MANIFEST), 'utf8').catch(absentAs(null)) !== null))
  return names.filter((_, index) => whole[index])
}

function absentAs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value
    throw error
  }
}

/** @throws Refused if it is no backup of this format. */
export async function readManifest(folder: string, name: string): Promise<Manifest> {
  const text = await readFile(join(snapshotFolder(folder, name), MANIFEST), 'utf8')
  const manifest: unknown = parseJson(text)
  if (!isManifest(manifest)) throw new Refused(`${name} is no backup in the format ${FORMAT}`)
  return manifest
}

function isManifest(value: unknown): value is Manifest {
  const get = (key: string): unknown => Reflect.get(Object(value), key)
  return get('format') === FORMAT && Array.isArray(get('migrations')) &&
    ['madeAt', 'logOrigin', 'logVkey', 'sumsSha256'].every((key) => typeof get(key) === 'string') &&
    ['publishedSize', 'headSize', 'objectCount', 'objectBytes'].every((key) => Number.isSafeInteger(get(key))) &&
    Object.values(Object(get('rows'))).every((count) => Number.isSafeInteger(count))
}

// ---- Sums ----

export interface Sum {
  readonly sha256: string
  /** Relative to the backup's folder. */
  readonly path: string
}

export function sumOfBytes(path: string, bytes: Uint8Array): Sum {
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') }
}

export async function sumOfFile(folder: string, path: string): Promise<Sum> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(join(folder, path))) hash.update(chunk)
  return { path, sha256: hash.digest('hex') }
}

/** The sums of a snapshot, once they are what its manifest says. @throws Refused. */
export async function readSums(folder: string, name: string, manifest: Manifest): Promise<Sum[]> {
  const path = join('snapshots', name, SUMS)
  const { sha256 } = await sumOfFile(folder, path)
  if (sha256 !== manifest.sumsSha256) throw new Refused(`${path} is not what was written: the backup is damaged`)
  return (await readFile(join(folder, path), 'utf8')).split('\n').filter((line) => line !== '').map(parseSum)
}

function parseSum(line: string): Sum {
  const [, sha256, path] = /^([0-9a-f]{64}) {2}([^\0]{1,400})$/.exec(line) ?? []
  if (sha256 === undefined || path === undefined) throw new Refused('the backup\'s list of sums is damaged')
  return { sha256, path }
}

/** Sums, then the manifest with their hash: the snapshot is whole when this returns. */
export async function writeManifest(
  folder: string, name: string, manifest: Omit<Manifest, 'format' | 'sumsSha256'>, sums: readonly Sum[],
): Promise<void> {
  const place = snapshotFolder(folder, name)
  const text = sums.map(({ sha256, path }) => `${sha256}  ${path}\n`).join('')
  await writeDurably(join(place, SUMS), text)
  const { sha256 } = sumOfBytes('', Buffer.from(text))
  const whole: Manifest = { format: FORMAT, ...manifest, sumsSha256: sha256 }
  await writeDurably(join(place, MANIFEST), `${JSON.stringify(whole, null, 2)}\n`)
  await syncPath(place)
  await syncPath(join(folder, 'snapshots'))
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

// ---- Rows ----

/** Files of lines, one for each name, written side by side. */
export class LineFiles {
  readonly #folder: string
  readonly #open = new Map<string, { gzip: Gzip, file: WriteStream, count: number }>()

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async create(folder: string, names: readonly string[]): Promise<LineFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const files = new LineFiles(folder)
    for (const name of names) files.#create(name)
    return files
  }

  #create(name: string): void {
    const gzip = createGzip()
    const file = createWriteStream(linePath(this.#folder, name), { flags: 'wx', mode: 0o600 })
    gzip.pipe(file)
    this.#open.set(name, { gzip, file, count: 0 })
  }

  async write(name: string, lines: readonly string[]): Promise<void> {
    const one = this.#open.get(name)
    assert(one !== undefined, 'lines go into a file that was named')
    one.count += lines.length
    const isRoomLeft = one.gzip.write(`${lines.join('\n')}\n`)
    if (!isRoomLeft) await new Promise<void>((resolve) => one.gzip.once('drain', resolve))
  }

  /** All on the disk. @returns the number of lines by name. */
  async close(): Promise<Readonly<Record<string, number>>> {
    for (const [name, { gzip, file }] of this.#open) {
      gzip.end()
      await finished(file)
      await syncPath(linePath(this.#folder, name))
    }
    await syncPath(this.#folder)
    return Object.fromEntries([...this.#open].map(([name, { count }]) => [name, count]))
  }
}

export function linePath(folder: string, name: string): string {
  return join(folder, `${name}.jsonl.gz`)
}

/**
 * The lines of a file, in batches of about `batchLength` characters. Split at line feeds alone: a name may hold
 * other characters that some readers take for the end of a line.
 */
export async function * readLines(path: string, batchLength: number): AsyncGenerator<string[]> {
  const text = createReadStream(path).pipe(createGunzip()).setEncoding('utf8')
  let batch: string[] = []
  let length = 0
  let rest = ''
  for await (const chunk of text) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    batch.push(...lines)
    length += String(chunk).length
    if (length < batchLength) continue
    yield batch
    batch = []
    length = 0
  }
  if (batch.length > 0) yield batch
}
