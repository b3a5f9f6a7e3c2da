/** All events of a vault or of the instance, from the first one on: each proven, and what is odd about them. */
import { AnomalyScanner, findAnomalies, type Anomaly, type AnomalyKind } from '../../protocol/log/anomalies.js'
import { MAX_PAGE_LIMIT } from '../../protocol/limits.js'
import { readCheckedPage, type LogTools } from './events.js'
import type { ShownEvent } from './pages.js'
import type { Outcome, Report } from './use-task.js'

/** What a page can hold of odd events; the rest is counted. */
const MAX_KEPT_COUNT = 1_000

export interface Scan {
  readonly eventCount: number
  readonly provenCount: number
  /** The log's size when the last page was proven. */
  readonly treeSize: number
  readonly anomalies: readonly Anomaly[]
  /** The events at which something shows, newest first. */
  readonly odd: readonly ShownEvent[]
}

export async function scanEvents(
  tools: LogTools, report: Report, signal: AbortSignal,
): Promise<Outcome<Scan>> {
  const scanner = new AnomalyScanner()
  const releases = new Map<number, ShownEvent>()
  const odd = new Map<number, ShownEvent>()
  let [eventCount, provenCount, treeSize] = [0, 0, 0]
  let after: number | null = null
  do {
    const page = await readCheckedPage(tools, { order: 'oldest-first', limit: MAX_PAGE_LIMIT, after })
    if (!page.ok) return page
    if (signal.aborted) break
    for (const event of page.value.events) {
      eventCount++
      if (!event.checked.isProven) continue
      provenCount++
      const kinds = scanner.scan(event.checked)
      if (kinds.length > 0 && odd.size < MAX_KEPT_COUNT) odd.set(event.logged.index, event)
      else if (event.logged.type === 'header.released') keepRelease(releases, event)
    }
    treeSize = page.value.checked.treeSize
    report(eventCount, page.value.totalCount)
    after = page.value.next
  } while (after !== null)
  const anomalies = scanner.anomalies(true)
  for (const { index } of anomalies) {
    const late = releases.get(index)
    if (late !== undefined && !odd.has(index)) odd.set(index, late)
  }
  const newestFirst = [...odd.values()].sort((a, b) => b.logged.index - a.logged.index)
  return { ok: true, value: { eventCount, provenCount, treeSize, anomalies, odd: newestFirst } }
}

/** Whether a release's permission is missing is known at the end only: the latest are kept until then. */
function keepRelease(releases: Map<number, ShownEvent>, event: ShownEvent): void {
  releases.set(event.logged.index, event)
  const [oldest] = releases.keys()
  if (releases.size > MAX_KEPT_COUNT && oldest !== undefined) releases.delete(oldest)
}

/** What is odd about each entry, by its number. */
export type Marks = ReadonlyMap<number, readonly AnomalyKind[]>

export function marksOf(anomalies: readonly Anomaly[]): Marks {
  const marks = new Map<number, AnomalyKind[]>()
  for (const { index, kind } of anomalies) {
    const kinds = marks.get(index) ?? []
    marks.set(index, kinds.includes(kind) ? kinds : [...kinds, kind])
  }
  return marks
}

/**
 * What can be said from what is on the screen alone. Through a filter, that is next to nothing: what it leaves out may
 * explain the rest.
 */
export function marksOfPage(events: readonly ShownEvent[], isContiguous: boolean): Marks {
  const proven = events.flatMap(({ checked }) => checked.isProven ? [checked] : [])
  const inOrder = [...proven].sort((a, b) => a.index - b.index)
  const found = findAnomalies(inOrder, false)
  return marksOf(isContiguous ? found : found.filter(({ kind }) => kind === 'erased'))
}
