/**
 * Makes a snapshot of database and bucket that fit together, from an instance that may be running.
 *
 * [Note: A pair that fits] First the rows, by one statement. Then the objects that those rows refer to, which
 * are write-once and deleted a day after their version was given up at the earliest, and never while this
 * holds the collectors' lock. Then the log's files of the very tree whose checkpoint stands in those rows,
 * no newer ones: a restored pair shows the checkpoint that its database knows, and never one that its
 * database does not reach. What was logged later is in the next snapshot.
 */
import { join } from 'node:path'
import { mkdir, rm } from 'node:fs/promises'
import {
  copyOfEverything, listMigrations, listTables, OBJECTS_NAME,
} from '../../db/queries/copy.js'
import { encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import {
  bundlePath, CHECKPOINT_PATH, encodeBundle, listBundles, listTiles, parseTilePath, readBundle,
  readTileBytes, tilePath,
} from '../../protocol/log/tile.js'
import type { Bucket } from '../../server/bucket.js'
import { parseCheckpoint } from '../../protocol/log/checkpoint.js'
import { parseNote } from '../../protocol/log/note.js'
import { logPrefix } from '../../server/keys.js'
import { openFolderBucket } from '../../server/folder-bucket.js'
import { hashListKey, LOGS_PREFIX, partKey } from '../../server/object-keys.js'
import type { LogParts } from '../../server/world.js'
import { Refused } from '../command.js'
import {
  LineFiles, linePath, listSnapshots, readLines, readManifest, readSums, snapshotFolder,
  snapshotName, sumOfBytes, sumOfFile, writeManifest, type Manifest, type Sum,
} from './folder.js'

const ROWS_PER_BATCH = 500
const LINES_LENGTH = 256 * 1024
const MAX_LISTED_KEYS = 1_000
const MAX_PARALLEL_COPIES = 8

export interface Snapshot {
  readonly name: string
  readonly manifest: Omit<Manifest, 'format' | 'sumsSha256'>
  /** Objects that no snapshot before had. */
  readonly newObjectCount: number
}

/**
 * Write a snapshot into a folder, beside those that are there. The caller holds the collectors' lock.
 * @throws Refused if an object is missing, or lies in the folder with other bytes.
 */
export async function writeSnapshot(
  parts: LogParts, folder: string, onProgress: (line: string) => void,
): Promise<Snapshot> {
  const madeAtMs = parts.clock.nowMs()
  const name = snapshotName(madeAtMs)
  const place = snapshotFolder(folder, name)
  await mkdir(place, { recursive: true, mode: 0o700 })
  try {
    const rows = await copyRows(parts, join(place, 'rows'))
    onProgress(`${Object.values(rows.counts).reduce((sum, count) => sum + count, 0)} rows copied`)
    const store = await Store.open(folder, name)
    for await (const lines of readLines(linePath(join(place, 'rows'), OBJECTS_NAME), LINES_LENGTH)) {
      await inParallel(lines.map(parseObject), (object) => copyObject(parts.bucket, store, object))
      onProgress(`${store.objectCount} objects copied`)
    }
    await copyLog(parts, store, rows)
    const rowSums = []
    for (const table of Object.keys(rows.counts)) {
      rowSums.push(await sumOfFile(folder, linePath(join('snapshots', name, 'rows'), table)))
    }
    const manifest = {
      madeAt: new Date(madeAtMs).toISOString(), migrations: rows.migrations,
      logOrigin: originOf(rows.published.checkpoint), logVkey: parts.keys.log.vkey,
      publishedSize: rows.published.size, headSize: rows.headSize, rows: rows.counts,
      objectCount: store.objectCount, objectBytes: store.objectBytes,
    }
    await writeManifest(folder, name, manifest, [...rowSums, ...store.sums])
    return { name, manifest, newObjectCount: store.newObjectCount }
  } catch (error) {
    await rm(place, { recursive: true, force: true }) // The objects stay: the next try needs not copy them again.
    throw error
  }
}

// ---- Rows ----

interface Rows {
  readonly counts: Readonly<Record<string, number>>
  readonly migrations: readonly string[]
  readonly published: { readonly size: number, readonly checkpoint: string }
  readonly headSize: number
}

async function copyRows({ database }: LogParts, folder: string): Promise<Rows> {
  const owner = await database.openOwner()
  try {
    const files = await LineFiles.create(folder, [...listTables(), OBJECTS_NAME])
    let published = { size: 0, checkpoint: '' }
    let headSize = 0
    for await (const batch of owner.readBatches(copyOfEverything(), ROWS_PER_BATCH)) {
      const lines = groupLines(batch)
      for (const [name, rows] of lines) await files.write(name, rows)
      published = publishedIn(lines.get('tlog_published')) ?? published
      headSize = sizeIn(lines.get('tlog_head')) ?? headSize
    }
    const counts = await files.close()
    if (published.size === 0) throw new Refused('the log has not begun: there is nothing to back up')
    return { counts, migrations: await listMigrations(owner.db), published, headSize }
  } finally {
    await owner.close()
  }
}

function groupLines(batch: readonly Record<string, unknown>[]): ReadonlyMap<string, string[]> {
  const lines = new Map<string, string[]>()
  for (const { name, row } of batch) {
    const others = lines.get(String(name))
    if (others === undefined) lines.set(String(name), [String(row)])
    else others.push(String(row))
  }
  return lines
}

function publishedIn(rows: readonly string[] | undefined): Rows['published'] | undefined {
  const size = sizeIn(rows)
  if (rows?.[0] === undefined || size === undefined) return undefined
  return { size, checkpoint: String(Reflect.get(Object(JSON.parse(rows[0])), 'checkpoint')) }
}

function sizeIn(rows: readonly string[] | undefined): number | undefined {
  return rows?.[0] === undefined ? undefined : Number(Reflect.get(Object(JSON.parse(rows[0])), 'size'))
}

function originOf(checkpoint: string): string {
  return parseCheckpoint(parseNote(checkpoint).text).origin
}

// ---- Objects ----

interface Wanted {
  readonly key: string
  /** Of a part the database knows both; of a hash list neither. */
  readonly sha256: string | undefined
  readonly sizeBytes: number | undefined
}

function parseObject(line: string): Wanted {
  const [prefix, index, sha256, size]: unknown[] = JSON.parse(line)
  return typeof index === 'number'
    ? { key: partKey(String(prefix), index), sha256: String(sha256), sizeBytes: Number(size) }
    : { key: hashListKey(String(prefix)), sha256: undefined, sizeBytes: undefined }
}

/** What an earlier snapshot noted and still lies there is taken as it is; restoring hashes everything anyway. */
async function copyObject(bucket: Bucket, store: Store, wanted: Wanted): Promise<void> {
  const { key, sha256, sizeBytes } = wanted
  const path = join('objects', key)
  const known = store.known.get(path)
  const kept = known === undefined ? null : await store.objects.head(key)
  if (known !== undefined && kept !== null) {
    const isSame = known === (sha256 ?? known) && kept.sizeBytes === (sizeBytes ?? kept.sizeBytes)
    if (isSame) return store.note({ path, sha256: known }, kept.sizeBytes, false)
  }
  const bytes = await bucket.read(key)
  if (bytes === null) throw new Refused(`${key} is missing in the bucket`)
  const sum = sumOfBytes(path, bytes)
  const isWhole = bytes.length === (sizeBytes ?? bytes.length)
  if (!isWhole || sum.sha256 !== (sha256 ?? sum.sha256)) throw new Refused(`${key} is damaged in the bucket`)
  await store.keep(key, bytes)
}

// ---- The log ----

/** See [Note: A pair that fits]. */
async function copyLog(
  { bucket }: LogParts, store: Store, { published }: Rows,
): Promise<void> {
  const checkpoint = parseCheckpoint(parseNote(published.checkpoint).text)
  const prefix = logPrefix(checkpoint.origin)
  const read = (path: string) => bucket.read(`${prefix}/${path}`)
  const { size } = checkpoint
  await inParallel(listTiles(size), async (tile) => {
    await store.keep(`${prefix}/${tilePath(tile)}`, await readTileBytes(read, tile))
  })
  await inParallel(listBundles(size), async (bundle) => {
    await store.keep(`${prefix}/${bundlePath(bundle)}`, encodeBundle(await readBundle(read, bundle)))
  })
  await store.keepChanging(`${prefix}/${CHECKPOINT_PATH}`, encodeUtf8(published.checkpoint))
  await copyOtherFiles(bucket, store, prefix)
}

/** Logs that were closed, whole; and of this one what is neither tile nor checkpoint. */
async function copyOtherFiles(bucket: Bucket, store: Store, prefix: string): Promise<void> {
  let page: string[] | undefined
  while (page === undefined || page.length === MAX_LISTED_KEYS) {
    page = await bucket.list(LOGS_PREFIX, MAX_LISTED_KEYS, page?.at(-1))
    await inParallel(page, async (key) => {
      const isOurs = key.startsWith(`${prefix}/`)
      const path = isOurs ? key.slice(prefix.length + 1) : key.split('/').slice(2).join('/')
      const isTile = parseTilePath(path) !== null
      if (isOurs && (isTile || path === CHECKPOINT_PATH)) return
      const bytes = await bucket.read(key)
      if (bytes === null) return // Replaced by the full file meanwhile.
      if (isTile) await store.keep(key, bytes)
      else await store.keepChanging(key, bytes)
    })
  }
}

// ---- Where copies go ----

class Store {
  readonly objects: Bucket
  /** Sums of the snapshot before this one, by path. */
  readonly known: ReadonlyMap<string, string>
  readonly #changing: Bucket
  readonly #changingPath: string
  readonly sums: Sum[] = []
  objectCount = 0
  objectBytes = 0
  newObjectCount = 0

  private constructor(setup: {
    objects: Bucket, changing: Bucket, changingPath: string, known: ReadonlyMap<string, string>,
  }) {
    const { objects, known, changing, changingPath } = setup
    this.objects = objects
    this.known = known
    this.#changing = changing
    this.#changingPath = changingPath
  }

  static async open(folder: string, name: string): Promise<Store> {
    const changingPath = join('snapshots', name, 'objects')
    const last = (await listSnapshots(folder)).at(-1)
    const sums = last === undefined ? []
      : await readSums(folder, last, await readManifest(folder, last))
    return new Store({
      objects: await openFolderBucket(join(folder, 'objects')),
      known: new Map(sums.map(({ path, sha256 }) => [path, sha256])),
      changing: await openFolderBucket(join(folder, changingPath)), changingPath,
    })
  }

  note(sum: Sum, sizeBytes: number, isNew: boolean): void {
    this.sums.push(sum)
    this.objectCount++
    this.objectBytes += sizeBytes
    if (isNew) this.newObjectCount++
  }

  /** It never changes, so one that is there must be this one. */
  async keep(key: string, bytes: Uint8Array): Promise<void> {
    const isNew = await this.objects.put(key, bytes) === 'stored'
    if (!isNew) {
      const kept = await this.objects.read(key)
      if (kept === null || !equalBytes(kept, bytes)) {
        throw new Refused(`${key} lies in this folder with other bytes: it is damaged, or the backup of another instance. Take a new folder`)
      }
    }
    this.note(sumOfBytes(join('objects', key), bytes), bytes.length, isNew)
  }

  async keepChanging(key: string, bytes: Uint8Array): Promise<void> {
    await this.#changing.put(key, bytes)
    this.note(sumOfBytes(join(this.#changingPath, key), bytes), bytes.length, true)
  }
}

/** A few at a time; the first failure ends it. */
export async function inParallel<T>(
  items: Iterable<T>, run: (item: T) => Promise<void>,
): Promise<void> {
  let some: Promise<void>[] = []
  for (const item of items) {
    some.push(run(item))
    if (some.length < MAX_PARALLEL_COPIES) continue
    await Promise.all(some)
    some = []
  }
  await Promise.all(some)
}
