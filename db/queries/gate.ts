/** What stands behind a link: its grant, its vault, the versions it can lead to. Rows out, no policy. */
import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import { askTogether, keysIn, preparedOnce, type Db } from '../client.js'
import { grantRevisions, grants, ndas, users, vaults, versions } from '../schema.js'

export type GateGrant = Awaited<ReturnType<ReturnType<typeof grantsStatement>['execute']>>[number]
export type GateVersion = Omit<LatestRow, 'vaultId'>
type LatestRow = Awaited<ReturnType<ReturnType<typeof latestStatement>['execute']>>[number]

/** Versions that one vault's gate shows at most. */
const MAX_LATEST_VERSIONS = 200
/** Records of one document part that travel with its newest version. */
const MAX_CHAIN_RECORDS = 1_000

/**
 * The grant at its current revision, with its vault's owner and its NDA's title; `undefined` if there is none, or its
 * vault is gone. [Note: Asked together] in client.ts.
 */
export const findGateGrant = askTogether<GateGrant>(async (db, ids) => {
  const rows = await grantsStatement(db).execute({ ids: ids.join() })
  return new Map(rows.map((row) => [row.id, row]))
})

const grantsStatement = preparedOnce((db) =>
  db.select({
    id: grants.id,
    vaultId: grants.vaultId,
    revision: grants.revision,
    cardSealed: grants.cardSealed,
    revokedAtMs: grants.revokedAtMs,
    statement: grantRevisions.statement,
    statementSha256: grantRevisions.statementSha256,
    signature: grantRevisions.signature,
    ndaSha256: grantRevisions.ndaSha256,
    ndaTitle: ndas.title,
    ndaLanguage: ndas.language,
    linkRecipient: grantRevisions.linkRecipient,
    linkSigningPublicKey: grantRevisions.linkSigningPublicKey,
    policy: grantRevisions.policy,
    witnesses: grantRevisions.witnesses,
    gate: grantRevisions.gate,
    release: grantRevisions.release,
    expiresAtMs: grantRevisions.expiresAtMs,
    ownerId: users.id,
    ownerName: users.name,
    ownerEmail: users.email,
    ownerLocale: users.locale,
    ownerSigningKey: users.signingPublicKey,
  }).from(grants)
    .innerJoin(grantRevisions, and(
      eq(grantRevisions.grantId, grants.id), eq(grantRevisions.revision, grants.revision)))
    .innerJoin(vaults, and(eq(vaults.id, grants.vaultId), isNull(vaults.deletedAtMs)))
    .innerJoin(users, eq(users.id, vaults.ownerId))
    .leftJoin(ndas, and(
      eq(ndas.vaultId, grants.vaultId), eq(ndas.sha256, grantRevisions.ndaSha256)))
    .where(sql`${grants.id} = any(${keysIn('ids')})`)
    .prepare('find_gate_grants'))

/** The newest stored version of each document part of a vault, oldest document first. */
export async function listLatestVersions(db: Db, vaultId: string): Promise<GateVersion[]> {
  return await latestOf(db, vaultId) ?? []
}

const latestOf = askTogether<GateVersion[]>(async (db, ids) => {
  const rows = await latestStatement(db).execute({ ids: ids.join() })
  const found = new Map<string, GateVersion[]>(ids.map((id) => [id, []]))
  for (const { vaultId, ...version } of rows) found.get(vaultId)?.push(version)
  return found
})

const latestStatement = preparedOnce((db) => {
  const asked = db.select({ id: vaults.id }).from(vaults)
    .where(sql`${vaults.id} = any(${keysIn('ids')}::uuid[])`).as('asked')
  const latest = db.selectDistinctOn([versions.documentId, versions.part], {
    id: versions.id,
    vaultId: versions.vaultId,
    documentId: versions.documentId,
    part: versions.part,
    gate: versions.gate,
    version: versions.version,
    payloadSizeBytes: versions.payloadSizeBytes,
    recordSha256: versions.recordSha256,
  }).from(versions)
    .where(and(eq(versions.vaultId, asked.id), eq(versions.status, 'stored')))
    .orderBy(asc(versions.documentId), asc(versions.part), desc(versions.version))
    .limit(MAX_LATEST_VERSIONS)
    .as('latest')
  return db.select({
    id: latest.id, vaultId: latest.vaultId, documentId: latest.documentId, part: latest.part,
    gate: latest.gate, version: latest.version, payloadSizeBytes: latest.payloadSizeBytes,
    recordSha256: latest.recordSha256,
  }).from(asked).crossJoinLateral(latest)
    .orderBy(asc(latest.vaultId), asc(latest.documentId), asc(latest.part))
    .prepare('list_latest_versions')
})

/** The signed records of a document part, first version first. */
export async function listRecords(db: Db, part: { documentId: string, part: number }) {
  const rows = await recordsStatement(db).execute(part)
  return rows.flatMap(({ version, record, signature }) =>
    record === null || signature === null ? [] : [{ version, record, signature }])
}

const recordsStatement = preparedOnce((db) => db
  .select({
    version: versions.version, record: versions.record, signature: versions.recordSignature,
  }).from(versions)
  .where(and(
    eq(versions.documentId, sql.placeholder('documentId')),
    eq(versions.part, sql.placeholder('part')), eq(versions.status, 'stored')))
  .orderBy(asc(versions.version))
  .limit(MAX_CHAIN_RECORDS)
  .prepare('list_records'))

/** The NDA that stood under this hash when it was published in the vault. */
export async function findNda(db: Db, key: { vaultId: string, sha256: Uint8Array }) {
  const [row] = await ndaStatement(db).execute(key)
  return row
}

const ndaStatement = preparedOnce((db) => db.select().from(ndas)
  .where(and(eq(ndas.vaultId, sql.placeholder('vaultId')), eq(ndas.sha256, sql.placeholder('sha256'))))
  .prepare('find_nda'))

/**
 * True while the link is neither revoked nor expired, and at this revision if one is given; for use inside larger
 * statements that change something.
 *
 * [Note: Who comes first] A statement sees the rows as they were when it began, so a plain look at the grant would
 * let a release pass a revocation that commits meanwhile. The lock makes one wait for the other: a release that
 * waited reads the grant anew, and one that was first has its events numbered before the revocation's.
 */
export function isGrantLive(grantId: string, nowMs: number, revision: number | null = null) {
  return sql`exists (
    select 1 from ${grants} g
    join ${grantRevisions} r on r.grant_id = g.id and r.revision = g.revision
    join ${vaults} v on v.id = g.vault_id and v.deleted_at is null
    where g.id = ${grantId} and g.revoked_at is null
      and g.revision = coalesce(${revision}::integer, g.revision)
      and (r.expires_at is null or r.expires_at > ${new Date(nowMs).toISOString()}::timestamptz)
    for share of g)`
}
