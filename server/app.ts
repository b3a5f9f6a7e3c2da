/**
 * The HTTP server: its limits, its headers, its errors, and the list of routes. Holds no rule of the
 * product; a route has a schema, a guard and one call.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import underPressure from '@fastify/under-pressure'
import Fastify, {
  LogController, type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance,
  type FastifyReply, type FastifyRequest, type RawServerDefault,
} from 'fastify'
import { uuidv7 } from 'uuidv7'
import { decodeUtf8 } from '../protocol/bytes.js'
import { MAX_EMAIL_LENGTH } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'
import { answerTo } from './errors.js'
import { registerGuards } from './guards.js'
import { headersFor, type Headers } from './headers.js'
import { parseJson } from './json.js'
import { accountRoutes } from './routes/accounts.js'
import { auditRoutes } from './routes/audits.js'
import { configRoutes } from './routes/config.js'
import { cspReportRoutes } from './routes/csp-reports.js'
import { gateRoutes } from './routes/gate.js'
import { grantRoutes } from './routes/grants.js'
import { healthRoutes } from './routes/health.js'
import { keyringRoutes } from './routes/keyring.js'
import { logRoutes } from './routes/log.js'
import { ndaRoutes } from './routes/ndas.js'
import { outboxRoutes } from './routes/outbox.js'
import { payloadRoutes } from './routes/payloads.js'
import { peopleRoutes } from './routes/people.js'
import { requestRoutes } from './routes/requests.js'
import { sessionRoutes } from './routes/sessions.js'
import { uploadRoutes } from './routes/uploads.js'
import { vaultRoutes } from './routes/vaults.js'
import { viewerRoutes, webRoutes } from './routes/web.js'
import type { World } from './world.js'

/** A server whose routes take their types from their schemas. */
export type App = FastifyInstance<
  RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

/** One file's routes: registers them on the app. Paths start with /api, but for those served to browsers. */
export type Routes = (app: App, world: World) => void | Promise<void>

/** Every route of the product. A new file of routes is added here and nowhere else. */
const ROUTES: readonly Routes[] = [
  accountRoutes,
  auditRoutes,
  configRoutes,
  cspReportRoutes,
  gateRoutes,
  grantRoutes,
  healthRoutes,
  keyringRoutes,
  logRoutes,
  ndaRoutes,
  outboxRoutes,
  payloadRoutes,
  peopleRoutes,
  requestRoutes,
  sessionRoutes,
  uploadRoutes,
  vaultRoutes,
  webRoutes,
]

const BODY_LIMIT_BYTES = 64 * 1024
const MAX_PARAM_LENGTH = Math.max(64, MAX_EMAIL_LENGTH)
/** A part of 4 MiB at 300 kbit/s. Who sends nothing at all is cut off by the connection's timeout. */
const REQUEST_TIMEOUT_MS = 120_000
const CONNECTION_TIMEOUT_MS = 20_000
const KEEP_ALIVE_TIMEOUT_MS = 5_000
const MIN_SAMPLE_INTERVAL_MS = 1_000
const HEADERS_TIMEOUT_MS = 10_000
const MAX_HEADER_COUNT = 100
const MAX_CONNECTIONS = 2_000
const MAX_REQUESTS_PER_SOCKET = 1_000
/** What does not fit a schema is refused, never mended. */
const AJV_OPTIONS = {
  coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false, strict: true,
} as const
const NO_LIMIT_HEADERS = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false }

/** The app with its API. Not yet listening. */
export async function buildApp(world: World): Promise<App> {
  const app = makeServer(world)
  world.tracing?.traceRequests(app)
  addHeaders(app, headersFor(world.config, 'api'))
  await app.register(swagger, openapiOptions(world))
  await app.register(underPressure, pressureOptions(world))
  await app.register(rateLimit, {
    global: true, max: world.config.rateLimitPerMinute, timeWindow: '1 minute',
    addHeaders: NO_LIMIT_HEADERS, addHeadersOnExceeding: NO_LIMIT_HEADERS,
    errorResponseBuilder: () => new Refusal('too-many-requests'),
  })
  await registerGuards(app, world)
  for (const routes of ROUTES) await routes(app, world)
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  return app
}

/** The viewer's own origin: static files and nothing else. */
export async function buildViewer(world: World): Promise<App> {
  const app = makeServer(world)
  addHeaders(app, headersFor(world.config, 'viewer-file'))
  await viewerRoutes(app, world)
  return app
}

function makeServer(world: World): App {
  const app = Fastify(serverOptions(world)).withTypeProvider<TypeBoxTypeProvider>()
  Object.assign(app.server, {
    headersTimeout: HEADERS_TIMEOUT_MS, maxHeadersCount: MAX_HEADER_COUNT,
    maxConnections: MAX_CONNECTIONS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
  })
  app.decorate('world', world)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    parseJson(decodeUtf8(body)))
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) => sendError(new Refusal('not-found'), request, reply))
  app.addHook('onResponse', async (request, reply) => { logAnswer(request, reply) })
  return app
}

function serverOptions(world: World): FastifyHttpOptions<RawServerDefault, FastifyBaseLogger> {
  return {
    loggerInstance: world.log,
    // Fastify's own lines hold the address with its query; ours (`logAnswer`) holds the path alone.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => uuidv7(),
    requestIdHeader: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    trustProxy: world.config.trustProxy.length === 0 ? false : [...world.config.trustProxy],
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    return503OnClosing: true,
    forceCloseConnections: true,
    ajv: { customOptions: AJV_OPTIONS },
  }
}

/** A window without any sample counts as an endless delay, so it is as long as the delay that is allowed. */
function pressureOptions({ config: { maxEventLoopDelayMs } }: World) {
  const sampleInterval = Math.max(MIN_SAMPLE_INTERVAL_MS, maxEventLoopDelayMs)
  return { maxEventLoopDelay: maxEventLoopDelayMs, sampleInterval, retryAfter: 2 }
}

function openapiOptions(world: World) {
  return {
    openapi: {
      info: { title: 'Sealdeck', description: 'What the browser client and the command line ask of a server.', version: '1' },
      servers: [{ url: world.config.publicUrl }],
    },
  }
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = answerTo(error, request.id)
  if (answer.isOurs) request.log.error({ err: error }, 'request failed')
  // What a route had set for its success does not hold for a refusal.
  for (const name of ['cache-control', 'content-security-policy', 'etag', 'last-modified', 'content-encoding']) reply.removeHeader(name)
  return reply.code(answer.status).headers(answer.headers).type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body)).send(answer.body)
}

/** To every answer, where its route has not set another value. */
function addHeaders(app: App, headers: Headers): void {
  const entries = Object.entries(headers)
  app.addHook('onSend', (_request, reply, _payload, done) => {
    for (const [name, value] of entries) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
    done()
  })
}

function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info({
    method: request.method, path: request.url.split('?', 1)[0], status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
  }, 'answered')
}
