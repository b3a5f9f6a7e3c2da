/** A whole server on real ports, for tests with a browser: the built client, and passkeys for its host. */
import type { Test } from 'tap'
import type { Environment } from '../../server/config.js'
import { findSparePort } from '../helpers/engine.js'
import { startWorld, type TestWorld } from '../helpers/world.js'

export async function serveWorld(
  t: Test, settings: Environment = {}, isOnDisk = false,
): Promise<{ world: TestWorld, origin: string }> {
  const [port, viewerPort] = [await findSparePort(), await findSparePort()]
  const origin = `http://localhost:${port}`
  const world = await startWorld(t, {
    isOnDisk,
    settings: {
      PORT: String(port), VIEWER_PORT: String(viewerPort), PUBLIC_URL: origin,
      VIEWER_URL: `http://127.0.0.1:${viewerPort}`, ...settings,
    },
  })
  await listen(world)
  return { world, origin }
}

/** On the ports of its settings: those that a page already knows, after a restart. */
export async function listen({ app, viewer, world: { config } }: TestWorld): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: config.port })
  await viewer.listen({ host: '127.0.0.1', port: config.viewerPort })
}
