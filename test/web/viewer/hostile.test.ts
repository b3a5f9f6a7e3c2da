// Goal: a hostile PDF runs nothing, reaches nothing, and cannot hold the app up; nor can a weak policy.
// Method: attacks made here, opened by the real viewer; the app's page measures its own silence.
import t from 'tap'
import type { Page } from 'playwright-core'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { makeDeck } from './decks.js'
import * as hostile from './hostile-decks.js'
import { heard, openFile, useStand } from './stand.js'

const BOMB_TIMEOUT_MS = 40_000
/** A bomb burns for many seconds; what is below is a busy machine, not a page that is held up. */
const MAX_SILENCE_MS = 5_000

const stand = await useStand(t)
const browser = await useChromium(t)
stand.files.set('deck.pdf', await makeDeck({ pageCount: 2 }))

for (const attack of ['scripts', 'scriptInFont', 'xfa'] as const) {
  t.test(`${attack}: nothing runs, whether the page can be drawn or not`, async (t) => {
    stand.files.set('attack.pdf', await hostile[attack]())
    const { page, requests, close } = await openProfile(browser, { passkey: 'none' })
    const frame = await openFile(page, stand, 'attack.pdf')
    await page.waitForFunction(() => window.host.messages.some(({ kind }) => {
      return kind === 'rendered-first-page' || kind === 'error'
    }))
    await frame.locator('.stage').click({ position: { x: 600, y: 300 } })
    await page.waitForTimeout(500)
    t.equal(await frame.evaluate(() => Reflect.get(globalThis, 'canary')), undefined)
    t.same(requests.filter(({ url }) => url.includes('canary')), [])
    t.equal(await frame.locator('.links a, input:not(.number):not([type]), .xfaLayer').count(), 0)
    t.equal(page.context().pages().length, 1)
    await close()
  })
}

t.test('a page that cannot be drawn does not take the others away', async (t) => {
  stand.files.set('second.pdf', await hostile.badSecond())
  const { page, close } = await openProfile(browser, { passkey: 'none' })
  const frame = await openFile(page, stand, 'second.pdf')
  await heard(page, 'rendered-first-page')
  await page.waitForTimeout(1_500)
  t.equal(await frame.getByRole('alert').count(), 0, 'nobody asked for it yet')
  await page.keyboard.press('ArrowRight')
  await frame.getByRole('alert').waitFor()
  t.equal((await heard(page, 'error')).code, 'page-failed')
  await page.keyboard.press('ArrowLeft')
  await frame.locator('.paper canvas').waitFor()
  t.equal(await frame.getByRole('alert').count(), 0)
  await close()
})

/** Starts to measure the longest time for which the app's page did not get its turn. */
async function measureSilence(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    let last = performance.now()
    Reflect.set(window, 'silenceMs', 0)
    setInterval(() => {
      const now = performance.now()
      Reflect.set(window, 'silenceMs', Math.max(Number(Reflect.get(window, 'silenceMs')), now - last))
      last = now
    }, 20)
  })
  return async () => await page.evaluate(() => Number(Reflect.get(window, 'silenceMs')))
}

for (const bomb of ['commandBomb', 'pictureBomb', 'formBomb'] as const) {
  t.test(`${bomb}: drawn, or stopped in time, and the app goes on`, async (t) => {
    stand.files.set('bomb.pdf', await hostile[bomb]())
    const { page, close } = await openProfile(browser, { passkey: 'none' })
    await page.goto(stand.appOrigin)
    const silence = await measureSilence(page)
    await openFile(page, stand, 'bomb.pdf')
    const outcome = await page.waitForFunction(() => window.host.messages.find((message) => {
      return message.kind === 'error' || message.kind === 'rendered-first-page'
    }), undefined, { timeout: BOMB_TIMEOUT_MS })
    t.comment(await outcome.jsonValue(), await silence())
    t.ok(await silence() < MAX_SILENCE_MS, `${await silence()} ms`)
    await openFile(page, stand, 'deck.pdf')
    await heard(page, 'rendered-first-page')
    t.pass('and the next document opens')
    await close()
  })
}

const WEAK: readonly { what: string, weaken: (policy: string) => string }[] = [
  { what: 'without Trusted Types', weaken: (policy) => policy.replace(/; require-trusted-types[^;]*/, '') },
  { what: 'that connects anywhere', weaken: (policy) => policy.replace("connect-src 'self'", 'connect-src *') },
  { what: 'with inline script', weaken: (policy) => policy.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'") },
  { what: 'that anybody may frame', weaken: (policy) => policy.replace(/frame-ancestors [^;]*/, 'frame-ancestors *') },
]

for (const { what, weaken } of WEAK) {
  t.test(`under a policy ${what} not one byte is asked for`, async (t) => {
    const { viewerPolicy } = stand
    stand.viewerPolicy = weaken(viewerPolicy)
    t.teardown(() => { stand.viewerPolicy = viewerPolicy })
    const { page, close } = await openProfile(browser, { passkey: 'none' })
    await openFile(page, stand, 'deck.pdf')
    t.equal((await heard(page, 'error')).code, 'unprotected')
    await page.waitForTimeout(300)
    t.same(await page.evaluate(() => window.host.reads), [])
    await close()
  })
}

t.test('a message from elsewhere opens nothing', async (t) => {
  const { page, close } = await openProfile(browser, { passkey: 'none' })
  await page.goto(`${stand.viewerOrigin}/viewer/index.html`)
  const opened = await page.evaluate(async () => {
    const [control, source] = [new MessageChannel(), new MessageChannel()]
    const answered = new Promise((resolve) => { control.port1.onmessage = () => resolve(true) })
    const opening = {
      kind: 'open-viewer', version: 1, mode: 'read', theme: 'light', locale: 'en', watermark: null,
    }
    window.postMessage(opening, location.origin, [control.port2, source.port2])
    const waited = new Promise((resolve) => setTimeout(() => resolve(false), 3_000))
    return await Promise.race([answered, waited])
  })
  t.equal(opened, false)
  await close()
})

const BROKEN: readonly { what: string, file: () => Promise<Uint8Array>, code: string }[] = [
  { what: 'an empty file', file: async () => new Uint8Array(0), code: 'empty-file' },
  { what: 'a text', file: async () => new TextEncoder().encode('not a PDF at all'), code: 'not-a-pdf' },
  { what: 'a header alone', file: async () => new TextEncoder().encode('%PDF-1.7\n'), code: 'damaged' },
  { what: 'an encrypted deck', file: hostile.encrypted, code: 'encrypted' },
]

for (const { what, file, code } of BROKEN) {
  t.test(`${what} is told apart, in the viewer and to the founder`, async (t) => {
    stand.files.set('broken.pdf', await file())
    const { page, close } = await openProfile(browser, { passkey: 'none' })
    const frame = await openFile(page, stand, 'broken.pdf')
    t.equal((await heard(page, 'error')).code, code)
    t.ok(await frame.getByRole('alert').textContent())
    await openFile(page, stand, 'broken.pdf', { mode: 'prepare' })
    t.equal((await heard(page, 'inspected')).verdict, code)
    await close()
  })
}
