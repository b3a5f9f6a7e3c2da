/**
 * One look of a founder at her own log (SPEC.md § 8.4): walks the entries that came since, for all her vaults at
 * once, finds hers by their tags ([Note: Completeness] in event.ts), holds the server's list against them, and judges
 * each event ([Note: Ghost grant] in own-events.ts). Pure: files, lists and statements come through `WatchReads`, what
 * is remembered goes out as plain values. Must not believe a list that the entries do not show.
 *
 * [Note: Marks] A mark is the tree's edge at a size, with the time it was looked at. Walking on from a mark and
 * arriving at the signed root proves that the entries between are the tree's. A vault that this device has not met
 * is walked from the newest mark that is a day older than the vault: before it was made, no server had its tag key.
 */
import type { AskStatements, LoggedEvent, Statements as SentStatements } from '../api.js'
import { decodeBase64Url, decodeHex, encodeBase64Url, encodeHex, equalBytes } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { AwaitedTags, scanTag, TagScanner, type TaggedEntry } from './completeness.js'
import {
  commitEvent, encodeEntry, entryOfOpening, parseEvent, verifyDetails, vaultTagOf, type Details,
  type Event,
} from './event.js'
import {
  appendLeaves, decodeEdge, EMPTY_EDGE, edgeRoot, encodeEdge, hashLeaf, type Edge,
} from './merkle.js'
import {
  emptyMemory, judgeOwnEvent, readStatements, wantedBy, type OwnMemory,
  type OwnVault, type Statements,
} from './own-events.js'
import type { Span } from './line.js'
import type { TrustedCheckpoint } from './policy.js'
import { bundleOfEntry, readBundle, TILE_WIDTH, type ReadResource } from './tile.js'

/** What a look can find wrong. `false-files`: the entries do not lead to the signed root. */
export const FINDING_KINDS = [
  'false-files', 'other-log', 'hidden', 'untagged', 'changed', 'missing', 'doubled', 'out-of-order',
  'erased-untold', 'foreign-grant', 'foreign-version', 'foreign-act', 'foreign-approval',
  'false-acceptance', 'false-enrolment', 'ghost-release', 'unearned-release',
  'unapproved-release', 'release-after-revocation', 'release-of-old-version',
] as const

export type FindingKind = typeof FINDING_KINDS[number]

/** What is wrong, where, and what shows it. */
export interface Finding {
  readonly kind: FindingKind
  /** Empty where it is about the log as a whole. */
  readonly vaultId: string
  readonly index: number
  readonly sequence: number | null
  readonly event: Event | null
  readonly details: Details | null
  /** The entry in the tree, hex; what the server's list shows at this place, as it came. */
  readonly entry: string | null
  readonly listed: LoggedEvent | null
}

export interface Mark {
  readonly size: number
  /** base64url */
  readonly edge: string
  readonly atMs: number
  /** The root at this size, or at a later one that was walked to, was the signed one. */
  readonly isVerified: boolean
}

export interface VaultState {
  /** Entries before this index were looked at for this vault. */
  readonly position: number
  readonly nextSequence: number
  readonly eventCount: number
  /** Entries found erased, and entries that `erasure.done` told of. */
  readonly erasedCount: number
  readonly toldCount: number
}

/** What is remembered between two looks. */
export interface WatchState {
  readonly marks: readonly Mark[]
  readonly vaults: Readonly<Record<string, VaultState>>
}

export const NEW_WATCH: WatchState = { marks: [], vaults: {} }

export interface WatchedVault extends OwnVault {
  readonly tagKey: Uint8Array
}

export interface EventRange {
  /** Only entries with a larger index. */
  readonly after: number
  /** Only entries with a smaller index. */
  readonly before: number
  readonly type?: 'erasure.done'
}

export interface EventPage {
  readonly events: readonly LoggedEvent[]
  readonly next: number | null
}

export interface WatchReads {
  /** A file of the log of that origin. */
  readonly readFile: (path: string, origin: string) => Promise<Uint8Array | null>
  /** One page, newest first. */
  readonly listEvents: (vaultId: string, range: EventRange) => Promise<EventPage>
  readonly readStatements: (vaultId: string, asked: AskStatements) => Promise<SentStatements>
  readonly readMemory: (vaultId: string) => Promise<OwnMemory | null>
  readonly writeMemory: (vaultId: string, memory: OwnMemory) => Promise<void>
  readonly onProgress: (doneCount: number, totalCount: number) => void
}

/** The same of one log. */
interface LogReads extends Omit<WatchReads, 'readFile'> {
  readonly readFile: ReadResource
}

export interface Look {
  /** The log and those before it, oldest first, as `verifyLine` gives them. */
  readonly spans: readonly Span[]
  /** The log's key, and those that proven rotations link to it. */
  readonly logVkeys: readonly string[]
  readonly state: WatchState
  readonly vaults: readonly WatchedVault[]
  readonly nowMs: number
  /** Entries that this look walks at most; the next look goes on. */
  readonly maxEntryCount: number
}

export interface Looked {
  readonly state: WatchState
  readonly findings: readonly Finding[]
  /** Up to here everything was looked at, for all vaults. */
  readonly checkedSize: number
  readonly treeSize: number
  /** Ids of links and persons that she revoked, and `recipient/` with the hash of a revoked person's device. */
  readonly revoked: readonly string[]
}

/** Events of one vault that one look judges at most. */
const MAX_EVENTS_PER_LOOK = 2_000
const MAX_LIST_PAGES = 100
const MAX_MARKS = 48
/** Tags of older numbers that are recognised when they come again. */
const LOOK_BACK_COUNT = 1_024
const BUNDLES_AT_ONCE = 8
const STATEMENTS_AT_ONCE = 100
const MAX_INDEX = 999_999_999_999_999
/** Clocks differ; nobody's differs by this much from the one that made the vault's id. */
const CLOCK_MARGIN_MS = 24 * 3_600_000

/** One log's part of a look. */
interface LogLook extends Omit<Look, 'spans'> {
  readonly trusted: TrustedCheckpoint
  /** Of its entry 0, over all logs. */
  readonly firstIndex: number
  /** All origins of the line so far: what statements of people may name. */
  readonly origins: readonly string[]
}

/**
 * One look at all logs of the line, one after another: marks, positions and indexes are places over all of them.
 * @throws ProtocolError where a file cannot be read; findings are answered, not thrown.
 */
export async function watchLog(look: Look, reads: WatchReads): Promise<Looked> {
  const last = look.spans.at(-1)
  assert(last !== undefined, 'a line has a log')
  let looked: Looked = {
    state: withVaults(look.state, look.vaults), findings: [], revoked: [], checkedSize: 0,
    treeSize: endOf(last),
  }
  let left = look.maxEntryCount
  for (const [at, span] of look.spans.entries()) {
    if (span !== last && isPast(looked.state, look.vaults, endOf(span))) continue
    const firstIndex = Number(span.firstIndex)
    const origins = look.spans.slice(0, at + 1).map(({ trusted }) => trusted.checkpoint.origin)
    const { trusted } = span
    const part = { ...look, ...looked, trusted, firstIndex, origins, maxEntryCount: left }
    const { origin } = trusted.checkpoint
    const next = await watchOne(part, {
      ...reads, readFile: (path: string) => reads.readFile(path, origin),
    })
    const { findings, revoked } = looked
    looked = {
      ...next, treeSize: looked.treeSize,
      findings: [...findings, ...next.findings], revoked: [...revoked, ...next.revoked],
    }
    left = Math.max(0, left - (next.checkedSize - firstIndex))
    if (next.checkedSize < endOf(span)) break // The next look goes on here.
  }
  return looked
}

function endOf({ firstIndex, trusted }: Span): number {
  return Number(firstIndex + trusted.checkpoint.size)
}

function isPast(
  { vaults }: WatchState, watched: readonly WatchedVault[], end: number,
): boolean {
  return watched.every(({ vaultId }) => (vaults[vaultId]?.position ?? 0) >= end)
}

async function watchOne(look: LogLook, reads: LogReads): Promise<Looked> {
  const { state } = look
  const treeSize = look.firstIndex + Number(look.trusted.checkpoint.size)
  const walked = await walk(look, state, reads)
  if (walked === null) {
    // Nothing that rests on these files counts: the next look begins anew.
    const finding = bareFinding('false-files', '', treeSize)
    return { state: NEW_WATCH, findings: [finding], revoked: [], checkedSize: 0, treeSize }
  }
  const findings: Finding[] = []
  const revoked: string[] = []
  const vaults: Record<string, VaultState> = { ...state.vaults }
  for (const vault of look.vaults) {
    const judged = await judgeVault({ look, vault, walked, before: stateOf(state, vault) }, reads)
    findings.push(...judged.findings)
    revoked.push(...judged.revoked)
    vaults[vault.vaultId] = judged.state
  }
  const positions = look.vaults.map(({ vaultId }) => vaults[vaultId]?.position ?? 0)
  const checkedSize = Math.min(walked.end, ...positions)
  return { state: { marks: walked.marks, vaults }, findings, revoked, checkedSize, treeSize }
}

// ---- Where to begin ----

function withVaults(state: WatchState, vaults: readonly WatchedVault[]): WatchState {
  const met = vaults.filter(({ vaultId }) => state.vaults[vaultId] === undefined)
    .map(({ vaultId }) => [vaultId, {
      position: startOf(vaultId, state.marks), nextSequence: 1, eventCount: 0, erasedCount: 0,
      toldCount: 0,
    }] as const)
  return { ...state, vaults: { ...state.vaults, ...Object.fromEntries(met) } }
}

/** See [Note: Marks]. */
function startOf(vaultId: string, marks: readonly Mark[]): number {
  const madeAtMs = Number.parseInt(vaultId.replaceAll('-', '').slice(0, 12), 16)
  const older = marks.filter(({ atMs }) => atMs <= madeAtMs - CLOCK_MARGIN_MS)
  return Math.max(0, ...older.map(({ size }) => size))
}

function stateOf({ vaults }: WatchState, { vaultId }: WatchedVault): VaultState {
  const state = vaults[vaultId]
  assert(state !== undefined, 'every vault that is looked at has its state')
  return state
}

// ---- The walk ----

interface Walked {
  readonly end: number
  readonly marks: readonly Mark[]
  readonly scanners: ReadonlyMap<string, TagScanner>
  /** Those that are somebody's here, by index. */
  readonly entries: ReadonlyMap<number, Uint8Array>
}

/** `null` if what was walked does not lead to the signed root. */
async function walk(look: LogLook, state: WatchState, reads: LogReads): Promise<Walked | null> {
  const { size, root } = look.trusted.checkpoint
  const { firstIndex } = look
  const treeSize = firstIndex + Number(size)
  const positions = look.vaults.map((vault) => stateOf(state, vault).position)
  const first = Math.max(firstIndex, Math.min(treeSize, ...positions))
  const start = markBefore(state.marks, { size: first, firstIndex })
  const end = Math.min(treeSize, start.size + look.maxEntryCount)
  const { scanners, awaited } = startScanners(look, state)
  const entries = new Map<number, Uint8Array>()
  let edge = decodeEdge(BigInt(start.size - firstIndex), decodeBase64Url(start.edge))
  const range = { from: start.size - firstIndex, end: end - firstIndex, size }
  for await (const bundle of readEntries(reads, range)) {
    for (const [at, entry] of bundle.entries()) {
      const index = BigInt(firstIndex) + edge.size + BigInt(at)
      const isHers = scanTag(awaited, index, vaultTagOf(entry)) !== undefined
      if (isHers) entries.set(Number(index), entry.slice())
    }
    edge = appendLeaves(edge, bundle.map((entry) => hashLeaf(entry)))
    reads.onProgress(firstIndex + Number(edge.size), treeSize)
  }
  const isWhole = edge.size === size
  if (isWhole && !equalBytes(edgeRoot(edge), root)) return null
  const marks = markedAt(state.marks, edge, { isWhole, firstIndex, atMs: look.nowMs })
  return { end, scanners, entries, marks }
}

function startScanners(look: LogLook, state: WatchState) {
  const awaited = new AwaitedTags()
  const scanners = new Map(look.vaults.map((vault) => {
    const { nextSequence, position } = stateOf(state, vault)
    return [vault.vaultId, new TagScanner(vault.tagKey, {
      nextSequence, awaited, firstIndex: BigInt(position), lookBackCount: LOOK_BACK_COUNT,
    })]
  }))
  return { scanners, awaited }
}

/** A log begins with an empty edge, where the one before has ended with its own. */
function markBefore(
  marks: readonly Mark[], { size, firstIndex }: { size: number, firstIndex: number },
): Mark {
  const edge = encodeBase64Url(encodeEdge(EMPTY_EDGE))
  const start: Mark = { size: firstIndex, edge, atMs: 0, isVerified: true }
  return marks.filter((mark) => mark.size <= size && mark.size > firstIndex)
    .reduce((best, mark) => mark.size > best.size ? mark : best, start)
}

/** A verified walk vouches for every mark on its way. The newest are kept, and some of the old ones. */
function markedAt(
  marks: readonly Mark[], edge: Edge,
  { isWhole, firstIndex, atMs }: { isWhole: boolean, firstIndex: number, atMs: number },
): Mark[] {
  const size = firstIndex + Number(edge.size)
  const mark = { size, edge: encodeBase64Url(encodeEdge(edge)), atMs, isVerified: isWhole }
  // The earlier time of one size says more: nothing after it was there yet.
  const known = marks.find((one) => one.size === size)
  const others = marks.filter((one) => one.size !== size)
  const all = [...others, known ?? mark]
    .map((one) => isWhole && one.size <= size ? { ...one, isVerified: true } : one)
    .sort((a, b) => a.size - b.size)
  return all.length <= MAX_MARKS ? all : all.filter((_, at) => at !== 1)
}

/** Entries from `from` up to `end`, some bundles ahead of who takes them. */
async function * readEntries(
  { readFile }: LogReads, { from, end, size }: { from: number, end: number, size: bigint },
): AsyncGenerator<Uint8Array[]> {
  async function read(start: number): Promise<Uint8Array[]> {
    const entries = await readBundle(readFile, bundleOfEntry(BigInt(start), size))
    const at = start % TILE_WIDTH
    return entries.slice(at, at + bundleEnd(start) - start)
  }
  const bundleEnd = (start: number): number =>
    Math.min(end, (Math.floor(start / TILE_WIDTH) + 1) * TILE_WIDTH)
  const ahead: Promise<Uint8Array[]>[] = []
  for (let start = from; start < end; start = bundleEnd(start)) {
    const reading = read(start)
    reading.catch(() => undefined) // Whoever takes it meets the error.
    ahead.push(reading)
    const due = ahead.length === BUNDLES_AT_ONCE ? ahead.shift() : undefined
    if (due !== undefined) yield await due
  }
  for (const reading of ahead) yield await reading
}

// ---- One vault ----

interface VaultLook {
  readonly look: LogLook
  readonly vault: WatchedVault
  readonly walked: Walked
  readonly before: VaultState
}

async function judgeVault(
  one: VaultLook, reads: LogReads,
): Promise<{ state: VaultState, findings: Finding[], revoked: string[] }> {
  const { vault, walked, before } = one
  const scanner = walked.scanners.get(vault.vaultId)
  assert(scanner !== undefined, 'every vault that is looked at has its scanner')
  const tagged = scanner.tagged.slice(0, MAX_EVENTS_PER_LOOK)
  const isCut = tagged.length < scanner.tagged.length
  const last = tagged.at(-1)
  const end = isCut && last !== undefined ? Number(last.index) + 1 : walked.end
  const position = Math.max(before.position, end)
  if (last === undefined) return { state: { ...before, position }, findings: [], revoked: [] }

  const memory = await reads.readMemory(vault.vaultId) ?? emptyMemory()
  const range = { after: before.position - 1, before: position }
  const listed = await readListed(reads, vault.vaultId, range)
  const compared = compareList(one, tagged, listed)
  const judged = await judgeEvents(one, { memory, opened: compared.opened }, reads)
  await reads.writeMemory(vault.vaultId, memory)
  const problems = scanner.problems.filter(({ index }) => index < BigInt(position))
    .map(({ kind, index, sequence }) =>
      ({ ...bareFinding(kind, vault.vaultId, Number(index)), sequence }))
  const state = {
    position,
    nextSequence: Math.max(before.nextSequence, ...tagged.map(({ sequence }) => sequence + 1)),
    eventCount: before.eventCount + tagged.length,
    erasedCount: before.erasedCount + compared.erasedCount,
    toldCount: before.toldCount + toldBy(compared.opened.map(({ event }) => event)),
  }
  const untold = await findUntold(one, state, reads)
  return {
    state, findings: [...problems, ...compared.findings, ...judged, ...untold],
    revoked: revokedBy(compared.opened, memory),
  }
}

/** Of a person also her devices: a server could give the person another name, but not the device. */
function revokedBy(opened: readonly OpenedEvent[], { permits }: OwnMemory): string[] {
  const ends = opened.filter(({ event }) => event.type === 'access.revoked')
    .map(({ event }) => event.party ?? event.grant ?? '').filter((id) => id !== '')
  const devices = Object.values(permits).filter(({ party }) => ends.includes(party))
    .flatMap(({ recipient }) => recipient === undefined ? [] : [`recipient/${recipient}`])
  return [...new Set([...ends, ...devices])]
}

async function readListed(
  reads: LogReads, vaultId: string, range: EventRange,
): Promise<ReadonlyMap<number, LoggedEvent>> {
  const listed = new Map<number, LoggedEvent>()
  let before = range.before
  for (let page = 0; page < MAX_LIST_PAGES; page++) {
    const { events, next } = await reads.listEvents(vaultId, { ...range, before })
    for (const event of events) listed.set(event.index, event)
    if (next === null || next <= range.after + 1 || events.length === 0) break
    before = Math.min(next, before - 1)
  }
  return listed
}

interface OpenedEvent {
  readonly index: number
  readonly event: Event
  readonly details: Details | null
  readonly commitment: string
  readonly listed: LoggedEvent
}

/** The list, held against the entries that carry the vault's tags. */
function compareList(
  { vault, walked, look }: VaultLook, tagged: readonly TaggedEntry[],
  listed: ReadonlyMap<number, LoggedEvent>,
): { opened: OpenedEvent[], findings: Finding[], erasedCount: number } {
  const [{ vaultId }, log] = [vault, look.trusted.checkpoint.origin]
  const findings: Finding[] = []
  const opened: OpenedEvent[] = []
  let erasedCount = 0
  const indexes = new Set(tagged.map(({ index }) => Number(index)))
  for (const { index: at, sequence } of tagged) {
    const [index, shown] = [Number(at), listed.get(Number(at))]
    const entry = walked.entries.get(index) ?? new Uint8Array(0)
    const place = {
      ...bareFinding('hidden', vaultId, index), sequence, entry: encodeHex(entry),
      listed: shown ?? null,
    }
    const event = shown === undefined ? undefined : openListed(shown, entry, { vaultId, log })
    if (shown === undefined) findings.push(place)
    else if (event === undefined) findings.push({ ...place, kind: 'changed' })
    else if (event === 'erased') erasedCount++
    else opened.push({ ...event, index, listed: shown })
  }
  for (const shown of listed.values()) {
    if (indexes.has(shown.index)) continue
    findings.push({ ...bareFinding('untagged', vaultId, shown.index), listed: shown })
  }
  return { opened: opened.sort((a, b) => a.index - b.index), findings, erasedCount }
}

/** What the list shows, if the entry in the tree is exactly its; `undefined` if not. */
function openListed(
  shown: LoggedEvent, entry: Uint8Array, place: { vaultId: string, log: string },
): Omit<OpenedEvent, 'index' | 'listed'> | 'erased' | undefined {
  const tags = {
    vaultTag: decodeBase64Url(shown.vaultTag), partyTag: decodeBase64Url(shown.partyTag),
  }
  if (shown.event === null || shown.salt === null) {
    const commitment = decodeBase64Url(shown.commitment)
    return equalBytes(encodeEntry({ commitment, ...tags }), entry) ? 'erased' : undefined
  }
  try {
    const [salt, eventBytes] = [decodeBase64Url(shown.salt), decodeBase64Url(shown.event)]
    if (!equalBytes(entryOfOpening({ salt, eventBytes, ...tags }), entry)) return undefined
    const event = parseEvent(eventBytes)
    if (event.vault !== place.vaultId || event.log !== place.log) return undefined
    const commitment = encodeHex(commitEvent(salt, eventBytes))
    return { event, details: openDetails(event, shown), commitment }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

function openDetails(event: Event, { details }: LoggedEvent): Details | null {
  if (details === null) return null
  const { bytes, salt } = details
  return verifyDetails(event, { bytes: decodeBase64Url(bytes), salt: decodeBase64Url(salt) })
}

// ---- Judging ----

async function judgeEvents(
  { vault, look }: VaultLook,
  { memory, opened }: { memory: OwnMemory, opened: readonly OpenedEvent[] },
  reads: LogReads,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let start = 0; start < opened.length; start += STATEMENTS_AT_ONCE) {
    const some = opened.slice(start, start + STATEMENTS_AT_ONCE)
    const statements = await askStatements(vault, some.map(({ event }) => event), reads)
    for (const { index, event, details, commitment, listed } of some) {
      const { origins } = look
      const judging = { event, details, commitment, own: vault, memory, statements, origins }
      const kind = judgeOwnEvent(judging) ??
        judgeLog(event, statements, look.logVkeys)
      if (kind === null) continue
      findings.push({ ...bareFinding(kind, vault.vaultId, index), event, details, listed })
    }
  }
  return findings
}

/** Every grant of hers names the key of the log that its link's visitors will demand. */
function judgeLog(
  event: Event, { grants }: Statements, logVkeys: readonly string[],
): 'other-log' | null {
  const grant = event.grantSha256 === undefined ? undefined : grants.get(event.grantSha256)
  return grant !== undefined && !logVkeys.includes(grant.logVkey) ? 'other-log' : null
}

const NONE_SENT: SentStatements = { grants: [], records: [], wraps: [] }

async function askStatements(
  vault: WatchedVault, events: readonly Event[], reads: LogReads,
): Promise<Statements> {
  const wanted = events.map(wantedBy)
  const asked = {
    grants: hashes(wanted.flatMap(({ grants }) => grants)),
    records: hashes(wanted.flatMap(({ records }) => records)),
    headers: hashes(wanted.flatMap(({ headers }) => headers)),
    recipients: hashes(wanted.flatMap(({ recipients }) => recipients)),
  }
  const isNone = Object.values(asked).every((list) => list.length === 0)
  const sent = isNone ? NONE_SENT : await reads.readStatements(vault.vaultId, asked)
  const decode = ({ bytes, signature }: { bytes: string, signature: string }) =>
    ({ bytes: decodeBase64Url(bytes), signature: decodeBase64Url(signature) })
  return readStatements(vault, {
    grants: sent.grants.map(decode), records: sent.records.map(decode),
    wraps: sent.wraps.map(decode),
  })
}

function hashes(list: readonly string[]): string[] {
  return [...new Set(list)].map((hash) => encodeBase64Url(decodeHex(hash)))
}

// ---- Erasure ----

/** Entries that `erasure.done` says were erased. */
function toldBy(events: readonly Event[]): number {
  return events.filter(({ type }) => type === 'erasure.done')
    .reduce((sum, { count = 0 }) => sum + count, 0)
}

/** More erased entries than erasures told of; one that is told beyond this checkpoint still counts. */
async function findUntold(
  { vault, walked }: VaultLook, { erasedCount, toldCount }: VaultState, reads: LogReads,
): Promise<Finding[]> {
  if (erasedCount <= toldCount) return []
  const { events } = await reads.listEvents(vault.vaultId, {
    after: walked.end - 1, before: MAX_INDEX, type: 'erasure.done',
  })
  const later = events.flatMap(({ event }) =>
    event === null ? [] : [parseEvent(decodeBase64Url(event))])
  const isTold = erasedCount <= toldCount + toldBy(later)
  return isTold ? [] : [bareFinding('erased-untold', vault.vaultId, walked.end)]
}

function bareFinding(kind: FindingKind, vaultId: string, index: number): Finding {
  return {
    kind, vaultId, index, sequence: null, event: null, details: null, entry: null, listed: null,
  }
}
