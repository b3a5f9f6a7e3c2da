/** The NDA's text for somebody who has asked for access. */
import { findNda } from '../../db/queries/gate.js'
import type { NdaText } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireGate } from '../gate.js'
import type { World } from '../world.js'

/** The NDA now in force behind a link. Refuses: grant-not-found, grant-revoked, grant-expired, not-found. */
export async function readGateNda(world: World, grantId: string): Promise<NdaText> {
  const { grant } = await requireGate(world, grantId)
  const nda = grant.ndaSha256 === null ? undefined
    : await findNda(world.db, { vaultId: grant.vaultId, sha256: grant.ndaSha256 })
  if (nda === undefined) throw new Refusal('not-found')
  return {
    sha256: encodeBase64Url(nda.sha256), title: nda.title, language: nda.language === 'ru' ? 'ru' : 'en',
    templateId: nda.template, templateVersion: nda.version, text: nda.text,
  }
}
