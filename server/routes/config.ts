/** What a client must know of this instance before it can do anything. */
import { Config, type WitnessOffer } from '../../protocol/api.js'
import type { Static } from 'typebox'
import { encodeBase64Url } from '../../protocol/bytes.js'
import type { App } from '../app.js'
import { hasOutboxPage } from '../config.js'
import { logPrefix } from '../keys.js'
import { VERSION } from '../version.js'
import { formatPolicyFile, type WitnessPolicy } from '../witness-policy.js'
import type { World } from '../world.js'

export function configRoutes(app: App, world: World): void {
  const { config } = world
  app.get('/api/config', { schema: { response: { 200: Config } } }, async () => {
    await world.rotations.refresh()
    return present(world)
  })

  app.get('/api/log/policy.txt', { schema: { hide: true } }, async (_request, reply) => {
    await world.rotations.refresh()
    const log = { keys: world.rotations.keys(), urlOf: (origin: string) => `${config.publicUrl}/${logPrefix(origin)}` }
    return await reply.type('text/plain; charset=utf-8')
      .header('content-disposition', 'attachment; filename="policy.txt"')
      .send(formatPolicyFile(log, world.witnesses.policy))
  })
}

function present(world: World): Static<typeof Config> {
  const { config, keys } = world
  return {
    viewerOrigin: config.viewerUrl,
    publicUrl: config.publicUrl,
    logVkey: keys.log.vkey,
    logOrigin: keys.log.origin,
    logRotations: [...world.rotations.statements()],
    witnesses: offerOf(world.witnesses.policy),
    maxFileSizeBytes: config.maxFileSizeBytes,
    outboxPath: hasOutboxPage(config) ? '/outbox' : null,
    version: VERSION,
  }
}

function offerOf(policy: WitnessPolicy | undefined): WitnessOffer | null {
  if (policy === undefined) return null
  const { text, sha256, members, quorumCount } = policy
  return {
    text, sha256: encodeBase64Url(sha256), names: members.map(({ name }) => name), quorumCount,
  }
}
