/**
 * Checks the whole log of this server: the tree is built again from the database's entries, and every tile,
 * bundle, root, checkpoint, opening and tag is held against it (SPEC.md § 7). Changes nothing; what it
 * finds is told, not mended (log-repair.ts).
 *
 * [Note: Checked while it grows] What is read later is never behind: the row of what was published, the
 * checkpoint, the list of files, and last the head. So a server may go on publishing meanwhile.
 */
import { getHead, getPublished, type Head } from '../db/queries/log.js'
import {
  countOpenings, listEventBytes, listOpenedEntries, listTagKeys, listWaitingBytes, type OpenedEntry,
  type OpeningRow,
} from '../db/queries/log-check.js'
import { concatBytes, decodeUtf8, encodeHex, equalBytes } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { parseCheckpoint } from '../protocol/log/checkpoint.js'
import {
  commitEvent, decodeEntry, ENTRY_SIZE_BYTES, parseEvent, partyTag, vaultTag, verifyDetails,
  type Entry, type Event,
} from '../protocol/log/event.js'
import {
  appendLeaves, edgeRoot, EMPTY_EDGE, EMPTY_ROOT, encodeEdge, hashLeaf, rootOfFullSubtree,
  type Edge,
} from '../protocol/log/merkle.js'
import { parseNote, parseVkey, verifyNote } from '../protocol/log/note.js'
import { parseProof } from '../protocol/log/proof.js'
import { parseRotationPath } from '../protocol/log/rotation.js'
import {
  bundlePath, CHECKPOINT_PATH, encodeBundle, parseTilePath, readBundle, TILE_WIDTH, tilePath,
  type ReadResource,
} from '../protocol/log/tile.js'
import { LogContradiction } from './integrator.js'
import type { LogSpan } from './logs.js'
import { platformSha256 } from './platform-hash.js'
import { readStatements } from './rotations.js'
import { listTimeStamps, parseTimeStampPath, readLogFile, timeStampPath } from './time-stamps.js'
import type { LogParts } from './world.js'

export interface LogReport {
  /** Entries under the checkpoint that the bucket shows. */
  readonly publishedSize: number
  readonly publishedRoot: Uint8Array
  /** Entries in the database. Fewer than published: the database is older, and `repairLog` can help. */
  readonly headSize: number
  readonly fileCount: number
  readonly erasedCount: number
  /** Entries whose openings an earlier repair could not bring back. */
  readonly lostCount: number
  /** Sentences; the first hundred of `problemCount`. */
  readonly problems: readonly string[]
  readonly problemCount: number
}

const PAGE_ENTRY_COUNT = 4_096
const MAX_LISTED_FILES = 1_000
const MAX_TOLD_PROBLEMS = 100
const MAX_RECOVERY_EVENTS = 100_000
const STAMP_PAGE_COUNT = 500

/**
 * All logs, one after another. What is told of sizes and files is told of all of them together.
 *
 * @param onProgress - called with the number of entries checked so far.
 * @throws whatever database and bucket throw; never for what is wrong with the log.
 */
export async function checkWholeLog(
  parts: LogParts, onProgress: (entryCount: number) => void = () => {},
): Promise<LogReport> {
  const { logDb } = parts.database
  await parts.logs.refresh()
  const problems = new Problems()
  const openings = new OpeningCheck(parts, problems)
  let whole = { publishedSize: 0, publishedRoot: EMPTY_ROOT, headSize: 0, fileCount: 0 }
  for (const span of parts.logs.list()) {
    const checked = await checkLog(parts, { span, openings, problems, onProgress })
    whole = { ...checked, fileCount: whole.fileCount + checked.fileCount }
  }
  await openings.end((await getHead(logDb)).size)
  return {
    ...whole, erasedCount: openings.erasedCount, lostCount: openings.lostCount,
    problems: problems.told, problemCount: problems.count,
  }
}

interface LogCheck {
  readonly span: LogSpan
  readonly openings: OpeningCheck
  readonly problems: Problems
  readonly onProgress: (entryCount: number) => void
}

type CheckedLog = Pick<LogReport, 'publishedSize' | 'publishedRoot' | 'headSize' | 'fileCount'>

/** One log. Sizes in the answer are places: over all logs up to it. */
async function checkLog(
  parts: LogParts, { span, openings, problems, onProgress }: LogCheck,
): Promise<CheckedLog> {
  const { logDb } = parts.database
  const { firstIndex } = span
  const noted = await getPublished(logDb) // The order is that of [Note: Checked while it grows].
  const shown = await readShown(parts, span, problems)
  const files = await FileCheck.open(parts, { span, publishedSize: shown.size, problems })
  const head = await headOf(parts, span)
  const isNewest = span.closing === null
  if (isNewest && noted.size > firstIndex + shown.size) problems.tell(`the bucket shows ${firstIndex + shown.size} entries, but ${noted.size} were published: the bucket is older`)

  const roots = new RootCheck(problems)
  roots.expect(shown.size, shown.root, 'the checkpoint in the bucket')
  if (isNewest) roots.expect(head.size - firstIndex, head.root, 'the head in the database', head.edge)
  else expectClosed(roots, span, head.size - firstIndex)
  expectNoted(roots, { span, size: noted.size, note: noted.checkpoint, what: 'the checkpoint in the database' })
  expectNoted(roots, {
    span, size: noted.cosignedSize, note: noted.cosignedCheckpoint ?? '', what: 'the cosigned checkpoint',
  })
  await expectStamped(parts, span, roots)
  await expectStated(parts, span, roots)
  const end = Math.max(head.size, firstIndex + shown.size)
  for (let start = firstIndex; start < end; start += PAGE_ENTRY_COUNT) {
    const range = { start, end: Math.min(end, start + PAGE_ENTRY_COUNT) }
    const entries = await readPage(parts, {
      span, range, headSize: head.size, publishedSize: shown.size, openings, problems,
    })
    if (entries === undefined) break // Told already; what follows would only be its echo.
    const leaves = entries.map((entry) => hashLeaf(entry, platformSha256))
    roots.append(leaves)
    await files.append(entries, leaves)
    onProgress(range.end)
  }
  if (firstIndex + roots.size === end) await files.end()
  return {
    publishedSize: firstIndex + shown.size, publishedRoot: shown.root, headSize: head.size,
    fileCount: files.count,
  }
}

/** Where a log ends in the database: at the head, or where the next one begins. */
async function headOf({ database, logs }: LogParts, { origin }: LogSpan): Promise<Head> {
  const head = await getHead(database.logDb)
  const at = logs.list().findIndex((span) => span.origin === origin)
  const next = logs.list()[at + 1]
  return next === undefined ? head : { ...head, size: next.firstIndex }
}

/** A log that was closed ends with the checkpoint that its row holds. */
function expectClosed(roots: RootCheck, { closing }: LogSpan, size: number): void {
  const checkpoint = roots.problems.catching('the checkpoint that a log was closed with', () =>
    parseCheckpoint(parseNote(closing ?? '').text))
  if (checkpoint === undefined) return
  if (Number(checkpoint.size) !== size) roots.problems.tell(`${checkpoint.origin} was closed with ${checkpoint.size} entries, and the next log begins after ${size}`)
  roots.expect(Number(checkpoint.size), checkpoint.root, 'the checkpoint that the log was closed with')
}

class Problems {
  readonly told: string[] = []
  count = 0

  tell(problem: string): void {
    this.count++
    if (this.told.length < MAX_TOLD_PROBLEMS) this.told.push(problem)
  }

  /** Run something whose broken bytes are a problem. @returns `undefined` if there was one. */
  catching<T>(what: string, run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.tell(`${what}: ${error.message}`)
      return undefined
    }
  }
}

// ---- Checkpoint and roots ----

interface Shown { readonly size: number, readonly root: Uint8Array }

const NOTHING_SHOWN: Shown = { size: 0, root: EMPTY_ROOT }

async function readShown(
  { bucket, keys }: LogParts, span: LogSpan, problems: Problems,
): Promise<Shown> {
  const bytes = await bucket.read(`${span.prefix}/${CHECKPOINT_PATH}`)
  if (bytes === null) return NOTHING_SHOWN // Where one was published before, its size tells.
  // Of a log that was closed the key may be gone; of the newest it may have been rotated.
  const own = keys.logs.find(({ origin }) => origin === span.origin)?.signers.map(({ key }) => key)
  const checkpoint = problems.catching('the checkpoint in the bucket', () =>
    parseCheckpoint(verifyNote(decodeUtf8(bytes), own ?? [parseVkey(span.vkey)]).text))
  if (checkpoint === undefined) return NOTHING_SHOWN
  if (checkpoint.origin !== span.origin) problems.tell(`the checkpoint is of the log ${checkpoint.origin}`)
  return { size: Number(checkpoint.size), root: checkpoint.root }
}

interface Noted {
  readonly span: LogSpan
  /** Over all logs. */
  readonly size: number
  readonly note: string
  readonly what: string
}

/** What is noted of another log is that one's. */
function expectNoted(roots: RootCheck, { span, size, note, what }: Noted): void {
  if (note === '' && size === 0) return
  const checkpoint = roots.problems.catching(what, () => parseCheckpoint(parseNote(note).text))
  if (checkpoint === undefined || checkpoint.origin !== span.origin) return
  const place = span.firstIndex + Number(checkpoint.size)
  if (place !== size) roots.problems.tell(`${what} is of ${place} entries, noted for ${size}`)
  roots.expect(Number(checkpoint.size), checkpoint.root, what)
}

/** What an authority has stamped was this log, too. */
async function expectStamped(
  { bucket, keys }: LogParts, span: LogSpan, roots: RootCheck,
): Promise<void> {
  const parts = { bucket, keys, folder: span.prefix }
  let sizes: readonly number[] | undefined
  while (sizes === undefined || sizes.length === STAMP_PAGE_COUNT) {
    sizes = await listTimeStamps(parts, { after: sizes?.at(-1) ?? 0, limit: STAMP_PAGE_COUNT })
    for (const size of sizes) {
      const note = await readLogFile(parts, timeStampPath(size, 'checkpoint'))
      const what = `the time-stamped checkpoint of ${size} entries`
      if (note === null) roots.problems.tell(`${what} is missing`)
      else {
        roots.problems.catching(what, () => {
          expectNoted(roots, { span, size: span.firstIndex + size, note: decodeUtf8(note), what })
        })
      }
    }
  }
}

/** The statements about keys hold, and were made about this log or those before. */
async function expectStated(parts: LogParts, span: LogSpan, roots: RootCheck): Promise<void> {
  try {
    for (const { statement, link } of await readStatements(parts, { folder: span.prefix })) {
      const note = link.closing?.note ?? parseProof(statement).checkpoint
      const { origin, size, root } = parseCheckpoint(parseNote(note).text)
      if (origin === span.origin) roots.expect(Number(size), root, 'the checkpoint of a statement about keys')
    }
  } catch (error) {
    if (!(error instanceof LogContradiction)) throw error
    roots.problems.tell(error.message)
  }
}

interface ExpectedRoot {
  readonly root: Uint8Array
  readonly what: string
  readonly edge: Uint8Array | undefined
}

/** Grows the tree and compares its root wherever somebody has stated one. */
class RootCheck {
  readonly problems: Problems
  readonly #expected = new Map<number, ExpectedRoot[]>()
  #edge: Edge = EMPTY_EDGE

  constructor(problems: Problems) {
    this.problems = problems
  }

  get size(): number {
    return Number(this.#edge.size)
  }

  expect(size: number, root: Uint8Array, what: string, edge?: Uint8Array): void {
    this.#expected.set(size, [...this.#expected.get(size) ?? [], { root, what, edge }])
    if (size === 0) this.#compare()
  }

  append(leaves: readonly Uint8Array[]): void {
    const start = this.size
    const end = start + leaves.length
    const stops = [...this.#expected.keys()].filter((size) => size > start && size < end)
    for (const stop of [...stops.sort((a, b) => a - b), end]) {
      const more = leaves.slice(this.size - start, stop - start)
      this.#edge = appendLeaves(this.#edge, more, platformSha256)
      this.#compare()
    }
  }

  #compare(): void {
    for (const { root, what, edge } of this.#expected.get(this.size) ?? []) {
      if (!equalBytes(edgeRoot(this.#edge), root)) this.problems.tell(`the ${this.size} entries lead to another root than ${what}`)
      if (edge !== undefined && !equalBytes(encodeEdge(this.#edge), edge)) this.problems.tell(`${what} has another edge than its entries`)
    }
  }
}

// ---- Entries ----

interface PageSource {
  readonly span: LogSpan
  /** Places, as is the head's size; how much is published counts in this log. */
  readonly range: { readonly start: number, readonly end: number }
  readonly headSize: number
  readonly publishedSize: number
  readonly openings: OpeningCheck
  readonly problems: Problems
}

/** Entries of the database and, where it ends too early, of the published bundles. */
async function readPage(parts: LogParts, source: PageSource): Promise<Uint8Array[] | undefined> {
  const { span, range, headSize, publishedSize, openings, problems } = source
  const end = Math.max(range.start, Math.min(range.end, headSize))
  const rows = await listOpenedEntries(parts.database.logDb, { start: range.start, end })
  const wrong = rows.findIndex(({ row }, at) =>
    row.index !== range.start + at || row.entry.length !== ENTRY_SIZE_BYTES)
  const expectedCount = end - range.start
  if (wrong >= 0 || rows.length !== expectedCount) {
    problems.tell(`entry ${range.start + (wrong >= 0 ? wrong : rows.length)} is missing or malformed in the database`)
    return undefined
  }
  await openings.check(rows)
  const { firstIndex } = span
  const fromBundles = {
    start: Math.max(range.start, headSize) - firstIndex, end: range.end - firstIndex,
  }
  if (fromBundles.start >= fromBundles.end) return rows.map(({ row }) => row.entry)
  try {
    const more = await readPublishedEntries(logReader(parts, span), fromBundles, publishedSize)
    return [...rows.map(({ row }) => row.entry), ...more]
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    problems.tell(`entries from ${firstIndex + fromBundles.start} cannot be read from the bundles: ${error.message}`)
    return undefined
  }
}

/** The log's files as they are in the bucket, past every memory. */
export function logReader(
  { bucket }: Pick<LogParts, 'bucket'>, { prefix }: Pick<LogSpan, 'prefix'>,
): ReadResource {
  return async (path) => await bucket.read(`${prefix}/${path}`)
}

/**
 * Entries `start` to before `end` out of the bundles of a log of `size` entries.
 * @throws ProtocolError `missing-tile`, `malformed-tile`.
 */
export async function readPublishedEntries(
  read: ReadResource, { start, end }: { start: number, end: number }, size: number,
): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (let first = start - start % TILE_WIDTH; first < end; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first)
    const bundle = await readBundle(read, { index: BigInt(first / TILE_WIDTH), width })
    entries.push(...bundle.slice(Math.max(0, start - first), end - first))
  }
  return entries
}

// ---- Files ----

/** One kind of place in the tree: its files hold the first 1 to 256 of these parts. */
interface Place {
  /** The path of the full file. */
  readonly path: string
  readonly parts: readonly Uint8Array[]
  readonly encode: (parts: readonly Uint8Array[]) => Uint8Array
  /** How many parts the published checkpoint needs. */
  readonly neededWidth: number
}

/** Compares every file that is in the bucket, and misses those that should be. */
class FileCheck {
  readonly #read: ReadResource
  readonly #widths: Map<string, number[]>
  readonly #publishedSize: number
  readonly #problems: Problems
  readonly #rows: Uint8Array[][] = []
  readonly #finished: number[] = []
  #entries: Uint8Array[] = []
  readonly count: number

  private constructor(
    read: ReadResource, listed: Listing, publishedSize: number, problems: Problems,
  ) {
    this.#read = read
    this.#widths = listed.widths
    this.count = listed.count
    this.#publishedSize = publishedSize
    this.#problems = problems
  }

  static async open(
    parts: LogParts,
    { span, publishedSize, problems }:
    { span: LogSpan, publishedSize: number, problems: Problems },
  ): Promise<FileCheck> {
    const listed = await listFiles(parts, span, problems)
    return new FileCheck(logReader(parts, span), listed, publishedSize, problems)
  }

  async append(entries: readonly Uint8Array[], leaves: readonly Uint8Array[]): Promise<void> {
    const places: Place[] = []
    for (let start = 0; start < entries.length; start += TILE_WIDTH) {
      this.#entries = entries.slice(start, start + TILE_WIDTH)
      this.#rows[0] = leaves.slice(start, start + TILE_WIDTH)
      if (this.#entries.length < TILE_WIDTH) break // Compared at the end.
      places.push(this.#bundle())
      this.#finish(0, places)
    }
    await Promise.all(places.map((place) => this.#compare(place)))
  }

  /** Compare what is unfinished, and tell of files that belong to no place. */
  async end(): Promise<void> {
    if (this.#entries.length > 0) await this.#compare(this.#bundle())
    for (const [level, row] of this.#rows.entries()) {
      if (row.length > 0) await this.#compare(this.#tile(level, row))
    }
    for (const path of this.#widths.keys()) this.#problems.tell(`${path} lies beyond the entries`)
  }

  #bundle(): Place {
    const index = this.#finished[0] ?? 0
    return {
      path: bundlePath({ index: BigInt(index), width: TILE_WIDTH }), parts: this.#entries,
      encode: encodeBundle, neededWidth: this.#publishedSize - index * TILE_WIDTH,
    }
  }

  #tile(level: number, row: readonly Uint8Array[]): Place {
    const index = this.#finished[level] ?? 0
    return {
      path: tilePath({ level, index: BigInt(index), width: TILE_WIDTH }), parts: row,
      encode: (parts) => concatBytes(...parts),
      neededWidth: Math.floor(this.#publishedSize / TILE_WIDTH ** level) - index * TILE_WIDTH,
    }
  }

  #finish(level: number, places: Place[]): void {
    const row = this.#rows[level] ?? []
    places.push(this.#tile(level, row))
    this.#rows[level] = []
    if (level === 0) this.#entries = []
    this.#finished[level] = (this.#finished[level] ?? 0) + 1
    const above = [...this.#rows[level + 1] ?? [], rootOfFullSubtree(row, platformSha256)]
    this.#rows[level + 1] = above
    if (above.length === TILE_WIDTH) this.#finish(level + 1, places)
  }

  async #compare(place: Place): Promise<void> {
    const widths = this.#widths.get(place.path) ?? []
    this.#widths.delete(place.path)
    for (const width of widths) await this.#compareFile(place, width)
    const width = Math.min(place.neededWidth, place.parts.length)
    const isThere = width <= 0 || widths.includes(width) || widths.includes(TILE_WIDTH)
    // A file may have been filled up while the others were listed.
    if (!isThere && await this.#read(place.path) === null) this.#problems.tell(`${withWidth(place.path, width)} is missing`)
  }

  async #compareFile({ path, parts, encode }: Place, width: number): Promise<void> {
    const name = withWidth(path, width)
    if (width > parts.length) return this.#problems.tell(`${name} lies beyond the entries`)
    const bytes = await this.#read(name)
    if (bytes === null) return // Replaced by the full file meanwhile.
    if (!equalBytes(bytes, encode(parts.slice(0, width)))) this.#problems.tell(`${name} is not what the entries make`)
  }
}

function withWidth(path: string, width: number): string {
  return width === TILE_WIDTH ? path : `${path}.p/${width}`
}

interface Listing {
  /** By the full file's path: which widths there are. */
  readonly widths: Map<string, number[]>
  readonly count: number
}

function isOtherFile(path: string): boolean {
  return path === CHECKPOINT_PATH || parseTimeStampPath(path) !== null ||
    parseRotationPath(path) !== null
}

async function listFiles(
  { bucket }: LogParts, span: LogSpan, problems: Problems,
): Promise<Listing> {
  const widths = new Map<string, number[]>()
  const prefix = `${span.prefix}/`
  let count = 0
  for (let page: string[] | undefined; page === undefined || page.length === MAX_LISTED_FILES;) {
    page = await bucket.list(prefix, MAX_LISTED_FILES, page?.at(-1))
    count += page.length
    for (const key of page) {
      const path = key.slice(prefix.length)
      const place = parseTilePath(path)
      const full = path.split('.p/')[0] ?? path
      if (place !== null) widths.set(full, [...widths.get(full) ?? [], place.width])
      else if (!isOtherFile(path)) problems.tell(`${path} is no file of a log`)
    }
  }
  return { widths, count }
}

// ---- Openings ----

interface TagScope {
  readonly id: string | null
  readonly sequence: number | null
  readonly make: typeof vaultTag
  readonly tagKeys: ReadonlyMap<string, Uint8Array>
}

/** Holds each opening against its entry: commitment, columns, details, and the numbers of the tags. */
class OpeningCheck {
  readonly #parts: LogParts
  readonly #problems: Problems
  /** The last number seen of each vault and person. */
  readonly #sequences = new Map<string, number>()
  /** Tags of entries without openings: they explain gaps in the numbers. */
  readonly #unopenedTags = new Set<string>()
  erasedCount = 0
  lostCount = 0

  constructor(parts: LogParts, problems: Problems) {
    this.#parts = parts
    this.#problems = problems
  }

  async check(rows: readonly OpenedEntry[]): Promise<void> {
    const { logDb } = this.#parts.database
    const idsOf = (column: 'vaultId' | 'partyId') =>
      [...new Set(rows.flatMap(({ opening }) => opening?.[column] ?? []))]
    const tagKeys = await listTagKeys(logDb, { vaultIds: idsOf('vaultId'), partyIds: idsOf('partyId') })
    for (const row of rows) this.#checkOne(row, tagKeys)
  }

  #checkOne({ row, opening }: OpenedEntry, tagKeys: ReadonlyMap<string, Uint8Array>): void {
    const what = `entry ${row.index}`
    const entry = this.#problems.catching(what, () => decodeEntry(row.entry))
    if (entry === undefined) return
    if (opening === null) {
      this.lostCount++
      this.#unopenedTags.add(encodeHex(entry.vaultTag)).add(encodeHex(entry.partyTag))
      return
    }
    if (opening.eventId !== row.eventId) this.#problems.tell(`${what} has another event's opening`)
    this.#checkBytes(what, entry, opening)
    const { vaultId, vaultSequence, partyId, partySequence } = opening
    const vault = { id: vaultId, sequence: vaultSequence, make: vaultTag, tagKeys }
    const party = { id: partyId, sequence: partySequence, make: partyTag, tagKeys }
    this.#checkTag(what, entry.vaultTag, vault)
    this.#checkTag(what, entry.partyTag, party)
  }

  #checkBytes(what: string, entry: Entry, opening: OpeningRow): void {
    const { bytes, salt, erasedAtMs } = opening
    if (erasedAtMs !== null) this.erasedCount++
    if (bytes === null || salt === null) {
      if (erasedAtMs === null || bytes !== null || salt !== null) this.#problems.tell(`${what} lost its opening without an erasure`)
      return
    }
    if (!equalBytes(commitEvent(salt, bytes), entry.commitment)) {
      return this.#problems.tell(`${what} does not commit to its opening`)
    }
    const event = this.#problems.catching(what, () => parseEvent(bytes))
    if (event === undefined) return
    if (!isFiledRight(event, opening)) this.#problems.tell(`${what} is filed as something else than its event says`)
    this.#checkDetails(what, event, opening)
  }

  #checkDetails(what: string, event: Event, opening: OpeningRow): void {
    const { details: bytes, detailsSalt: salt, erasedAtMs } = opening
    if (bytes !== null && salt !== null) {
      this.#problems.catching(`${what}, details`, () => verifyDetails(event, { bytes, salt }))
    } else if (event.details !== undefined && erasedAtMs === null) {
      this.#problems.tell(`${what} lost its details without an erasure`)
    }
  }

  #checkTag(what: string, tag: Uint8Array, { id, sequence, make, tagKeys }: TagScope): void {
    const tagKey = id === null ? undefined : tagKeys.get(id)
    if (id === null || tagKey === undefined || sequence === null) {
      if (sequence !== null || tagKey !== undefined) this.#problems.tell(`${what} has a number without a tag, or the other way round`)
      return
    }
    if (!equalBytes(tag, make(tagKey, sequence))) this.#problems.tell(`${what} does not carry the tag of its number`)
    const last = this.#sequences.get(id) ?? 0
    if (sequence <= last) this.#problems.tell(`${what} has the number ${sequence} after ${last}`)
    for (let skipped = last + 1; skipped < sequence; skipped++) {
      if (this.#unopenedTags.has(encodeHex(make(tagKey, skipped)))) continue
      this.#problems.tell(`${what} has the number ${sequence} after ${last}`)
      break
    }
    this.#sequences.set(id, sequence)
  }

  /** Openings that belong to no entry, and lost ones that no `log.recovered` speaks of. */
  async end(headSize: number): Promise<void> {
    const { logDb } = this.#parts.database
    const openingCount = await countOpenings(logDb, { start: 0, end: headSize })
    const recoveries = [
      ...await listEventBytes(logDb, 'log.recovered', MAX_RECOVERY_EVENTS),
      ...await listWaitingBytes(logDb, 'log.recovered', MAX_RECOVERY_EVENTS),
    ]
    const admitted = recoveries.reduce((sum, bytes) => sum + (parseRecovery(bytes)?.count ?? 0), 0)
    if (this.lostCount > admitted) this.#problems.tell(`${this.lostCount} entries have no opening; the log admits ${admitted}`)
    const missing = headSize - openingCount - this.lostCount
    if (missing < 0) this.#problems.tell(`${-missing} openings belong to no entry`)
  }
}

/** Read again here, because its bytes may be what is broken; that is told where its entry is checked. */
function parseRecovery(bytes: Uint8Array): Event | undefined {
  return new Problems().catching('', () => parseEvent(bytes))
}

function isFiledRight(event: Event, opening: OpeningRow): boolean {
  return event.type === opening.type && event.id === opening.eventId &&
    Date.parse(event.at) === opening.atMs &&
    (event.vault ?? null) === opening.vaultId && (event.party ?? null) === opening.partyId &&
    (event.document ?? null) === opening.documentId
}
