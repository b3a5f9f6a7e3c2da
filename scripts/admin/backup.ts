/** `sealdeck admin backup DIR` and `sealdeck admin restore DIR`: database and bucket together. */
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkWholeLog } from '../../server/log-check.js'
import type { LogParts } from '../../server/world.js'
import { listSnapshots, readManifest } from '../backup/folder.js'
import {
  checkSnapshot, fillBucket, fillDatabase, requireRestorable, type Restoring,
} from '../backup/read.js'
import { writeSnapshot } from '../backup/write.js'
import { confirm, readArguments, Refused, takeFlags, type Terminal } from '../command.js'
import { line } from '../verify/words.js'

const BACKUP_USAGE = 'sealdeck admin backup DIR'
const RESTORE_USAGE = 'sealdeck admin restore DIR [--at SNAPSHOT] [--behind] [--yes]'
const MAX_TOLD_PROBLEMS = 10
const BUSY = 'objects are being collected, or another backup runs: try again in a minute'

export async function backUpInstance(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const options = { options: [], positionalCount: 1, usage: BACKUP_USAGE }
  const { positionals } = readArguments(args, options)
  const folder = resolve(positionals[0] ?? '')
  const lock = await parts.database.tryCollect()
  if (lock === undefined) throw new Refused(BUSY)
  try {
    const written = await writeSnapshot(parts, folder, progressOf(terminal))
    const { name, manifest, newObjectCount } = written
    terminal.out(line('snapshot', join(folder, 'snapshots', name)))
    terminal.out(line('log', `${manifest.publishedSize} entries published, ${manifest.headSize} in the database`))
    terminal.out(line('objects', `${manifest.objectCount}, ${manifest.objectBytes} bytes; ${newObjectCount} of them new`))
    terminal.out('BACKED UP. The instance\'s keys are not in it (DATA_DIR/keys): keep a copy of them elsewhere.')
    return 0
  } finally {
    await lock.release()
  }
}

export async function restoreInstance(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const flags = takeFlags(args, ['behind', 'yes'])
  const options = { options: ['at'], positionalCount: 1, usage: RESTORE_USAGE }
  const { positionals, option } = readArguments(flags.rest, options)
  const folder = resolve(positionals[0] ?? '')
  const name = await chooseSnapshot(folder, option('at'))
  const manifest = await readManifest(folder, name)
  const isBehind = flags.has('behind')
  const restoring = { folder, name, manifest, isBehind, onProgress: progressOf(terminal) }
  const locks = [await parts.database.tryLead(), await parts.database.tryCollect()]
  try {
    if (locks.includes(undefined)) throw new Refused('an instance is running: stop all instances first')
    return await restore(parts, restoring, { isConfirmed: flags.has('yes'), terminal })
  } finally {
    for (const lock of locks) await lock?.release()
  }
}

async function chooseSnapshot(folder: string, wanted: string | undefined): Promise<string> {
  await access(folder)
  const snapshots = await listSnapshots(folder)
  const name = wanted === undefined ? snapshots.at(-1) : snapshots.find((one) => one === wanted)
  if (name === undefined) throw new Refused(`there is no such whole snapshot in ${folder}; these are: ${snapshots.join(', ') || 'none'}`)
  return name
}

async function restore(
  parts: LogParts, restoring: Restoring,
  { isConfirmed, terminal }: { isConfirmed: boolean, terminal: Terminal },
): Promise<number> {
  const { manifest, isBehind } = restoring
  const owner = await parts.database.openOwner()
  try {
    await requireRestorable(parts, owner, restoring)
    const sums = await checkSnapshot(restoring)
    terminal.out(line('snapshot', `${restoring.name}, ${manifest.publishedSize} entries, ${manifest.objectCount} objects`))
    await confirm('Every row of this database is replaced by those of the snapshot.', isConfirmed)
    const count = await fillBucket(parts, restoring, sums)
    terminal.out(line('objects', `${count} put back, the others were there`))
    await fillDatabase(owner, restoring)
  } finally {
    await owner.close()
  }
  return isBehind ? sayBehind(terminal) : await checkRestored(parts, terminal)
}

function sayBehind(terminal: Terminal): number {
  terminal.out('RESTORED behind the published log. No instance starts now: run `npx sealdeck admin fsck --repair` next.')
  return 0
}

async function checkRestored(parts: LogParts, terminal: Terminal): Promise<number> {
  const { problems, problemCount } = await checkWholeLog(parts)
  for (const problem of problems.slice(0, MAX_TOLD_PROBLEMS)) terminal.out(`WRONG: ${problem}`)
  terminal.out(problemCount === 0
    ? 'RESTORED. Entries, tiles, roots, checkpoint, openings and tags fit together.'
    : `RESTORED, but ${problemCount} things of the log are wrong: \`npx sealdeck admin fsck\` names them.`)
  return problemCount === 0 ? 0 : 1
}

function progressOf(terminal: Terminal): (line: string) => void {
  return (said) => { if (terminal.isWatched) terminal.err(said) }
}
