/** The end of an upload: with the founder's signed record it becomes a version. */
import { violatedConstraint } from '../../db/client.js'
import {
  findLastVersion, findOwnVersion, listParts, updateStored, type Version,
} from '../../db/queries/versions.js'
import type { CompleteUpload, StoredVersion } from '../../protocol/api.js'
import { decodeBase64Url, encodeHex, equalBytes } from '../../protocol/bytes.js'
import { assert } from '../../protocol/errors.js'
import { fingerprintOf } from '../../protocol/deck/identity.js'
import { chunkHashRoot, recordSha256, verifyRecord, type VersionRecord } from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import { Refusal } from '../../protocol/refusals.js'
import { requireUser } from '../accounts.js'
import { takeInParts } from '../direct-parts.js'
import { directUploads } from '../uploads.js'
import { founderEvent, presentVersion } from '../vaults.js'
import type { World } from '../world.js'

/**
 * Take the record M, if the founder signed it and it says what lies in the bucket. The same record again
 * gives the same answer.
 * Refuses: upload-not-found, upload-incomplete, part-mismatch (what a browser put into the bucket), record-mismatch, conflict (another upload became this version).
 * @throws ProtocolError for a record that is malformed or not signed by the account's key.
 * Effects: the upload is a version; event `version.stored`.
 */
export async function storeVersion(
  world: World, key: { versionId: string, userId: string }, input: CompleteUpload,
): Promise<StoredVersion> {
  const signed = {
    bytes: decodeBase64Url(input.record), signature: decodeBase64Url(input.recordSignature),
  }
  const row = await findOwnVersion(world.db, { versionId: key.versionId, ownerId: key.userId })
  const version = row?.version
  if (version?.status === 'stored' && equalBytes(version.record ?? NONE, signed.bytes)) return presentVersion(version)
  if (version?.status !== 'uploading') throw new Refusal('upload-not-found')

  const user = await requireUser(world, key.userId)
  const record = verifyRecord(signed, fingerprintOf(user.signingPublicKey))
  await requireTrue(world, record, version)
  const stored = await storing(() => updateStored(world.db, {
    versionId: version.id, record: signed.bytes, recordSha256: recordSha256(signed),
    recordSignature: signed.signature, nowMs: world.clock.nowMs(),
  }, eventOf(world, key.userId, version, signed)))
  world.sequencer.wake()
  return presentVersion(stored)
}

const NONE = new Uint8Array(0)

/** Everything that the record promises and the server can see. Refuses: upload-incomplete, record-mismatch. */
async function requireTrue(world: World, record: VersionRecord, version: Version): Promise<void> {
  const hashList = await readHashList(world, version)
  const last = await findLastVersion(world.db, version)
  const previousSha256 = last?.recordSha256 ?? null
  const isTrue = record.vaultId === version.vaultId && record.documentId === version.documentId &&
    record.part === version.part && record.gate === version.gate &&
    record.version === version.version &&
    record.payloadLength === version.payloadSizeBytes && equalBytes(record.nonce, version.nonce) &&
    equalBytes(
      record.root,
      chunkHashRoot(hashList, { nonce: version.nonce, payloadLength: version.payloadSizeBytes }),
    ) &&
    equalBytes(record.previousSha256 ?? NONE, previousSha256 ?? NONE)
  if (!isTrue) throw new Refusal('record-mismatch')
}

async function readHashList(world: World, version: Version): Promise<Uint8Array> {
  if (version.hashListKey === null) throw new Refusal('upload-incomplete')
  const hashList = await world.bucket.read(version.hashListKey)
  assert(hashList !== null, 'a hash list that was acknowledged lies in the bucket')
  const parts = await listParts(world.db, [version.id])
  if (parts.length === version.partCount) return hashList
  if (directUploads(world) === undefined) throw new Refusal('upload-incomplete')
  await takeInParts(world, version, hashList)
  return hashList
}

function eventOf(world: World, userId: string, version: Version, signed: Signed) {
  return founderEvent(world, userId, {
    type: 'version.stored', vault: version.vaultId, document: version.documentId, part: version.part,
    version: version.version, gate: version.gate, size: version.payloadSizeBytes,
    recordSha256: encodeHex(recordSha256(signed)),
  })
}

async function storing(store: () => Promise<Version | undefined>): Promise<Version> {
  try {
    const stored = await store()
    if (stored === undefined) throw new Refusal('upload-not-found')
    return stored
  } catch (error) {
    if (violatedConstraint(error) !== undefined) throw new Refusal('conflict')
    throw error
  }
}
