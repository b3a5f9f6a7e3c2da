/** An NDA's text, for the founder who published it. */
import { findOwnNda } from '../../db/queries/ndas.js'
import type { NdaText } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { presentNda } from '../vaults.js'
import type { World } from '../world.js'

/** Refuses: not-found. */
export async function readNda(
  world: World, key: { vaultId: string, sha256: string, userId: string },
): Promise<NdaText> {
  const nda = await findOwnNda(world.db, {
    vaultId: key.vaultId, sha256: decodeBase64Url(key.sha256), ownerId: key.userId,
  })
  if (nda === undefined) throw new Refusal('not-found')
  const { publishedAtMs: _, ...published } = presentNda(nda)
  return { ...published, text: nda.text }
}
