/** `sealdeck admin gc [--dry-run]`: objects in the bucket that no row refers to. */
import { isClockOff } from '../../server/clock-difference.js'
import { deleteGarbage, findGarbage, GARBAGE_GRACE_MS, markGarbage } from '../../server/garbage.js'
import { listDueTombstones } from '../../db/queries/objects.js'
import type { LogParts } from '../../server/world.js'
import { readArguments, Refused, takeFlags, type Terminal } from '../command.js'

const USAGE = 'sealdeck admin gc [--dry-run]'
const MAX_TOLD_KEYS = 20
const MAX_PAGES = 1_000_000
const MAX_DUE = 100_000

/** A bucket is looked through whole; what is deleted was marked by a run a week ago. */
export async function collectGarbage(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const flags = takeFlags(args, ['dry-run'])
  readArguments(flags.rest, { options: [], positionalCount: 0, usage: USAGE })
  const isDry = flags.has('dry-run')
  const lock = await parts.database.tryCollect()
  if (lock === undefined) throw new Refused('another instance collects, or a backup copies: try again in a minute')
  try {
    const world = { ...parts, db: parts.database.db }
    if (await isClockOff(world)) throw new Refused('this machine\'s clock is more than a minute from the database\'s: by it, too much would be deleted')
    const { objectCount, keys } = await lookThrough(world, isDry, terminal)
    for (const key of keys.slice(0, MAX_TOLD_KEYS)) terminal.out(`  ${key}`)
    if (keys.length > MAX_TOLD_KEYS) terminal.out(`  and ${keys.length - MAX_TOLD_KEYS} more`)
    terminal.out(`${objectCount} objects, ${keys.length} of them without a row${isDry ? '' : ', all marked'}.`)
    await deleteDue(world, isDry, terminal)
    return 0
  } finally {
    await lock.release()
  }
}

type Collecting = LogParts & Parameters<typeof markGarbage>[0]

async function lookThrough(world: Collecting, isDry: boolean, terminal: Terminal) {
  const keys: string[] = []
  let objectCount = 0
  let after: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = isDry ? await findGarbage(world, after) : await markGarbage(world, after)
    objectCount += found.objectCount
    keys.push(...found.unreferred)
    if (terminal.isWatched) terminal.err(`${objectCount} objects looked at`)
    after = found.next
    if (after === undefined) break
  }
  return { objectCount, keys }
}

async function deleteDue(world: Collecting, isDry: boolean, terminal: Terminal): Promise<void> {
  const beforeMs = world.clock.nowMs() - GARBAGE_GRACE_MS
  if (isDry) {
    const due = await listDueTombstones(world.db, { beforeMs, limit: MAX_DUE })
    return terminal.out(`DRY RUN: ${due.length} were marked a week ago and would be deleted. Nothing was changed.`)
  }
  let count = 0
  for (let round = 0; round < MAX_DUE; round++) {
    const deleted = await deleteGarbage(world)
    count += deleted.length
    if (deleted.length === 0) break
  }
  terminal.out(`COLLECTED: ${count} that were marked a week ago are deleted.`)
}
