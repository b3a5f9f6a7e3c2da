/** A founder's vaults. */
import {
  AskStatements, CreateVault, Empty, RenameVault, RevocationReport, Statements, VaultDetail,
  VaultList, VaultListQuery,
  VaultParams, VaultSummary,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { pageLimit } from '../paging.js'
import { createVault } from '../use-cases/create-vault.js'
import { deleteVault } from '../use-cases/delete-vault.js'
import { listStatements } from '../use-cases/list-statements.js'
import { listVaults } from '../use-cases/list-vaults.js'
import { readVault } from '../use-cases/read-vault.js'
import { renameVault } from '../use-cases/rename-vault.js'
import type { World } from '../world.js'

export function vaultRoutes(app: App, world: World): void {
  app.post('/api/vaults', {
    schema: { body: CreateVault, response: { 201: VaultSummary } }, preHandler: app.requireAccount,
  }, async (request, reply) => await reply.code(201)
    .send(await createVault(world, request.account.userId, request.body)))

  app.get('/api/vaults', {
    schema: { querystring: VaultListQuery, response: { 200: VaultList } },
    preHandler: app.requireAccount,
  }, async ({ account, query }) => await listVaults(world, {
    userId: account.userId, after: query.after, limit: pageLimit(query.limit),
  }))

  app.get('/api/vaults/:vaultId', {
    schema: { params: VaultParams, response: { 200: VaultDetail } }, preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await readVault(world, { vaultId: params.vaultId, userId: account.userId }))

  app.post('/api/vaults/:vaultId/statements', {
    schema: { params: VaultParams, body: AskStatements, response: { 200: Statements } },
    preHandler: app.requireAccount,
  }, async ({ account, params, body }) => await listStatements(
    world, { vaultId: params.vaultId, userId: account.userId }, body,
  ))

  app.put('/api/vaults/:vaultId/title', {
    schema: { params: VaultParams, body: RenameVault, response: { 200: Empty } },
    preHandler: app.requireAccount,
  }, async ({ account, params, body }) => {
    await renameVault(
      world, { vaultId: params.vaultId, userId: account.userId, titleSealed: body.titleSealed },
    )
    return {}
  })

  app.delete('/api/vaults/:vaultId', {
    schema: { params: VaultParams, response: { 200: RevocationReport } },
    preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await deleteVault(world, { vaultId: params.vaultId, userId: account.userId }))
}
