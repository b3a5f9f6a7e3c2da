/** What a revocation did, person by person: a key that was released cannot be un-known, and she is told so. */
import { setTimeout } from 'node:timers/promises'
import { listRevoked, type PersonRow } from '../db/queries/people.js'
import type { RevocationEffect, RevocationReport } from '../protocol/api.js'
import { assert } from '../protocol/errors.js'
import type { DirectAccess } from './bucket.js'
import type { World } from './world.js'

const MAX_REPORTED_PEOPLE = 5_000

/**
 * [Note: Live addresses] An address in the bucket cannot be taken back. It is good for a few seconds from
 * before its asker was found entitled, so once these have passed since a revocation, none is left; only
 * then is the revocation acknowledged. The last second is for the clocks' difference.
 */
export const DIRECT_GET_SECONDS = 15
const RUN_OUT_MS = (DIRECT_GET_SECONDS + 1) * 1_000

/** Where browsers read from the bucket themselves; `undefined` where they do not. */
export function directDownloads({ config, bucket }: World): DirectAccess | undefined {
  if (config.downloads === 'server') return undefined
  assert(bucket.direct !== undefined, 'the settings allow direct downloads with S3 alone')
  return bucket.direct
}

async function outliveAddresses(world: World, revokedAtMs: number): Promise<void> {
  if (directDownloads(world) === undefined) return
  const restMs = Math.min(RUN_OUT_MS, revokedAtMs + RUN_OUT_MS - world.clock.nowMs())
  if (restMs > 0) await setTimeout(restMs)
}

/** The report, once the revocation has taken effect everywhere ([Note: Live addresses]). */
export async function reportRevocation(
  world: World, scope: Parameters<typeof listRevoked>[1],
  done: { revokedAtMs: number, headerCount: number },
): Promise<RevocationReport> {
  await outliveAddresses(world, done.revokedAtMs)
  const rows = await listRevoked(world.db, scope, MAX_REPORTED_PEOPLE)
  return {
    ...done,
    people: rows.map((row) => ({ personId: row.id, name: row.name ?? '', email: row.email, effect: effectOn(row) })),
  }
}

function effectOn(person: PersonRow): RevocationEffect {
  if (person.openedAtMs !== null) return 'released-and-opened'
  return person.releasedAtMs === null ? 'never-released' : 'released-now-withheld'
}
