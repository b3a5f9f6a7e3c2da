/** What a founder signed, by the hashes that the log's events name it by: rows in, rows out. */
import { and, eq, inArray, or, sql, type SQL } from 'drizzle-orm'
import type { Signed } from '../../protocol/deck/signature.js'
import type { Db } from '../client.js'
import { grantRevisions, grants, headerWraps, versions } from '../schema.js'

type Hashes = readonly Uint8Array[]

/** Revisions of a vault's links, whatever became of the links. */
export async function listSignedGrants(
  db: Db, vaultId: string, hashes: Hashes,
): Promise<Signed[]> {
  if (hashes.length === 0) return []
  return await db.select({ bytes: grantRevisions.statement, signature: grantRevisions.signature })
    .from(grantRevisions).innerJoin(grants, eq(grants.id, grantRevisions.grantId))
    .where(and(eq(grants.vaultId, vaultId), inArray(grantRevisions.statementSha256, [...hashes])))
    .limit(hashes.length)
}

/** Records of a vault's versions, whatever became of their payloads. */
export async function listSignedRecords(
  db: Db, vaultId: string, hashes: Hashes,
): Promise<Signed[]> {
  if (hashes.length === 0) return []
  return await db.select({
    bytes: sql`${versions.record}`.mapWith(versions.record),
    signature: sql`${versions.recordSignature}`.mapWith(versions.recordSignature),
  }).from(versions)
    .where(and(eq(versions.vaultId, vaultId), inArray(versions.recordSha256, [...hashes])))
    .limit(hashes.length)
}

/** Wrap records by header and by recipient, at most `limit`. */
export async function listSignedWraps(
  db: Db, wanted: { vaultId: string, headers: Hashes, recipients: Hashes }, limit: number,
): Promise<Signed[]> {
  const either: SQL[] = [
    ...wanted.headers.length === 0 ? [] : [inArray(headerWraps.headerSha256, [...wanted.headers])],
    ...wanted.recipients.length === 0 ? []
      : [inArray(headerWraps.recipientSha256, [...wanted.recipients])],
  ]
  if (either.length === 0) return []
  return await db.select({ bytes: headerWraps.wrap, signature: headerWraps.wrapSignature })
    .from(headerWraps).where(and(eq(headerWraps.vaultId, wanted.vaultId), or(...either)))
    .limit(limit)
}
