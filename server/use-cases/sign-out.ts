/** A session that ends. */
import { endSession } from '../session.js'
import type { World } from '../world.js'

/** Sign out: refused from the next request on, by every instance. Refuses: nothing. Effects: the session is ended. */
export async function signOut(world: World, sessionId: string): Promise<void> {
  await endSession(world, sessionId)
}
