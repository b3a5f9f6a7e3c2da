// Goal: what the server's frame promises holds for every route: headers, bodies, errors, guards, logs.
// Method: the real app with a small web client built by the test; injected requests, and a raw socket
// where the socket is what is tested.
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { users } from '../../db/schema.js'
import { buildApp, buildViewer, type App } from '../../server/app.js'
import { startSession, renewSession, endSession } from '../../server/session.js'
import { Refusal } from '../../protocol/refusals.js'
import { startWorld, type TestWorld } from '../helpers/world.js'

const OWN = { 'x-sealdeck': '1' }
const COMMON = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=(), clipboard-read=(), usb=(), serial=(), hid=(), bluetooth=(), payment=(), browsing-topics=()',
  'x-dns-prefetch-control': 'off',
}
const APP_PAGE_POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; frame-src http://127.0.0.1:4871; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types sealdeck-url; report-uri http://localhost:4870/api/csp-reports"
const VIEWER_PAGE_POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self' data:; form-action 'none'; base-uri 'none'; object-src 'none'; frame-ancestors http://localhost:4870; require-trusted-types-for 'script'; trusted-types sealdeck-url"
const API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
const FILES = [
  'index.html', 'gate.html', 'verify.html', 'assets/index-abc.js', 'assets/worker-abc.js', 'assets/worker-prepare-abc.js', 'robots.txt',
  'viewer/index.html', 'viewer/assets/index-abc.js', 'viewer/pdfjs/pdf.worker.min.mjs', 'viewer/pdfjs/wasm/openjpeg.wasm',
]

interface Served extends TestWorld { readonly app: App, readonly viewer: App }

/** A world whose web folder holds files that we know. */
async function serve(t: Test, settings = {}): Promise<Served> {
  const started = await startWorld(t, { settings })
  const webFolder = join(started.folder, 'web')
  for (const path of FILES) {
    await mkdir(dirname(join(webFolder, path)), { recursive: true })
    await writeFile(join(webFolder, path), `the file ${path}`)
    await writeFile(join(webFolder, `${path}.br`), brotliCompressSync(`the file ${path}`))
  }
  const world = { ...started.world, config: { ...started.world.config, webFolder } }
  const [app, viewer] = [await buildApp(world), await buildViewer(world)]
  t.teardown(async () => { await app.close(); await viewer.close() })
  return { ...started, world, app, viewer }
}

t.test('headers by class of answer', async (t) => {
  const { app, viewer } = await serve(t)
  const forEver = 'public, max-age=31536000, immutable'
  const cases: [App, string, Record<string, string | undefined>][] = [
    [app, '/', { 'content-security-policy': APP_PAGE_POLICY, 'cache-control': 'no-store', 'x-frame-options': 'DENY', 'cross-origin-resource-policy': 'same-origin' }],
    [app, '/vaults/01a20439-125f-75a7-91aa-2afc9d75e763', { 'content-security-policy': APP_PAGE_POLICY }],
    [app, '/g/AAAAAAAAAAAAAAAAAAAAAA', { 'content-security-policy': APP_PAGE_POLICY, 'cache-control': 'no-store' }],
    [app, '/assets/worker-abc.js', { 'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'", 'cache-control': forEver }],
    [app, '/assets/worker-prepare-abc.js', { 'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" }],
    [app, '/assets/index-abc.js', { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'cache-control': forEver }],
    [app, '/robots.txt', { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'", 'cache-control': 'no-store' }],
    [app, '/verify.html', { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox", 'content-disposition': 'attachment; filename="sealdeck-verify.html"', 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }],
    [app, '/api/config', { 'content-security-policy': API_POLICY, 'cache-control': 'no-store', 'x-frame-options': 'DENY' }],
    [app, '/api/none', { 'content-security-policy': API_POLICY, 'cache-control': 'no-store' }],
    [app, '/assets/none.js', { 'content-security-policy': API_POLICY, 'cache-control': 'no-store' }],
    [viewer, '/viewer/index.html', { 'content-security-policy': VIEWER_PAGE_POLICY, 'cross-origin-resource-policy': 'cross-origin', 'cache-control': 'no-store', 'x-frame-options': undefined }],
    [viewer, '/viewer/pdfjs/pdf.worker.min.mjs', { 'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", 'cross-origin-resource-policy': 'same-origin' }],
    [viewer, '/viewer/assets/index-abc.js', { 'cache-control': forEver, 'content-security-policy': "default-src 'none'; frame-ancestors http://localhost:4870" }],
    [viewer, '/viewer/none', { 'cache-control': 'no-store' }],
  ]
  for (const [server, url, expected] of cases) {
    const { headers } = await server.inject({ url })
    t.match(headers, COMMON, url)
    for (const [name, value] of Object.entries(expected)) t.equal(headers[name], value, `${name} of ${url}`)
    for (const name of ['x-powered-by', 'server', 'x-ratelimit-limit', 'strict-transport-security', 'set-cookie']) t.notOk(name in headers, `no ${name}`)
  }
})

t.test('https has its own headers', async (t) => {
  const { app } = await serve(t, { PUBLIC_URL: 'https://deck.example', VIEWER_URL: 'https://view.example' })
  const { headers } = await app.inject({ url: '/' })
  t.equal(headers['strict-transport-security'], 'max-age=63072000; includeSubDomains; preload')
  t.match(headers['content-security-policy'], /frame-src https:\/\/view\.example;.*; upgrade-insecure-requests; report-uri https:\/\/deck\.example\/api\/csp-reports$/)
})

t.test('files', async (t) => {
  const { app, viewer } = await serve(t)
  t.equal((await app.inject({ url: '/' })).body, 'the file index.html')
  t.equal((await app.inject({ url: '/g/AAAAAAAAAAAAAAAAAAAAAA' })).body, 'the file gate.html')
  t.equal((await app.inject({ url: '/no/such/screen' })).body, 'the file index.html', 'screens are told apart by the page')
  for (const url of ['/gate.html', '/viewer/index.html', '/viewer/assets/index-abc.js', '/assets/index-abc.js.br', '/../package.json', '/%2e%2e/package.json', '/assets/..%2f..%2fkeys', '/api', '/api/', '/log/2026', '/.hidden', '/assets']) {
    const { statusCode, body } = await app.inject({ url })
    t.ok(statusCode === 404 || body === 'the file index.html', `${url} is no file of the app`)
    t.notMatch(body, /viewer|keys|sealdeck"/, 'and gives nothing away')
  }
  for (const url of ['/', '/index.html', '/assets/index-abc.js', '/api/config', '/viewer/', '/viewer/index.html?x=1', '/viewer/index.html.br']) {
    t.equal((await viewer.inject({ url })).statusCode, 404, `${url} is no file of the viewer`)
  }
  const compressed = await app.inject({ url: '/assets/index-abc.js', headers: { 'accept-encoding': 'br' } })
  t.equal(compressed.headers['content-encoding'], 'br')
  t.equal((await app.inject({ url: '/assets/index-abc.js', headers: { 'service-worker': 'script' } })).statusCode, 404, 'no service worker')
  const first = await app.inject({ url: '/', headers: { 'cookie': 'a=b', 'user-agent': 'one' } })
  const second = await app.inject({ url: '/', headers: { 'accept-language': 'ru', 'user-agent': 'two' } })
  t.equal(first.rawPayload.compare(second.rawPayload), 0, 'all get the same bytes')
  const again = await app.inject({ url: '/', headers: { 'if-none-match': String(first.headers['etag']) } })
  t.equal(again.statusCode, 304)
  t.equal(again.headers['content-security-policy'], APP_PAGE_POLICY, 'also without a body')
})

t.test('bodies', async (t) => {
  const { app } = await serve(t)
  const good = { email: 'ada@fund.example', purpose: 'sign-up', locale: 'en' }
  async function post(payload: string | Buffer, headers: Record<string, string> = {}) {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/api/email-codes', payload, headers: { ...OWN, 'content-type': 'application/json', ...headers } })
    return { statusCode, body }
  }
  t.equal((await post(JSON.stringify(good))).statusCode, 200)
  const refused: [string, string | Buffer, number, Record<string, string>?][] = [
    ['a key twice', '{"email":"a@b.example","email":"ada@fund.example","purpose":"sign-up","locale":"en"}', 400],
    ['a field too many', JSON.stringify({ ...good, isAdmin: true }), 400],
    ['__proto__', '{"__proto__":{},"email":"ada@fund.example","purpose":"sign-up","locale":"en"}', 400],
    ['a field too few', JSON.stringify({ ...good, locale: undefined }), 400],
    ['a number for a text', JSON.stringify({ ...good, email: 5 }), 400],
    ['a list for a text', JSON.stringify({ ...good, locale: ['en'] }), 400],
    ['U+0000', JSON.stringify({ ...good, email: 'a\u0000@b.example' }), 400],
    ['a line break', JSON.stringify({ ...good, email: 'ada@fund.example\nBcc: x' }), 400],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['nothing', '', 400],
    ['70 kB', JSON.stringify({ ...good, email: 'a'.repeat(70_000) }), 413],
    ['text', 'x', 415, { 'content-type': 'text/plain' }],
    ['a form', 'email=a', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['octets', 'x', 415, { 'content-type': 'application/octet-stream' }],
    ['no type', 'x', 415, { 'content-type': '' }],
  ]
  for (const [name, payload, status, headers] of refused) {
    const answer = await post(payload, headers)
    t.equal(answer.statusCode, status, name)
    const problem: Record<string, unknown> = JSON.parse(answer.body)
    t.same(Object.keys(problem).sort(), ['code', 'requestId', 'status', 'title', 'type'], 'and the answer is a problem that quotes nothing')
  }
})

t.test('requests that another site could make somebody send', async (t) => {
  const { app } = await serve(t)
  const cases: [string, Record<string, string>, number][] = [
    ['without our header', {}, 403], ['with another value', { 'x-sealdeck': 'true' }, 403], ['from another site', { ...OWN, 'sec-fetch-site': 'cross-site' }, 403],
    ['from a sibling', { ...OWN, 'sec-fetch-site': 'same-site' }, 403], ['from our page', { ...OWN, 'sec-fetch-site': 'same-origin' }, 401], ['from a program', OWN, 401],
  ]
  for (const [name, headers, status] of cases) {
    t.equal((await app.inject({ method: 'POST', url: '/api/sessions/refresh', headers })).statusCode, status, name)
  }
  const openapi: { paths: Record<string, Record<string, unknown>> } = (await app.inject({ url: '/api/openapi.json' })).json()
  const mutating = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).filter((method) => method !== 'get').map((method) => ({ path: path.replaceAll(/\{\w+\}/g, uuidv7()), method })))
  t.ok(mutating.length > 20, 'the routes are listed')
  for (const { path, method } of mutating) {
    const answer = await app.inject({ method: method === 'put' ? 'PUT' : method === 'delete' ? 'DELETE' : 'POST', url: path })
    t.equal(answer.statusCode, 403, `${method} ${path}`)
  }
})

t.test('sessions', async (t) => {
  const { world, clock } = await serve(t)
  const userId = uuidv7()
  await world.db.insert(users).values({
    id: userId, email: 'ada@fund.example', name: 'Ada', locale: 'en', signingPublicKey: new Uint8Array(32), recipient: 'age1pq1', createdAtMs: clock.nowMs(),
  })
  const first = await startSession(world, userId)
  const second = await renewSession(world, first.refreshToken ?? '')
  t.not(second.refreshToken, first.refreshToken, 'a refresh token is used once')
  const late = await renewSession(world, first.refreshToken ?? '')
  t.equal(late.refreshToken, undefined, 'a second tab in the same moment gets an access token and keeps the newer cookie')
  clock.advance(11_000)
  await t.rejects(renewSession(world, first.refreshToken ?? ''), new Refusal('not-signed-in'), 'later it was stolen')
  await t.rejects(renewSession(world, second.refreshToken ?? ''), new Refusal('not-signed-in'), 'and the session is over for both')

  const idle = await startSession(world, userId)
  clock.advance(30 * 60_000)
  await t.rejects(renewSession(world, idle.refreshToken ?? ''), new Refusal('not-signed-in'), 'half an hour without a sign of life ends it')
  let busy = await startSession(world, userId)
  for (let half = 0; half < 25; half++) {
    clock.advance(28 * 60_000)
    busy = await renewSession(world, busy.refreshToken ?? '')
  }
  clock.advance(28 * 60_000)
  await t.rejects(renewSession(world, busy.refreshToken ?? ''), new Refusal('not-signed-in'), 'twelve hours end it in any case')

  const racing = await startSession(world, userId)
  const results = await Promise.all(Array.from({ length: 6 }, () => renewSession(world, racing.refreshToken ?? '')))
  t.equal(results.filter(({ refreshToken }) => refreshToken !== undefined).length, 1, 'of six at once one gets the next token')
  await endSession(world, racing.sessionId)
  for (const token of ['', 'x', `${uuidv7()}.${'A'.repeat(43)}`, results.find(({ refreshToken }) => refreshToken)?.refreshToken ?? '']) {
    await t.rejects(renewSession(world, token), new Refusal('not-signed-in'))
  }
})

t.test('who asks', async (t) => {
  const { app, world, clock } = await serve(t)
  const userId = uuidv7()
  await world.db.insert(users).values({
    id: userId, email: 'ada@fund.example', name: 'Ada', locale: 'en', signingPublicKey: new Uint8Array(32), recipient: 'age1pq1', createdAtMs: clock.nowMs(),
  })
  const session = await startSession(world, userId)
  async function ask(authorization?: string) {
    const { statusCode, json } = await app.inject({ url: '/api/vaults', headers: authorization === undefined ? {} : { authorization } })
    return { statusCode, code: String(json<{ code?: string }>().code) }
  }
  t.equal((await ask(`Bearer ${session.access.token}`)).statusCode, 200)
  const investor = world.tokens.sign('investor', { sub: userId, gid: '', did: uuidv7() }, 600_000)
  const proof = world.tokens.sign('email-proof', { sub: 'ada@fund.example', for: 'sign-up', gid: '', name: '' }, 600_000)
  const stranger = world.tokens.sign('account', { sub: uuidv7(), sid: session.sessionId }, 600_000)
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', 'Bearer x', `bearer ${session.access.token}`, `Bearer  ${session.access.token}`, 'Basic YTpi', `Bearer ${investor.token}`, `Bearer ${proof.token}`, `Bearer ${stranger.token}`]) {
    t.same(await ask(authorization), { statusCode: 401, code: 'not-signed-in' }, 'nobody is nobody, and told nothing else')
  }
  await endSession(world, session.sessionId)
  t.equal((await ask(`Bearer ${session.access.token}`)).statusCode, 401, 'signing out holds from the next request on')
})

t.test('logs hold no query, no token and no body', async (t) => {
  const { app, logLines } = await serve(t)
  const canary = 'canary5f3c'
  await app.inject({ url: `/api/vaults?after=${canary}`, headers: { authorization: `Bearer ${canary}`, cookie: `__Host-sd_rt=${canary}` } })
  await app.inject({ method: 'POST', url: `/api/email-codes?${canary}`, payload: { email: `${canary}@fund.example`, purpose: canary }, headers: OWN })
  await app.inject({ url: `/no/such?${canary}` })
  t.ok(logLines.some((line) => line.includes('"path":"/no/such"')), 'requests are logged')
  t.notMatch(logLines.join(''), canary)
  t.ok(logLines.every((line) => line.indexOf('\n') === line.length - 1), 'a line each')
})

t.test('limits', async (t) => {
  const { app } = await serve(t, { RATE_LIMIT_PER_MINUTE: '10' })
  const statuses: number[] = []
  for (let count = 0; count < 12; count++) statuses.push((await app.inject({ url: '/api/config' })).statusCode)
  t.same(statuses, [...Array.from({ length: 10 }, () => 200), 429, 429])
  const refused = await app.inject({ url: '/api/config' })
  t.equal(refused.json<{ code: string }>().code, 'too-many-requests')
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'health is always answered')
})

t.test('the socket', async (t) => {
  const { app } = await serve(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  const port = typeof address === 'object' ? address?.port ?? 0 : 0
  t.match(app.server, {
    headersTimeout: 10_000, maxHeadersCount: 100, requestTimeout: 120_000, timeout: 20_000,
    keepAliveTimeout: 5_000, maxRequestsPerSocket: 1_000, maxConnections: 2_000,
  })
  async function say(text: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect(port, '127.0.0.1', () => { socket.write(text) })
      socket.on('data', (chunk) => { answer += chunk.toString() }).on('close', () => { resolve(answer) }).on('error', reject)
    })
  }
  t.match(await say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/)
  t.match(await say('GET /\u0001 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 400/)
  t.match(await say(`GET /${'a'.repeat(5_000)}%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 4\d\d/)
})

t.test('health and readiness', async (t) => {
  const { app, world } = await serve(t)
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 200)
  const check = world.bucket.check.bind(world.bucket)
  world.bucket.check = async () => { throw new Error('the bucket is away') }
  const broken = await app.inject({ url: '/readyz' })
  t.equal(broken.statusCode, 503)
  t.equal(broken.json<{ code: string }>().code, 'not-ready')
  t.ok(broken.headers['retry-after'])
  t.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'a server that is not ready still lives')
  world.bucket.check = check
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 200)
})

t.test('metrics', async (t) => {
  const { app, world } = await serve(t)
  t.equal(world.tracing, undefined, 'and no traces, unless somebody asks for them')
  const near = { url: '/metrics', remoteAddress: '127.0.0.1', headers: { host: 'localhost:4870' } }
  t.match((await app.inject(near)).body, /\nsealdeck_log_size 1\n/)
  t.equal((await app.inject({ ...near, remoteAddress: '10.0.0.9' })).statusCode, 404, 'not from elsewhere')
  t.equal((await app.inject({ ...near, headers: { host: 'evil.example' } })).statusCode, 404, 'not under another name')
  t.equal((await app.inject({ ...near, headers: { 'host': 'localhost', 'x-forwarded-for': '1.2.3.4' } })).statusCode, 404, 'not through a proxy')
  const guarded = await serve(t, { METRICS_TOKEN: 'a-token-of-enough-letters' })
  t.equal((await guarded.app.inject(near)).statusCode, 404)
  t.equal((await guarded.app.inject({ ...near, remoteAddress: '10.0.0.9', headers: { authorization: 'Bearer a-token-of-enough-letters' } })).statusCode, 200)
})

t.test('readiness compares clocks, the bucket\'s too', async (t) => {
  const { app, world, logLines } = await serve(t)
  const check = world.bucket.check.bind(world.bucket)
  world.bucket.check = async () => Date.now() - 60_000
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 503)
  t.ok(logLines.some((line) => line.includes('the bucket\'s clock differs by')))
  world.bucket.check = async () => Date.now() - 1_000
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 200, 'whole seconds are no difference')
  world.bucket.check = check
})

t.test('figures count what fails, and are told when something does', async (t) => {
  const { app, world } = await serve(t)
  const near = { url: '/metrics', remoteAddress: '127.0.0.1', headers: { host: 'localhost:4870' } }
  await t.rejects(world.bucket.read('log/2026/checkpoint', { offset: 0, sizeBytes: 1_000_000 }))
  t.equal(await world.bucket.read('versions/none/part-00000'), null, 'what is not there is no failure')
  const told = (await app.inject(near)).body
  t.match(told, /\nsealdeck_bucket_errors_total\{operation="read"\} 1\n/)
  for (const name of ['log_pending', 'log_oldest_pending_seconds', 'mail_pending', 'mail_failed', 'used_bytes']) t.match(told, new RegExp(`\\nsealdeck_${name} 0\\n`))
  t.match(told, /\nsealdeck_ready 1\n/)
  const { execute } = world.db
  Object.assign(world.db, { execute: async () => { throw new Error('the database is away') } })
  await app.inject(near)
  const after = await app.inject(near) // Counts what the one before could not measure.
  Object.assign(world.db, { execute })
  t.equal(after.statusCode, 200)
  t.match(after.body, /\nsealdeck_ready 0\n/)
  t.match(after.body, /\nsealdeck_unmeasured_total [1-9]/)
  t.notMatch(after.body, /\nsealdeck_log_pending \d/, 'what cannot be known is not told')
})

t.test('reports of broken policies are counted, and nothing of them is kept', async (t) => {
  const { app, logLines } = await serve(t)
  const near = { url: '/metrics', remoteAddress: '127.0.0.1', headers: { host: 'localhost:4870' } }
  const secret = 'a-canary-in-a-report'
  const report = { 'csp-report': { 'document-uri': `https://x/${secret}`, 'blocked-uri': secret, 'effective-directive': 'script-src' } }
  const send = async (payload: string, type = 'application/csp-report') => await app.inject({
    method: 'POST', url: '/api/csp-reports', payload, headers: { 'content-type': type, 'sec-fetch-site': 'cross-site' },
  })
  t.equal((await send(JSON.stringify(report))).statusCode, 204)
  t.equal((await send(JSON.stringify({ 'csp-report': { 'effective-directive': secret } }))).statusCode, 204)
  t.equal((await send('[]')).statusCode, 204)
  t.equal((await send('{')).statusCode, 400)
  t.equal((await send(JSON.stringify(report), 'text/plain')).statusCode, 415)
  t.equal((await send(`{"a":"${'x'.repeat(20_000)}"}`)).statusCode, 413)
  const told = (await app.inject(near)).body
  t.match(told, /sealdeck_csp_reports_total\{directive="script-src"\} 1\n/)
  t.match(told, /sealdeck_csp_reports_total\{directive="other"\} 2\n/)
  t.notMatch(`${told}${logLines.join('')}`, secret)
  const many = await Promise.all(Array.from({ length: 70 }, () => send('[]')))
  t.ok(many.some(({ statusCode }) => statusCode === 429), 'and not without end')
})
