/** Whether the server lives, whether it can work, and how it is doing. */
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { Refusal } from '../../protocol/refusals.js'
import { equalSecrets } from '../../protocol/sodium.js'
import type { App } from '../app.js'
import { bearerOf, isFromThisMachine } from '../guards.js'
import { openMetrics } from '../metrics.js'
import { checkReadiness } from '../use-cases/check-readiness.js'
import type { World } from '../world.js'

const Healthy = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false })

const Ready = Type.Object(
  { status: Type.Literal('ok'), notCosigned: Type.Optional(Type.Integer()) },
  { additionalProperties: false },
)

export function healthRoutes(app: App, world: World): void {
  const options = { schema: { response: { 200: Healthy } }, config: { rateLimit: false } }
  const readyOptions = { ...options, schema: { response: { 200: Ready } } }
  app.get('/healthz', options, async () => ({ status: 'ok' as const }))

  app.get('/readyz', readyOptions, async () => {
    const broken = await checkReadiness(world)
    if (broken.length > 0) throw new Refusal('not-ready')
    if (world.witnesses.policy === undefined) return { status: 'ok' as const }
    // A figure, not a failure: publishing goes on without witnesses.
    return { status: 'ok' as const, notCosigned: await world.witnesses.countBehind() }
  })

  const metrics = openMetrics(world)
  app.addHook('onResponse', async (request, reply) => { metrics.observe(request, reply) })
  app.get('/metrics', { schema: { hide: true }, config: { rateLimit: false } }, async (request, reply) => {
    if (!mayReadMetrics(world, request)) throw new Refusal('not-found')
    return await reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.render())
  })
}

function mayReadMetrics(world: World, request: FastifyRequest): boolean {
  const { metricsToken } = world.config
  if (metricsToken === undefined) return isFromThisMachine(request)
  return equalSecrets(encodeUtf8(bearerOf(request)), encodeUtf8(metricsToken))
}
