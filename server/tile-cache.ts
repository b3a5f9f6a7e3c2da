/** Reads the log's files through a bounded memory of those read or written last. */
import type { ReadResource } from '../protocol/log/tile.js'
import type { Bucket } from './bucket.js'

const MAX_CACHED_FILES = 512

export class TileCache {
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #files = new Map<string, Uint8Array>()

  constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket
    this.#prefix = prefix
  }

  /** Tiles and bundles never change, so what was read once stays true. Never for the checkpoint. */
  readonly read: ReadResource = async (path) => {
    const cached = this.#files.get(path)
    if (cached !== undefined) return cached
    const bytes = await this.#bucket.read(`${this.#prefix}/${path}`)
    if (bytes !== null) this.keep(path, bytes)
    return bytes
  }

  keep(path: string, bytes: Uint8Array): void {
    this.#files.delete(path) // Moves it to the young end.
    this.#files.set(path, bytes)
    const [oldest] = this.#files.keys()
    if (this.#files.size > MAX_CACHED_FILES && oldest !== undefined) this.#files.delete(oldest)
  }
}
