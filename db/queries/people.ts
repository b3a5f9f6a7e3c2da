/** Whoever came through a link, as the founder sees them: rows in, rows out. */
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import type { Db } from '../client.js'
import { acceptances, devices, grants, people, releases, vaults } from '../schema.js'

export type PersonRow = Awaited<ReturnType<typeof listPeople>>[number]

/**
 * The people behind a vault's links, newest first, with when each of their acts came first.
 *
 * @param after - the id of the last person of the page before.
 */
export async function listPeople(
  db: Db, page: { vaultId: string, after?: string | undefined, limit: number },
) {
  const isLater = page.after === undefined ? undefined : sql`(${people.createdAtMs}, ${people.id}) <
    (select p.created_at, p.id from ${people} p where p.id = ${page.after}::uuid)`
  return await peopleWithActs(db).where(and(eq(grants.vaultId, page.vaultId), isLater))
    .orderBy(desc(people.createdAtMs), desc(people.id)).limit(page.limit)
}

/** All people of one link, or of one vault's links, for a revocation's report; oldest first. */
export async function listRevoked(
  db: Db, scope: { grantId: string } | { vaultId: string } | { personId: string }, limit: number,
): Promise<PersonRow[]> {
  const isInScope = 'grantId' in scope ? eq(people.grantId, scope.grantId)
    : 'vaultId' in scope ? eq(grants.vaultId, scope.vaultId) : eq(people.id, scope.personId)
  return await peopleWithActs(db).where(isInScope).orderBy(asc(people.createdAtMs), asc(people.id))
    .limit(limit)
}

function peopleWithActs(db: Db) {
  return db.select({
    id: people.id, grantId: people.grantId, name: people.name, email: people.email,
    createdAtMs: people.createdAtMs,
    verifiedAtMs: people.verifiedAtMs, declinedAtMs: people.declinedAtMs,
    revokedAtMs: people.revokedAtMs,
    signedAtMs: first(sql`min(a.created_at) from ${acceptances} a where a.person_id = ${people.id}`),
    releasedAtMs: first(sql`min(r.released_at) from ${releases} r where r.person_id = ${people.id}`),
    openedAtMs: first(sql`min(r.fetched_at) from ${releases} r where r.person_id = ${people.id}`),
    lastStatus: sql<string | null>`(select a.status from ${acceptances} a where a.person_id = ${people.id}
      order by a.created_at desc, a.id desc limit 1)`,
    signedEventId: sql<string | null>`(select a.event_id from ${acceptances} a where a.person_id = ${people.id}
      order by a.created_at desc, a.id desc limit 1)`,
    deviceCount: sql`(select count(*) from ${devices} d where d.person_id = ${people.id})`.mapWith(Number),
  }).from(people).innerJoin(grants, eq(grants.id, people.grantId))
}

function first(from: ReturnType<typeof sql>) {
  return sql<number | null>`(select ${from})`.mapWith(people.createdAtMs)
}

/** The person behind one of the owner's links; `undefined` for anybody else's. */
export async function findOwnPerson(
  db: Db, key: { personId: string, grantId: string, ownerId: string },
) {
  const [row] = await db.select({
    id: people.id, grantId: people.grantId, vaultId: grants.vaultId,
    revokedAtMs: people.revokedAtMs,
  })
    .from(people).innerJoin(grants, eq(grants.id, people.grantId))
    .innerJoin(vaults, eq(vaults.id, grants.vaultId))
    .where(and(
      eq(people.id, key.personId), eq(people.grantId, key.grantId), eq(vaults.ownerId, key.ownerId),
      sql`${vaults.deletedAtMs} is null`))
  return row
}
