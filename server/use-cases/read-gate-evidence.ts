/** What proves an investor's own visits, for the evidence pack that she makes. */
import { getPublished, listEvents, type EventRow } from '../../db/queries/audit.js'
import { findNda } from '../../db/queries/gate.js'
import type { GateEvidence, NdaText } from '../../protocol/api.js'
import { decodeHex, encodeBase64Url } from '../../protocol/bytes.js'
import { parseEvent } from '../../protocol/log/event.js'
import { requireGate, requireInvestor, storedReceipts, type InvestorClaims } from '../gate.js'
import type { World } from '../world.js'

/** What permits a release is early and seldom; releases come with every visit, and the newest tell enough. */
const LIMITS = [
  { type: 'email.verified', limit: 20 },
  { type: 'device.enrolled', limit: 20 },
  { type: 'nda.accepted', limit: 20 },
  { type: 'nda.declined', limit: 20 },
  { type: 'access.approved', limit: 20 },
  { type: 'header.released', limit: 100 },
] as const

/**
 * Receipts of a person's own events behind one link, cosigned where witnesses have seen them, and the agreements
 * that she accepted.
 * Refuses: grant-not-found, grant-revoked, grant-expired, not-signed-in, access-revoked, log-unavailable.
 */
export async function readGateEvidence(
  world: World, claims: InvestorClaims,
): Promise<GateEvidence> {
  const { grant: { vaultId } } = await requireGate(world, claims.grantId)
  await requireInvestor(world, claims)
  const { size } = await getPublished(world.db)
  const rows: EventRow[] = []
  for (const { type, limit } of LIMITS) {
    const order = type === 'header.released' ? 'newest-first' : 'oldest-first'
    const filter = { type, personId: claims.personId }
    rows.push(...await listEvents(world.db, { vaultId, size }, filter, { order, limit }))
  }
  // What was erased proves nothing that a person could read.
  const eventIds = rows.filter(({ bytes }) => bytes !== null).map(({ eventId }) => eventId)
  const receipts = await storedReceipts(world, eventIds)
  return { receipts, agreements: await readAgreements(world, vaultId, rows) }
}

async function readAgreements(
  world: World, vaultId: string, rows: readonly EventRow[],
): Promise<NdaText[]> {
  const hashes = new Set(rows.flatMap(({ type, bytes }) =>
    type === 'nda.accepted' && bytes !== null ? parseEvent(bytes).agreementSha256 ?? [] : []))
  const found = await Promise.all([...hashes].map(
    (hash) => findNda(world.db, { vaultId, sha256: decodeHex(hash) })))
  return found.filter((nda) => nda !== undefined).map((nda) => ({
    sha256: encodeBase64Url(nda.sha256), title: nda.title, language: nda.language === 'ru' ? 'ru' : 'en',
    templateId: nda.template, templateVersion: nda.version, text: nda.text,
  }))
}
