/** The beginning of a version: its place, its length, and its draft, which lets the owner resume it. */
import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { findLastVersion, findUploadByNonce, findUsage, insertUpload } from '../../db/queries/versions.js'
import type { BeginUpload, Upload } from '../../protocol/api.js'
import { decodeBase64Url, encodeHex } from '../../protocol/bytes.js'
import { parseSealdeckHeader } from '../../protocol/deck/header.js'
import { MAX_PAYLOAD_SIZE_BYTES, plaintextSizeOf } from '../../protocol/deck/record.js'
import { Refusal } from '../../protocol/refusals.js'
import { partCountOf } from '../object-keys.js'
import { presentUpload } from '../uploads.js'
import { requireVault } from '../vaults.js'
import type { World } from '../world.js'

/** What archive, padding and tags add to a file: Padmé at most 12 %, and the manifest for small files. */
const MAX_OVERHEAD_RATIO = 1.15
const MAX_OVERHEAD_BYTES = 1024 * 1024
const OBJECT_PREFIX_SIZE_BYTES = 16

/**
 * Begin an upload. The same request again (by its nonce) gives the same upload.
 * Refuses: recovery-unconfirmed, vault-not-found, bad-request, file-too-large, conflict (not the next version, or a
 * document of another vault), quota-reached, instance-full.
 * Effects: one upload, and its document if it is the first; its bytes count at once.
 */
export async function beginUpload(
  world: World, founder: { userId: string, isRecoveryConfirmed: boolean, vaultId: string },
  input: BeginUpload,
): Promise<Upload> {
  if (!founder.isRecoveryConfirmed) throw new Refusal('recovery-unconfirmed')
  await requireVault(world, founder)
  requireSense(world, input)
  const nonce = decodeBase64Url(input.nonce)
  const begun = await findUploadByNonce(
    world.db, { vaultId: founder.vaultId, documentId: input.documentId, nonce },
  )
  if (begun !== undefined) return await repeated(world, begun, input)

  const last = await findLastVersion(world.db, input)
  if (input.version !== (last?.version ?? 0) + 1) throw new Refusal('conflict')
  if (last !== undefined && last.vaultId !== founder.vaultId) throw new Refusal('conflict')
  return await insert(world, founder, input)
}

function requireSense(world: World, input: BeginUpload): void {
  parseSealdeckHeader(decodeBase64Url(input.ownerHeader))
  if (input.part === 1 && input.gate === 'nda') throw new Refusal('bad-request')
  const plaintextSize = plaintextSizeOf(input.payloadLength)
  if (plaintextSize === null) throw new Refusal('bad-request')
  const maxSizeBytes = world.config.maxFileSizeBytes * MAX_OVERHEAD_RATIO + MAX_OVERHEAD_BYTES
  if (plaintextSize > maxSizeBytes || input.payloadLength > MAX_PAYLOAD_SIZE_BYTES) {
    throw new Refusal('file-too-large')
  }
}

type UploadRow = NonNullable<Awaited<ReturnType<typeof findUploadByNonce>>>

async function repeated(world: World, begun: UploadRow, input: BeginUpload): Promise<Upload> {
  const { version } = begun
  const isSame = version.part === input.part && version.gate === input.gate &&
    version.version === input.version &&
    version.payloadSizeBytes === input.payloadLength
  if (!isSame) throw new Refusal('conflict')
  return await presentUpload(world, begun)
}

async function insert(
  world: World, founder: { userId: string, vaultId: string }, input: BeginUpload,
): Promise<Upload> {
  const { vaultId } = founder
  const createdAtMs = world.clock.nowMs()
  const document = {
    id: input.documentId, vaultId, nameSealed: decodeBase64Url(input.nameSealed), createdAtMs,
  }
  const version = await insertUpload(world.db, {
    id: uuidv7(), vaultId, documentId: input.documentId, part: input.part, gate: input.gate,
    version: input.version,
    draftSealed: decodeBase64Url(input.draftSealed),
    ownerHeader: decodeBase64Url(input.ownerHeader),
    payloadSizeBytes: input.payloadLength, partCount: partCountOf(input.payloadLength),
    nonce: decodeBase64Url(input.nonce),
    objectPrefix: encodeHex(randomBytes(OBJECT_PREFIX_SIZE_BYTES)), createdAtMs,
  }, document, {
    id: founder.userId, defaultQuotaBytes: world.config.accountQuotaBytes,
    instanceQuotaBytes: world.config.instanceQuotaBytes,
  })
  if (version === undefined) throw new Refusal(await whyNot(world, founder, input))
  return await presentUpload(world, { version, nameSealed: document.nameSealed })
}

/** The statement that refused says nothing; what it looked at does. The account's own limit comes first. */
async function whyNot(
  { db, config }: World, founder: { userId: string }, { payloadLength }: BeginUpload,
): Promise<'quota-reached' | 'instance-full' | 'conflict'> {
  const usage = await findUsage(db, founder.userId)
  if (usage === undefined) return 'conflict'
  if (usage.usedBytes + payloadLength > (usage.quotaBytes ?? config.accountQuotaBytes)) return 'quota-reached'
  const isFull = usage.instanceUsedBytes + payloadLength > (config.instanceQuotaBytes ?? Infinity)
  return isFull ? 'instance-full' : 'conflict'
}
