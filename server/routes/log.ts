/**
 * The log as files (c2sp.org/tlog-tiles) under the path that its origin names: checkpoint, tiles, entry
 * bundles, statements about keys and time-stamps, straight from the bucket; and the address to which anybody may bring a checkpoint that
 * she saw. Public; the files are readable from any origin.
 */
import {
  FirstTimeStamp, FirstTimeStampQuery, Gossip, GossipAnswer, LogFileParams,
  TimeStampList, TimeStampsQuery,
} from '../../protocol/api.js'
import { PAGE_LIMIT } from '../../protocol/limits.js'
import { parseRotationPath } from '../../protocol/log/rotation.js'
import { CHECKPOINT_PATH, parseTilePath } from '../../protocol/log/tile.js'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { headersFor } from '../headers.js'
import { LOGS_PREFIX } from '../object-keys.js'
import { listTimeStamps, parseTimeStampPath } from '../time-stamps.js'
import { compareCheckpoint } from '../use-cases/compare-checkpoint.js'
import { findFirstTimeStamp } from '../use-cases/find-first-time-stamp.js'
import type { World } from '../world.js'

const CHECKPOINT_CACHE = 'public, max-age=1'
const TEXT_TYPE = 'text/plain; charset=utf-8'

export function logRoutes(app: App, world: World): void {
  app.get(`/${LOGS_PREFIX}:log/*`, {
    schema: { hide: true, params: LogFileParams },
  }, async (request, reply) => {
    const { log, '*': path } = request.params
    const type = typeOf(path)
    const prefix = `${LOGS_PREFIX}${log}`
    if (type === null || !await isOurs(world, prefix)) throw new Refusal('not-found')
    const bytes = await world.bucket.read(`${prefix}/${path}`)
    if (bytes === null) throw new Refusal('not-found')
    const isCheckpoint = path === CHECKPOINT_PATH
    return reply
      .headers(headersFor(world.config, 'log-file', !isCheckpoint))
      .header('access-control-allow-origin', '*')
      .header('cache-control', isCheckpoint ? CHECKPOINT_CACHE : headersFor(world.config, 'log-file', true)['cache-control'])
      .type(type)
      .send(Buffer.from(bytes))
  })
  app.post('/api/log/gossip', {
    schema: { body: Gossip, response: { 200: GossipAnswer } },
  }, async ({ body, ip }) => await compareCheckpoint(world, { ...body, address: ip }))
  app.get('/api/log/timestamps', {
    schema: { querystring: TimeStampsQuery, response: { 200: TimeStampList } },
  }, async (request) => {
    const after = Number(request.query.after ?? 0)
    const folder = await folderOf(world, request.query.log)
    const sizes = await listTimeStamps({ ...world, folder }, { after, limit: PAGE_LIMIT })
    return { sizes, next: sizes.length < PAGE_LIMIT ? null : sizes.at(-1) ?? null }
  })
  app.get('/api/log/timestamps/first', {
    schema: { querystring: FirstTimeStampQuery, response: { 200: FirstTimeStamp } },
  }, async ({ query }) =>
    await findFirstTimeStamp(world, {
      index: Number(query.index), size: Number(query.size), log: query.log,
    }))
}

/** Whether a log of ours lies in that folder: one that another instance has begun is looked up. */
async function isOurs({ logs }: World, prefix: string): Promise<boolean> {
  const isKnown = (): boolean => logs.list().some((span) => span.prefix === prefix)
  if (!isKnown()) await logs.refresh()
  return isKnown()
}

/** Refuses: not-found for a log that is none of ours. */
async function folderOf(world: World, origin: string | undefined): Promise<string | undefined> {
  if (origin === undefined) return undefined
  const prefix = world.logs.find(origin)?.prefix
  if (prefix === undefined) throw new Refusal('not-found')
  return prefix
}

/** The media type of a log's file; `null` for what is none. */
function typeOf(path: string): string | null {
  if (path === CHECKPOINT_PATH) return TEXT_TYPE
  if (parseTilePath(path) !== null) return 'application/octet-stream'
  if (parseRotationPath(path) !== null) return TEXT_TYPE
  const stamp = parseTimeStampPath(path)
  if (stamp === null) return null
  return stamp.file === 'tsr' ? 'application/timestamp-reply' : TEXT_TYPE
}
