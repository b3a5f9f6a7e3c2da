/** A whole server on real ports, for tests with a browser: the built client, and passkeys for its host. */
import type { Test } from 'tap'
import type { Environment } from '../../server/config.js'
import { findSparePort } from '../helpers/engine.js'
import { startWorld, type TestWorld } from '../helpers/world.js'

export async function serveWorld(
  t: Test, settings: Environment = {},
): Promise<{ world: TestWorld, origin: string }> {
  const [port, viewerPort] = [await findSparePort(), await findSparePort()]
  const origin = `http://localhost:${port}`
  const world = await startWorld(t, {
    settings: {
      PORT: String(port), VIEWER_PORT: String(viewerPort), PUBLIC_URL: origin,
      VIEWER_URL: `http://127.0.0.1:${viewerPort}`, ...settings,
    },
  })
  await world.app.listen({ host: '127.0.0.1', port })
  await world.viewer.listen({ host: '127.0.0.1', port: viewerPort })
  return { world, origin }
}
