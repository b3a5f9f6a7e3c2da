/** What a revocation did, person by person: a key that was released cannot be un-known, and she is told so. */
import { listRevoked, type PersonRow } from '../db/queries/people.js'
import type { RevocationEffect, RevocationReport } from '../protocol/api.js'
import type { World } from './world.js'

const MAX_REPORTED_PEOPLE = 5_000

/** The report, read after the revocation has taken effect. */
export async function reportRevocation(
  world: World, scope: Parameters<typeof listRevoked>[1],
  done: { revokedAtMs: number, headerCount: number },
): Promise<RevocationReport> {
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
