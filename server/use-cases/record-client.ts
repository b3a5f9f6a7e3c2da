/** The hash of the web client goes into the log, so that a client served to one victim only is one more than is logged. */
import { uuidv7 } from 'uuidv7'
import { findLastEvent } from '../../db/queries/log.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { encodeHex } from '../../protocol/bytes.js'
import { formatTime, parseEvent, sealEvent } from '../../protocol/log/event.js'
import { hashWebFiles, listWebFiles } from '../web-files.js'
import type { World } from '../world.js'

/**
 * Log which client is served, if it is another than the last one.
 * Refuses: log-unavailable.
 * Effects: event `client.served`, published before this returns.
 */
export async function recordClient(world: World): Promise<void> {
  const { config, db, keys, clock } = world
  if (listWebFiles(config.webFolder).length === 0) return
  const clientSha256 = encodeHex(hashWebFiles(config.webFolder))
  const last = await findLastEvent(db, 'client.served')
  if (last !== undefined && parseEvent(last).clientSha256 === clientSha256) return
  const event = sealEvent({
    type: 'client.served', id: uuidv7(), log: keys.log.origin, at: formatTime(clock.nowMs()), actor: 'server', clientSha256,
  })
  await insertEvents(db, [event])
  await world.sequencer.published([event.id])
}
