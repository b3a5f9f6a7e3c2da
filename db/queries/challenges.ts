/** The server's half of a ceremony in two requests (WebAuthn, OPAQUE): given out once, taken back once. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import type { Db } from '../client.js'
import { challenges } from '../schema.js'

export type Challenge = typeof challenges.$inferSelect
export type NewChallenge = typeof challenges.$inferInsert

export async function insertChallenge(db: Db, challenge: NewChallenge): Promise<void> {
  await db.insert(challenges).values(challenge)
}

/** Use the challenge up; `undefined` if it is unknown, of another kind, used or expired. */
export async function takeChallenge(
  db: Db, taken: { id: string, kind: Challenge['kind'], nowMs: number },
): Promise<Challenge | undefined> {
  const [row] = await db.update(challenges).set({ usedAtMs: taken.nowMs })
    .where(and(
      eq(challenges.id, taken.id), eq(challenges.kind, taken.kind), isNull(challenges.usedAtMs),
      gt(challenges.expiresAtMs, taken.nowMs)))
    .returning()
  return row
}
