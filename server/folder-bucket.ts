/**
 * A bucket that is a folder (contract in bucket.ts). A file appears under its key by `link`, which is
 * atomic and refuses an existing name; before that its bytes, and after that the folder, are synced
 * to the disk.
 */
import { randomBytes } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { access, link, mkdir, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { assert } from '../protocol/errors.js'
import { requireBytes, requireKey, type Bucket, type ByteRange, type StoredObject, type WriteOptions } from './bucket.js'

const DRAFTS = '.drafts'

export async function openFolderBucket(root: string): Promise<Bucket> {
  await mkdir(join(root, DRAFTS), { recursive: true, mode: 0o700 })
  await removeDrafts(root)
  return new FolderBucket(root)
}

class FolderBucket implements Bucket {
  readonly kind = 'folder'
  readonly direct = undefined
  readonly #root: string
  /** `replace` reads, compares and renames: one at a time. The data folder's lock keeps other processes out. */
  #replacing: Promise<unknown> = Promise.resolve()

  constructor(root: string) {
    this.#root = root
  }

  async put(key: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<'stored' | 'exists'> {
    const path = this.#path(key)
    requireBytes(bytes)
    const draft = await this.#writeDraft(bytes)
    let isNew = true
    try {
      await inFolder(path, () => link(draft, path))
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
      isNew = false
    } finally {
      await unlink(draft)
    }
    // Also what was there: whoever wrote it may have died before this.
    await syncFolder(dirname(path))
    return isNew ? 'stored' : 'exists'
  }

  async replace(
    key: string, bytes: Uint8Array, etag: string | null, options: WriteOptions = {},
  ): Promise<string | undefined> {
    requireBytes(bytes)
    const done = this.#replacing.then(() => this.#replaceNow(key, bytes, etag))
    this.#replacing = done.catch(() => {}) // The caller sees the failure; the next one only waits for its end.
    return await done
  }

  async #replaceNow(
    key: string, bytes: Uint8Array, etag: string | null,
  ): Promise<string | undefined> {
    const path = this.#path(key)
    const existing = await this.head(key)
    if ((existing?.etag ?? null) !== etag) return undefined
    const draft = await this.#writeDraft(bytes)
    await inFolder(path, () => rename(draft, path))
    await syncFolder(dirname(path))
    return etagOf(await stat(path, { bigint: true }))
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array | null> {
    return await this.#withFile(key, (file, found) => readRange(file, requireInside(range, found)))
  }

  async readTagged(key: string): Promise<{ bytes: Uint8Array, etag: string } | null> {
    return await this.#withFile(key, async (file, found) => (
      { bytes: await readRange(file, requireInside(undefined, found)), etag: etagOf(found) }))
  }

  async #withFile<T>(
    key: string, use: (file: FileHandle, found: BigIntStats) => Promise<T>,
  ): Promise<T | null> {
    const file = await orNull(open(this.#path(key), 'r'))
    if (file === null) return null
    try {
      return await use(file, await file.stat({ bigint: true }))
    } finally {
      await file.close()
    }
  }

  async stream(key: string, range?: ByteRange): Promise<Readable | null> {
    const file = await orNull(open(this.#path(key), 'r'))
    if (file === null) return null
    try {
      const { offset, sizeBytes } = requireInside(range, await file.stat({ bigint: true }))
      return file.createReadStream({ start: offset, end: offset + sizeBytes - 1 })
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async head(key: string): Promise<StoredObject | null> {
    const found = await orNull(stat(this.#path(key), { bigint: true }))
    return found === null ? null : { sizeBytes: Number(found.size), etag: etagOf(found) }
  }

  async delete(key: string): Promise<void> {
    await orNull(unlink(this.#path(key)))
  }

  async list(prefix: string, limit: number, after = ''): Promise<string[]> {
    const found: string[] = []
    await this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), { prefix, after, limit, found })
    return found
  }

  /** Depth first in the order of whole keys, so that the walk can stop at the limit. */
  async #walk(
    folder: string, search: { prefix: string, after: string, limit: number, found: string[] },
  ): Promise<void> {
    const entries = await orNull(readdir(join(this.#root, folder), { withFileTypes: true })) ?? []
    const paths = entries
      .filter((entry) => entry.name !== DRAFTS)
      .map((entry) => ({ path: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`, isFolder: entry.isDirectory() }))
      .sort((a, b) => a.path < b.path ? -1 : 1)
    for (const { path, isFolder } of paths) {
      if (search.found.length >= search.limit) return
      if (isFolder && mayHold(path, search)) await this.#walk(path, search)
      if (!isFolder && path.startsWith(search.prefix) &&
        path > search.after) search.found.push(path)
    }
  }

  async check(): Promise<undefined> {
    await access(join(this.#root, DRAFTS), constants.R_OK | constants.W_OK)
  }

  close(): void {}

  #path(key: string): string {
    return join(this.#root, requireKey(key))
  }

  async #writeDraft(bytes: Uint8Array): Promise<string> {
    const path = join(this.#root, DRAFTS, randomBytes(12).toString('hex'))
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    return path
  }
}

/** Left by a process that died while it wrote. */
async function removeDrafts(root: string): Promise<void> {
  for (const name of await readdir(join(root, DRAFTS))) await unlink(join(root, DRAFTS, name))
}

/** Most folders are there already: they are made when it turns out that they are not. */
async function inFolder(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    await makeFolder(dirname(path))
    await write()
  }
}

/** Create and sync the folders on the way. */
async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (firstMade === undefined) return
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) {
    await syncFolder(
      dirname(made),
    )
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function mayHold(folder: string, { prefix, after }: { prefix: string, after: string }): boolean {
  const isBelowPrefix = folder.startsWith(prefix) || prefix.startsWith(folder)
  return isBelowPrefix && (after === '' || folder >= after.slice(0, folder.length))
}

async function readRange(file: FileHandle, { offset, sizeBytes }: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  const { bytesRead } = await file.read(bytes, 0, sizeBytes, offset)
  assert(bytesRead === sizeBytes, 'an object keeps its size')
  return bytes
}

function requireInside(range: ByteRange | undefined, { size }: BigIntStats): ByteRange {
  const { offset, sizeBytes } = range ?? { offset: 0, sizeBytes: Number(size) }
  assert(offset >= 0 && sizeBytes > 0 && offset + sizeBytes <= Number(size), 'the range lies inside the object')
  return { offset, sizeBytes }
}

/** Each write makes a file of its own: which one it is names the bytes. */
function etagOf({ ino, mtimeNs }: BigIntStats): string {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}`
}

async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
