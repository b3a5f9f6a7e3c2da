/** Uploads as their owner gets them: which parts are there, and where the rest goes. */
import { findOwnVersion, listParts, type UploadPart, type UploadRow } from '../db/queries/versions.js'
import type { PartTarget, Upload } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { PART_SIZE_BYTES } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

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

export async function presentUploads(world: World, rows: readonly UploadRow[]): Promise<Upload[]> {
  const parts = await listParts(world.db, rows.map(({ version }) => version.id))
  return rows.map(
    (row) => presentUpload(row, parts.filter(({ versionId }) => versionId === row.version.id)),
  )
}

export function presentUpload(
  { version, nameSealed }: UploadRow, parts: readonly UploadPart[],
): Upload {
  const storedIndexes = new Set(parts.map(({ index }) => index))
  return {
    versionId: version.id, vaultId: version.vaultId, documentId: version.documentId,
    nameSealed: encodeBase64Url(nameSealed),
    part: version.part === 1 ? 1 : 0, gate: version.gate, version: version.version,
    payloadLength: version.payloadSizeBytes,
    nonce: encodeBase64Url(version.nonce), draftSealed: encodeBase64Url(version.draftSealed),
    ownerHeader: encodeBase64Url(version.ownerHeader), createdAtMs: version.createdAtMs,
    parts: Array.from({ length: version.partCount }, (_, index) =>
      partTarget(version.id, index, storedIndexes.has(index))),
  }
}

/** Through the server: a presigned address would have to name the part's hash before the part is sealed. */
function partTarget(versionId: string, index: number, isStored: boolean): PartTarget {
  return {
    index, method: 'PUT', url: `/api/uploads/${versionId}/parts/${index}`,
    headers: { 'content-type': 'application/octet-stream' }, isStored,
  }
}
