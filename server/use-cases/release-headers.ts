/** A later visit, or the first after an approval: the device gets again what it has earned. */
import {
  findCommitment, findEnrolledEventId, insertReleases, listReleasesSince, type Acceptance,
  type Investor,
} from '../../db/queries/releases.js'
import type { Release } from '../../protocol/api.js'
import { assert } from '../../protocol/errors.js'
import { INVESTOR_SESSION_TTL_MS } from '../../protocol/limits.js'
import {
  chooseHeaders, earnedVersions, findCurrentAcceptance, handOver, planReleases, publishedReceipts,
  refusalFor,
  releasedOf, requireGate, requireInvestor, standingOf, storedReceipts,
  witnessedReceipts, type ChosenHeader,
  type InvestorClaims,
  type OpenGate,
} from '../gate.js'
import { mailReleases } from '../release-mails.js'
import type { World } from '../world.js'

/**
 * Hand over the headers that a device has earned, once the log shows it ([Note: One release a visit] in
 * db/queries/releases.ts). Nothing earned is not an error: the standing says what is missing.
 *
 * Refuses: grant-not-found, grant-revoked, grant-expired, not-signed-in, access-revoked, conflict, log-unavailable,
 * witnesses-awaited.
 * Effects: one release row and one event `header.released` for each header that this session was not given yet.
 */
export async function releaseHeaders(world: World, claims: InvestorClaims): Promise<Release> {
  const gate = await requireGate(world, claims.grantId)
  const investor = await requireInvestor(world, claims)
  const acceptance = await findCurrentAcceptance(world, gate, claims.deviceId)
  const versions = earnedVersions(gate, investor, acceptance)
  const chosen = await chooseHeaders(world, gate, { deviceId: claims.deviceId, versions })
  const sinceMs = world.clock.nowMs() - INVESTOR_SESSION_TTL_MS
  const recent = await listReleasesSince(world.db, { deviceId: claims.deviceId, sinceMs })
  const due = chosen.filter(
    ({ waiting }) => !recent.some(({ headerId }) => headerId === waiting.id),
  )
  const again = chosen.filter((header) => !due.includes(header))
  const fresh = due.length === 0 ? { receipts: [], headers: [] }
    : await releaseNow(world, gate, { investor, acceptance, chosen: due })
  const eventIds = again.flatMap(({ waiting }) =>
    recent.filter(({ headerId }) => headerId === waiting.id).slice(0, 1)
      .map(({ eventId }) => eventId))
  const receipts = [...await storedReceipts(world, eventIds), ...fresh.receipts]
  const witnessed = await witnessedReceipts(world, gate, receipts)
  return {
    standing: standingOf(gate, investor, acceptance),
    receipts: [...witnessed],
    headers: await handOver(world, claims, [...again, ...fresh.headers]),
  }
}

async function releaseNow(
  world: World, gate: OpenGate,
  {
    investor, acceptance, chosen,
  }: { investor: Investor, acceptance: Acceptance | undefined, chosen: readonly ChosenHeader[] },
) {
  const isSigned = acceptance?.status === 'accepted' || acceptance?.status === 'approved'
  const eventId = isSigned
    ? acceptance.eventId
    : await findEnrolledEventId(world.db, investor.deviceId)
  const because = eventId && await findCommitment(world.db, eventId)
  assert(typeof because === 'object', 'a device that has earned a header has an event that says so')
  const releases = planReleases(world, gate, { chosen, investor, because })
  const done = await insertReleases(world.db, {
    grantId: gate.grant.id, revision: gate.grant.revision, personId: investor.personId,
    deviceId: investor.deviceId,
    nowMs: world.clock.nowMs(), acceptanceId: isSigned ? acceptance.id : null, releases,
  })
  if (done === undefined) throw await refusalFor(world, { ...investor, grantId: gate.grant.id })
  const released = releasedOf({ releases, chosen }, done.headerIds)
  const receipts = await publishedReceipts(world, released.map(({ event }) => event))
  await mailReleases(world, gate, { ...investor, released })
  return {
    receipts,
    headers: released.map(({ header }) => header),
  }
}
