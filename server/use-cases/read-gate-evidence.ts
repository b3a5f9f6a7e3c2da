/** What proves an investor's own visits, all under one checkpoint: for the evidence pack that she makes. */
import { getPublished, listEvents, type EventRow } from '../../db/queries/audit.js'
import { findNda } from '../../db/queries/gate.js'
import type { GateEvidence, NdaText, Receipt } from '../../protocol/api.js'
import { decodeHex, encodeBase64Url } from '../../protocol/bytes.js'
import { decodeEntry, parseEvent } from '../../protocol/log/event.js'
import { buildProof } from '../../protocol/log/proof.js'
import { requireGate, requireInvestor, type InvestorClaims } from '../gate.js'
import { proveEvents, type ProvenEvent } from '../log-reader.js'
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
 * Receipts of a person's own events behind one link, and the agreements that she accepted.
 * Refuses: grant-not-found, grant-revoked, grant-expired, not-signed-in, access-revoked.
 */
export async function readGateEvidence(
  world: World, claims: InvestorClaims,
): Promise<GateEvidence> {
  const { grant: { vaultId } } = await requireGate(world, claims.grantId)
  await requireInvestor(world, claims)
  const { size, checkpoint } = await getPublished(world.db)
  const rows: EventRow[] = []
  for (const { type, limit } of LIMITS) {
    const order = type === 'header.released' ? 'newest-first' : 'oldest-first'
    const filter = { type, personId: claims.personId }
    rows.push(...await listEvents(world.db, { vaultId, size }, filter, { order, limit }))
  }
  const proven = await proveEvents(world, rows, size)
  const receipts = proven.flatMap((event) => receiptOf(event, checkpoint))
  return { receipts, agreements: await readAgreements(world, vaultId, rows) }
}

/** None for what was erased. */
function receiptOf({ row, proof }: ProvenEvent, checkpoint: string): Receipt[] {
  const { bytes, salt, details, detailsSalt } = row
  if (bytes === null || salt === null) return []
  const { vaultTag, partyTag } = decodeEntry(row.entry)
  const opening = { salt, vaultTag, partyTag, eventBytes: bytes }
  return [{
    eventId: row.eventId, eventType: row.type,
    proof: buildProof({ index: BigInt(row.index), path: proof, checkpoint, opening }),
    details: details === null || detailsSalt === null ? null
      : { bytes: encodeBase64Url(details), salt: encodeBase64Url(detailsSalt) },
  }]
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
