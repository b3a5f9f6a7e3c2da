/**
 * The whole log, walked in the browser from its public files: every entry and tile hashed again, and a vault's entries
 * found by their tags (SPEC.md § 7.9, § 8.2). Must not hold the log: it is walked piece by piece.
 */
import { decodeBase64Url, decodeUtf8, encodeBase64 } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import { TagScanner } from '../../protocol/log/completeness.js'
import { decodeEntry } from '../../protocol/log/event.js'
import {
  verifyCheckpoint, type Policy, type TrustedCheckpoint,
} from '../../protocol/log/policy.js'
import { CHECKPOINT_PATH } from '../../protocol/log/tile.js'
import { verifyTree } from '../../protocol/log/whole-log.js'
import type { ReadLogFile, WholeLog } from '../crypto.js'

/** More than these nobody reads; the first one is enough to stop. */
const MAX_TAG_PROBLEMS = 100

/** @throws ProtocolError `missing-tile` if there is none; what `verifyCheckpoint` throws. */
export async function readShownCheckpoint(
  readFile: ReadLogFile, policy: Policy,
): Promise<{ note: string, trusted: TrustedCheckpoint }> {
  const bytes = await readFile(CHECKPOINT_PATH)
  if (bytes === null) throw new ProtocolError('missing-tile', CHECKPOINT_PATH)
  const note = decodeUtf8(bytes)
  return { note, trusted: verifyCheckpoint(note, policy) }
}

/** @throws ProtocolError what `verifyTree` throws. */
export async function walkLog(
  { checkpoint }: TrustedCheckpoint, vaultTagKey: string | null, readFile: ReadLogFile,
  onProgress: (doneCount: number, totalCount: number) => void,
): Promise<WholeLog> {
  const scanner = vaultTagKey === null ? null : new TagScanner(decodeBase64Url(vaultTagKey))
  const treeSize = Number(checkpoint.size)
  await verifyTree(readFile, checkpoint, {
    onEntry: (index, entry) => scanner?.scan(index, decodeEntry(entry).vaultTag),
    onProgress: (count) => onProgress(Number(count), treeSize),
  })
  const problems = scanner?.problems.slice(0, MAX_TAG_PROBLEMS) ?? []
  return {
    origin: checkpoint.origin, treeSize, rootHash: encodeBase64(checkpoint.root),
    taggedCount: scanner?.tagged.length ?? null,
    problems: problems.map(
      ({ kind, sequence, index }) => ({ kind, sequence, index: Number(index) })),
  }
}
