/** Ciphertext on its way out: every range is asked of the database first, so that a revocation is exact. */
import { Readable } from 'node:stream'
import { uuidv7 } from 'uuidv7'
import {
  findOwnVersion, findReleasedVersion, updateFetched, type Fetchable,
} from '../../db/queries/releases.js'
import { assert } from '../../protocol/errors.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { partKey } from '../object-keys.js'
import type { World } from '../world.js'

/** Who asks: the owner, or a device to which a header of the version was released. */
export type Reader = { ownerId: string } | { deviceId: string }

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

/** The hashes of a version's chunks, 32 bytes each. Refuses: version-not-found. */
export async function fetchHashList(
  world: World, reader: Reader, versionId: string,
): Promise<Uint8Array> {
  const version = await requireReadable(world, reader, versionId)
  assert(version.hashListKey !== null, 'a stored version has its hash list')
  const bytes = await world.bucket.read(version.hashListKey)
  assert(bytes !== null, 'the hash list of a stored version is in the bucket')
  return bytes
}

async function requireReadable(
  world: World, reader: Reader, versionId: string,
): Promise<Fetchable> {
  if ('ownerId' in reader) {
    const own = await findOwnVersion(world.db, { versionId, ownerId: reader.ownerId })
    if (own === undefined) throw new Refusal('version-not-found')
    return own
  }
  const released = await findReleasedVersion(world.db, {
    versionId, deviceId: reader.deviceId, nowMs: world.clock.nowMs(),
  })
  if (released === undefined) throw new Refusal('version-not-found')
  if (released.fetchedAtMs === null) await noteFirstFetch(world, released)
  return released
}

type Released = NonNullable<Awaited<ReturnType<typeof findReleasedVersion>>>

async function noteFirstFetch(world: World, released: Released): Promise<void> {
  const nowMs = world.clock.nowMs()
  await updateFetched(world.db, { releaseId: released.releaseId, nowMs }, sealEvent({
    type: 'version.fetched', id: uuidv7(), log: world.keys.log.origin, at: formatTime(nowMs),
    actor: `person/${released.personId}`, vault: released.vaultId, party: released.personId,
    grant: released.grantId, document: released.documentId, part: released.part,
    version: released.version,
  }))
  world.sequencer.wake()
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
