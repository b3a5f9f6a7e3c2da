/** Signed requests that wait for the founder, and those that she has approved. */
import {
  AcceptanceParams, AccessRequestList, ApprovalList, Approve, Empty, RequestListQuery, VaultParams,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { pageLimit } from '../paging.js'
import { addApprovedHeaders } from '../use-cases/add-approved-headers.js'
import { approveAccess } from '../use-cases/approve-access.js'
import { denyAccess } from '../use-cases/deny-access.js'
import { listApprovals } from '../use-cases/list-approvals.js'
import { listRequests } from '../use-cases/list-requests.js'
import type { World } from '../world.js'
import { HEADERS_BODY_LIMIT_BYTES } from './grants.js'

export function requestRoutes(app: App, world: World): void {
  app.get('/api/requests', {
    schema: { querystring: RequestListQuery, response: { 200: AccessRequestList } },
    preHandler: app.requireAccount,
  }, async ({ account, query }) =>
    await listRequests(world, { userId: account.userId, limit: pageLimit(query.limit) }))

  app.post('/api/acceptances/:acceptanceId/approve', {
    schema: { params: AcceptanceParams, body: Approve, response: { 200: Empty } },
    preHandler: app.requireAccount, bodyLimit: HEADERS_BODY_LIMIT_BYTES,
  }, async ({ account, params, body }) => {
    await approveAccess(
      world, { acceptanceId: params.acceptanceId, userId: account.userId }, body.headers,
    )
    return {}
  })

  app.get('/api/vaults/:vaultId/approvals', {
    schema: { params: VaultParams, response: { 200: ApprovalList } },
    preHandler: app.requireAccount,
  }, async ({ account, params }) => await listApprovals(
    world, { vaultId: params.vaultId, userId: account.userId },
  ))

  app.post('/api/acceptances/:acceptanceId/headers', {
    schema: { params: AcceptanceParams, body: Approve, response: { 200: Empty } },
    preHandler: app.requireAccount, bodyLimit: HEADERS_BODY_LIMIT_BYTES,
  }, async ({ account, params, body }) => {
    await addApprovedHeaders(
      world, { acceptanceId: params.acceptanceId, userId: account.userId }, body.headers,
    )
    return {}
  })

  app.post('/api/acceptances/:acceptanceId/deny', {
    schema: { params: AcceptanceParams, response: { 200: Empty } }, preHandler: app.requireAccount,
  }, async ({ account, params }) => {
    await denyAccess(world, { acceptanceId: params.acceptanceId, userId: account.userId })
    return {}
  })
}
