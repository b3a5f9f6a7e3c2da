/**
 * All that the crypto worker can do, on any platform: each part holds its own secrets and lends what
 * it must. Must not know of workers or Comlink; web/worker.ts exposes it, tests call it.
 */
import type { CryptoWorker } from '../crypto.js'
import { createChecking } from './checking.js'
import { createGranting } from './granting.js'
import { createLeaving } from './leaving.js'
import { createOpening } from './opening.js'
import { createOwner } from './owner.js'
import type { Platform } from './platform.js'
import { createSealing } from './sealing.js'
import { createVisiting } from './visiting.js'

/** libsodium must be ready before the first call. */
export function createCrypto(platform: Platform): CryptoWorker {
  const { methods: ownerMethods, owner, forget: forgetOwner } = createOwner(platform)
  const sealing = createSealing(platform, owner)
  const visiting = createVisiting(platform)
  const opening = createOpening(platform, owner, visiting)
  return {
    ...ownerMethods,
    ...sealing.methods,
    ...createGranting(owner),
    ...createLeaving(platform, owner),
    ...visiting.methods,
    ...opening.methods,
    ...createChecking(platform, visiting),
    async forgetAll() {
      opening.forget()
      sealing.forget()
      visiting.forget()
      forgetOwner()
    },
  }
}
