/**
 * Where browsers tell that a page's policy stopped something: counted by directive, logged without anything
 * else. The report itself may hold addresses, so nothing of it is kept.
 */
import type { FastifyRequest } from 'fastify'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { CSP_REPORT_PATH } from '../headers.js'
import { parseJson } from '../json.js'
import type { World } from '../world.js'

const MAX_REPORT_SIZE_BYTES = 16 * 1024
const REPORTS_PER_MINUTE = 60
const DIRECTIVES = new Set([
  'default-src', 'script-src', 'script-src-elem', 'script-src-attr', 'worker-src', 'connect-src', 'style-src',
  'style-src-elem', 'style-src-attr', 'img-src', 'font-src', 'frame-src', 'form-action', 'base-uri', 'frame-ancestors',
  'object-src', 'require-trusted-types-for', 'trusted-types', 'sandbox',
])

export function cspReportRoutes(app: App, { counters, log }: World): void {
  app.addContentTypeParser('application/csp-report', { parseAs: 'buffer', bodyLimit: MAX_REPORT_SIZE_BYTES }, async (request: FastifyRequest, body: Buffer) => {
    if (request.routeOptions.url !== CSP_REPORT_PATH) throw new Refusal('bad-request')
    return parseJson(decodeUtf8(body))
  })
  app.post(CSP_REPORT_PATH, {
    schema: { hide: true }, bodyLimit: MAX_REPORT_SIZE_BYTES,
    config: { rateLimit: { max: REPORTS_PER_MINUTE, timeWindow: '1 minute' } },
  }, async (request, reply) => {
    const directive = directiveOf(request.body)
    counters.policyBroken(directive)
    log.warn({ directive }, 'a page ran into its policy')
    return await reply.code(204).send()
  })
}

/** A known directive, or `other`: what a stranger wrote goes into no label and no line. */
function directiveOf(body: unknown): string {
  const report: unknown = Reflect.get(Object(body), 'csp-report')
  const told: unknown = Reflect.get(Object(report), 'effective-directive') ?? Reflect.get(Object(report), 'violated-directive')
  const name = typeof told === 'string' ? told.split(' ', 1)[0] ?? '' : ''
  return DIRECTIVES.has(name) ? name : 'other'
}
