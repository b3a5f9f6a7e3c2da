/** The gate page, before any key: who shares, under what grant; readable only with the link's fragment. */
import type { GateView } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { gateUnder } from '../../protocol/deck/policy.js'
import { requireGate, type OpenGate } from '../gate.js'
import type { World } from '../world.js'

/**
 * Show what stands behind a link. Looking is not recorded: mail scanners open links.
 * Refuses: grant-not-found, grant-revoked, grant-expired.
 */
export async function viewGate(world: World, grantId: string): Promise<GateView> {
  const gate = await requireGate(world, grantId)
  const { grant } = gate
  return {
    grantId: grant.id,
    vaultId: grant.vaultId,
    grant: encodeBase64Url(grant.statement),
    grantSignature: encodeBase64Url(grant.signature),
    signingKey: encodeBase64Url(grant.ownerSigningKey),
    cardSealed: encodeBase64Url(grant.cardSealed),
    logVkey: world.keys.log.vkey,
    witnesses: grant.witnesses ?? world.witnesses.policy?.text ?? null,
    nda: presentNda(gate),
    parts: gate.versions.map((version) => ({
      documentId: version.documentId, part: version.part === 1 ? 1 : 0,
      gate: gateUnder(gate.policy, version),
      version: version.version,
    })),
  }
}

function presentNda({ grant }: OpenGate): GateView['nda'] {
  const { ndaSha256, ndaTitle, ndaLanguage } = grant
  if (ndaSha256 === null || ndaTitle === null) return null
  return { sha256: encodeBase64Url(ndaSha256), title: ndaTitle, language: ndaLanguage === 'ru' ? 'ru' : 'en' }
}
