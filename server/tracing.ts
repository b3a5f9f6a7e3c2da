/**
 * Traces for OpenTelemetry, made only where OTEL_EXPORTER_OTLP_ENDPOINT is set; its packages are not even loaded
 * elsewhere. A span names the route's pattern, the method, the status and the bucket's operation: never an
 * address, a query, a key, an id or a body.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Span, Tracer } from '@opentelemetry/api'
import type { App } from './app.js'
import { VERSION } from './version.js'
import type { Watch } from './watched-bucket.js'

export interface Tracing {
  /** A span for each request of this server. */
  traceRequests(app: App): void
  /** A span for each request to the bucket, under that of the request that asked for it. */
  readonly watch: Watch
  /** Sends what is left. */
  stop(): Promise<void>
}

type Api = typeof import('@opentelemetry/api')

const EXPORT_TIMEOUT_MS = 5_000
const MAX_QUEUED_SPANS = 2_048

/** @param endpoint - a collector; its path `/v1/traces` is added. */
export async function openTracing(endpoint: string): Promise<Tracing> {
  const api = await import('@opentelemetry/api')
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace')
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'sealdeck', 'service.version': VERSION }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: MAX_QUEUED_SPANS })],
  })
  return makeTracing(api, provider.getTracer('sealdeck', VERSION), () => provider.shutdown())
}

function makeTracing(api: Api, tracer: Tracer, stop: () => Promise<void>): Tracing {
  const current = new AsyncLocalStorage<Span>()
  const spans = new WeakMap<FastifyRequest, Span>()
  const contextOf = (span: Span | undefined) =>
    span === undefined ? api.ROOT_CONTEXT : api.trace.setSpan(api.ROOT_CONTEXT, span)
  return {
    traceRequests(app) {
      app.addHook('onRequest', (request, _reply, done) => {
        const options = { kind: api.SpanKind.SERVER, attributes: describe(request) }
        const span = tracer.startSpan(nameOf(request), options, api.ROOT_CONTEXT)
        spans.set(request, span)
        current.run(span, done)
      })
      app.addHook('onResponse', async (request, reply) => { end(api, spans.get(request), reply) })
    },
    async watch(operation, run) {
      const options = { kind: api.SpanKind.CLIENT }
      const span = tracer.startSpan(`bucket ${operation}`, options, contextOf(current.getStore()))
      try {
        return await run()
      } catch (error) {
        span.setStatus({ code: api.SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    stop,
  }
}

function nameOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? 'none'}`
}

function describe(request: FastifyRequest) {
  return { 'http.request.method': request.method, 'http.route': request.routeOptions.url ?? 'none' }
}

function end(api: Api, span: Span | undefined, reply: FastifyReply): void {
  span?.setAttribute('http.response.status_code', reply.statusCode)
  if (reply.statusCode >= 500) span?.setStatus({ code: api.SpanStatusCode.ERROR })
  span?.end()
}
