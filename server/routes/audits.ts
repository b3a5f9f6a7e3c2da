/** The log as founders and auditors read it, and who may: schema, role, one call. */
import {
  AuditedVault, AuditedVaultList, ConsistencyProof, ConsistencyQuery, Empty, EventList,
  EventListQuery, Invitation,
  InvitationList, InvitationParams, InviteAuditor, VaultParams,
} from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import type { App } from '../app.js'
import { proveConsistency } from '../log-reader.js'
import { acceptInvitation } from '../use-cases/accept-invitation.js'
import { exportAudit } from '../use-cases/export-audit.js'
import { inviteAuditor } from '../use-cases/invite-auditor.js'
import { listAudits } from '../use-cases/list-audits.js'
import { listEvents } from '../use-cases/list-events.js'
import { listInvitations } from '../use-cases/list-invitations.js'
import { revokeInvitation } from '../use-cases/revoke-invitation.js'
import type { World } from '../world.js'

export function auditRoutes(app: App, world: World): void {
  eventRoutes(app, world)
  invitationRoutes(app, world)
}

function eventRoutes(app: App, world: World): void {
  app.get('/api/vaults/:vaultId/events', {
    schema: { params: VaultParams, querystring: EventListQuery, response: { 200: EventList } },
    preHandler: app.requireAccount,
  }, async (request) => {
    const { before, after, fromMs, toMs, limit, type, personId } = request.query
    return await listEvents(world, request.account.userId, {
      vaultId: request.params.vaultId, type, personId, before: numberOf(before),
      after: numberOf(after),
      fromMs: numberOf(fromMs), toMs: numberOf(toMs), limit: numberOf(limit) ?? PAGE_LIMIT,
    })
  })
  app.post('/api/vaults/:vaultId/exports', {
    schema: { params: VaultParams, body: Empty }, preHandler: app.requireAccount,
  }, async (request, reply) => {
    const text = await exportAudit(world, request.account.userId, request.params.vaultId)
    return reply.type('application/json; charset=utf-8').send(text)
  })
  app.get('/api/log/consistency', {
    schema: { querystring: ConsistencyQuery, response: { 200: ConsistencyProof } },
  }, async (request) => {
    const { from, to } = request.query
    const hashes = await proveConsistency(world, { from: Number(from), to: Number(to) })
    return { hashes: hashes.map(encodeBase64Url) }
  })
}

/** The schemas let digits through and nothing else. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function invitationRoutes(app: App, world: World): void {
  const preHandler = app.requireAccount
  app.post('/api/vaults/:vaultId/invitations', {
    schema: { params: VaultParams, body: InviteAuditor, response: { 201: Invitation } }, preHandler,
  }, async (request, reply) => reply.code(201)
    .send(await inviteAuditor(world, request.account.userId, {
      ...request.body, vaultId: request.params.vaultId,
    })))
  app.get('/api/vaults/:vaultId/invitations', {
    schema: { params: VaultParams, response: { 200: InvitationList } }, preHandler,
  }, async (request) => await listInvitations(
    world, request.account.userId, request.params.vaultId,
  ))
  app.post('/api/invitations/:invitationId/accept', {
    schema: { params: InvitationParams, body: Empty, response: { 200: AuditedVault } }, preHandler,
  }, async (request) => await acceptInvitation(world, request.account, request.params.invitationId))
  app.post('/api/invitations/:invitationId/revoke', {
    schema: { params: InvitationParams, body: Empty, response: { 200: Empty } }, preHandler,
  }, async (request) => {
    await revokeInvitation(world, request.account.userId, request.params.invitationId)
    return {}
  })
  app.get('/api/audited-vaults', { schema: { response: { 200: AuditedVaultList } }, preHandler },
    async (request) => await listAudits(world, request.account.userId))
}
