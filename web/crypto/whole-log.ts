/**
 * The whole log, walked in the browser from its public files: every entry and tile hashed again, and a vault's entries
 * found by their tags (SPEC.md § 7.9, § 8.2). Must not hold the log: it is walked piece by piece.
 */
import { decodeBase64Url, decodeUtf8, encodeBase64 } from '../../protocol/bytes.js'
import { assert, ProtocolError } from '../../protocol/errors.js'
import { TagScanner } from '../../protocol/log/completeness.js'
import { decodeEntry } from '../../protocol/log/event.js'
import type { Span } from '../../protocol/log/line.js'
import { CHECKPOINT_PATH } from '../../protocol/log/tile.js'
import { verifyTree } from '../../protocol/log/whole-log.js'
import type { ReadLogFile, WholeLog } from '../crypto.js'

/** More than these nobody reads; the first one is enough to stop. */
const MAX_TAG_PROBLEMS = 100

/** What the server shows of that log, as it is. @throws ProtocolError `missing-tile` if there is nothing. */
export async function readShownCheckpoint(
  readFile: ReadLogFile, origin: string,
): Promise<string> {
  const bytes = await readFile(CHECKPOINT_PATH, origin)
  if (bytes === null) throw new ProtocolError('missing-tile', CHECKPOINT_PATH)
  return decodeUtf8(bytes)
}

/** All logs, one after another: a vault's numbers run on over them. @throws ProtocolError what `verifyTree` throws. */
export async function walkLogs(
  spans: readonly Span[], vaultTagKey: string | null, readFile: ReadLogFile,
  onProgress: (doneCount: number, totalCount: number) => void,
): Promise<WholeLog> {
  const last = spans.at(-1)
  assert(last !== undefined, 'there is a log to walk')
  const scanner = vaultTagKey === null ? null : new TagScanner(decodeBase64Url(vaultTagKey))
  const { origin, size, root } = last.trusted.checkpoint
  const treeSize = Number(last.firstIndex + size)
  for (const { firstIndex, trusted: { checkpoint } } of spans) {
    await verifyTree((path) => readFile(path, checkpoint.origin), checkpoint, {
      onEntry: (index, entry) => scanner?.scan(firstIndex + index, decodeEntry(entry).vaultTag),
      onProgress: (count) => onProgress(Number(firstIndex + count), treeSize),
    })
  }
  const problems = scanner?.problems.slice(0, MAX_TAG_PROBLEMS) ?? []
  return {
    origin, treeSize, rootHash: encodeBase64(root),
    taggedCount: scanner?.tagged.length ?? null,
    problems: problems.map(
      ({ kind, sequence, index }) => ({ kind, sequence, index: Number(index) })),
  }
}
