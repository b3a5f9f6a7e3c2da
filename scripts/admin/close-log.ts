/**
 * `sealdeck admin close-log --next ORIGIN`: ends the log with `log.closed`, and lets the next one, of that origin and under a key of its
 * own, go on (SPEC.md § 7.13, docs/operating.md).
 *
 * The next log's key stands behind the old one's in the key's file or in LOG_KEY; what else is to be done follows from that and
 * from the event ([Note: Closing in steps] in server/border.ts): a command that was interrupted is given again.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { deletePending, listPending } from '../../db/queries/log.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { formatTime, parseEvent, sealEvent } from '../../protocol/log/event.js'
import { logKeyPath, logPrefix, makeLogKey, openKeys, type LogKey } from '../../server/keys.js'
import { openLogs, type LogSpan } from '../../server/logs.js'
import { startSequencer, type Sequencer } from '../../server/sequencer.js'
import { closableBy, openWitnessPolicy } from '../../server/witness-policy.js'
import { startWitnesses } from '../../server/witnesses.js'
import type { LogParts } from '../../server/world.js'
import { readArguments, UsageError, type Terminal } from '../command.js'
import { replaceFile } from '../replace-file.js'
import { line } from '../verify/words.js'

const USAGE = 'sealdeck admin close-log --next ORIGIN [--unwitnessed yes]'
const ORIGIN_PATTERN = /^[^\s+]{1,200}$/
/** The witnesses must be at hand before: afterwards there is no way back. */
const WITNESS_WAIT_MS = 30_000
const CLOSE_WAIT_MS = 60_000
const POLL_MS = 100
const MAX_ENDS = 100

export async function closeLog(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const { option } = readArguments(args, {
    options: ['next', 'unwitnessed'], positionalCount: 0, usage: USAGE,
  })
  const origin = option('next')
  if (origin === undefined || !ORIGIN_PATTERN.test(origin)) throw new UsageError(`usage: ${USAGE}`)
  const current = parts.logs.current()
  if (current.origin === origin) return await conclude(parts, terminal)
  await requireOther(parts, origin)
  const next = parts.keys.logs.find((log) => log.origin === origin)
  if (next === undefined && parts.config.logKey !== undefined) {
    return await writeNextKey(parts, origin, terminal)
  }
  if (next === undefined) await addKey(parts, origin)
  const keys = await openKeys(parts.config, parts.clock)
  const closing = { ...parts, keys, logs: await openLogs({ ...parts, keys }) }
  const isUnwitnessed = option('unwitnessed') === 'yes'
  return await close(closing, { current, origin, isUnwitnessed }, terminal)
}

/** Names and folders are for ever: none is used twice. */
async function requireOther({ logs, keys, bucket }: LogParts, origin: string): Promise<void> {
  const isNamed = logs.list().some((span) =>
    span.origin === origin || span.prefix === logPrefix(origin))
  // Of another instance, or of a database that was restored: what lies there is no empty log.
  const isUsed = isNamed || (await bucket.list(`${logPrefix(origin)}/`, 1)).length > 0
  const other = keys.logs.find((log) => ![origin, logs.current().origin].includes(log.origin))
  if (other !== undefined) throw new UsageError(`LOG_KEY (or DATA_DIR/keys/log.key) holds the key of ${other.origin}, too: give --next that, or take the key out first`)
  if (isUsed) throw new UsageError(`${origin} has the name or the folder (${logPrefix(origin)}) of a log that was`)
  if (keys.log.signers.length > 1) throw new UsageError('the log\'s key is being rotated: finish that first (rotate-log-key --finish)')
}

async function addKey({ config }: LogParts, origin: string): Promise<void> {
  const path = logKeyPath(config)
  const old = (await readFile(path, 'utf8')).trim()
  await replaceFile(path, `${old}\n${makeLogKey(origin)}\n`)
}

/** Where the key is a setting, the operator's own store holds it: the new one is made into a file, not shown. */
async function writeNextKey(
  { config }: LogParts, origin: string, terminal: Terminal,
): Promise<number> {
  const path = join(config.dataFolder, 'keys', 'log.key.next')
  try {
    await writeFile(path, `${makeLogKey(origin)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere) throw error
    const isOurs = (await readFile(path, 'utf8')).startsWith(`PRIVATE+KEY+${origin}+`)
    if (!isOurs) throw new UsageError(`${path} holds a key of another log: delete it, if that is kept or not needed, and give this command again`)
  }
  terminal.out(`The next log's key is in ${path}. LOG_KEY must now be the old key, a space and this new one,`)
  terminal.out('on every instance: start them again one after another, tell the witnesses the new key, and give this command again.')
  terminal.out('Delete the file once the key is in your store.')
  return 0
}

interface Closing {
  readonly current: LogSpan
  readonly origin: string
  readonly isUnwitnessed: boolean
}

async function close(
  parts: LogParts, { current, origin, isUnwitnessed }: Closing, terminal: Terminal,
): Promise<number> {
  const policy = await openWitnessPolicy(parts.config, parts)
  const isClosable = closableBy(policy, parts.keys)
  const sequencer = await startSequencer(parts, { isClosable })
  const witnesses = await startWitnesses({ ...parts, sequencer, policy })
  try {
    const isSeen = await until(WITNESS_WAIT_MS, async () =>
      isClosable((await sequencer.current()).checkpoint))
    if (!isSeen && !isUnwitnessed) {
      terminal.err('The witnesses\' quorum does not cosign now, and a log that is closed without it never gets it. ' +
        'Nothing was closed. See that they answer, or give --unwitnessed yes.')
      return 1
    }
    await askToClose(parts, { current, origin })
    const isClosed = await until(CLOSE_WAIT_MS, () => hasBegun(parts, sequencer, origin))
    if (isClosed) return await conclude(parts, terminal)
    terminal.err(`ASKED: ${current.origin} closes as soon as an instance leads that has both keys. Start them again with both, and give this command again.`)
    return 1
  } finally {
    await witnesses.stop()
    await sequencer.stop()
  }
}

/** The event, once: the integrator gives it its size and its place ([Note: The last entry] in integrator.ts). */
async function askToClose(
  { database, keys, clock }: LogParts, { current, origin }: Pick<Closing, 'current' | 'origin'>,
): Promise<void> {
  const next: LogKey | undefined = keys.logs.find((log) => log.origin === origin)
  if (next === undefined) throw new UsageError(`there is no key for ${origin}`)
  const waiting = await listPending(database.logDb, MAX_ENDS, 'log.closed')
  const isAsked = ({ bytes }: { bytes: Uint8Array }): boolean => {
    const { log, nextLog, logKey } = parseEvent(bytes)
    return log === current.origin && nextLog === next.origin && logKey === next.vkey
  }
  // What was asked before and has not begun, for another name or key, is taken back.
  const others = waiting.filter((one) => !isAsked(one))
  await deletePending(database.logDb, others.map(({ eventId }) => eventId))
  if (others.length < waiting.length) return
  await insertEvents(database.logDb, [sealEvent({
    type: 'log.closed', id: uuidv7(), log: current.origin, at: formatTime(clock.nowMs()),
    actor: 'operator', size: 0, nextLog: next.origin, logKey: next.vkey,
  })])
}

async function hasBegun(
  { logs }: LogParts, sequencer: Sequencer, origin: string,
): Promise<boolean> {
  sequencer.wake()
  const { checkpoint } = await sequencer.current()
  await logs.follow(checkpoint)
  return checkpoint.startsWith(`${origin}\n`)
}

async function until(timeoutMs: number, isDone: () => Promise<boolean>): Promise<boolean> {
  const endsAtMs = performance.now() + timeoutMs
  while (performance.now() < endsAtMs) {
    if (await isDone()) return true
    await wait(POLL_MS)
  }
  return false
}

/** The key's file is the next one's alone from here on; what signed before signs nothing any more. */
async function conclude(
  { config, keys, logs }: LogParts, terminal: Terminal,
): Promise<number> {
  const [closed, current] = logs.list().slice(-2)
  if (closed === undefined || current === undefined || closed.closing === null) {
    terminal.err('No log was closed here: the log has that origin from its beginning.')
    return 1
  }
  terminal.out(line('closed', `${closed.origin}, ${current.firstIndex - closed.firstIndex} entries`))
  terminal.out(line('goes on', `${current.origin}`))
  terminal.out(line('verify with', keys.log.vkey))
  if (config.logKey === undefined) await keepLastKey(config, current.origin)
  else terminal.out('LOG_KEY may now be the new key alone.')
  terminal.out('CLOSED: the old log stays where it is, and leads to the new one. Destroy all copies of the old key.')
  return 0
}

async function keepLastKey(
  config: Parameters<typeof logKeyPath>[0], origin: string,
): Promise<void> {
  const path = logKeyPath(config)
  const secrets = (await readFile(path, 'utf8')).trim().split(/\s+/)
  const kept = secrets.filter((secret) => secret.startsWith(`PRIVATE+KEY+${origin}+`))
  if (kept.length > 0) await replaceFile(path, `${kept.join('\n')}\n`)
}
