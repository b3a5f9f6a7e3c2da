// Goal: a reader gets the deck through the viewer's frame, with every habit people bring.
// Method: the real frame and viewer on two origins with the product's headers, in Chromium.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import type { AxeResults } from 'axe-core'
import type { Frame, Page } from 'playwright-core'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { makeDeck } from './decks.js'
import { heard, openFile, useStand } from './stand.js'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const stand = await useStand(t)
const browser = await useChromium(t)
stand.files.set('deck.pdf', await makeDeck({ pageCount: 8 }))

const shownNumber = async (frame: Frame): Promise<string> => await frame.locator('.number').inputValue()

/** Waits until the counter says this. */
async function isAt(frame: Frame, number: number): Promise<void> {
  await frame.waitForFunction((wanted) => {
    return document.querySelector<HTMLInputElement>('.number')?.value === wanted
  }, String(number))
}

async function openDeck(page: Page, opening: Parameters<typeof openFile>[3] = {}): Promise<Frame> {
  const frame = await openFile(page, stand, 'deck.pdf', opening)
  await heard(page, 'rendered-first-page')
  await frame.locator('.stage').focus()
  return frame
}

/** What reached the page, by kind. */
async function told(page: Page, kind: string): Promise<unknown[]> {
  return await page.evaluate((wanted) => {
    return window.host.messages.filter((message) => message.kind === wanted)
  }, kind)
}

t.test('it reports its protections before it asks for a byte, and keeps to its policy', async (t) => {
  const { page, complaints, requests } = await openProfile(browser, { passkey: 'none' })
  await openFile(page, stand, 'deck.pdf', { failReads: { after: 0, error: 'refused', times: 9 } })
  const { settings } = await heard(page, 'ready')
  t.same(settings, {
    pdfjsVersion: settings.pdfjsVersion,
    isScriptingOff: true,
    isXfaOff: true,
    isAnnotationLayerOff: true,
    maxImageSizePixels: 100_000_000,
    isPolicyEffective: true,
    areTrustedTypesEnforced: true,
  })
  await openDeck(page)
  const others = complaints.filter((complaint) => !complaint.includes('data:text/css'))
  t.same(others, [], 'the only thing stopped is the probe')
  const foreign = requests.filter(({ url }) => {
    return ![stand.appOrigin, stand.viewerOrigin, 'data:text/css,'].some((own) => url.startsWith(own))
  })
  t.same(foreign.map(({ url }) => url), [])
})

t.test('keys turn pages', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  const steps: [key: string, number: number][] = [
    ['ArrowRight', 2], ['ArrowDown', 3], ['PageDown', 4], ['Space', 5], ['Shift+Space', 4], ['PageUp', 3],
    ['ArrowUp', 2], ['ArrowLeft', 1], ['ArrowLeft', 1], ['End', 8], ['ArrowRight', 8], ['Home', 1],
  ]
  for (const [key, number] of steps) {
    await page.keyboard.press(key)
    t.equal(await shownNumber(frame), String(number), key)
  }
})

t.test('a page is told once, and only when it is drawn', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  await openDeck(page)
  await page.keyboard.press('ArrowRight')
  await page.waitForFunction(() => {
    return window.host.messages.some((message) => message.kind === 'page-shown' && message.index === 1)
  })
  await page.keyboard.press('Control+=')
  await page.waitForTimeout(600)
  t.same(await told(page, 'page-shown'), [
    { kind: 'page-shown', index: 0, pageCount: 8 }, { kind: 'page-shown', index: 1, pageCount: 8 },
  ])
})

t.test('the counter jumps, and never leaves the deck', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  for (const [typed, number] of [['5', 5], ['99', 8], ['0', 1], ['x', 1]] as const) {
    await frame.locator('.number').fill(typed)
    await page.keyboard.press('Enter')
    await isAt(frame, number)
  }
  await page.evaluate(() => window.host.send({ kind: 'go-to', index: 6 }))
  await isAt(frame, 7)

  await frame.locator('.number').fill('3')
  await page.evaluate(() => window.host.send({ kind: 'locale', locale: 'ru' }))
  await frame.getByRole('textbox', { name: 'Перейти к слайду' }).press('Enter')
  await isAt(frame, 3)
})

t.test('zoom: keys and buttons, then keys scroll before they turn', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  const percent = frame.locator('.press.zoom')
  for (const [key, shown] of [
    ['Control+=', '125 %'], ['Control+=', '150 %'], ['Control+-', '125 %'], ['Control+0', '100 %'],
  ] as const) {
    await page.keyboard.press(key)
    t.equal(await percent.textContent(), shown, key)
  }
  await frame.getByRole('button', { name: 'Zoom in' }).click()
  await frame.getByRole('button', { name: 'Zoom in' }).click()
  await frame.locator('.stage').focus()
  await page.keyboard.press('PageDown')
  t.equal(await shownNumber(frame), '1', 'there was more of the page to see')
  await page.keyboard.press('Escape')
  t.equal(await percent.textContent(), '100 %')
})

t.test('swipes turn pages, fingers zoom', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none', isPhone: true })
  const frame = await openDeck(page)
  const session = await page.context().newCDPSession(page)
  const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', points: [number, number][]) => {
    const touchPoints = points.map(([x, y], id) => ({ x, y, id }))
    await session.send('Input.dispatchTouchEvent', { type, touchPoints })
  }
  const swipe = async (from: number, to: number) => {
    await touch('touchStart', [[from, 300]])
    for (const share of [0.3, 0.6, 1]) await touch('touchMove', [[from + (to - from) * share, 302]])
    await touch('touchEnd', [])
  }
  await swipe(300, 120)
  await isAt(frame, 2)
  await swipe(300, 280)
  await isAt(frame, 2)
  await swipe(60, 260)
  await isAt(frame, 1)
  const tap = async () => {
    await touch('touchStart', [[100, 300]])
    await touch('touchEnd', [])
  }
  const zoomed = async (isZoomed: boolean) => await frame.waitForFunction((wanted) => {
    return document.querySelector('.stage')?.classList.contains('is-zoomed') === wanted
  }, isZoomed)
  for (const isZoomed of [true, false]) {
    await tap()
    await tap()
    await zoomed(isZoomed)
    await page.waitForTimeout(400)
  }
  await touch('touchStart', [[140, 300], [200, 300]])
  await touch('touchMove', [[110, 300], [230, 300]])
  await touch('touchEnd', [])
  await zoomed(true)
  t.ok(await frame.locator('.paper').evaluate((paper) => paper.clientWidth > 600))
})

t.test('links: the page opens addresses outside, the deck turns inside', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  const outside = frame.locator('.links a[target=_blank]')
  t.equal(await outside.getAttribute('rel'), 'noopener noreferrer')
  t.equal(await outside.getAttribute('href'), 'https://northwind.example/deck')
  await page.context().route('https://northwind.example/**', async (route) => {
    t.equal(route.request().headers().referer, undefined)
    await route.fulfill({ body: 'outside', contentType: 'text/plain' })
  })
  const [opened] = await Promise.all([page.context().waitForEvent('page'), outside.click()])
  await opened.waitForLoadState()
  t.equal(opened.url(), 'https://northwind.example/deck')
  t.equal(await opened.evaluate(() => window.opener), null)
  await page.bringToFront()
  await frame.locator('.links a[href^="#"]').click()
  await isAt(frame, 8)
})

t.test('words can be selected, found and stepped through', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  await frame.waitForSelector('.text span')
  const selected = await frame.evaluate(() => {
    const layer = document.querySelector('.text')
    if (layer !== null) getSelection()?.selectAllChildren(layer)
    return String(getSelection())
  })
  t.match(selected, /Northwind Batteries[\s\S]*four minutes/)

  await page.keyboard.press('Control+f')
  await page.keyboard.type('TRACTION')
  await isAt(frame, 6)
  await frame.waitForFunction(() => document.querySelector('.said')?.textContent === '1 of 1')
  await frame.waitForFunction(() => (CSS.highlights.get('found-here')?.size ?? 0) === 1)
  await page.keyboard.press('Control+f')
  await page.keyboard.type('minutes')
  await frame.waitForFunction(() => document.querySelector('.said')?.textContent === '6 of 8')
  await page.keyboard.press('Enter')
  await isAt(frame, 7)
  await page.keyboard.press('Shift+Enter')
  await isAt(frame, 6)
  await page.keyboard.press('Control+f')
  await page.keyboard.type('no such words')
  await frame.waitForFunction(() => document.querySelector('.said')?.textContent === 'Not found')
  await page.keyboard.press('Escape')
  t.equal(await frame.locator('.find').isVisible(), false)
})

t.test('slides at the side lead to their pages', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  await page.keyboard.press('t')
  await frame.waitForSelector('.slide img')
  await frame.getByRole('button', { name: 'Slide 3 of 8' }).click()
  await isAt(frame, 3)
  t.equal(await frame.locator('.slide[aria-current]').getAttribute('data-index'), '2')
})

t.test('sealed thumbnails are asked for when they come into view, and no page is read for them', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const thumbnails = Array.from({ length: 8 }, () => ({ mediaType: 'image/png', width: 480, height: 270 }))
  const frame = await openDeck(page, { document: { pageCount: 8, thumbnails } })
  await page.keyboard.press('t')
  await frame.waitForFunction(() => document.querySelectorAll('.slide img').length >= 4)
  const asked = await page.evaluate(() => window.host.thumbnails)
  t.same(asked.slice(0, 4), [0, 1, 2, 3])
  t.equal(new Set(asked).size, asked.length, 'each once')
  t.equal(await frame.locator('.slide img').first().evaluate((image) => {
    return image instanceof HTMLImageElement && image.naturalWidth === 1
  }), true)
})

t.test('keys work as soon as the deck is open, without a click', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openFile(page, stand, 'deck.pdf')
  await heard(page, 'rendered-first-page')
  await page.keyboard.press('ArrowRight')
  await isAt(frame, 2)
})

t.test('turning pages faster than they can be drawn ends on the last one asked for', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  for (let press = 0; press < 7; press++) await page.keyboard.press('ArrowRight', { delay: 0 })
  await page.keyboard.press('ArrowLeft')
  await isAt(frame, 7)
  await page.waitForFunction(() => {
    return window.host.messages.some((message) => message.kind === 'page-shown' && message.index === 6)
  })
  t.same(await told(page, 'error'), [])
})

t.test('the list of keys can switch the single ones off', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  await page.keyboard.press('?')
  t.ok(await frame.getByRole('dialog').isVisible())
  await frame.getByRole('checkbox').uncheck()
  await page.keyboard.press('Escape')
  await page.keyboard.press('t')
  await page.keyboard.press('?')
  t.notOk(await frame.locator('.strip').isVisible())
  t.notOk(await frame.getByRole('dialog').isVisible())
})

t.test('F asks the page for the full screen, and Escape gives it back', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page)
  await page.keyboard.press('f')
  await page.waitForFunction(() => document.fullscreenElement instanceof HTMLIFrameElement)
  await frame.waitForSelector('body.is-fullscreen')
  await page.keyboard.press('f')
  await page.waitForFunction(() => document.fullscreenElement === null)
  await frame.waitForSelector('body:not(.is-fullscreen)')
  t.pass('there and back')
})

t.test('the watermark is part of the picture', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const pixels = async (watermark: { email: string, atMs: number } | null): Promise<string> => {
    const frame = await openDeck(page, { watermark })
    return await frame.locator('.paper canvas').evaluate((canvas) => {
      return canvas instanceof HTMLCanvasElement ? canvas.toDataURL() : ''
    })
  }
  const bare = await pixels(null)
  const marked = await pixels({ email: 'ada@fund.example', atMs: 0 })
  t.not(marked, bare)
  t.not(marked, await pixels({ email: 'bob@fund.example', atMs: 0 }))
  t.equal(await pixels(null), bare)
})

t.test('what lies below the lock line is a card at the end', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  const frame = await openDeck(page, { document: { lockedPageCount: 12 } })
  t.equal(await frame.locator('.count').textContent(), '20')
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowRight')
  await frame.getByRole('heading', { name: '12 more slides open after the NDA' }).waitFor()
  await frame.getByRole('button', { name: 'Read the NDA' }).click()
  t.same(await heard(page, 'asked'), { kind: 'asked', what: 'unlock' })
})

t.test('a passing trouble passes, a final one is told', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  await openFile(page, stand, 'deck.pdf', { failReads: { after: 0, error: 'offline', times: 2 } })
  await heard(page, 'rendered-first-page')
  const frame = await openFile(page, stand, 'deck.pdf', {
    failReads: { after: 0, error: 'tampered', times: 99 },
  })
  t.equal((await heard(page, 'error')).code, 'tampered')
  await frame.getByRole('alert').waitFor()
  t.equal(await frame.locator('.paper canvas').count(), 0, 'and nothing is shown')
})

t.test('every state can be heard and seen, in both languages, themes and sizes', async (t) => {
  for (const isPhone of [false, true]) {
    for (const [theme, locale] of [['light', 'en'], ['dark', 'ru']] as const) {
      const { page, close } = await openProfile(browser, { passkey: 'none', isPhone, colorScheme: theme })
      const frame = await openDeck(page, { theme, locale, document: { lockedPageCount: 3 } })
      await frame.waitForSelector('.text span')
      const what = `${isPhone ? 'phone' : 'desktop'}, ${theme}, ${locale}`
      t.same(await violations(frame), [], what)
      const width = await frame.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      t.ok(width <= 0, 'nothing runs off the side')
      await page.keyboard.press('Control+f')
      await page.keyboard.press('End')
      t.same(await violations(frame), [], `${what}, finding`)
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      t.same(await violations(frame), [], `${what}, keys`)
      await close()
    }
  }
})

t.test('at 400 % zoom every control is still within reach', async (t) => {
  const { page } = await openProfile(browser, { passkey: 'none' })
  await page.setViewportSize({ width: 320, height: 420 })
  const frame = await openDeck(page, { locale: 'ru', document: { lockedPageCount: 140 } })
  const outside = await frame.locator('.bar button, .bar input').evaluateAll((controls) => {
    const shown = controls.map((control) => control.getBoundingClientRect())
      .filter(({ width }) => width > 0)
    return shown.filter(({ left, right, width }) => {
      return left < 0 || right > innerWidth || width < 24
    }).length
  })
  t.equal(outside, 0)
})

async function violations(frame: Frame): Promise<string[]> {
  await frame.evaluate(axeSource)
  const results = await frame.evaluate(async () => {
    // axe puts itself here.
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } }
    return await axe.run()
  })
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}
