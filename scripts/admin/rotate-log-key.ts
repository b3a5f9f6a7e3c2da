/**
 * `sealdeck admin rotate-log-key [--finish]`: gives the log another key of the same name. First both sign; the old one is
 * dropped after a month, when whoever watches has learnt the new one (SPEC.md § 7.11, docs/operating.md).
 *
 * The key's file is replaced whole, and what else is to be done follows from it at every start
 * ([Note: Rotation in steps] in server/rotations.ts): a command that was interrupted is given again.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseTime } from '../../protocol/log/event.js'
import { equalKeys, formatVkey } from '../../protocol/log/note.js'
import type { Rotation } from '../../protocol/log/rotation.js'
import { logKeyPath, makeLogKey, openKeys } from '../../server/keys.js'
import { openLogs } from '../../server/logs.js'
import { startRotations } from '../../server/rotations.js'
import { startSequencer } from '../../server/sequencer.js'
import type { LogParts } from '../../server/world.js'
import { UsageError, type Terminal } from '../command.js'
import { replaceFile } from '../replace-file.js'
import { line } from '../verify/words.js'

const USAGE = 'usage: sealdeck admin rotate-log-key [--finish]'
/** Both keys sign for at least so long. */
const OVERLAP_MS = 30 * 24 * 3_600_000

export async function rotateLogKey(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const isFinish = args[0] === '--finish'
  if (args.length > (isFinish ? 1 : 0)) throw new UsageError(USAGE)
  return isFinish ? await finish(parts, terminal) : await begin(parts, terminal)
}

// ---- Both keys ----

async function begin(parts: LogParts, terminal: Terminal): Promise<number> {
  const { config, keys } = parts
  const isBegun = keys.log.signers.length > 1
  if (!isBegun && config.logKey !== undefined) return await writeNextKey(parts, terminal)
  if (!isBegun) await addKey(parts)
  const renewed = await openKeys(config, parts.clock)
  const logs = await openLogs({ ...parts, keys: renewed })
  const rotating = { ...parts, keys: renewed, logs }
  const link = await announce(rotating)
  for (const { key } of rotating.keys.log.signers) terminal.out(line('signs', formatVkey(key)))
  if (link === undefined) {
    terminal.out('BEGUN: the server that runs must be started again; then both keys sign, and it announces the new one.')
    return 0
  }
  terminal.out('ROTATING: both keys sign, and the log says so (log.key-rotated). Tell the witnesses the new key.')
  terminal.out(`Drop the old key after ${new Date(endOf(link)).toISOString().slice(0, 10)}: npx sealdeck admin rotate-log-key --finish`)
  return 0
}

async function addKey(parts: LogParts): Promise<void> {
  const path = logKeyPath(parts.config)
  const old = (await readFile(path, 'utf8')).trim()
  await replaceFile(path, `${old}\n${makeLogKey(parts.keys.log.origin)}\n`)
}

/** Where the key is a setting, the operator's own store holds it: the new one is made into a file, not shown. */
async function writeNextKey({ config, keys }: LogParts, terminal: Terminal): Promise<number> {
  const path = join(config.dataFolder, 'keys', 'log.key.next')
  try {
    await writeFile(path, `${makeLogKey(keys.log.origin)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere) throw error
  }
  terminal.out(`The new key is in ${path}. LOG_KEY must now be the old key, a space and this new one,`)
  terminal.out('on every instance: start them again one after another, and the log says so (log.key-rotated).')
  terminal.out('Give this command again then to see that it did. Delete the file once the key is in your store.')
  return 0
}

/** @returns the statement, or `undefined` if another instance leads that has not both keys yet. */
async function announce(parts: LogParts): Promise<Rotation | undefined> {
  const sequencer = await startSequencer(parts)
  try {
    const rotations = await startRotations({ ...parts, sequencer })
    try {
      await rotations.settle()
      return findLink(parts, rotations.links())
    } finally {
      await rotations.stop()
    }
  } finally {
    await sequencer.stop()
  }
}

/** The statement that links the two keys that sign now. */
function findLink({ keys }: LogParts, links: readonly Rotation[]): Rotation | undefined {
  const next = keys.log.signers[1]?.key
  return next === undefined ? undefined : links.find((link) => equalKeys(link.next, next))
}

function endOf({ event }: Rotation): number {
  return parseTime(event.at) + OVERLAP_MS
}

// ---- The new key alone ----

async function finish(parts: LogParts, terminal: Terminal): Promise<number> {
  const { config, keys, clock } = parts
  const next = keys.log.signers[1]
  if (next === undefined) {
    terminal.err('Only one key signs: there is nothing to finish.')
    return 1
  }
  const link = await announce(parts)
  if (link === undefined || clock.nowMs() < endOf(link)) {
    terminal.err(link === undefined
      ? 'The new key is not announced yet: start all instances with both keys first.'
      : `Both keys must sign until ${new Date(endOf(link)).toISOString()}: those who watch need the time.`)
    return 1
  }
  if (config.logKey !== undefined) {
    terminal.out(`LOG_KEY may now be the new key alone, the one of ${formatVkey(next.key)}.`)
  } else {
    const [, secret] = (await readFile(logKeyPath(config), 'utf8')).trim().split(/\s+/)
    await replaceFile(logKeyPath(config), `${secret ?? ''}\n`)
    terminal.out(`FINISHED: from the next start on ${formatVkey(next.key)} signs alone.`)
  }
  terminal.out('Destroy all copies of the old key: those whose links pin it believe what it signs.')
  return 0
}
