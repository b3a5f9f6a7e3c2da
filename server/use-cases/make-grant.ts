/** A new link into a vault. */
import { findOwnGrant, insertGrant } from '../../db/queries/grants.js'
import type { GrantSummary, MakeGrant } from '../../protocol/api.js'
import { decodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { formatRecipient } from '../../protocol/deck/identity.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireUser } from '../accounts.js'
import { grantEvent, readGrant, revisionRow, type ReadGrant } from '../revisions.js'
import { presentGrant, requireGrant, requireVault } from '../vaults.js'
import { readWraps } from '../wraps.js'
import type { World } from '../world.js'

/**
 * Make a link with its first revision and the headers that wait behind it. The same request again gives
 * the same answer.
 * Refuses: vault-not-found, grant-mismatch, nda-mismatch, witnesses-mismatch, version-not-found, conflict (the id is taken).
 * @throws ProtocolError for what is malformed or not signed by the account's key.
 * Effects: grant, revision, headers; event `grant.made`.
 */
export async function makeGrant(
  world: World, founder: { userId: string, vaultId: string }, input: MakeGrant,
): Promise<GrantSummary> {
  await requireVault(world, founder)
  const { signingPublicKey: signingKey } = await requireUser(world, founder.userId)
  const read = await readGrant(world, { ...founder, grantId: input.grantId, signingKey }, input)
  if (read.grant.revision !== 1) throw new Refusal('grant-mismatch')
  const headers = await readWraps(world, {
    vaultId: founder.vaultId, grantId: input.grantId, policy: read.grant.policy, signingKey,
    recipient: formatRecipient(read.grant.linkRecipient), device: null,
  }, input.headers)

  const grant = {
    id: input.grantId, vaultId: founder.vaultId, nameSealed: decodeBase64Url(input.nameSealed),
    cardSealed: decodeBase64Url(input.cardSealed), createdAtMs: world.clock.nowMs(),
  }
  const event = grantEvent(world, founder.userId, 'grant.made', read)
  const isMade = await insertGrant(world.db, grant, revisionRow(world, read), headers, event)
  if (!isMade) await requireRepeat(world, founder.userId, input.grantId, read)
  world.sequencer.wake()
  return presentGrant(await requireGrant(world, { grantId: input.grantId, userId: founder.userId }))
}

/** The answer to a request may have been lost, and the request sent again. */
async function requireRepeat(
  world: World, userId: string, grantId: string, { signed }: ReadGrant,
): Promise<void> {
  const existing = await findOwnGrant(world.db, { grantId, ownerId: userId })
  if (existing === undefined || !equalBytes(existing.statement, signed.bytes)) throw new Refusal('conflict')
}
