/**
 * Puts published entries back into a database that is older than what was published: it was restored from a
 * copy, or lost power. The published log stays as it is; nothing else is repaired here.
 *
 * [Note: Numbers used up] The entries that come back carry tags. The next event of a vault must get the
 * number after the last one published, or its founder would see a number twice, so the numbers are
 * found again by computing each vault's and each person's next tags.
 */
import { uuidv7 } from 'uuidv7'
import { getHead } from '../db/queries/log.js'
import {
  listTagCounts, listWaitingByCommitment, restoreEntries, type LostEntry, type TagCount,
} from '../db/queries/log-check.js'
import { encodeHex, equalBytes } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import { MAX_INTEGRATION_ENTRY_COUNT } from '../protocol/limits.js'
import { decodeEntry, formatTime, partyTag, sealEvent, vaultTag } from '../protocol/log/event.js'
import {
  appendLeaves, decodeEdge, edgeRoot, encodeEdge, hashLeaf, type Edge,
} from '../protocol/log/merkle.js'
import { LogContradiction, Overtaken } from './integrator.js'
import { logReader, readPublishedEntries, type LogReport } from './log-check.js'
import type { LogParts } from './world.js'

export interface Repair {
  readonly restoredCount: number
  /** Entries whose openings are lost for good. */
  readonly lostCount: number
  /** The events `log.recovered`, which wait in the outbox. */
  readonly eventIds: readonly string[]
}

const TAG_PAGE_COUNT = 1_000

/**
 * Bring back what a check found published and missing. The caller leads the log, so nobody integrates meanwhile.
 *
 * @param report - without problems: entries are put back behind a part that is known to be right.
 * @throws LogContradiction if the files are others by now than those checked; Overtaken if the head moved.
 */
export async function repairLog(parts: LogParts, report: LogReport): Promise<Repair> {
  assert(report.problemCount === 0, 'only a database that is merely behind is repaired')
  const { logDb } = parts.database
  const head = await getHead(logDb)
  const log = parts.logs.current()
  const { firstIndex } = log
  const size = report.publishedSize - firstIndex
  const entries = await readPublishedEntries(
    logReader(parts, log), { start: head.size - firstIndex, end: size }, size)
  const numbers = await findNumbers(parts, entries)
  let edge = decodeEdge(BigInt(head.size - firstIndex), head.edge)
  requireSameRoot(edge, entries, report)
  let lostCount = 0
  const eventIds: string[] = []
  for (let start = 0; start < entries.length; start += MAX_INTEGRATION_ENTRY_COUNT) {
    const some = entries.slice(start, start + MAX_INTEGRATION_ENTRY_COUNT)
    const batch = await identify(parts, some, numbers)
    const restored = await restoreBatch(parts, edge, batch)
    edge = restored.edge
    lostCount += batch.lostCount
    eventIds.push(restored.eventId)
  }
  return { restoredCount: entries.length, lostCount, eventIds }
}

function requireSameRoot(
  edge: Edge, entries: readonly Uint8Array[], report: LogReport,
): void {
  const leaves = entries.map((entry) => hashLeaf(entry))
  if (!equalBytes(edgeRoot(appendLeaves(edge, leaves)), report.publishedRoot)) {
    throw new LogContradiction('the published bundles lead to another root than the checkpoint')
  }
}

interface Batch {
  readonly entries: readonly LostEntry[]
  readonly counts: readonly Pick<TagCount, 'scopeId' | 'count'>[]
  readonly lostCount: number
}

/** Whose events these are, as far as the outbox and the tags still tell. */
async function identify(
  parts: LogParts, entries: readonly Uint8Array[], numbers: ReadonlyMap<string, TagNumber>,
): Promise<Batch> {
  const decoded = entries.map((entry) => decodeEntry(entry))
  const commitments = decoded.map(({ commitment }) => encodeHex(commitment))
  const waiting = await listWaitingByCommitment(parts.database.logDb, commitments)
  const found = decoded.map((entry) => ({
    vault: numbers.get(encodeHex(entry.vaultTag)), party: numbers.get(encodeHex(entry.partyTag)),
  }))
  return {
    entries: entries.map((entry, at) => ({
      entry, eventId: waiting.get(commitments[at] ?? '') ?? uuidv7(),
      vaultSequence: found[at]?.vault?.count ?? null,
      partySequence: found[at]?.party?.count ?? null,
    })),
    counts: found.flatMap(({ vault, party }) => [vault, party])
      .filter((number) => number !== undefined),
    lostCount: entries.length - waiting.size,
  }
}

async function restoreBatch(
  parts: LogParts, edge: Edge, batch: Batch,
): Promise<{ edge: Edge, eventId: string }> {
  const { database, keys, clock, logs } = parts
  const { firstIndex } = logs.current()
  const next = appendLeaves(edge, batch.entries.map(({ entry }) => hashLeaf(entry)))
  const event = sealEvent({
    type: 'log.recovered', id: uuidv7(), log: keys.log.origin, actor: 'operator',
    at: formatTime(clock.nowMs()), size: firstIndex + Number(next.size), count: batch.lostCount,
  })
  const isFirst = await restoreEntries(database.logDb, {
    old: { size: firstIndex + Number(edge.size), root: edgeRoot(edge) },
    next: { root: edgeRoot(next), edge: encodeEdge(next) },
    entries: batch.entries, counts: batch.counts,
  }, event)
  if (!isFirst) throw new Overtaken('the head has moved')
  return { edge: next, eventId: event.id }
}

type TagNumber = Pick<TagCount, 'scopeId' | 'count'>

/** See [Note: Numbers used up]. By tag in hex: whose it is, and its number. */
async function findNumbers(
  parts: LogParts, entries: readonly Uint8Array[],
): Promise<ReadonlyMap<string, TagNumber>> {
  const decoded = entries.map((entry) => decodeEntry(entry))
  const vaultTags = new Set(decoded.map((entry) => encodeHex(entry.vaultTag)))
  const partyTags = new Set(decoded.map((entry) => encodeHex(entry.partyTag)))
  return new Map([
    ...await findNumbersOf(parts, { kind: 'vaults', make: vaultTag, tags: vaultTags }),
    ...await findNumbersOf(parts, { kind: 'people', make: partyTag, tags: partyTags }),
  ])
}

async function findNumbersOf({ database }: LogParts, { kind, make, tags }: {
  kind: 'vaults' | 'people', make: typeof vaultTag, tags: ReadonlySet<string>,
}): Promise<ReadonlyMap<string, TagNumber>> {
  const found = new Map<string, TagNumber>()
  let page: TagCount[] | undefined
  while (page === undefined || page.length === TAG_PAGE_COUNT) {
    const after: string | undefined = page?.at(-1)?.scopeId
    page = await listTagCounts(database.logDb, kind, after, TAG_PAGE_COUNT)
    for (const { scopeId, tagKey, count: last } of page) {
      for (let count = last + 1; ; count++) {
        const tag = encodeHex(make(tagKey, count))
        if (!tags.has(tag)) break // At most as often as there are entries to bring back.
        found.set(tag, { scopeId, count })
      }
    }
  }
  return found
}
