/** A log's resources from a folder or from an address. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { CHECKPOINT_PATH, logFolder, type ReadResource } from '../../protocol/log/tile.js'

/** The largest resource: a bundle of 256 entries at their longest. */
const MAX_RESOURCE_SIZE_BYTES = 256 * (2 + 65_535)
const REQUEST_TIMEOUT_MS = 30_000
/** A bucket that may not be listed answers 403 for what is not there. */
const ABSENT_STATUSES = [403, 404, 410]

/** @param place - a folder, or an http(s) address with or without a slash at its end. */
export function readerOf(place: string): ReadResource {
  return /^https?:\/\//.test(place) ? addressReader(place) : folderReader(place)
}

/**
 * The place of another log of the same line, beside this one: as SPEC.md § 7.5 names folders.
 *
 * @param origin - its name; the last part of it names the folder.
 */
export function placeBeside(place: string, origin: string): string {
  const trimmed = place.replace(/\/+$/, '')
  return `${trimmed.slice(0, trimmed.lastIndexOf('/') + 1)}${logFolder(origin)}`
}

/** The folder of a log of the line: the given one may have a name of its own, the others lie beside it. */
export async function placeOf(place: string, origin: string): Promise<string> {
  const shown = await readerOf(place)(CHECKPOINT_PATH)
  const isThere = shown !== null && decodeUtf8(shown).startsWith(`${origin}\n`)
  return isThere ? place : placeBeside(place, origin)
}

function folderReader(folder: string): ReadResource {
  return async (path) => {
    try {
      return await readFile(join(folder, path))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
}

function addressReader(address: string): ReadResource {
  const prefix = address.endsWith('/') ? address : `${address}/`
  return async (path) => {
    const response = await fetch(new URL(path, prefix), {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), redirect: 'error',
    })
    if (ABSENT_STATUSES.includes(response.status)) return null
    if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`)
    return await readBounded(response, path)
  }
}

async function readBounded(response: Response, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  if (response.body === null) return new Uint8Array(0)
  for await (const part of response.body) {
    size += part.length
    if (size > MAX_RESOURCE_SIZE_BYTES) throw new Error(`${path} is larger than a log's files are`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
