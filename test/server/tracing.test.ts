// Goal: traces say which route, which status and which request to the bucket, and never an address, an id or a query.
// Method: a collector of our own that keeps what it is sent; requests with canaries where a careless span would pick
// them up.
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { startWorld } from '../helpers/world.js'

interface Collector { readonly url: string, readonly sent: string[], readonly paths: Set<string> }

async function startCollector(t: Test): Promise<Collector> {
  const sent: string[] = []
  const paths = new Set<string>()
  const server = createServer((request, response) => {
    paths.add(request.url ?? '')
    request.setEncoding('utf8').on('data', (chunk: string) => { sent.push(chunk) }).on('end', () => response.end('{}'))
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port')
  return { url: `http://127.0.0.1:${address.port}`, sent, paths }
}

t.test('what a span holds', async (t) => {
  const collector = await startCollector(t)
  const test = await startWorld(t, { settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
  const canary = 'canary-in-an-address'
  await test.app.inject({ url: `/api/log/consistency?from=0&to=1&x=${canary}` })
  await test.app.inject({ url: `/api/gate/AAAAAAAAAAAAAAAAAAAAAA?${canary}`, headers: { authorization: `Bearer ${canary}`, cookie: canary } })
  await test.app.inject({ url: `/${canary}` })
  await test.app.inject({ url: '/readyz' })
  await test.world.tracing?.stop()
  const told = collector.sent.join('')
  t.same([...collector.paths], ['/v1/traces'])
  for (const name of ['GET /api/gate/:grantId', 'GET /readyz', 'bucket check', 'sealdeck']) t.match(told, name)
  t.notMatch(told, canary)
  t.notMatch(told, 'AAAAAAAAAAAAAAAAAAAAAA', 'nor a link\'s id')
  const spans = told.split('"traceId":"').slice(1).map((text) => ({ trace: text.slice(0, 32), isCheck: text.includes('bucket check'), isReady: text.includes('GET /readyz') }))
  const ready = spans.find(({ isReady }) => isReady)
  t.ok(spans.some(({ trace, isCheck }) => isCheck && trace === ready?.trace), 'the bucket\'s span lies under the request\'s')
})
