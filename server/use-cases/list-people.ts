/** Who came through a vault's links, and how far. */
import { listPeople as listRows, type PersonRow } from '../../db/queries/people.js'
import type { Person, PersonList, PersonState } from '../../protocol/api.js'
import { requireVault } from '../vaults.js'
import type { World } from '../world.js'

/** One page, newest first. Refuses: vault-not-found. */
export async function listPeople(
  world: World,
  page: { vaultId: string, userId: string, after?: string | undefined, limit: number },
): Promise<PersonList> {
  await requireVault(world, page)
  const rows = await listRows(world.db, page)
  return {
    people: rows.map(presentPerson),
    next: rows.length < page.limit ? null : rows.at(-1)?.id ?? null,
  }
}

function presentPerson(row: PersonRow): Person {
  const { id, grantId, email, createdAtMs, verifiedAtMs, declinedAtMs, revokedAtMs } = row
  const { signedAtMs, releasedAtMs, openedAtMs, deviceCount, signedEventId } = row
  return {
    personId: id, grantId, name: row.name ?? '', email, askedAtMs: createdAtMs, verifiedAtMs, signedAtMs, releasedAtMs,
    openedAtMs, declinedAtMs, revokedAtMs, deviceCount, signedEventId, state: stateOf(row),
  }
}

/** The last word first; what waits for the founder before what has merely been read. */
function stateOf(row: PersonRow): PersonState {
  if (row.revokedAtMs !== null) return 'revoked'
  if (row.lastStatus === 'awaiting') return 'awaiting'
  if (row.lastStatus === 'denied') return 'denied'
  if (row.declinedAtMs !== null) return 'declined'
  if (row.openedAtMs !== null) return 'opened'
  if (row.releasedAtMs !== null) return 'released'
  if (row.signedAtMs !== null) return 'signed'
  return row.verifiedAtMs === null ? 'asked' : 'verified'
}
