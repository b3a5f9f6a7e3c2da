/**
 * The lock on a data folder: one process at a time ([Note: One process]).
 *
 * [Note: One process] PGlite takes no lock of its own; two processes on one folder lose rows without
 * a word. The lock file holds the owner's process id and start time, so that a crashed owner, or
 * another process that was given the same id, is told from a live one.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const MAX_ATTEMPTS = 3

export class DataFolderLocked extends Error {
  override readonly name = 'DataFolderLocked'
}

interface Owner { readonly pid: number, readonly startedAt: string }

/**
 * Take the folder for this process. Takes over from an owner that is gone.
 *
 * @returns a function that gives the folder back.
 * @throws DataFolderLocked if a live process has it.
 */
export async function lockDataFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'lock')
  const mine = JSON.stringify({ pid: process.pid, startedAt: startTimeOf(process.pid) ?? '' })
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await createLock(path, mine)) return () => unlink(path)
    await removeIfAbandoned(path, folder)
  }
  throw new DataFolderLocked(`${folder} is in use by another Sealdeck`)
}

async function createLock(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  await writeFile(draft, content, { mode: 0o600 })
  try {
    // A link appears whole or not at all, so nobody reads a half-written owner.
    await link(draft, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await unlink(draft)
  }
}

async function removeIfAbandoned(path: string, folder: string): Promise<void> {
  const seen = await readIfThere(path)
  if (seen === undefined) return
  const owner = parseOwner(seen)
  if (owner !== undefined && isAlive(owner)) {
    throw new DataFolderLocked(`${folder} is in use by another Sealdeck (process ${owner.pid})`)
  }
  const aside = `${path}.abandoned.${process.pid}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return // Another process was first; the next attempt sees its lock.
    throw error
  }
  // What was moved aside may be the lock of a third process that took over in between: give it back.
  if (await readIfThere(aside) !== seen) await createLock(path, await readFile(aside, 'utf8'))
  await unlink(aside)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function parseOwner(text: string): Owner | undefined {
  const match = /^\{"pid":(\d{1,10}),"startedAt":"(\d*)"\}$/.exec(text)
  return match === null ? undefined : { pid: Number(match[1]), startedAt: match[2] ?? '' }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false
    if (!isCode(error, 'EPERM')) throw error
  }
  const startedAt = startTimeOf(owner.pid)
  return startedAt === undefined || owner.startedAt === '' || startedAt === owner.startedAt
}

/** When a process started, in kernel ticks; `undefined` where the system does not tell (no /proc). */
function startTimeOf(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
  // The name may hold spaces and parentheses; fields are counted from the last one. Field 22, proc(5).
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
