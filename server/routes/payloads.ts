/** Ciphertext and receipts: for the owner of a version, and for those to whom it was released. */
import type { FastifyRequest } from 'fastify'
import { EventParams, Receipt, VersionParams } from '../../protocol/api.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import type { Reader } from '../readable.js'
import { fetchHashList } from '../use-cases/fetch-hash-list.js'
import { fetchPayload } from '../use-cases/fetch-payload.js'
import { getReceipt } from '../use-cases/get-receipt.js'
import type { World } from '../world.js'

export function payloadRoutes(app: App, world: World): void {
  const preHandler = app.requireAccountOrInvestor
  app.get('/api/versions/:versionId/payload', { schema: { params: VersionParams }, preHandler }, async (request, reply) => {
    const range = rangeOf(request)
    const fetched = await fetchPayload(
      world, readerOf(request), { versionId: request.params.versionId, ...range },
    )
    if ('pieces' in fetched) return reply.code(200).send(fetched)
    return reply.code(206).type('application/octet-stream')
      .header('content-length', fetched.sizeBytes)
      .header('content-range', `bytes ${range.start}-${range.end - 1}/${fetched.totalBytes}`)
      .send(fetched.stream)
  })
  app.get('/api/versions/:versionId/hash-list', { schema: { params: VersionParams }, preHandler }, async (request, reply) => {
    const bytes = await fetchHashList(world, readerOf(request), request.params.versionId)
    return reply.type('application/octet-stream').send(Buffer.from(bytes))
  })
  app.get('/api/receipts/:eventId', {
    schema: { params: EventParams, response: { 200: Receipt } }, preHandler,
  }, async (request) => {
    const { identity } = request
    const asker = identity?.investor === undefined
      ? { userId: request.account.userId }
      : { personId: identity.investor.personId }
    return await getReceipt(world, asker, request.params.eventId)
  })
}

function readerOf(request: FastifyRequest): Reader {
  const investor = request.identity?.investor
  return investor === undefined
    ? { ownerId: request.account.userId }
    : { deviceId: investor.deviceId }
}

/** One range of at most a part's size, as `bytes=first-last`; nothing else is answered. */
function rangeOf(request: FastifyRequest): { start: number, end: number } {
  const match = /^bytes=(\d{1,12})-(\d{1,12})$/.exec(request.headers.range ?? '')
  const start = Number(match?.[1])
  const end = Number(match?.[2]) + 1
  if (!(start < end && end - start <= PART_SIZE_BYTES)) throw new Refusal('bad-request')
  return { start, end }
}
