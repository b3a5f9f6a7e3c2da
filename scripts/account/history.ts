/**
 * The log as the command line saw it last, in a file beside the session, one for each server and log: the browser's
 * remembered checkpoint (SPEC.md § 7.4, § 7.12), for whoever works here. A log that did not grow out of it is two
 * histories, both are kept, and nothing is made under it until somebody has looked.
 */
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import type { Config } from '../../protocol/api.js'
import { decodeUtf8, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { originOfVkey } from '../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint, type Policy } from '../../protocol/log/policy.js'
import { verifyRotation, withLinkedKeys, type Rotation } from '../../protocol/log/rotation.js'
import { CHECKPOINT_PATH, logFolder, type ReadResource } from '../../protocol/log/tile.js'
import { readSessionFolder } from '../../server/config.js'
import { Refused } from '../command.js'
import { isOneHistory } from '../verify/one-history.js'
import { readerOf } from '../verify/read-log.js'
import type { Line } from './line.js'
import { keep, readText } from './saved-session.js'

const MAX_SIZE_BYTES = 256 * 1024
const NAME_HASH_LENGTH = 32
/** In the place of an origin: the log of this server that was met last, whichever it is. */
const LINE = ''

const HistoryFile = Type.Object({
  /** The key by which the log was first met. */
  vkey: Type.String(),
  checkpoint: Type.String(),
  /** What was shown instead of what had followed from it. */
  fork: Type.Union([Type.Null(), Type.String()]),
})
type Kept = Static<typeof HistoryFile>

interface Place {
  readonly address: string
  readonly line: Pick<Line, 'get'>
  /** The log's files; from the server if left out. */
  readonly read?: ReadResource
}

/**
 * Look at the log, remember it, and go on only if it grew out of what was remembered.
 * @throws ProtocolError `forked-log` now and from then on, until the file is put aside; what a checkpoint that
 * is not this log's throws.
 */
export async function requireNoFork({ address, line, read: given }: Place): Promise<void> {
  const config = await line.get<Config>('/api/config')
  const origin = originOfVkey(config.logVkey)
  const name = nameOf(address, origin)
  const kept = await readKept(name)
  if (kept !== null && kept.fork !== null) throw forked(name)
  const rotations = config.logRotations.map(verifyRotation)
  const vkey = kept?.vkey ?? config.logVkey
  const policy = withLinkedKeys(policyOfLog(vkey), rotations)
  const read = given ?? readerOf(urlOf(address, origin))
  const shown = await readShown(read)
  await requireSameLine(address, { origin, shown, rotations })
  const next = kept === null
    ? { vkey, checkpoint: newest(shown, policy), fork: null }
    : await follow(kept, shown, { policy, read })
  await keep(name, next)
  if (next.fork !== null) throw forked(name)
  await keep(nameOf(address, LINE), next)
}

interface ShownLog {
  readonly origin: string
  readonly shown: string
  readonly rotations: readonly Rotation[]
}

/**
 * The log that was met here last, or one that it leads to by both logs' word (SPEC.md § 7.13), from an end that what is
 * remembered leads to. @throws ProtocolError `forked-log` for any other, with both kept.
 */
async function requireSameLine(
  address: string, { origin, shown, rotations }: ShownLog,
): Promise<void> {
  const name = nameOf(address, LINE)
  const last = await readKept(name)
  if (last === null) return
  if (last.fork !== null) throw forked(name)
  const policy = withLinkedKeys(policyOfLog(last.vkey), rotations)
  const isNamed = policy.logs.some(({ key }) => key.name === origin)
  if (isNamed && await isBefore(last, { address, origin, policy })) return
  await keep(name, { ...last, fork: shown })
  throw forked(name)
}

/** Whether what is remembered is of that log, or is no more, and nothing else, than what its own one has ended with. */
async function isBefore(
  { checkpoint }: Kept,
  { address, origin: shownAs, policy: { closings = [], ...policy } }:
  { address: string, origin: string, policy: Policy },
): Promise<boolean> {
  const remembered = verifyCheckpoint(checkpoint, policy).checkpoint
  const { origin, size } = remembered
  const end = closings.find((closing) => closing.checkpoint.origin === origin)?.checkpoint
  if (end === undefined) return origin === shownAs
  const read = readerOf(urlOf(address, origin))
  return size <= end.size && await isOneHistory(read, remembered, end)
}

function newest(note: string, policy: Policy): string {
  verifyCheckpoint(note, policy)
  return note
}

/** The newer of the two stays; two that cannot both be true stay together. */
async function follow(
  kept: Kept, shown: string, { policy, read }: { policy: Policy, read: ReadResource },
): Promise<Kept> {
  const [before, now] = [kept.checkpoint, shown]
    .map((note) => verifyCheckpoint(note, policy).checkpoint)
  if (before === undefined || now === undefined) return kept
  // Behind a cache a checkpoint may be seconds old; then the tiles that are there prove it as well.
  const isOne = await isOneHistory(read, before, now)
  if (!isOne) return { ...kept, fork: shown }
  return now.size >= before.size ? { ...kept, checkpoint: shown } : kept
}

async function readShown(read: ReadResource): Promise<string> {
  const bytes = await read(CHECKPOINT_PATH)
  if (bytes === null) throw new Refused('the server shows no log')
  return decodeUtf8(bytes)
}

/** What is there and not understood is never taken for nothing. */
async function readKept(name: string): Promise<Kept | null> {
  const text = await readText(pathOf(name), MAX_SIZE_BYTES)
  if (text === null) return null
  try {
    const kept: unknown = JSON.parse(text)
    if (Value.Check(HistoryFile, kept)) return kept
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Refused(`${pathOf(name)} is damaged`)
}

function forked(name: string): ProtocolError {
  return new ProtocolError('forked-log', `two histories; both signed checkpoints are in ${pathOf(name)}, put it aside when that is settled`)
}

function urlOf(address: string, origin: string): string {
  return new URL(`/log/${logFolder(origin)}/`, address).href
}

function pathOf(name: string): string {
  return join(readSessionFolder(), name)
}

function nameOf(address: string, origin: string): string {
  const hash = encodeHex(sha256(encodeUtf8(`${address}\n${origin}`)))
  return `log-${hash.slice(0, NAME_HASH_LENGTH)}.json`
}
