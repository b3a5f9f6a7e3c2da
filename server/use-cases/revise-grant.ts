/** Another policy or NDA for a link that is there. */
import { insertRevision, listLinkHeaderVersions } from '../../db/queries/grants.js'
import type { GrantSummary, ReviseGrant } from '../../protocol/api.js'
import { decodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { requireNewerGrant } from '../../protocol/deck/grant.js'
import { formatRecipient } from '../../protocol/deck/identity.js'
import { isApprovalDue, type GrantPolicy } from '../../protocol/deck/policy.js'
import { Refusal } from '../../protocol/refusals.js'
import { grantEvent, readGrant, revisionRow } from '../revisions.js'
import { presentGrant, requireGrant } from '../vaults.js'
import { readWraps } from '../wraps.js'
import type { World } from '../world.js'

const MAX_LINK_HEADERS = 5_000

/**
 * Put the next revision of a link in force. The same request again gives the same answer.
 * Refuses: grant-not-found, grant-revoked, grant-mismatch, nda-mismatch, witnesses-mismatch, version-not-found, conflict (another revision
 * was first).
 * @throws ProtocolError for what is malformed, not signed by the account's key, or does not follow the revision in force.
 * Effects: revision, headers; the link's headers behind an NDA that now needs approval go; event `grant.revised`.
 */
export async function reviseGrant(
  world: World, key: { grantId: string, userId: string }, input: ReviseGrant,
): Promise<GrantSummary> {
  const current = await requireGrant(world, key)
  if (current.revokedAtMs !== null) throw new Refusal('grant-revoked')
  const { vaultId, ownerSigningKey: signingKey, witnesses } = current
  const place = { ...key, vaultId, signingKey, witnesses }
  const read = await readGrant(world, place, input)
  if (equalBytes(read.signed.bytes, current.statement)) return presentGrant(current)
  requireNewerGrant({ bytes: current.statement, signature: current.signature }, read.signed)
  if (read.grant.revision !== current.revision + 1) throw new Refusal('grant-mismatch')

  const { policy } = read.grant
  const headers = await readWraps(world, {
    ...place, policy, recipient: formatRecipient(read.grant.linkRecipient), device: null,
  }, input.headers)
  const grant = {
    id: key.grantId, vaultId: current.vaultId, nameSealed: decodeBase64Url(input.nameSealed),
    cardSealed: decodeBase64Url(input.cardSealed),
  }
  const event = grantEvent(world, key.userId, 'grant.revised', read)
  const locked = await listLocked(world, key.grantId, policy)
  const isRevised = await insertRevision(
    world.db, grant, revisionRow(world, read), headers, event, locked,
  )
  if (!isRevised) throw new Refusal('conflict')
  world.sequencer.wake()
  return presentGrant(await requireGrant(world, key))
}

/** The versions whose link header may not lie there any longer. */
async function listLocked(world: World, grantId: string, policy: GrantPolicy): Promise<string[]> {
  const versions = await listLinkHeaderVersions(world.db, grantId, MAX_LINK_HEADERS)
  return versions.filter((version) => isApprovalDue(policy, version)).map(({ id }) => id)
}
