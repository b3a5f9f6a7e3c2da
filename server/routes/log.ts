/**
 * The log as files (c2sp.org/tlog-tiles) under the path that its origin names: checkpoint, tiles and
 * entry bundles, straight from the bucket. Public, and readable from any origin.
 */
import { CHECKPOINT_PATH, parseTilePath } from '../../protocol/log/tile.js'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { headersFor } from '../headers.js'
import type { World } from '../world.js'

const CHECKPOINT_CACHE = 'public, max-age=1'

export function logRoutes(app: App, world: World): void {
  app.get(`/${world.keys.log.prefix}/*`, { schema: { hide: true } }, async (request, reply) => {
    const path: unknown = Reflect.get(Object(request.params), '*')
    if (typeof path !== 'string' || !isLogPath(path)) throw new Refusal('not-found')
    const bytes = await world.bucket.read(`${world.keys.log.prefix}/${path}`)
    if (bytes === null) throw new Refusal('not-found')
    const isCheckpoint = path === CHECKPOINT_PATH
    return reply
      .headers(headersFor(world.config, 'log-file', !isCheckpoint))
      .header('access-control-allow-origin', '*')
      .header('cache-control', isCheckpoint ? CHECKPOINT_CACHE : headersFor(world.config, 'log-file', true)['cache-control'])
      .type(isCheckpoint ? 'text/plain; charset=utf-8' : 'application/octet-stream')
      .send(Buffer.from(bytes))
  })
}

function isLogPath(path: string): boolean {
  return path === CHECKPOINT_PATH || parseTilePath(path) !== null
}
