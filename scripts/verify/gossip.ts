/**
 * `sealdeck verify gossip`: checkpoints that people bring from wherever they saw them, held against a log and so
 * against each other: all must be of one history. Witnesses do the same for those who name them; this is for who
 * has only each other. Their cosignatures are not asked for: the log's own word is what is compared.
 */
import { text as readAll } from 'node:stream/consumers'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { MAX_NOTE_SIZE_BYTES } from '../../protocol/limits.js'
import type { Checkpoint } from '../../protocol/log/checkpoint.js'
import { verifyCheckpoint, type Closing, type Policy } from '../../protocol/log/policy.js'
import { CHECKPOINT_PATH, type ReadResource } from '../../protocol/log/tile.js'
import { readArguments, UsageError, type Run, type Terminal } from '../command.js'
import { replaceFile } from '../replace-file.js'
import { isOneHistory } from './one-history.js'
import { placeOf, readerOf } from './read-log.js'
import { followLog, type FollowedLog } from './rotations.js'
import { readText, requirePolicy } from './trust.js'
import { line } from './words.js'

const USAGE = 'sealdeck verify gossip DIR|URL [--checkpoint FILE ...] (--vkey VKEY | --policy FILE) [--evidence FILE]'
const MAX_BROUGHT_COUNT = 100
const DEFAULT_EVIDENCE_PATH = 'sealdeck-fork.txt'
const STANDARD_INPUT = '-'

/** A checkpoint that the log's key has signed, and who has it. */
interface Seen {
  readonly from: string
  readonly note: string
  readonly checkpoint: Checkpoint
}

export const verifyGossip: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['checkpoint', 'vkey', 'policy', 'evidence'], positionalCount: 1, usage: USAGE,
  })
  const [place = ''] = parsed.positionals
  const newest = await followLog(await requirePolicy(parsed), place)
  const { closings = [], ...anyEnd } = { ...newest.policy, quorum: null }
  const brought = await readBrought(parsed.list('checkpoint'), anyEnd)
  const shown = await readShown(newest.place, newest.read, anyEnd)
  // A log that was closed is what its end says; that its folder shows the same is looked at, too.
  const first = newest.place === place ? [] : [await readShown(place, readerOf(place), anyEnd)]
  const forks: Seen[] = []
  const against = new Set<Seen>()
  for (const one of [...brought, ...first]) {
    const log = logOf(one, { place, newest, shown, closings })
    if (await fits(await log.read, one, log.seen)) continue
    forks.push(one)
    against.add(log.seen)
  }
  if (forks.length > 0) {
    return await alarm([...against, ...forks], { forks, path: parsed.option('evidence') }, terminal)
  }
  const { origin, size } = shown.checkpoint
  terminal.out(`VERIFIED: ${brought.length + 1} checkpoints are of one history`)
  terminal.out(line('log', `${origin}, ${size} entries`))
  for (const { from, checkpoint } of brought) terminal.out(line(`${checkpoint.size} entries`, from))
  return 0
}

/** Without a file, one comes by standard input. */
async function readBrought(paths: readonly string[], policy: Policy): Promise<Seen[]> {
  if (paths.length > MAX_BROUGHT_COUNT) throw new UsageError(`at most ${MAX_BROUGHT_COUNT} checkpoints at a time`)
  const brought: Seen[] = []
  for (const path of paths.length === 0 ? [STANDARD_INPUT] : paths) {
    const note = path === STANDARD_INPUT
      ? await readAll(process.stdin)
      : await readText(path, MAX_NOTE_SIZE_BYTES)
    const from = path === STANDARD_INPUT ? 'standard input' : path
    brought.push({ from, note, checkpoint: verifyCheckpoint(note, policy).checkpoint })
  }
  return brought
}

async function readShown(place: string, read: ReadResource, policy: Policy): Promise<Seen> {
  const bytes = await read(CHECKPOINT_PATH)
  if (bytes === null) throw new Error('there is no checkpoint at that place')
  const note = decodeUtf8(bytes)
  return { from: place, note, checkpoint: verifyCheckpoint(note, policy).checkpoint }
}

interface KnownLogs {
  /** As it was given: the folder of any log of the line. */
  readonly place: string
  readonly newest: FollowedLog
  readonly shown: Seen
  readonly closings: readonly Closing[]
}

/** The log that a checkpoint is of: what goes on, as it is shown, or one before, as it ended. */
function logOf(
  { from, checkpoint: { origin } }: Seen, { place, newest, shown, closings }: KnownLogs,
): { seen: Seen, read: Promise<ReadResource> } {
  if (origin === shown.checkpoint.origin) return { seen: shown, read: Promise.resolve(newest.read) }
  const end = closings.find(({ checkpoint }) => checkpoint.origin === origin)
  if (end === undefined) throw new UsageError(`${from} is of another log, ${origin}`)
  const seen = { from: `the end of ${origin}`, note: end.note, checkpoint: end.checkpoint }
  return { seen, read: placeOf(place, origin).then(readerOf) }
}

/** A log that shows fewer entries than it has signed has lost some, or is not the newest copy: no proof can be had. */
async function fits(read: ReadResource, brought: Seen, shown: Seen): Promise<boolean> {
  const [one, log] = [brought.checkpoint, shown.checkpoint]
  return one.size <= log.size && await isOneHistory(read, one, log)
}

/** All are signed by the log's key: together they are the proof. */
async function alarm(
  seen: readonly Seen[],
  { forks, path: evidencePath = DEFAULT_EVIDENCE_PATH }:
  { forks: readonly Seen[], path: string | undefined },
  terminal: Terminal,
): Promise<number> {
  await replaceFile(evidencePath, seen.map(({ from, note }) => `${from}:\n\n${note}\n`).join(''))
  for (const { from, checkpoint } of forks) {
    const other = seen.find((one) => one.checkpoint.origin === checkpoint.origin)
    const why = checkpoint.size > (other?.checkpoint.size ?? 0n)
      ? 'has more entries than the log shows: it was cut, or that is an old copy'
      : 'is of another history than the log shows'
    terminal.err(`ALARM: the checkpoint of ${checkpoint.size} entries from ${from} ${why}`)
  }
  terminal.err(`The signed checkpoints are kept in ${evidencePath}`)
  return 1
}
