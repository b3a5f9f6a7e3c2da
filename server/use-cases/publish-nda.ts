/** An NDA for a vault, filled in with everything but the receiving party. */
import { createHash } from 'node:crypto'
import { findOwnNda, insertNda } from '../../db/queries/ndas.js'
import type { PublishedNda, PublishNda } from '../../protocol/api.js'
import { encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { MAX_NDA_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import { founderEvent, presentNda, requireVault } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Publish a text under its hash. The same text again gives the same answer, whatever it is called now.
 * Refuses: vault-not-found, too-large.
 * Effects: one row; event `nda.published`.
 */
export async function publishNda(
  world: World, key: { vaultId: string, userId: string }, input: PublishNda,
): Promise<PublishedNda> {
  await requireVault(world, key)
  const text = encodeUtf8(input.text)
  if (text.length > MAX_NDA_SIZE_BYTES) throw new Refusal('too-large')
  const sha256 = Uint8Array.from(createHash('sha256').update(text).digest())
  const nda = {
    vaultId: key.vaultId, sha256, text: input.text, title: input.title, template: input.templateId,
    version: input.templateVersion, language: input.language, createdAtMs: world.clock.nowMs(),
  }
  const event = founderEvent(world, key.userId, {
    type: 'nda.published', vault: key.vaultId, agreementSha256: encodeHex(sha256),
  })
  if (await insertNda(world.db, nda, event)) {
    world.sequencer.wake()
    return presentNda(nda)
  }
  const published = await findOwnNda(
    world.db, { vaultId: key.vaultId, sha256, ownerId: key.userId },
  )
  if (published === undefined) throw new Refusal('vault-not-found')
  return presentNda(published)
}
