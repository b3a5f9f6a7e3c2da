// Goal: behind Comlink, under its own policy, the crypto worker does in Chromium what it does in
// Node, and a device remembers a link over a reload without keeping its secret readable.
// Method: the product's startCrypto on a bare page, served with the product's headers; what lies in
// IndexedDB is read raw.
import t from 'tap'
import { ed25519Signer, formatVkey } from '../../../protocol/log/note.js'
import { ready } from '../../../protocol/sodium.js'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { useWorkerStand } from './stand.js'

await ready()
const logVkey = formatVkey(ed25519Signer('log.test/2026', new Uint8Array(32).fill(7)).key)
const browser = await useChromium(t)
const { origin, startCount } = await useWorkerStand(t)
const profile = await openProfile(browser)
const { page } = profile
await page.goto(origin)

t.test('a file is sealed in parts and read back through the viewer\'s port', async (t) => {
  const sealed = await page.evaluate(() => window.stand.sealAndRead(5_000_003))
  t.same(sealed.tail, [7, 1, 2, 3])
  t.equal(sealed.partCount, 2)
  t.equal(sealed.payloadSize, sealed.wantedSize)
  t.equal(sealed.opened.sizeBytes, 5_000_003)
  t.ok(sealed.progress.length > 0, 'progress crosses over')
})

t.test('a large file is shared with a second worker, under the same policy', async (t) => {
  const before = startCount()
  const sealed = await page.evaluate(() => window.stand.sealAndRead(40_000_000))
  t.same(sealed.tail, [7, 1, 2, 3])
  t.equal(sealed.payloadSize, sealed.wantedSize)
  t.ok(startCount() > before, 'a second worker took part')
})

t.test('a secret handed over leaves the page, and refusals keep their code', async (t) => {
  const seen = await page.evaluate(async () => {
    const { worker } = window.stand
    const secret = crypto.getRandomValues(new Uint8Array(32))
    const place = { userId: 'user', rowId: 'row' }
    const row = await worker.lockRootWithPasskey({ ...place, secret })
    const wrong = { ...place, row, secret: new Uint8Array(32) }
    const refused = await worker.unlockRootWithPasskey(wrong)
      .then(() => '', (error: unknown) => error instanceof Error ? error.message : '')
    return { leftSize: secret.byteLength, refused }
  })
  t.equal(seen.leftSize, 0, 'the buffer was moved, not copied')
  t.match(seen.refused, /^bad-key-commitment/)
})

t.test('a device remembers a link over a reload, and what it keeps is locked', async (t) => {
  const made = await page.evaluate((vkey) => window.stand.visitOwnLink(vkey), logVkey)
  await page.reload()
  const later = await page.evaluate((view) => window.stand.returnToLink(view), made.view)
  t.match(later, { isKnown: true, title: 'Deck', note: /^sealdeck\/session\/v1\n/ })

  const { entries, isExtractable } = await page.evaluate(() => window.stand.readStore())
  const secret = Buffer.from(made.fragment, 'base64url').subarray(1, 33)
  t.equal(entries.length, 1)
  t.notOk(entries.some((entry) => Buffer.from(entry).includes(secret)), 'the secret is not readable')
  t.same(isExtractable, [false])

  await page.evaluate((grantId) => window.stand.worker.forgetDevice(grantId), made.view.grantId)
  await page.reload()
  const isKnown = await page.evaluate(
    (grantId) => window.stand.worker.recallLink(grantId), made.view.grantId)
  t.equal(isKnown, false, 'forgotten is forgotten')
})

t.test('the worker has no network, and nothing broke a policy', async (t) => {
  const names = await page.evaluate(
    () => performance.getEntriesByType('resource').map(({ name }) => name))
  const script = names.find((name) => name.includes('/assets/worker-')) ?? ''
  const { headers } = await fetch(script)
  t.match(headers.get('content-security-policy'), /connect-src 'none'/)
  t.ok(profile.requests.every(({ url }) => url.startsWith(origin)), 'nobody else was asked anything')
  t.same(profile.complaints, [])
})
