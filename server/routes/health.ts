/** Whether the server lives, whether it can work, and how it is doing. */
import { Type } from 'typebox'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { checkReadiness } from '../use-cases/check-readiness.js'
import type { World } from '../world.js'

const Healthy = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false })

export function healthRoutes(app: App, world: World): void {
  app.get('/healthz', { schema: { response: { 200: Healthy } }, config: { rateLimit: false } }, async () => ({ status: 'ok' as const }))

  app.get('/readyz', { schema: { response: { 200: Healthy } }, config: { rateLimit: false } }, async () => {
    const broken = await checkReadiness(world)
    if (broken.length > 0) throw new Refusal('not-ready')
    return { status: 'ok' as const }
  })
}
