/**
 * An export as it arrives: each piece is checked in the worker before it counts, and what is kept is a file, not a text,
 * so that a million events fit where a page does. Saves nothing that does not hold.
 */
import { splitExport } from '../../protocol/log/export-pieces.js'
import { attempt } from '../crypto.js'
import { formatCsvHead, formatCsvRows } from './csv.js'
import type { LogTools } from './events.js'
import { queryOf, type Filter } from './filter.js'
import type { Outcome, Report } from './use-task.js'

/** Checked and held at once. */
const PIECE_EVENT_COUNT = 1_000

export type ExportFormat = 'json' | 'csv'

export async function takeExport(
  tools: LogTools, asked: { format: ExportFormat, filter: Filter },
  report: Report, signal: AbortSignal,
): Promise<Outcome<Blob>> {
  const { api, crypto, vaultId, logVkey } = tools
  const { format, filter } = asked
  const answer = await api.streamEvents(vaultId, { ...queryOf(filter), format }, signal)
  if (!answer.ok) return answer
  const kept: Blob[] = format === 'csv' ? [new Blob([formatCsvHead()])] : []
  const texts = readTexts(answer.value, format === 'json' ? kept : [])
  let eventCount = 0
  const taken = await attempt(async () => {
    for await (const text of splitExport(texts, PIECE_EVENT_COUNT)) {
      const { events } = await crypto.checkExport({ text, logVkey })
      if (format === 'csv') kept.push(new Blob([formatCsvRows(events)]))
      eventCount += events.length
      report(eventCount, null)
    }
  })
  if (!taken.ok) return taken
  const type = format === 'csv' ? 'text/csv;charset=utf-8' : 'application/json'
  return { ok: true, value: new Blob(kept, { type }) }
}

/** The stream's text; its bytes are put by as they are, in parts that the browser may keep on disk. */
async function * readTexts(
  stream: ReadableStream<Uint8Array<ArrayBuffer>> | null, kept: Blob[],
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const reader = stream?.getReader()
  for (;;) {
    const part = await readPart(reader)
    if (part === null) break
    kept.push(new Blob([part]))
    yield decoder.decode(part, { stream: true })
  }
  yield decoder.decode()
}

/** A stream that breaks off ends here; the text then lacks its end, and is refused for that. */
async function readPart(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return (await reader?.read())?.value ?? null
  } catch {
    return null // Cancelled, or the line is gone.
  }
}
