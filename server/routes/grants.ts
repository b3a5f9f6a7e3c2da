/** Links into a vault: made, revised, given headers, revoked. */
import {
  AddHeaders, Empty, GrantParams, GrantSummary, MakeGrant, PersonParams, ReviseGrant,
  RevocationReport, VaultParams,
} from '../../protocol/api.js'
import { MAX_HEADER_SIZE_BYTES, MAX_WRAP_SIZE_BYTES } from '../../protocol/limits.js'
import type { App } from '../app.js'
import { addHeaders } from '../use-cases/add-headers.js'
import { makeGrant } from '../use-cases/make-grant.js'
import { reviseGrant } from '../use-cases/revise-grant.js'
import { revokeGrant } from '../use-cases/revoke-grant.js'
import { revokePerson } from '../use-cases/revoke-person.js'
import type { World } from '../world.js'

/** 200 headers with their wrap records in base64url, and the statement. */
export const HEADERS_BODY_LIMIT_BYTES = 200 * Math.ceil(
  (MAX_HEADER_SIZE_BYTES + MAX_WRAP_SIZE_BYTES + 256) * 4 / 3,
) + 64 * 1024

export function grantRoutes(app: App, world: World): void {
  app.post('/api/vaults/:vaultId/grants', {
    schema: { params: VaultParams, body: MakeGrant, response: { 201: GrantSummary } },
    preHandler: app.requireAccount, bodyLimit: HEADERS_BODY_LIMIT_BYTES,
  }, async ({ account, params, body }, reply) =>
    await reply.code(201)
      .send(await makeGrant(world, { vaultId: params.vaultId, userId: account.userId }, body)))

  app.post('/api/grants/:grantId/revisions', {
    schema: { params: GrantParams, body: ReviseGrant, response: { 200: GrantSummary } },
    preHandler: app.requireAccount, bodyLimit: HEADERS_BODY_LIMIT_BYTES,
  }, async ({ account, params, body }) =>
    await reviseGrant(world, { grantId: params.grantId, userId: account.userId }, body))

  app.post('/api/grants/:grantId/headers', {
    schema: { params: GrantParams, body: AddHeaders, response: { 200: Empty } },
    preHandler: app.requireAccount, bodyLimit: HEADERS_BODY_LIMIT_BYTES,
  }, async ({ account, params, body }) => {
    await addHeaders(world, { grantId: params.grantId, userId: account.userId }, body.headers)
    return {}
  })

  app.post('/api/grants/:grantId/revoke', {
    schema: { params: GrantParams, response: { 200: RevocationReport } },
    preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await revokeGrant(world, { grantId: params.grantId, userId: account.userId }))

  app.post('/api/grants/:grantId/people/:personId/revoke', {
    schema: { params: PersonParams, response: { 200: RevocationReport } },
    preHandler: app.requireAccount,
  }, async ({
    account, params,
  }) => await revokePerson(world, { ...params, userId: account.userId }))
}
