/** Uploads as their owner gets them: which parts are there, and where the rest goes. */
import { findOwnVersion, listParts, type UploadRow, type Version } from '../db/queries/versions.js'
import type { PartTarget, Upload } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import { PART_SIZE_BYTES } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import type { DirectAccess } from './bucket.js'
import { partKey, partKeyPrefix } from './object-keys.js'
import type { World } from './world.js'

/** How long an address for one part is good; a client with many parts asks again. */
const PUT_SECONDS = 60

/** Her upload that is not finished. Refuses: upload-not-found. */
export async function requireUpload(
  world: World, key: { versionId: string, userId: string },
): Promise<UploadRow> {
  const row = await findOwnVersion(world.db, { versionId: key.versionId, ownerId: key.userId })
  if (row?.version.status !== 'uploading') throw new Refusal('upload-not-found')
  return row
}

/** How long a part is; `undefined` if the payload has no such part. */
export function partSizeOf(
  version: { payloadSizeBytes: number, partCount: number }, index: number,
): number | undefined {
  if (index < 0 || index >= version.partCount) return undefined
  return Math.min(PART_SIZE_BYTES, version.payloadSizeBytes - index * PART_SIZE_BYTES)
}

/** As it stands; parts go through the server, or straight to the bucket where that is switched on. */
export async function presentUpload(world: World, row: UploadRow): Promise<Upload> {
  const { version } = row
  const direct = directUploads(world)
  if (direct === undefined) return presentRow(row, await presentParts(world, version))
  const { objectPrefix, partCount } = version
  const keys = new Set(await world.bucket.list(partKeyPrefix(objectPrefix), partCount))
  const isStored = (index: number) => keys.has(partKey(objectPrefix, index))
  const parts = indexesOf(version).map(async (index) => isStored(index)
    ? ownTarget(version, index, true)
    : await directTarget(world, direct, { version, index }))
  return presentRow(row, await Promise.all(parts))
}

/** For a list: which uploads there are. Their parts go through the server until the upload itself is read. */
export async function presentUploads(world: World, rows: readonly UploadRow[]): Promise<Upload[]> {
  return await Promise.all(
    rows.map(async (row) => presentRow(row, await presentParts(world, row.version))))
}

/** Where browsers write to the bucket themselves; `undefined` where they do not. */
export function directUploads({ config, bucket }: World): DirectAccess | undefined {
  if (config.uploads === 'server') return undefined
  assert(bucket.direct !== undefined, 'the settings allow direct uploads with S3 alone')
  return bucket.direct
}

function presentRow({ version, nameSealed }: UploadRow, parts: PartTarget[]): Upload {
  return {
    versionId: version.id, vaultId: version.vaultId, documentId: version.documentId,
    nameSealed: encodeBase64Url(nameSealed),
    part: version.part === 1 ? 1 : 0, gate: version.gate, version: version.version,
    payloadLength: version.payloadSizeBytes,
    nonce: encodeBase64Url(version.nonce), draftSealed: encodeBase64Url(version.draftSealed),
    ownerHeader: encodeBase64Url(version.ownerHeader), createdAtMs: version.createdAtMs,
    parts,
  }
}

async function presentParts(world: World, version: Version): Promise<PartTarget[]> {
  const stored = new Set((await listParts(world.db, [version.id])).map(({ index }) => index))
  return indexesOf(version).map((index) => ownTarget(version, index, stored.has(index)))
}

function indexesOf({ partCount }: Version): number[] {
  return Array.from({ length: partCount }, (_, index) => index)
}

function ownTarget(version: Version, index: number, isStored: boolean): PartTarget {
  return {
    index, method: 'PUT', url: `/api/uploads/${version.id}/parts/${index}`,
    headers: { 'content-type': 'application/octet-stream' }, isStored, expiresInSeconds: null,
  }
}

async function directTarget(
  world: World, direct: DirectAccess, { version, index }: { version: Version, index: number },
): Promise<PartTarget> {
  const sizeBytes = partSizeOf(version, index)
  assert(sizeBytes !== undefined, 'a part of this upload')
  const put = await direct.presignPut(
    partKey(version.objectPrefix, index),
    { sizeBytes, fromMs: world.clock.nowMs(), seconds: PUT_SECONDS },
  )
  return { index, method: 'PUT', ...put, isStored: false, expiresInSeconds: PUT_SECONDS }
}
