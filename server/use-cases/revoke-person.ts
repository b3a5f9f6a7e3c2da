/** The end of one person's access through a link. */
import { updatePersonRevoked } from '../../db/queries/grants.js'
import { findOwnPerson } from '../../db/queries/people.js'
import type { RevocationReport } from '../../protocol/api.js'
import { Refusal } from '../../protocol/refusals.js'
import { reportRevocation } from '../revocations.js'
import { founderEvent } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Revoke a person. The link stays for the others. Once more gives the same report.
 * Refuses: grant-not-found, for a person behind no link of hers, too.
 * Effects: her devices are revoked and the headers made for them gone; event `access.revoked`.
 */
export async function revokePerson(
  world: World, key: { grantId: string, personId: string, userId: string },
): Promise<RevocationReport> {
  const person = await findOwnPerson(world.db, { ...key, ownerId: key.userId })
  if (person === undefined) throw new Refusal('grant-not-found')
  const nowMs = world.clock.nowMs()
  const event = founderEvent(world, key.userId, {
    type: 'access.revoked', vault: person.vaultId, grant: person.grantId, party: person.id, reason: 'person-revoked',
  })
  const headerCount = await updatePersonRevoked(world.db, { personId: person.id, nowMs }, event)
  if (headerCount !== undefined) world.sequencer.wake()
  return await reportRevocation(world, { personId: person.id }, {
    revokedAtMs: headerCount === undefined ? person.revokedAtMs ?? nowMs : nowMs,
    headerCount: headerCount ?? 0,
  })
}
