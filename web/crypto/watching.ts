/**
 * The founder's own look at her log (SPEC.md § 8.4): her keys find and judge her events, this device remembers how far
 * it has looked and what it found. Must not speak to the network: the page reads, this believes only what is proven.
 *
 * [Note: Alarms stay] A finding stays on this device until she says that she has dealt with it. A server that mends its
 * answers afterwards does not take it away, and signing out does not either.
 */
import { decodeUtf8, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { deriveVaultTagKey } from '../../protocol/deck/identity.js'
import { assert, ProtocolError } from '../../protocol/errors.js'
import type { Span } from '../../protocol/log/line.js'
import { originOfVkey } from '../../protocol/log/note.js'
import type { OwnMemory } from '../../protocol/log/own-events.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { CHECKPOINT_PATH } from '../../protocol/log/tile.js'
import {
  NEW_WATCH, watchLog, type Finding, type Looked, type WatchedVault, type WatchState,
} from '../../protocol/log/watch.js'
import type { CryptoWorker, WatchFinding, WatchInput, WatchReport, WatchReads } from '../crypto.js'
import type { History } from './checking.js'
import type { Newest } from './newest.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'

type WatchMethods = Pick<CryptoWorker,
  'watch' | 'settleFindings' | 'watchEvidence' | 'compareVault' | 'noteRevoked' | 'forgetVault'>

/** Findings that are kept; the first are what matters. */
const MAX_FINDINGS = 200
/** A thousand bundles: 17 MB, a few seconds. */
export const MAX_ENTRIES_PER_LOOK = 262_144

interface Kept {
  readonly state: WatchState
  readonly findings: readonly Finding[]
  readonly settled: readonly string[]
  /** The checkpoint that was looked at last. */
  readonly checkpoint: string
  readonly checkedSize: number
  readonly treeSize: number
  readonly atMs: number
}

const NOTHING_KEPT: Kept = {
  state: NEW_WATCH, findings: [], settled: [], checkpoint: '', checkedSize: 0, treeSize: 0, atMs: 0,
}

interface Parts {
  readonly platform: Platform
  readonly owner: Owner
  readonly history: History
  readonly newest: Newest
}

export function createWatching(parts: Parts): WatchMethods {
  const { newest } = parts
  let turn: Promise<unknown> = Promise.resolve()

  /** One look at a time: each goes on where the one before has stopped. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const next = turn.then(run)
    turn = next.catch(() => undefined)
    return next
  }
  return {
    watch: (input, reads) => inTurn(() => watch(parts, input, reads)),
    settleFindings: (logVkey, keys) => inTurn(() => settle(parts, logVkey, keys)),
    watchEvidence: (logVkey) => evidenceOf(parts, logVkey),
    compareVault: (vault) => newest.look(vault),
    noteRevoked: (ids) => newest.noteRevoked(ids),
    forgetVault: (logVkey, vaultId) => inTurn(() => forgetVault(parts, logVkey, vaultId)),
  }
}

// ---- What is kept ----

/**
 * By the log that this device met first: what is remembered goes on over the line's borders, and no statement that a
 * server shows, or leaves out, puts anything else in its place.
 */
async function nameOf(parts: Parts, logVkey: string): Promise<string> {
  const pinned = await parts.platform.store.read(lineName(parts))
  const first = pinned === null ? logVkey : decodeUtf8(pinned)
  return `${lineName(parts)}/${originOfVkey(first)}`
}

async function readKept(parts: Parts, logVkey: string): Promise<Kept> {
  const bytes = await parts.platform.store.read(await nameOf(parts, logVkey))
  if (bytes === null) return NOTHING_KEPT
  const kept: Kept = JSON.parse(decodeUtf8(bytes))
  return kept
}

async function writeKept(parts: Parts, logVkey: string, kept: Kept): Promise<void> {
  const name = await nameOf(parts, logVkey)
  await parts.platform.store.write(name, encodeUtf8(JSON.stringify(kept)))
}

// ---- One look ----

async function watch(parts: Parts, input: WatchInput, reads: WatchReads): Promise<WatchReport> {
  const { logVkey } = input
  const kept = await readKept(parts, logVkey)
  let spans: readonly Span[]
  try {
    spans = await readOffered(parts, input, reads)
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'forked-log') throw error
    return await reportOf(parts, input, kept)
  }
  const offered = spans.at(-1)
  assert(offered !== undefined, 'what is shown is of a log')
  const looked = await watchLog({
    spans, logVkeys: parts.history.keys.linkedTo(logVkey), state: kept.state,
    vaults: vaultsOf(parts, input),
    nowMs: parts.platform.nowMs(), maxEntryCount: input.maxEntryCount ?? MAX_ENTRIES_PER_LOOK,
  }, { ...callsOf(reads), ...memoriesOf(parts, logVkey) })
  await noteRevocations(parts, looked)
  const next = joined(kept, looked, { checkpoint: offered.note, atMs: parts.platform.nowMs() })
  await writeKept(parts, logVkey, next)
  return await reportOf(parts, input, next)
}

/** @throws ProtocolError `forked-log`, with what shows it kept. */
async function readOffered(
  parts: Parts, { logVkey }: WatchInput, reads: WatchReads,
): Promise<readonly Span[]> {
  const { history } = parts
  const origin = originOfVkey(logVkey)
  const bytes = await reads.readFile(CHECKPOINT_PATH, origin)
  if (bytes === null) throw new ProtocolError('missing-tile', 'checkpoint')
  const note = decodeUtf8(bytes)
  if (!note.startsWith(`${origin}\n`)) throw new ProtocolError('wrong-origin', 'the checkpoint of another log')
  const spans = await history.verifyShown(note, history.keys.trust(policyOfLog(logVkey)))
  await requireSameLine(parts, logVkey, note)
  const last = spans.at(-1)
  assert(last !== undefined, 'what is shown is of a log')
  await history.requireGrowth(last, (from, to, log) => reads.readConsistency(from, to, log))
  return spans
}

function lineName({ owner }: Parts): string {
  return `watch/${encodeBase64Url(owner.keys().fingerprint)}`
}

/** Her log is the one that this device met first, and those that it leads to by its own statements: no other takes its place unnoticed. */
async function requireSameLine(parts: Parts, logVkey: string, offered: string): Promise<void> {
  const { platform: { store }, history } = parts
  const pinned = await store.read(lineName(parts))
  if (pinned === null) return await store.write(lineName(parts), encodeUtf8(logVkey))
  const first = decodeUtf8(pinned)
  if (history.keys.linkedTo(logVkey).includes(first)) return
  const remembered = await history.remembered(originOfVkey(first)) ?? first
  await history.keepFork(originOfVkey(logVkey), { remembered, offered })
  throw new ProtocolError('forked-log', originOfVkey(logVkey))
}

function vaultsOf({ owner }: Parts, { vaultIds, accountId }: WatchInput): WatchedVault[] {
  const { signing, fingerprint } = owner.keys()
  return vaultIds.map((vaultId) => ({
    vaultId, tagKey: deriveVaultTagKey(owner.root(), vaultId), actor: `account/${accountId}`,
    founder: { signingKey: signing.publicKey, fingerprint },
  }))
}

/** One by one: what comes from the page answers to every name, and lists none. */
function callsOf(reads: WatchReads): Omit<WatchReads, 'readConsistency'> {
  return {
    readFile: (path, origin) => reads.readFile(path, origin),
    listEvents: (vaultId, range) => reads.listEvents(vaultId, range),
    readStatements: (vaultId, asked) => reads.readStatements(vaultId, asked),
    onProgress: (doneCount, totalCount) => reads.onProgress(doneCount, totalCount),
  }
}

function memoriesOf(parts: Parts, logVkey: string) {
  const { store } = parts.platform
  const nameOfVault = async (vaultId: string): Promise<string> =>
    `${await nameOf(parts, logVkey)}/${vaultId}`
  return {
    async readMemory(vaultId: string): Promise<OwnMemory | null> {
      const bytes = await store.read(await nameOfVault(vaultId))
      if (bytes === null) return null
      const memory: OwnMemory = JSON.parse(decodeUtf8(bytes))
      return memory
    },
    async writeMemory(vaultId: string, memory: OwnMemory): Promise<void> {
      await store.write(await nameOfVault(vaultId), encodeUtf8(JSON.stringify(memory)))
    },
  }
}

/** What her log proves that she revoked, wherever she did it, no server brings back here. */
async function noteRevocations({ newest }: Parts, { revoked }: Looked): Promise<void> {
  if (revoked.length > 0) await newest.noteRevoked(revoked)
}

function joined(
  kept: Kept, { state, findings, checkedSize, treeSize }: Looked,
  { checkpoint, atMs }: Pick<Kept, 'checkpoint' | 'atMs'>,
): Kept {
  const known = new Set(kept.findings.map(keyOf))
  const added = findings.filter((finding) => !known.has(keyOf(finding)))
  const all = [...kept.findings, ...added].slice(0, MAX_FINDINGS)
  return { ...kept, state, findings: all, checkedSize, treeSize, checkpoint, atMs }
}

function keyOf({ vaultId, kind, index, sequence }: Finding): string {
  return `${kind}/${vaultId}/${index}/${sequence ?? ''}`
}

// ---- What she sees ----

async function reportOf(parts: Parts, input: WatchInput, kept: Kept): Promise<WatchReport> {
  const origin = originOfVkey(input.logVkey)
  const fork = await parts.history.findFork(origin)
  const gone = Object.keys(kept.state.vaults).filter((vaultId) => !input.vaultIds.includes(vaultId))
  const findings = [
    ...fork === null ? [] : [plainFinding('fork', '')],
    ...gone.map((vaultId) => plainFinding('vault-gone', vaultId)),
    ...kept.findings.map(describe),
  ].filter(({ key }) => !kept.settled.includes(key))
  const { checkedSize, treeSize, atMs } = kept
  const eventCount = Object.values(kept.state.vaults)
    .reduce((sum, vault) => sum + vault.eventCount, 0)
  return { origin, checkedSize, treeSize, atMs, eventCount, findings }
}

const FORK_KEY = 'fork/'

function plainFinding(kind: 'fork' | 'vault-gone', vaultId: string): WatchFinding {
  return {
    key: `${kind}/${vaultId}`, kind, vaultId, index: null, sequence: null, eventId: null,
    eventType: null, at: null, party: null, grantId: null, who: null,
  }
}

function describe(finding: Finding): WatchFinding {
  const { kind, vaultId, index, sequence, event, details } = finding
  return {
    key: keyOf(finding), kind, vaultId, index, sequence, eventId: event?.id ?? null,
    eventType: event?.type ?? null, at: event?.at ?? null, party: event?.party ?? null,
    grantId: event?.grant ?? null, who: details?.email ?? details?.name ?? null,
  }
}

async function settle(parts: Parts, logVkey: string, keys: readonly string[]): Promise<void> {
  const kept = await readKept(parts, logVkey)
  // A fork that is found again is shown again.
  const settled = [...new Set([...kept.settled, ...keys])].filter((key) => key !== FORK_KEY)
  await writeKept(parts, logVkey, { ...kept, settled })
  if (!keys.includes(FORK_KEY)) return
  await parts.history.forgetFork(originOfVkey(logVkey))
  await pinAnother(parts, logVkey)
}

/** She goes on with a log of another line; one that hers leads to needs no pin of its own. */
async function pinAnother(parts: Parts, logVkey: string): Promise<void> {
  const { platform: { store }, history } = parts
  const pinned = await store.read(lineName(parts))
  if (pinned !== null && isLinked(history, decodeUtf8(pinned), logVkey)) return
  await store.write(lineName(parts), encodeUtf8(logVkey))
}

/** A line with two ends is none that another log's could take the place of. */
function isLinked({ keys }: History, first: string, logVkey: string): boolean {
  try {
    return keys.linkedTo(logVkey).includes(first)
  } catch (error) {
    if (error instanceof ProtocolError) return true
    throw error
  }
}

/** Everything that shows it, as text: what the tree holds, what the list said, and under which checkpoints. */
async function evidenceOf(parts: Parts, logVkey: string): Promise<string> {
  const { findings, checkpoint } = await readKept(parts, logVkey)
  const fork = await parts.history.findFork(originOfVkey(logVkey))
  const evidence = { format: 'sealdeck-alarm/v1', logVkey, checkpoint, fork, findings }
  return `${JSON.stringify(evidence, null, 1)}\n`
}

async function forgetVault(parts: Parts, logVkey: string, vaultId: string): Promise<void> {
  const kept = await readKept(parts, logVkey)
  const { [vaultId]: _gone, ...vaults } = kept.state.vaults
  await writeKept(parts, logVkey, { ...kept, state: { ...kept.state, vaults } })
  await parts.platform.store.remove(`${await nameOf(parts, logVkey)}/${vaultId}`)
  await parts.newest.forgetVault(vaultId)
}
