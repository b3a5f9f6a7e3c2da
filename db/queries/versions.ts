/**
 * Versions from their first part to their signed record. An upload is a version whose record is not there
 * yet: it is its owner's alone, and nobody else's query finds it.
 */
import { and, asc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import { preparedOnce, type Db } from '../client.js'
import { rowWhere } from '../insert-where.js'
import { documents, instanceUsage, uploadParts, users, vaults, versions } from '../schema.js'
import { logged, type OutboxEvent } from './outbox.js'

export type Version = typeof versions.$inferSelect
export type UploadPart = typeof uploadParts.$inferSelect
type NewVersion = typeof versions.$inferInsert
type NewDocument = typeof documents.$inferInsert

/** An upload with what its owner's list shows. */
export interface UploadRow { readonly version: Version, readonly nameSealed: Uint8Array }

/**
 * Begin an upload, and its document if it is the first: the bytes count at once, so that uploads side by side
 * cannot pass the quota together.
 *
 * @returns the upload; `undefined` if there is no room, the vault is gone, or the document is another
 *   vault's. Nothing changed then.
 */
export async function insertUpload(
  db: Db, upload: NewVersion, document: NewDocument,
  owner: { id: string, defaultQuotaBytes: number, instanceQuotaBytes: number | undefined },
): Promise<Version | undefined> {
  const size = upload.payloadSizeBytes
  const isForeign = sql`exists (select 1 from ${documents} d where d.id = ${document.id}::uuid
    and (d.vault_id <> ${document.vaultId}::uuid or d.deleted_at is not null))`
  const room = db.$with('room').as(
    db.update(users).set({ usedBytes: sql`${users.usedBytes} + ${size}` })
      .where(and(eq(users.id, owner.id),
        sql`${users.usedBytes} + ${size} <= coalesce(${users.quotaBytes}, ${owner.defaultQuotaBytes})`,
        hasInstanceRoom(size, owner.instanceQuotaBytes),
        sql`not ${isForeign}`,
        sql`exists (select 1 from ${vaults} v where v.id = ${upload.vaultId}::uuid and v.owner_id = ${owner.id}::uuid
          and v.deleted_at is null)`))
      .returning({ id: users.id }))
  const hasRoom = sql`exists (select 1 from ${room})`
  const placed = db.$with('placed').as(
    db.insert(documents).select(rowWhere(documents, document, hasRoom)).onConflictDoNothing()
      .returning({ id: documents.id }))
  const begun = db.$with('begun').as(
    db.insert(versions).select(rowWhere(versions, upload, hasRoom)).returning())
  const [row] = await db.with(room, placed, begun).select().from(begun)
  return row
}

/** Uploads that begin in one moment may pass this limit together: the row is counted when they are there. */
function hasInstanceRoom(size: number, quotaBytes: number | undefined) {
  return quotaBytes === undefined ? undefined
    : sql`(select ${instanceUsage.usedBytes} from ${instanceUsage}) + ${size} <= ${quotaBytes}`
}

/** What an account uses, and all accounts together; `undefined` if there is no such account. */
export async function findUsage(db: Db, userId: string): Promise<Usage | undefined> {
  const [row] = await db.select({
    usedBytes: users.usedBytes, quotaBytes: users.quotaBytes,
    instanceUsedBytes: instanceUsage.usedBytes,
  }).from(users).innerJoin(instanceUsage, sql`true`).where(eq(users.id, userId))
  return row
}

export interface Usage {
  readonly usedBytes: number
  /** Null: what the configuration gives everybody. */
  readonly quotaBytes: number | null
  readonly instanceUsedBytes: number
}

/** The version, if it is in a vault of this owner that is not deleted; of whatever status. */
export async function findOwnVersion(
  db: Db, key: { versionId: string, ownerId: string },
): Promise<UploadRow | undefined> {
  const [row] = await owned(db).where(and(
    eq(versions.id, key.versionId), eq(vaults.ownerId, key.ownerId), isNull(vaults.deletedAtMs)))
  return row
}

/** What was begun in a vault and not finished, oldest first. */
export async function listUploads(db: Db, vaultId: string, limit: number): Promise<UploadRow[]> {
  return await owned(db).where(and(eq(versions.vaultId, vaultId), eq(versions.status, 'uploading')))
    .orderBy(asc(versions.createdAtMs), asc(versions.id)).limit(limit)
}

function owned(db: Db) {
  return db.select({ version: versions, nameSealed: documents.nameSealed }).from(versions)
    .innerJoin(documents, eq(documents.id, versions.documentId))
    .innerJoin(vaults, eq(vaults.id, versions.vaultId))
}

/** An upload begun before with this nonce: the same request came twice. */
export async function findUploadByNonce(
  db: Db, key: { vaultId: string, documentId: string, nonce: Uint8Array },
): Promise<UploadRow | undefined> {
  const [row] = await owned(db).where(and(
    eq(versions.vaultId, key.vaultId), eq(versions.documentId, key.documentId),
    eq(versions.nonce, key.nonce),
    eq(versions.status, 'uploading')))
  return row
}

/** All stored versions of a vault, by document, part and version. */
export async function listStoredVersions(
  db: Db, vaultId: string, limit: number,
): Promise<Version[]> {
  return await db.select().from(versions).where(and(eq(versions.vaultId, vaultId), eq(versions.status, 'stored')))
    .orderBy(asc(versions.documentId), asc(versions.part), asc(versions.version)).limit(limit)
}

/** The stored versions among these ids, in one vault. */
export async function findStoredVersions(
  db: Db, vaultId: string, ids: readonly string[],
): Promise<Version[]> {
  if (ids.length === 0) return []
  return await db.select().from(versions).where(and(
    eq(versions.vaultId, vaultId), eq(versions.status, 'stored'), inArray(versions.id, [...ids])))
}

/** The newest stored version of a document part, with the hash that the next record has to name. */
export async function findLastVersion(
  db: Db, key: { documentId: string, part: number },
): Promise<Version | undefined> {
  const [row] = await db.select().from(versions)
    .where(and(eq(versions.documentId, key.documentId), eq(versions.part, key.part), eq(versions.status, 'stored')))
    .orderBy(sql`${versions.version} desc`).limit(1)
  return row
}

// ---- parts ----------------------------------------------------------------------------------

/**
 * Her upload that is not finished, as far as one part's bytes are concerned; `undefined` if there is none.
 * `partSha256`: of the part as it is stored already.
 */
export async function findUploadPart(
  db: Db, key: { versionId: string, userId: string, index: number },
) {
  const [row] = await uploadPartStatement(db).execute(key)
  return row
}

const uploadPartStatement = preparedOnce((db) => db
  .select({
    objectPrefix: versions.objectPrefix, payloadSizeBytes: versions.payloadSizeBytes,
    partCount: versions.partCount, nonce: versions.nonce, partSha256: uploadParts.sha256,
  }).from(versions)
  .innerJoin(vaults, eq(vaults.id, versions.vaultId))
  .leftJoin(uploadParts, and(
    eq(uploadParts.versionId, versions.id), eq(uploadParts.index, sql.placeholder('index'))))
  .where(and(
    eq(versions.id, sql.placeholder('versionId')), eq(versions.status, 'uploading'),
    eq(vaults.ownerId, sql.placeholder('userId')), isNull(vaults.deletedAtMs)))
  .prepare('find_upload_part'))

/** The parts that are there, of several uploads, in order. */
export async function listParts(db: Db, versionIds: readonly string[]): Promise<UploadPart[]> {
  if (versionIds.length === 0) return []
  return await db.select().from(uploadParts).where(inArray(uploadParts.versionId, [...versionIds]))
    .orderBy(asc(uploadParts.versionId), asc(uploadParts.index))
}

/** Note that a part lies in the bucket, checked. @returns false if the upload is over by now. */
export async function insertPart(db: Db, part: UploadPart): Promise<boolean> {
  const rows = await insertPartStatement(db).execute({ ...part })
  return rows.length === 1
}

const insertPartStatement = preparedOnce((db) => {
  const [versionId, index] = [sql.placeholder('versionId'), sql.placeholder('index')]
  const [sizeBytes, sha256] = [sql.placeholder('sizeBytes'), sql.placeholder('sha256')]
  const part = { versionId, index, sizeBytes, sha256, storedAtMs: sql.placeholder('storedAtMs') }
  const isUploading = sql`exists (
    select 1 from ${versions} v where v.id = ${versionId}::uuid and v.status = 'uploading')`
  return db.insert(uploadParts).select(rowWhere(uploadParts, part, isUploading))
    // The same part sent twice at once: both are there.
    .onConflictDoUpdate({
      target: [uploadParts.versionId, uploadParts.index], set: { storedAtMs: sql`excluded.stored_at` },
    })
    .returning({ index: uploadParts.index })
    .prepare('insert_part')
})

/** Note that all parts lie in the bucket, checked. @returns false if the upload is over by now. */
export async function insertParts(
  db: Db, versionId: string, parts: readonly UploadPart[],
): Promise<boolean> {
  const [upload] = await db.select({ id: versions.id }).from(versions)
    .where(and(eq(versions.id, versionId), eq(versions.status, 'uploading')))
  if (upload === undefined) return false
  await db.insert(uploadParts).values([...parts]).onConflictDoNothing()
  return true
}

/** Note that the hash list lies in the bucket. @returns false if the upload is over by now. */
export async function updateHashListKey(
  db: Db, key: { versionId: string, hashListKey: string },
): Promise<boolean> {
  const rows = await db.update(versions).set({ hashListKey: key.hashListKey })
    .where(and(eq(versions.id, key.versionId), eq(versions.status, 'uploading'))).returning({ id: versions.id })
  return rows.length === 1
}

// ---- the end of an upload -------------------------------------------------------------------

export interface NewRecord {
  readonly versionId: string
  readonly record: Uint8Array
  readonly recordSha256: Uint8Array
  readonly recordSignature: Uint8Array
  readonly nowMs: number
}

/**
 * Turn an upload into a version, and append its event, in one statement. Repeats that all parts and the
 * hash list are there and that the vault is.
 *
 * @returns the version; `undefined` if the upload is over, or incomplete.
 * @throws the driver's error on `versions_one_stored`: another upload became this version first.
 */
export async function updateStored(
  db: Db, stored: NewRecord, event: OutboxEvent,
): Promise<Version | undefined> {
  const changed = db.$with('changed').as(
    db.update(versions)
      .set({
        status: 'stored', record: stored.record, recordSha256: stored.recordSha256,
        recordSignature: stored.recordSignature, storedAtMs: stored.nowMs, eventId: event.id,
      })
      .where(and(
        eq(versions.id, stored.versionId), eq(versions.status, 'uploading'), sql`${versions.hashListKey} is not null`,
        sql`${versions.partCount} = (select count(*) from ${uploadParts} p where p.version_id = ${versions.id})`,
        sql`exists (select 1 from ${vaults} v where v.id = ${versions.vaultId} and v.deleted_at is null)`))
      .returning())
  const [row] = await db.with(changed, logged(db, changed, [event])).select().from(changed)
  return row
}

/** Give an upload up: its bytes no longer count, its objects wait for collection. @returns false if it was over. */
export async function updateCancelled(
  db: Db, cancelled: { versionId: string, nowMs: number },
): Promise<boolean> {
  return (await cancelWhere(db, eq(versions.id, cancelled.versionId), cancelled.nowMs)) === 1
}

/** Give up at most `limit` uploads that began before `beforeMs`. @returns how many. */
export async function cancelOldUploads(
  db: Db, old: { beforeMs: number, limit: number, nowMs: number },
): Promise<number> {
  const oldest = db.select({ id: versions.id }).from(versions)
    .where(and(eq(versions.status, 'uploading'), lt(versions.createdAtMs, old.beforeMs)))
    .orderBy(asc(versions.createdAtMs)).limit(old.limit)
  return await cancelWhere(db, inArray(versions.id, oldest), old.nowMs)
}

async function cancelWhere(db: Db, which: ReturnType<typeof eq>, nowMs: number): Promise<number> {
  const cancelled = db.$with('cancelled').as(
    db.update(versions).set({ status: 'cancelled', cancelledAtMs: nowMs })
      .where(and(which, eq(versions.status, 'uploading')))
      .returning(
        { id: versions.id, vaultId: versions.vaultId, sizeBytes: versions.payloadSizeBytes },
      ))
  const freed = db.$with('freed').as(
    db.update(users)
      .set({ usedBytes: sql`${users.usedBytes} - (
        select sum(c.payload_size_bytes) from ${cancelled} c join ${vaults} v on v.id = c.vault_id
        where v.owner_id = ${users.id})` })
      .where(sql`${users.id} in (select v.owner_id from ${cancelled} c join ${vaults} v on v.id = c.vault_id)`)
      .returning({ id: users.id }))
  const forgotten = db.$with('forgotten').as(
    db.delete(uploadParts).where(sql`${uploadParts.versionId} in (select id from ${cancelled})`)
      .returning({ index: uploadParts.index }))
  const rows = await db.with(cancelled, freed, forgotten).select({ id: cancelled.id })
    .from(cancelled)
  return rows.length
}

// ---- collection -----------------------------------------------------------------------------

/** Cancelled versions whose grace is over, oldest first: their objects may go. */
export async function listCollectable(db: Db, old: { beforeMs: number, limit: number }) {
  return await db.select(
    { id: versions.id, objectPrefix: versions.objectPrefix, partCount: versions.partCount },
  )
    .from(versions).where(and(eq(versions.status, 'cancelled'), lt(versions.cancelledAtMs, old.beforeMs)))
    .orderBy(asc(versions.cancelledAtMs)).limit(old.limit)
}

/** Note that the objects of a cancelled version are gone; what the log says of it stays. */
export async function updateCollected(db: Db, versionId: string): Promise<void> {
  await db.update(versions).set({ status: 'collected' })
    .where(and(eq(versions.id, versionId), eq(versions.status, 'cancelled')))
}
