/** Ciphertext on its way out, a range at a time. */
import { Readable } from 'node:stream'
import type { Fetchable } from '../../db/queries/releases.js'
import { assert } from '../../protocol/errors.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { partKey } from '../object-keys.js'
import { requireReadable, type Reader } from '../readable.js'
import type { World } from '../world.js'

export interface FetchedRange {
  readonly sizeBytes: number
  readonly totalBytes: number
  readonly stream: Readable
}

/**
 * Stream bytes `start` up to `end` (not included) of a version's payload.
 * Refuses: version-not-found (absent, not hers, revoked alike), bad-request for a range outside it.
 * Effects: the first range under a release appends `version.fetched`.
 */
export async function fetchPayload(
  world: World, reader: Reader, wanted: { versionId: string, start: number, end: number },
): Promise<FetchedRange> {
  const version = await requireReadable(world, reader, wanted.versionId)
  const { start, end } = wanted
  if (start >= end || end > version.payloadSizeBytes) throw new Refusal('bad-request')
  return {
    sizeBytes: end - start, totalBytes: version.payloadSizeBytes,
    stream: Readable.from(readParts(world, version, { start, end })),
  }
}

/** The range, part by part: never more than one part's piece is held. */
async function * readParts(
  world: World, version: Fetchable, { start, end }: { start: number, end: number },
): AsyncGenerator<Uint8Array> {
  let at = start
  while (at < end) {
    const index = Math.floor(at / PART_SIZE_BYTES)
    const stop = Math.min(end, (index + 1) * PART_SIZE_BYTES)
    const stream = await world.bucket.stream(partKey(version.objectPrefix, index), {
      offset: at - index * PART_SIZE_BYTES, sizeBytes: stop - at,
    })
    assert(stream !== null, 'every part of a stored version is in the bucket')
    for await (const piece of stream) yield piece
    at = stop
  }
}
