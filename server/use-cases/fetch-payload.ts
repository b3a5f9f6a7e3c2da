/** Ciphertext on its way out, a range at a time. */
import { Readable } from 'node:stream'
import type { Fetchable } from '../../db/queries/releases.js'
import type { DirectRange } from '../../protocol/api.js'
import { assert } from '../../protocol/errors.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { partKey } from '../object-keys.js'
import type { DirectAccess } from '../bucket.js'
import { requireReadable, type Reader } from '../readable.js'
import { DIRECT_GET_SECONDS, directDownloads } from '../revocations.js'
import type { World } from '../world.js'

export interface FetchedRange {
  readonly sizeBytes: number
  readonly totalBytes: number
  readonly stream: Readable
}

/**
 * Bytes `start` up to `end` (not included) of a version's payload: as a stream, or where downloads are direct
 * as addresses in the bucket, good for a few seconds from before the reader was found entitled.
 * Refuses: version-not-found (absent, not hers, revoked alike), bad-request for a range outside it.
 * Effects: the first range under a release appends `version.fetched`.
 */
export async function fetchPayload(
  world: World, reader: Reader, wanted: { versionId: string, start: number, end: number },
): Promise<FetchedRange | DirectRange> {
  const fromMs = world.clock.nowMs()
  const version = await requireReadable(world, reader, wanted.versionId)
  const { start, end } = wanted
  if (start >= end || end > version.payloadSizeBytes) throw new Refusal('bad-request')
  const direct = directDownloads(world)
  if (direct !== undefined) return await presignParts(direct, version, { start, end, fromMs })
  return {
    sizeBytes: end - start, totalBytes: version.payloadSizeBytes,
    stream: await openParts(world, version, { start, end }),
  }
}

interface Stretch { readonly start: number, readonly end: number }
interface PartStretch extends Stretch { readonly key: string }

/** A range inside one part, which is what clients ask for, streams as the bucket gives it. */
async function openParts(world: World, version: Fetchable, range: Stretch): Promise<Readable> {
  const [first, ...rest] = partsOf(version, range)
  assert(first !== undefined, 'a range has bytes')
  if (rest.length === 0) return await openPart(world, first)
  return Readable.from(readParts(world, [first, ...rest]))
}

/** Never more than one part's piece is held. */
async function * readParts(
  world: World, parts: readonly PartStretch[],
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for await (const piece of await openPart(world, part)) yield piece
  }
}

async function openPart(world: World, { key, start, end }: PartStretch): Promise<Readable> {
  const stream = await world.bucket.stream(key, { offset: start, sizeBytes: end - start })
  assert(stream !== null, 'every part of a stored version is in the bucket')
  return stream
}

async function presignParts(
  direct: DirectAccess, version: Fetchable, range: Stretch & { fromMs: number },
): Promise<DirectRange> {
  const life = { fromMs: range.fromMs, seconds: DIRECT_GET_SECONDS }
  const pieces = partsOf(version, range).map(async ({ key, start, end }) => ({
    url: await direct.presignGet(key, life), start, end,
  }))
  return { pieces: await Promise.all(pieces) }
}

/** The parts that a range touches, and which bytes of each. */
function partsOf(version: Fetchable, { start, end }: Stretch): PartStretch[] {
  const first = Math.floor(start / PART_SIZE_BYTES)
  const last = Math.floor((end - 1) / PART_SIZE_BYTES)
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const offset = (first + at) * PART_SIZE_BYTES
    return {
      key: partKey(version.objectPrefix, first + at),
      start: Math.max(start - offset, 0), end: Math.min(end - offset, PART_SIZE_BYTES),
    }
  })
}
