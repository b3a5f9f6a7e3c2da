/**
 * Versions that somebody may read ciphertext of, asked of the database for every range, so that a
 * revocation is exact. Shared by the use-cases that let ciphertext out.
 */
import { uuidv7 } from 'uuidv7'
import {
  findOwnVersion, findReleasedVersion, updateFetched, type Fetchable,
} from '../db/queries/releases.js'
import { formatTime, sealEvent } from '../protocol/log/event.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

/** Who asks: the owner, or a device to which a header of the version was released. */
export type Reader = { ownerId: string } | { deviceId: string }

/**
 * The version, if this reader may have it now. Refuses: version-not-found (absent, not hers, revoked alike).
 * Effects: the first asking under a release appends `version.fetched`.
 */
export async function requireReadable(
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
