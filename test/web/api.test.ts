// Goal: every answer of a server becomes a value: what was asked for, a refusal by its code, or
// `offline`; and an expired session is renewed once, however many calls meet it.
// Method: the real client against a small server on loopback that says what the test tells it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import t from 'tap'
import { createApi } from '../../web/api.js'
import { findSparePort } from '../helpers/engine.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let answer: Answer = (_request, response) => { response.end() }
const port = await findSparePort()
const server = createServer((request, response) => answer(request, response))
await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
t.teardown(() => new Promise<void>((resolve) => {
  server.closeAllConnections()
  server.close(() => resolve())
}))
const baseUrl = `http://127.0.0.1:${port}`

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

t.test('requests carry the client\'s header and the session, open ones no session', async (t) => {
  const seen: { url: string, client: unknown, authorization: unknown, range: unknown }[] = []
  answer = (request, response) => {
    const { authorization, range } = request.headers
    seen.push({ url: request.url ?? '', client: request.headers['x-sealdeck'], authorization, range })
    sendJson(response, 200, {})
  }
  const api = createApi({ baseUrl })
  api.holdSession({ accessToken: 'token', expiresAtMs: 0 })
  await api.listVaults({ after: 'a b', limit: 5 })
  await api.readPayload('version', { start: 16, end: 32 })
  await api.readConfig()
  t.same(seen, [
    { url: '/api/vaults?after=a+b&limit=5', client: '1', authorization: 'Bearer token', range: undefined },
    { url: '/api/versions/version/payload', client: '1', authorization: 'Bearer token', range: 'bytes=16-31' },
    { url: '/api/config', client: '1', authorization: undefined, range: undefined },
  ])
})

t.test('refusals come by their code, and what is not ours by the server\'s failure', async (t) => {
  const api = createApi({ baseUrl })
  const cases: [string, Answer][] = [
    ['grant-revoked', (_request, response) => sendJson(response, 410, { code: 'grant-revoked' })],
    ['internal-error', (_request, response) => sendJson(response, 500, { code: 'no-such-code' })],
    ['internal-error', (_request, response) => { response.writeHead(502).end('<h1>Bad gateway</h1>') }],
    ['offline', (request) => { request.socket.destroy() }],
    ['offline', (_request, response) => { response.writeHead(200).end('{"vaults":') }],
  ]
  for (const [code, given] of cases) {
    answer = given
    t.same(await api.listVaults(), { ok: false, code })
  }
})

t.test('bytes beyond what was asked for are a broken answer, and are not waited for', async (t) => {
  const api = createApi({ baseUrl })
  const piece = new Uint8Array(200_000)
  answer = (_request, response) => { // Never ends: who counts does not need it to.
    response.writeHead(206)
    for (let turn = 0; turn < 6; turn++) response.write(piece)
  }
  const tooLong = { ok: false, code: 'answer-too-long' }
  t.same(await api.readPayload('version', { start: 16, end: 16 + 65_552 }), tooLong)
  t.same(await api.readHashList('version'), tooLong)
  const spaces = Buffer.alloc(16 * 1024 * 1024, ' ')
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    for (let turn = 0; turn < 5; turn++) response.write(spaces)
  }
  t.same(await api.listVaults(), tooLong, 'JSON has its bound, too')
  answer = (_request, response) => { response.writeHead(206).end(piece) }
  const whole = await api.readPayload('version', { start: 0, end: piece.length })
  t.same(whole.ok && whole.value.length, piece.length)
})

t.test('many calls that meet an expired session renew it once and go on', async (t) => {
  let renewals = 0
  answer = (request, response) => {
    if (request.headers.authorization === 'Bearer new') sendJson(response, 200, { rows: [] })
    else sendJson(response, 401, { code: 'not-signed-in' })
  }
  const api = createApi({
    baseUrl,
    async renew() {
      renewals++
      return { accessToken: 'new', expiresAtMs: 0 }
    },
  })
  api.holdSession({ accessToken: 'old', expiresAtMs: 0 })
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.listKeyringRows()))
  t.ok(answers.every(({ ok }) => ok))
  t.equal(renewals, 1)
})

t.test('a session that cannot be renewed right now is kept', async (t) => {
  answer = (_request, response) => sendJson(response, 401, { code: 'not-signed-in' })
  const api = createApi({ baseUrl, renew: async () => 'offline' })
  api.onSessionEnded(() => t.fail('a network that fails ends no session'))
  api.holdSession({ accessToken: 'old', expiresAtMs: 0 })
  t.same(await api.listKeyringRows(), { ok: false, code: 'offline' })
  t.equal(api.hasSession(), true)
})

t.test('a session that cannot be renewed ends, and is asked for once a call', async (t) => {
  let endings = 0
  let requests = 0
  answer = (_request, response) => {
    requests++
    sendJson(response, 401, { code: 'not-signed-in' })
  }
  const api = createApi({ baseUrl, renew: async () => null })
  api.onSessionEnded(() => { endings++ })
  api.holdSession({ accessToken: 'old', expiresAtMs: 0 })
  t.same(await api.listKeyringRows(), { ok: false, code: 'not-signed-in' })
  t.equal(endings, 1)
  t.equal(requests, 1)
  t.equal(api.hasSession(), false)
})
