// Goal: tests get browsers whose people are strangers to each other, with passkeys that know PRF or not.
// Method: serve one page on localhost, make a passkey in it, read what was recorded.
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { findChromium, openProfile, useChromium } from './chromium.js'

const PAGE = '<title>test</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
const skip = findChromium() === undefined ? 'Chromium is not installed' : false

t.test('a real browser', { skip }, async (t) => {
  const browser = await useChromium(t)
  const address = await servePage(t)

  t.test('makes a passkey with PRF where asked to', async (t) => {
    const { page, close } = await openProfile(browser)
    await page.goto(address)
    t.equal(await page.evaluate(prfAfterCreate), true)
    await close()
  })

  t.test('makes a passkey without PRF where asked to', async (t) => {
    const { page, close } = await openProfile(browser, { passkey: 'no-prf' })
    await page.goto(address)
    t.not(await page.evaluate(prfAfterCreate), true)
    await close()
  })

  t.test('keeps what people store apart', async (t) => {
    const ada = await openProfile(browser)
    const bob = await openProfile(browser)
    for (const { page } of [ada, bob]) await page.goto(address)
    await ada.page.evaluate("localStorage.setItem('word', 'seal')")
    t.equal(await ada.page.evaluate("localStorage.getItem('word')"), 'seal')
    t.equal(await bob.page.evaluate("localStorage.getItem('word')"), null)
    await Promise.all([ada.close(), bob.close()])
  })

  t.test('records the body of a request, from a page and from a worker', async (t) => {
    const { page, requests, close } = await openProfile(browser)
    await page.goto(address)
    await page.evaluate("fetch('/x', { method: 'POST', body: new Uint8Array([0, 255, 7]) }).then((r) => r.text())")
    await page.evaluate(postFromWorker)
    const bodies = requests.filter(({ method }) => method === 'POST').map(({ body }) => [...body])
    t.same(bodies, [[0, 255, 7], [1, 254]])
    await close()
  })

  t.test('notices what a page complains about', async (t) => {
    const { page, complaints, close } = await openProfile(browser)
    await page.goto(address)
    await page.evaluate("console.error('paper jam')")
    t.match(complaints.join(), /paper jam/)
    await close()
  })

  t.test('shows a phone as a phone', async (t) => {
    const { page, close } = await openProfile(browser, { isPhone: true, locale: 'ru', colorScheme: 'dark' })
    await page.goto(address)
    const seen = await page.evaluate("[innerWidth, navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]")
    t.same(seen, [360, 'ru-RU', true])
    await close()
  })
})

const prfAfterCreate = `navigator.credentials.create({
  publicKey: {
    challenge: new Uint8Array(32), rp: { name: 'test' }, pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    user: { id: new Uint8Array(16), name: 'ada', displayName: 'Ada' },
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    extensions: { prf: { eval: { first: new Uint8Array(32) } } },
  },
}).then((credential) => credential.getClientExtensionResults().prf?.enabled)`

const postFromWorker = `new Promise((resolve) => {
  const source = "fetch('" + origin + "/x', { method: 'POST', body: new Uint8Array([1, 254]) }).then(() => postMessage(0))"
  const worker = new Worker(URL.createObjectURL(new Blob([source])))
  worker.onmessage = resolve
})`

async function servePage(t: Test): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'text/html').end(PAGE)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return `http://localhost:${address.port}/`
}
