/** The time-stamp that says most about an entry, and how it hangs together with what the asker holds. */
import type { FirstTimeStamp } from '../../protocol/api.js'
import { decodeUtf8, encodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { buildConsistency, requireLog } from '../log-reader.js'
import { findTimeStamp } from '../time-stamps.js'
import type { World } from '../world.js'

/**
 * The first stamped checkpoint over the entry with this index; the proof is from the smaller to the larger of
 * its tree and that of `size` entries, under which the asker has the entry proved.
 * @param log - its origin; the newest one's, if left out.
 * Refuses: bad-request for a log that is none of ours, a size that was never published, or an entry beyond it.
 */
export async function findFirstTimeStamp(
  world: World, { index, size, log }: { index: number, size: number, log?: string | undefined },
): Promise<FirstTimeStamp> {
  const { span, treeSize } = await requireLog(world, log)
  if (index >= size || size > treeSize) throw new Refusal('bad-request')
  const found = await findTimeStamp({ ...world, folder: span.prefix }, index)
  if (found === undefined) return { stamp: null }
  const [from, to] = [Math.min(size, found.size), Math.max(size, found.size)]
  const proof = await buildConsistency(world.sequencer.filesOf(span), { from, to })
  return {
    stamp: {
      checkpoint: decodeUtf8(found.checkpoint), token: encodeBase64Url(found.token),
      proof: proof.map(encodeBase64Url),
    },
  }
}
