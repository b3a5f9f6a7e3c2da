/**
 * The session that `sealdeck login` leaves for the other commands: one file that only its owner may
 * read. Holds tokens and the root as the server keeps it, locked by the passphrase through OPAQUE;
 * must never hold a passphrase, an export key or the root itself.
 */
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { Account, KeyringRow } from '../../protocol/api.js'
import { readSessionFolder } from '../../server/config.js'
import { Refused } from '../command.js'
import { replaceFile } from '../replace-file.js'

const MAX_SESSION_SIZE_BYTES = 64 * 1024

const SavedSession = Type.Object({
  address: Type.String(),
  account: Account,
  row: KeyringRow,
  accessToken: Type.String(),
  /** As the cookie has it: `name=value`. */
  refreshCookie: Type.String(),
})

/** A passphrase was right, and the code that follows it is awaited. */
const PendingSignIn = Type.Object({
  address: Type.String(), email: Type.String(), challengeId: Type.String(),
})

export type SavedSession = Static<typeof SavedSession>
export type PendingSignIn = Static<typeof PendingSignIn>

/** @throws Refused if nobody is signed in. */
export async function readSession(): Promise<SavedSession> {
  const kept = await read('session.json')
  if (!Value.Check(SavedSession, kept)) throw new Refused('nobody is signed in: sealdeck login ADDRESS --email E')
  return kept
}

export async function keepSession(session: SavedSession): Promise<void> {
  await keep('session.json', session)
}

/** @returns `null` if no code is awaited. */
export async function readPending(): Promise<PendingSignIn | null> {
  const kept = await read('sign-in.json')
  return Value.Check(PendingSignIn, kept) ? kept : null
}

/** `null` forgets it. */
export async function keepPending(pending: PendingSignIn | null): Promise<void> {
  if (pending === null) await rm(join(readSessionFolder(), 'sign-in.json'), { force: true })
  else await keep('sign-in.json', pending)
}

/** For its owner alone, in the folder that the session lies in. */
export async function keep(name: string, content: object): Promise<void> {
  const folder = readSessionFolder()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await replaceFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
}

/** `null` if it is not there, or is not what this version writes. */
async function read(name: string): Promise<unknown> {
  try {
    const text = await readText(join(readSessionFolder(), name), MAX_SESSION_SIZE_BYTES)
    return text === null ? null : JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** @returns `null` if it is not there. @throws Refused if it is larger. */
export async function readText(path: string, maxSizeBytes: number): Promise<string | null> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const { size } = await file.stat()
    if (size > maxSizeBytes) throw new Refused(`${path}: larger than ${maxSizeBytes} bytes`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
