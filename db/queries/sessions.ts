/** Sessions of accounts, and whom an investor's token stands for: rows in, rows out. */
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import { askTogether, keysIn, preparedOnce, type Db } from '../client.js'
import { devices, grants, people, sessions, users } from '../schema.js'

export type Session = typeof sessions.$inferSelect
export type NewSession = Omit<Session, 'previousTokenHash' | 'revokedAtMs'>

export async function insertSession(db: Db, session: NewSession): Promise<void> {
  await db.insert(sessions).values(session)
}

/**
 * Exchange a refresh token for the next one, if it is the session's current one and in time. One
 * statement: of two that bring the same token, one gets the row.
 *
 * @returns the session, or `undefined`.
 */
export async function rotateSession(db: Db, rotation: {
  id: string, tokenHash: Uint8Array, nextTokenHash: Uint8Array, nowMs: number,
  idleExpiresAtMs: number,
}): Promise<Session | undefined> {
  const { id, tokenHash, nextTokenHash, nowMs, idleExpiresAtMs } = rotation
  const [row] = await db.update(sessions)
    .set({
      previousTokenHash: tokenHash, tokenHash: nextTokenHash, rotatedAtMs: nowMs, idleExpiresAtMs,
    })
    .where(and(
      eq(sessions.id, id), eq(sessions.tokenHash, tokenHash), isNull(sessions.revokedAtMs),
      gt(sessions.idleExpiresAtMs, nowMs), gt(sessions.expiresAtMs, nowMs),
    ))
    .returning()
  return row
}

/** The session whatever its state; `undefined` if there is none. */
export async function findSession(db: Db, id: string): Promise<Session | undefined> {
  const [row] = await db.select().from(sessions).where(eq(sessions.id, id))
  return row
}

/** @returns false if it was over already. */
export async function revokeSession(db: Db, id: string, nowMs: number): Promise<boolean> {
  const rows = await db.update(sessions).set({ revokedAtMs: nowMs })
    .where(and(eq(sessions.id, id), isNull(sessions.revokedAtMs))).returning({ id: sessions.id })
  return rows.length > 0
}

/** End all sessions of an account, but for one where that is kept. */
export async function revokeSessionsOf(
  db: Db, userId: string, nowMs: number, exceptId?: string,
): Promise<void> {
  await db.update(sessions).set({ revokedAtMs: nowMs }).where(and(
    eq(sessions.userId, userId), isNull(sessions.revokedAtMs),
    exceptId === undefined ? undefined : sql`${sessions.id} <> ${exceptId}`,
  ))
}

/** Note that a factor was proven just now: acts that need a fresh one look at it. */
export async function markProven(db: Db, id: string, nowMs: number): Promise<void> {
  await db.update(sessions).set({ provenAtMs: nowMs }).where(eq(sessions.id, id))
}

export interface LiveSession {
  readonly sessionId: string
  readonly userId: string
  readonly email: string
  readonly provenAtMs: number
  readonly isRecoveryConfirmed: boolean
}

/**
 * Who stands behind a session, looked up with every request ([Note: Asked together] in db/client.ts).
 *
 * @returns `undefined` for what is over, unknown, revoked or disabled.
 */
export async function findLiveSession(
  db: Db, id: string, nowMs: number,
): Promise<LiveSession | undefined> {
  const row = await findLive(db, id)
  if (row === undefined || row.expiresAtMs <= nowMs) return undefined
  const { recoveryConfirmedAtMs, expiresAtMs: _, ...session } = row
  return { ...session, isRecoveryConfirmed: recoveryConfirmedAtMs !== null }
}

const findLive = askTogether(async (db, ids) => {
  const rows = await liveStatement(db).execute({ ids: ids.join() })
  return new Map(rows.map((row) => [row.sessionId, row]))
})

const liveStatement = preparedOnce((db) => db
  .select({
    sessionId: sessions.id, userId: users.id, email: users.email, provenAtMs: sessions.provenAtMs,
    recoveryConfirmedAtMs: users.recoveryConfirmedAtMs, expiresAtMs: sessions.expiresAtMs,
  })
  .from(sessions).innerJoin(users, eq(users.id, sessions.userId))
  .where(and(sql`${sessions.id} = any(${keysIn('ids')}::uuid[])`, isNull(sessions.revokedAtMs), isNull(users.disabledAtMs)))
  .prepare('live_sessions'))

/** Whom an investor's token stands for, with what was revoked, for the caller to say which; as `findLiveSession`. */
export const findInvestor = askTogether<InvestorRow>(async (db, ids) => {
  const rows = await investorStatement(db).execute({ ids: ids.join() })
  return new Map(rows.map((row) => [row.deviceId, row]))
})

const investorStatement = preparedOnce((db) => db
  .select({
    deviceId: devices.id, personId: people.id, grantId: grants.id, vaultId: grants.vaultId,
    email: people.email,
    name: people.name, deviceRevokedAtMs: devices.revokedAtMs,
    personRevokedAtMs: people.revokedAtMs,
    grantRevokedAtMs: grants.revokedAtMs,
  })
  .from(devices).innerJoin(people, eq(people.id, devices.personId))
  .innerJoin(grants, eq(grants.id, devices.grantId))
  .where(sql`${devices.id} = any(${keysIn('ids')}::uuid[])`)
  .prepare('investors'))

export interface InvestorRow {
  readonly deviceId: string
  readonly personId: string
  readonly grantId: string
  readonly vaultId: string
  readonly email: string | null
  readonly name: string | null
  readonly deviceRevokedAtMs: number | null
  readonly personRevokedAtMs: number | null
  readonly grantRevokedAtMs: number | null
}
