/**
 * A long export taken apart as its text arrives (SPEC.md § 10). Apart from export.ts, so that a page can hand on the
 * pieces without loading what checks them. Pure; verifies nothing.
 */
import { assert, ProtocolError } from '../errors.js'
import { MAX_EXPORT_SIZE_BYTES } from '../limits.js'

/** What every export ends with. */
export const EXPORT_END = '\n]}\n'

/**
 * A long export in pieces that are exports themselves, as its text arrives: each has the whole one's head and the
 * next events, so that a file larger than memory is checked piece by piece.
 *
 * @param texts - the file's text, cut anywhere.
 * @param eventCount - how many events a piece has, 1 or more.
 * @throws ProtocolError `malformed-export` if the text ends before the export does.
 */
export async function * splitExport(
  texts: AsyncIterable<string>, eventCount: number,
): AsyncGenerator<string> {
  assert(eventCount > 0, 'a piece has events')
  let head: string | undefined
  const lines: string[] = []
  for await (const line of linesOf(texts)) {
    if (head === undefined) head = line
    else lines.push(line)
    // The last event is kept back until what follows it is known: it alone has no comma.
    if (head === undefined || lines.length <= eventCount + 1) continue
    yield pieceOf(head, lines.splice(0, eventCount), ',')
  }
  if (head === undefined || lines.pop() !== EXPORT_END.trim()) throw malformed('cut off')
  yield pieceOf(head, lines, '')
}

async function * linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of texts) {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_EXPORT_SIZE_BYTES) throw malformed('a line over its size limit')
    yield * lines
  }
  if (rest !== '') throw malformed('cut off')
}

function pieceOf(head: string, lines: readonly string[], comma: ',' | ''): string {
  const joined = lines.map((line) => `\n${line}`).join('')
  if (!joined.endsWith(comma)) throw malformed('events without a comma between them')
  return `${head}${joined.slice(0, joined.length - comma.length)}${EXPORT_END}`
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-export', detail)
}
