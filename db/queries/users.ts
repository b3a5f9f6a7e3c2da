/** Accounts: rows in, rows out. An address is canonical before it comes here (server/email.ts). */
import { eq, sql } from 'drizzle-orm'
import { askTogether, keysIn, preparedOnce, type Db } from '../client.js'
import { rowWhere } from '../insert-where.js'
import { keyringRows, users } from '../schema.js'
import type { NewKeyringRow } from './keyring.js'

export type User = typeof users.$inferSelect
export type NewUser =
  Pick<User, 'id' | 'email' | 'name' | 'locale' | 'signingPublicKey' | 'recipient' | 'createdAtMs'>

/**
 * Make an account with its first way in, in one statement: there is no account that nobody can enter.
 *
 * @returns the account, or `undefined` if the id or the address is taken.
 * @throws the driver's error if the row's id or credential is taken (db/client.ts `violatedConstraint`).
 */
export async function insertUser(
  db: Db, user: NewUser, row: NewKeyringRow,
): Promise<User | undefined> {
  const made = db.$with('made').as(db.insert(users).values(user).onConflictDoNothing().returning())
  const entered = db.$with('entered').as(
    db.insert(keyringRows)
      .select(rowWhere(keyringRows, row, sql`exists (select 1 from ${made})`))
      .returning({ id: keyringRows.id }),
  )
  const [inserted] = await db.with(made, entered).select().from(made)
  return inserted
}

/** The account, disabled ones left out; `undefined` if there is none. */
export async function findUser(db: Db, id: string): Promise<User | undefined> {
  const row = await findAny(db, id)
  return row?.disabledAtMs === null ? row : undefined
}

const findAny = askTogether(async (db, ids) => {
  const rows = await usersStatement(db).execute({ ids: ids.join() })
  return new Map(rows.map((row) => [row.id, row]))
})

const usersStatement = preparedOnce((db) => db.select().from(users)
  .where(sql`${users.id} = any(${keysIn('ids')}::uuid[])`).prepare('find_users'))

/** The account behind a canonical address, disabled ones left out. */
export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  const [row] = await db.select().from(users).where(eq(users.email, email))
  return row?.disabledAtMs === null ? row : undefined
}
