/** The investor's gate: schema, role, one call. */
import type { FastifyRequest } from 'fastify'
import {
  AcceptNda, DeclineNda, EmailChallenge, Empty, GateAccess, GateEmailProof, GateEvidence,
  GateSession, GateView,
  GrantParams,
  KeepDeviceHeaders, NdaText, Nonce, ProveEmail, Release, RenewGateSession, RequestAccess,
  RequestGateCode,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { acceptNda } from '../use-cases/accept-nda.js'
import { declineNda } from '../use-cases/decline-nda.js'
import { issueNonce } from '../use-cases/issue-nonce.js'
import { keepDeviceHeaders } from '../use-cases/keep-device-headers.js'
import { proveGateEmail } from '../use-cases/prove-gate-email.js'
import { readGateEvidence } from '../use-cases/read-gate-evidence.js'
import { readGateNda } from '../use-cases/read-gate-nda.js'
import { releaseHeaders } from '../use-cases/release-headers.js'
import { renewGateSession } from '../use-cases/renew-gate-session.js'
import { requestAccess } from '../use-cases/request-access.js'
import { sendGateCode } from '../use-cases/send-gate-code.js'
import { viewGate } from '../use-cases/view-gate.js'
import type { World } from '../world.js'

/** A note's receipt carries what the browser says of itself, cut to what evidence needs. */
const MAX_USER_AGENT_LENGTH = 300

export function gateRoutes(app: App, world: World): void {
  strangerRoutes(app, world)
  investorRoutes(app, world)
}

/** For whoever holds the link. */
function strangerRoutes(app: App, world: World): void {
  app.get('/api/gate/:grantId', { schema: { params: GrantParams, response: { 200: GateView } } },
    async (request) => await viewGate(world, request.params.grantId))
  app.post('/api/gate/:grantId/codes', {
    schema: { params: GrantParams, body: RequestGateCode, response: { 201: EmailChallenge } },
  }, async (request, reply) => {
    const { grantId } = request.params
    return reply.code(201)
      .send(await sendGateCode(world, { ...request.body, grantId, address: request.ip }))
  })
  app.post('/api/gate/:grantId/codes/proof', {
    schema: { params: GrantParams, body: ProveEmail, response: { 200: GateEmailProof } },
  }, async (request) => await proveGateEmail(
    world, { ...request.body, grantId: request.params.grantId },
  ))
  app.post('/api/gate/:grantId/nonces', {
    schema: { params: GrantParams, body: Empty, response: { 201: Nonce } },
  }, async (request, reply) => reply.code(201)
    .send(await issueNonce(world, request.params.grantId)))
  app.post('/api/gate/:grantId/access-requests', {
    schema: { params: GrantParams, body: RequestAccess, response: { 201: GateAccess } },
  }, async (request, reply) => {
    const visitor = { ...originOf(request), locale: localeOf(request) }
    return reply.code(201)
      .send(await requestAccess(world, request.params.grantId, request.body, visitor))
  })
  app.post('/api/gate/:grantId/sessions', {
    schema: { params: GrantParams, body: RenewGateSession, response: { 201: GateSession } },
  }, async (request, reply) =>
    reply.code(201).send(await renewGateSession(world, request.params.grantId, request.body)))
}

/** For an enrolled device. */
function investorRoutes(app: App, world: World): void {
  const preHandler = app.requireInvestor
  app.get('/api/gate/:grantId/nda', {
    schema: { params: GrantParams, response: { 200: NdaText } }, preHandler,
  }, async (request) => await readGateNda(world, request.params.grantId))
  app.get('/api/gate/:grantId/evidence', {
    schema: { params: GrantParams, response: { 200: GateEvidence } }, preHandler,
  }, async (request) => await readGateEvidence(world, request.investor))
  app.post('/api/gate/:grantId/acceptances', {
    schema: { params: GrantParams, body: AcceptNda, response: { 201: Release } }, preHandler,
  }, async (request, reply) => reply.code(201).send(await acceptNda(world, request.investor, {
    note: request.body.acceptance, ...originOf(request),
  })))
  app.post('/api/gate/:grantId/decline', {
    schema: { params: GrantParams, body: DeclineNda, response: { 201: Release } }, preHandler,
  }, async (request, reply) => reply.code(201).send(await declineNda(world, request.investor, {
    note: request.body.decline, ...originOf(request),
  })))
  app.post('/api/gate/:grantId/releases', {
    schema: { params: GrantParams, body: Empty, response: { 201: Release } }, preHandler,
  }, async (request, reply) => reply.code(201).send(await releaseHeaders(world, request.investor)))
  app.put('/api/gate/:grantId/device-headers', {
    schema: { params: GrantParams, body: KeepDeviceHeaders, response: { 200: Empty } }, preHandler,
  }, async (request) => {
    await keepDeviceHeaders(world, request.investor, request.body)
    return {}
  })
}

function originOf(request: FastifyRequest): { address: string, userAgent: string } {
  const userAgent = request.headers['user-agent'] ?? ''
  return { address: request.ip, userAgent: userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_USER_AGENT_LENGTH) }
}

/** Mails follow the language of the page that asked. */
function localeOf(request: FastifyRequest): 'en' | 'ru' {
  return /^ru\b/i.test(request.headers['accept-language'] ?? '') ? 'ru' : 'en'
}
