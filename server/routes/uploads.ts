/** Uploads of sealed versions, part by part. The only routes that take octets, and large bodies. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import {
  BeginUpload, CompleteUpload, Empty, PartParams, StoredVersion, Upload, UploadList, UploadParams,
  VaultParams,
} from '../../protocol/api.js'
import { MAX_PAYLOAD_SIZE_BYTES, chunkCountOf } from '../../protocol/deck/record.js'
import { HASH_SIZE_BYTES } from '../../protocol/hash.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { beginUpload } from '../use-cases/begin-upload.js'
import { cancelUpload } from '../use-cases/cancel-upload.js'
import { listUploads } from '../use-cases/list-uploads.js'
import { readUpload } from '../use-cases/read-upload.js'
import { storeHashList } from '../use-cases/store-hash-list.js'
import { storePart } from '../use-cases/store-part.js'
import { storeVersion } from '../use-cases/store-version.js'
import type { World } from '../world.js'

const MAX_HASH_LIST_SIZE_BYTES = chunkCountOf(MAX_PAYLOAD_SIZE_BYTES) * HASH_SIZE_BYTES
const PartHeaders = Type.Object({ 'x-content-sha256': Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) })

export async function uploadRoutes(app: App, world: World): Promise<void> {
  app.post('/api/vaults/:vaultId/uploads', {
    schema: { params: VaultParams, body: BeginUpload, response: { 201: Upload } },
    preHandler: app.requireAccount,
  }, async ({ account, params, body }, reply) =>
    await reply.code(201)
      .send(await beginUpload(world, { ...account, vaultId: params.vaultId }, body)))

  app.get('/api/vaults/:vaultId/uploads', {
    schema: { params: VaultParams, response: { 200: UploadList } }, preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await listUploads(world, { vaultId: params.vaultId, userId: account.userId }))

  app.get('/api/uploads/:versionId', {
    schema: { params: UploadParams, response: { 200: Upload } }, preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await readUpload(world, { versionId: params.versionId, userId: account.userId }))

  app.post('/api/uploads/:versionId/complete', {
    schema: { params: UploadParams, body: CompleteUpload, response: { 200: StoredVersion } },
    preHandler: app.requireAccount,
  }, async ({ account, params, body }) =>
    await storeVersion(world, { versionId: params.versionId, userId: account.userId }, body))

  app.delete('/api/uploads/:versionId', {
    schema: { params: UploadParams, response: { 200: Empty } }, preHandler: app.requireAccount,
  }, async ({ account, params }) => {
    await cancelUpload(world, { versionId: params.versionId, userId: account.userId })
    return {}
  })

  // A scope of its own: outside it nobody's octets are read.
  await app.register(async (scope: App) => octetRoutes(scope, world))
}

function octetRoutes(app: App, world: World): void {
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => body)

  // Asked who it is before the body is read: a stranger's 4 MiB are not taken in.
  app.put('/api/uploads/:versionId/parts/:index', {
    schema: { params: PartParams, headers: PartHeaders, response: { 200: Empty } },
    onRequest: app.requireAccount, bodyLimit: PART_SIZE_BYTES,
  }, async ({ account, params, headers, body }) => {
    const key = { versionId: params.versionId, userId: account.userId, index: Number(params.index) }
    await storePart(world, key, requireOctets(body), headers['x-content-sha256'])
    return {}
  })

  app.put('/api/uploads/:versionId/hash-list', {
    schema: { params: UploadParams, response: { 200: Empty } },
    onRequest: app.requireAccount, bodyLimit: MAX_HASH_LIST_SIZE_BYTES,
  }, async ({ account, params, body }) => {
    await storeHashList(
      world, { versionId: params.versionId, userId: account.userId }, requireOctets(body),
    )
    return {}
  })
}

function requireOctets(body: unknown): Uint8Array {
  if (!(body instanceof Uint8Array)) throw new Refusal('bad-request')
  return body
}
