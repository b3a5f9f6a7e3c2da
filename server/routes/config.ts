/** What a client must know of this instance before it can do anything. */
import { Config } from '../../protocol/api.js'
import type { App } from '../app.js'
import { hasOutboxPage } from '../config.js'
import { VERSION } from '../version.js'
import type { World } from '../world.js'

export function configRoutes(app: App, world: World): void {
  const { config, keys } = world
  app.get('/api/config', { schema: { response: { 200: Config } } }, async () => ({
    viewerOrigin: config.viewerUrl,
    publicUrl: config.publicUrl,
    logVkey: keys.log.vkey,
    logOrigin: keys.log.origin,
    maxFileSizeBytes: config.maxFileSizeBytes,
    outboxPath: hasOutboxPage(config) ? '/outbox' : null,
    version: VERSION,
  }))
}
