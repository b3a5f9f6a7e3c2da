/**
 * `sealdeck verify monitor`: remembers the log as it was and demands that it only grew.
 *
 * It keeps the edge of the tree it has verified, reads the entries that came since, and appends
 * them itself: if that leads to the new checkpoint's root, nothing before was changed and the new
 * entries are the ones in the tree. With a vault's tag key it finds the vault's events among
 * them; with an export it also tells which of those the export does not show; with a vault of whoever is
 * signed in it judges each event as her browser does (watch-vault.ts).
 *
 * [Note: Evidence] A checkpoint that does not follow from the remembered one is the proof of a fork. Both
 * are signed; both are saved, and the state is left as it was.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { decodeHex, decodeUtf8, encodeHex, equalBytes } from '../../protocol/bytes.js'
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.js'
import { MAX_EXPORT_SIZE_BYTES } from '../../protocol/limits.js'
import { parseCheckpoint } from '../../protocol/log/checkpoint.js'
import { TagScanner } from '../../protocol/log/completeness.js'
import { decodeEntry } from '../../protocol/log/event.js'
import { parseExport } from '../../protocol/log/export.js'
import {
  appendLeaves, decodeEdge, EMPTY_EDGE, edgeRoot, encodeEdge, hashLeaf, type Edge,
} from '../../protocol/log/merkle.js'
import { firstIndexOf, verifyLine, type Span } from '../../protocol/log/line.js'
import { parseDecimal, parseNote } from '../../protocol/log/note.js'
import { verifyCheckpoint, type Policy, type TrustedCheckpoint } from '../../protocol/log/policy.js'
import { bundleOfEntry, CHECKPOINT_PATH, readBundle, type ReadResource } from '../../protocol/log/tile.js'
import { readArguments, UsageError, type Arguments, type Run, type Terminal } from '../command.js'
import { replaceFile } from '../replace-file.js'
import { platformHash } from './log.js'
import { placeOf, readerOf } from './read-log.js'
import { followLog } from './rotations.js'
import { readText, requirePolicy } from './trust.js'
import { ensureTagKey, lookAtVault } from './watch-vault.js'
import { listCheckpoint } from './words.js'

const USAGE = 'sealdeck verify monitor URL (--vkey VKEY | --policy FILE) --state FILE [--tag-key FILE] [--export FILE] ' +
  '[--vault ID [--passphrase-file FILE]] [--every SECONDS]'
const STATE_FORMAT = 'sealdeck-monitor/v1'
const MAX_STATE_SIZE_BYTES = 64 * 1024
const FORK_CODES: readonly ProtocolErrorCode[] = ['wrong-origin', 'forked-log']
const MAX_INTERVAL_SECONDS = 24 * 60 * 60

/** What is remembered between two looks, as five lines of text and the checkpoint. */
interface State {
  readonly edge: Edge
  /** The vault's event number to expect next; 0 if tags were not looked at from the beginning. */
  readonly nextSequence: number
  /** The signed checkpoint of that edge, or empty before the first look. */
  readonly checkpoint: string
}

const NEW_STATE: State = { edge: EMPTY_EDGE, nextSequence: 1, checkpoint: '' }

interface Watch {
  /** Where the log is, or was before another went on. */
  readonly place: string
  readonly policy: Policy
  readonly statePath: string
  readonly tagKey: Uint8Array | null
  /** The indexes that the caller knows of, or `null` if she did not say. */
  readonly known: ReadonlySet<bigint> | null
  /** Hers who is signed in: each of its events is judged, too. */
  readonly vaultId: string | null
}

export const monitorLog: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['vkey', 'policy', 'state', 'tag-key', 'export', 'vault', 'passphrase-file', 'every'],
    positionalCount: 1, usage: USAGE,
  })
  const watch = await readWatch(parsed)
  const intervalSeconds = readInterval(parsed.option('every'))
  if (intervalSeconds === null) return await look(watch, terminal)
  // For as long as nothing is wrong; whoever runs it stops it.
  let status = 0
  while (status === 0) {
    status = await look(watch, terminal)
    if (status === 0) await wait(intervalSeconds * 1000)
  }
  return status
}

async function readWatch(parsed: Arguments): Promise<Watch> {
  const { option, positionals } = parsed
  const statePath = option('state')
  if (statePath === undefined) throw new UsageError(`usage: ${USAGE}`)
  const tagKeyPath = option('tag-key')
  const exportPath = option('export')
  const vaultId = option('vault') ?? null
  if (vaultId !== null && tagKeyPath === undefined) throw new UsageError('--vault needs --tag-key FILE, which is made if it is not there')
  if (vaultId !== null && tagKeyPath !== undefined) {
    await ensureTagKey(tagKeyPath, vaultId, option('passphrase-file'))
  }
  return {
    vaultId,
    place: positionals[0] ?? '',
    policy: await requirePolicy(parsed),
    statePath,
    tagKey: tagKeyPath === undefined ? null : await readTagKey(tagKeyPath),
    known: exportPath === undefined ? null : await readKnown(exportPath),
  }
}

function readInterval(text: string | undefined): number | null {
  if (text === undefined) return null
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_INTERVAL_SECONDS) {
    throw new UsageError('--every is a number of seconds from 1 to 86400')
  }
  return seconds
}

/** A file, so that the key is in no list of processes. 64 hex digits. */
async function readTagKey(path: string): Promise<Uint8Array> {
  const key = decodeHex((await readText(path, 128)).trim())
  if (key.length !== 32) throw new UsageError(`${path} does not hold a tag key of 64 hex digits`)
  return key
}

async function readKnown(path: string): Promise<ReadonlySet<bigint>> {
  const { events } = parseExport(await readText(path, MAX_EXPORT_SIZE_BYTES))
  return new Set(events.map(({ index }) => index))
}

// ---- One look ----

async function look(given: Watch, terminal: Terminal): Promise<number> {
  // Each time: a log may take a new key while it is watched, or be closed, and another goes on.
  const { place, read, policy } = await followLog(given.policy, given.place)
  const watch = { ...given, place, policy }
  const state = await readState(watch)
  const isOurs = isBelieved(state, policy)
  const bytes = await read(CHECKPOINT_PATH)
  if (bytes === null) throw new Error('there is no checkpoint at that place')
  const checkpoint = decodeUtf8(bytes)
  if (!isOurs) return await alarmFork(watch, { state, checkpoint }, terminal)
  const spans = verifyLine(checkpoint, policy)
  const trusted = verifyCheckpoint(checkpoint, policy)

  const scanner = startScanner(watch, state)
  const edge = await follow(watch, { state, spans, scanner })
  if (edge === null) return await alarmFork(watch, { state, checkpoint }, terminal)
  const alarms = scanner === null ? [] : listAlarms(scanner, watch.known)
  const nextSequence = scanner?.nextSequence ?? 0
  await replaceFile(watch.statePath, formatState({ edge, nextSequence, checkpoint }))
  const counts = {
    before: sizeBefore(state, policy),
    after: firstIndexOf(policy, trusted.checkpoint.origin) + edge.size,
  }
  const status = announce({ trusted, ...counts, scanner, alarms }, terminal)
  return Math.max(status, await judge(watch, spans, terminal))
}

/** With `--vault`: what only the founder's own signatures can tell. */
async function judge(
  { vaultId, tagKey, statePath, place, policy }: Watch, spans: readonly Span[],
  terminal: Terminal,
): Promise<number> {
  if (vaultId === null || tagKey === null) return 0
  const places = new Map<string, ReadResource>()
  return await lookAtVault({
    vaultId, tagKey, statePath: `${statePath}.vault`, policy, spans,
    async read(path, origin) {
      const known = places.get(origin) ?? readerOf(await placeOf(place, origin))
      places.set(origin, known)
      return await known(path)
    },
  }, terminal)
}

/** What was verified once and is none of what is shown now: the log went back over a border, or on beyond one. */
function isBelieved({ checkpoint }: State, policy: Policy): boolean {
  try {
    if (checkpoint !== '') verifyCheckpoint(checkpoint, policy)
    return true
  } catch (error) {
    if (error instanceof ProtocolError && FORK_CODES.includes(error.code)) return false
    throw error
  }
}

function originOf({ checkpoint }: State): string | undefined {
  return checkpoint === '' ? undefined : checkpoint.split('\n', 1)[0]
}

/** Entries over all logs that were looked at before. */
function sizeBefore(state: State, policy: Policy): bigint {
  const origin = originOf(state)
  return origin === undefined ? 0n : firstIndexOf(policy, origin) + state.edge.size
}

function startScanner({ tagKey, statePath }: Watch, { nextSequence }: State): TagScanner | null {
  if (tagKey === null) return null
  if (nextSequence === 0) {
    throw new UsageError(`${statePath} was begun without --tag-key: begin a new one to look at tags`)
  }
  return new TagScanner(tagKey, { nextSequence })
}

/** The edge after the new entries, or `null` if the log did not simply grow. */
async function follow(
  watch: Watch,
  { state, spans, scanner }:
  { state: State, spans: readonly Span[], scanner: TagScanner | null },
): Promise<Edge | null> {
  const origin = originOf(state)
  const from = origin === undefined ? 0
    : spans.findIndex(({ trusted }) => trusted.checkpoint.origin === origin)
  if (from < 0) return null // What was watched is none of what is shown now.
  let edge: Edge | null = state.edge
  for (const [at, span] of spans.slice(from).entries()) {
    edge = await followOne(watch, { span, edge: at === 0 ? state.edge : EMPTY_EDGE, scanner })
    if (edge === null) break
  }
  return edge
}

/** The edge at the end of one log, or of what is shown of it. */
async function followOne(
  { place }: Watch,
  { span, edge: before, scanner }: { span: Span, edge: Edge, scanner: TagScanner | null },
): Promise<Edge | null> {
  const { firstIndex, trusted: { checkpoint: { origin, size, root } } } = span
  if (size < before.size) return null
  const read = readerOf(await placeOf(place, origin))
  let edge = before
  while (edge.size < size) {
    const entries = await readNext(read, edge.size, size)
    for (const [at, entry] of entries.entries()) {
      scanner?.scan(firstIndex + edge.size + BigInt(at), decodeEntry(entry).vaultTag)
    }
    edge = appendLeaves(edge, entries.map((entry) => hashLeaf(entry, platformHash)), platformHash)
  }
  return equalBytes(edgeRoot(edge), root) ? edge : null
}

/** The entries from `index` to the end of its bundle. */
async function readNext(read: ReadResource, index: bigint, size: bigint): Promise<Uint8Array[]> {
  const entries = await readBundle(read, bundleOfEntry(index, size))
  return entries.slice(Number(index & 255n))
}

function listAlarms({ problems, tagged }: TagScanner, known: ReadonlySet<bigint> | null): string[] {
  const unknown = known === null ? [] : tagged.filter(({ index }) => !known.has(index))
  return [
    ...problems.map(({ kind, sequence, index }) =>
      `event number ${sequence} of the vault is ${kind} (noticed at index ${index})`),
    ...unknown.map(({ index, sequence }) =>
      `event number ${sequence} of the vault, at index ${index}, is not in the export`),
  ]
}

interface Look {
  readonly trusted: TrustedCheckpoint
  /** Over all logs. */
  readonly before: bigint
  readonly after: bigint
  readonly scanner: TagScanner | null
  readonly alarms: readonly string[]
}

function announce(
  { trusted, before, after, scanner, alarms }: Look, terminal: Terminal,
): number {
  terminal.out(`VERIFIED: the log grew from ${before} to ${after} entries and changed nothing`)
  for (const text of listCheckpoint(trusted)) terminal.out(text)
  if (scanner !== null) terminal.out(`  ${scanner.tagged.length} new events of the vault`)
  for (const alarm of alarms) terminal.err(`ALARM: ${alarm}`)
  return alarms.length === 0 ? 0 : 1
}

/** See [Note: Evidence]. */
async function alarmFork(
  watch: Watch, { state, checkpoint }: { state: State, checkpoint: string }, terminal: Terminal,
): Promise<number> {
  const evidencePath = `${watch.statePath}.fork`
  const evidence = `seen before:\n\n${state.checkpoint}\nseen now:\n\n${checkpoint}`
  await writeFile(evidencePath, evidence)
  terminal.err('ALARM: the checkpoint does not follow from the one seen before, or its entries were changed')
  terminal.err(`Both checkpoints are kept in ${evidencePath}`)
  return 1
}

// ---- State ----

function formatState({ edge, nextSequence, checkpoint }: State): string {
  return `${STATE_FORMAT}\nsize ${edge.size}\nedge ${encodeHex(encodeEdge(edge))}\nnext ${nextSequence}\n\n${checkpoint}`
}

/** The remembered state, checked like anything else that was read: files can be damaged. */
async function readState({ statePath }: Watch): Promise<State> {
  const text = await findText(statePath)
  if (text === null) return NEW_STATE
  const match = /^sealdeck-monitor\/v1\nsize ([0-9]+)\nedge ([0-9a-f]*)\nnext ([0-9]+)\n\n([^]+)$/.exec(text)
  const [, size = '', edgeHex = '', next = '', checkpoint = ''] = match ?? []
  if (match === null || text.length > MAX_STATE_SIZE_BYTES) {
    throw new UsageError(`${statePath} is not the state of a monitor`)
  }
  const edge = decodeEdge(parseDecimal(size, 'malformed-checkpoint'), decodeHex(edgeHex))
  const { size: signedSize, root } = parseCheckpoint(parseNote(checkpoint).text)
  const isSame = signedSize === edge.size && equalBytes(root, edgeRoot(edge))
  if (!isSame) throw new ProtocolError('malformed-checkpoint', `${statePath} was changed`)
  return { edge, nextSequence: Number(parseDecimal(next, 'malformed-checkpoint')), checkpoint }
}

async function findText(path: string): Promise<string | null> {
  try {
    return decodeUtf8(await readFile(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
