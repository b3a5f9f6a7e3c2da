/** NDAs as a founder publishes and reads them. */
import { NdaParams, NdaText, PublishedNda, PublishNda, VaultParams } from '../../protocol/api.js'
import { MAX_NDA_SIZE_BYTES } from '../../protocol/limits.js'
import type { App } from '../app.js'
import { publishNda } from '../use-cases/publish-nda.js'
import { readNda } from '../use-cases/read-nda.js'
import type { World } from '../world.js'

/** JSON may write a character of the text as six. */
const BODY_LIMIT_BYTES = MAX_NDA_SIZE_BYTES * 6 + 4096

export function ndaRoutes(app: App, world: World): void {
  app.post('/api/vaults/:vaultId/ndas', {
    schema: { params: VaultParams, body: PublishNda, response: { 201: PublishedNda } },
    preHandler: app.requireAccount, bodyLimit: BODY_LIMIT_BYTES,
  }, async ({ account, params, body }, reply) =>
    await reply.code(201)
      .send(await publishNda(world, { vaultId: params.vaultId, userId: account.userId }, body)))

  app.get('/api/vaults/:vaultId/ndas/:sha256', {
    schema: { params: NdaParams, response: { 200: NdaText } }, preHandler: app.requireAccount,
  }, async ({ account, params }) => await readNda(world, { ...params, userId: account.userId }))
}
