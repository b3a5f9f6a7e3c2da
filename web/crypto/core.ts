/**
 * All that the crypto worker can do, on any platform: each part holds its own secrets and lends what
 * it must. Must not know of workers or Comlink; web/worker.ts exposes it, tests call it.
 */
import type { CryptoWorker } from '../crypto.js'
import { createChecking, createHistory } from './checking.js'
import { createGranting } from './granting.js'
import { createLeaving } from './leaving.js'
import { createLogKeys } from './log-keys.js'
import { createNewest } from './newest.js'
import { createOpening } from './opening.js'
import { createOwner } from './owner.js'
import type { Platform } from './platform.js'
import { createSealing } from './sealing.js'
import { createVisiting } from './visiting.js'
import { createWatching } from './watching.js'

/** libsodium must be ready before the first call. */
export function createCrypto(platform: Platform): CryptoWorker {
  const { methods: ownerMethods, owner, forget: forgetOwner } = createOwner(platform)
  const sealing = createSealing(platform, owner)
  const logKeys = createLogKeys()
  const visiting = createVisiting(platform, logKeys)
  const opening = createOpening(platform, owner, visiting)
  const history = createHistory(platform, logKeys)
  const newest = createNewest(platform, owner)
  return {
    ...ownerMethods,
    ...sealing.methods,
    ...createGranting(owner, newest, history),
    ...createLeaving(platform, owner),
    ...visiting.methods,
    ...opening.methods,
    ...createChecking(history, visiting),
    ...createWatching({ platform, owner, history, newest }),
    async forgetAll() {
      opening.forget()
      sealing.forget()
      visiting.forget()
      forgetOwner()
    },
  }
}
