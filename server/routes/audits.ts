/** The log as founders and auditors read it, and who may: schema, role, one call. */
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Static } from 'typebox'
import {
  AuditedVault, AuditedVaultList, ConsistencyProof, ConsistencyQuery, Empty, EventList,
  EventListQuery, ExportEvents, Invitation, InvitationList, InvitationParams, InviteAuditor,
  VaultParams,
} from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import type { App } from '../app.js'
import { proveConsistency } from '../log-reader.js'
import { pageLimit } from '../paging.js'
import { acceptInvitation } from '../use-cases/accept-invitation.js'
import { exportAudit } from '../use-cases/export-audit.js'
import { inviteAuditor } from '../use-cases/invite-auditor.js'
import { listAudits } from '../use-cases/list-audits.js'
import { listEvents, type EventQuery } from '../use-cases/list-events.js'
import { listInvitations } from '../use-cases/list-invitations.js'
import { revokeInvitation } from '../use-cases/revoke-invitation.js'
import type { World } from '../world.js'

export function auditRoutes(app: App, world: World): void {
  eventRoutes(app, world)
  invitationRoutes(app, world)
}

function eventRoutes(app: App, world: World): void {
  app.get('/api/vaults/:vaultId/events', {
    schema: {
      params: VaultParams, querystring: EventListQuery, response: { 200: EventList, 304: Empty },
    },
    preHandler: app.requireAccount,
  }, async (request, reply) => {
    const asked = {
      ...readListQuery(request.query, request.headers), vaultId: request.params.vaultId,
    }
    return sendList(reply, await listEvents(world, request.account, asked))
  })
  app.get('/api/instance/events', {
    schema: { querystring: EventListQuery, response: { 200: EventList, 304: Empty } },
    preHandler: app.requireAccount,
  }, async (request, reply) => {
    const asked = readListQuery(request.query, request.headers)
    return sendList(reply, await listEvents(world, request.account, asked))
  })
  app.post('/api/vaults/:vaultId/exports', {
    schema: { params: VaultParams, body: ExportEvents }, preHandler: app.requireAccount,
  }, async (request, reply) => {
    const { format = 'json' } = request.body
    const asked = { vaultId: request.params.vaultId, filter: readFilter(request.body), format }
    return sendTexts(reply, await exportAudit(world, request.account, asked))
  })
  app.post('/api/instance/exports', {
    schema: { body: ExportEvents }, preHandler: app.requireAccount,
  }, async (request, reply) => {
    const { format = 'json' } = request.body
    const asked = { filter: readFilter(request.body), format }
    return sendTexts(reply, await exportAudit(world, request.account, asked))
  })
  app.get('/api/log/consistency', {
    schema: { querystring: ConsistencyQuery, response: { 200: ConsistencyProof } },
  }, async (request) => {
    const { from, to, log } = request.query
    const hashes = await proveConsistency(world, { from: Number(from), to: Number(to), log })
    return { hashes: hashes.map(encodeBase64Url) }
  })
}

type Filter = Omit<Static<typeof ExportEvents>, 'format'>

function readFilter({ type, personId, documentId, fromMs, toMs }: Filter): EventQuery['filter'] {
  return { type, personId, documentId, fromMs: numberOf(fromMs), toMs: numberOf(toMs) }
}

function readListQuery(
  query: Static<typeof EventListQuery>, headers: IncomingHttpHeaders,
): EventQuery {
  const { before, after, limit, order = 'newest-first' } = query
  return {
    filter: readFilter(query),
    page: {
      order, before: numberOf(before), after: numberOf(after), limit: pageLimit(limit),
    },
    knownNewest: numberOf(/^"(\d{1,15})"$/.exec(headers['if-none-match'] ?? '')?.[1]),
  }
}

/** The schemas let digits through and nothing else. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function sendList(reply: FastifyReply, list: Static<typeof EventList> | null): FastifyReply {
  if (list === null) return reply.code(304).send()
  return reply.header('etag', `"${list.newest ?? ''}"`).send(list)
}

/** Sent as it comes. What fails on the way breaks the answer off, and an export without its end is none. */
function sendTexts(reply: FastifyReply, texts: AsyncIterable<string>): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(texts))
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
    async (request) => await listAudits(world, request.account))
}
