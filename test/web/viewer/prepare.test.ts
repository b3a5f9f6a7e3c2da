// Goal: the founder's page gets sizes and pictures of every page, and open slides look as they did.
// Method: the viewer in its preparing mode; pictures of a page before and after it was taken apart.
import t from 'tap'
import type { Page } from 'playwright-core'
import { normalisePdf } from '../../../protocol/pdf/normalise.js'
import { openSlides } from '../../../protocol/pdf/open-slides.js'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { everyByte, makeSecretDeck } from '../prepare/secret-deck.js'
import { makeDeck } from './decks.js'
import { heard, openFile, useStand } from './stand.js'

const stand = await useStand(t)
const browser = await useChromium(t)
/** Of 388,800 samples: the edge of a letter or two. */
const MAX_DIFFERING_SAMPLES = 400

interface Picture {
  index: number
  width: number
  height: number
  mediaType: string
  pixels: string
}

/** The drawn pages that arrived so far, their bytes as base64. */
async function pictures(page: Page, kind: 'thumbnail' | 'raster'): Promise<Picture[]> {
  return await page.evaluate((wanted) => window.host.messages.flatMap((message) => {
    if (message.kind !== 'thumbnail' && message.kind !== 'raster') return []
    if (message.kind !== wanted) return []
    const { bytes, ...rest } = message.page
    return [{ ...rest, pixels: btoa(String.fromCharCode(...bytes)) }]
  }), kind)
}

t.test('sizes, then a picture of every page, also while nobody looks', async (t) => {
  stand.files.set('deck.pdf', await makeDeck({ pageCount: 12 }))
  const { page, openTab } = await openProfile(browser, { passkey: 'none' })
  await page.goto(stand.appOrigin)
  await openTab()
  await openFile(page, stand, 'deck.pdf', { mode: 'prepare', watermark: null })
  const { verdict, pageSizes } = await heard(page, 'inspected')
  t.equal(verdict, 'opens')
  t.same(pageSizes, Array.from({ length: 12 }, () => ({ width: 960, height: 540 })))
  await heard(page, 'thumbnails-done')
  const drawn = await pictures(page, 'thumbnail')
  t.same(drawn.map(({ index }) => index), Array.from({ length: 12 }, (_, index) => index))
  for (const { width, height, mediaType } of drawn) {
    t.same([width, height, mediaType], [480, 270, 'image/webp'])
  }
  t.equal(new Set(drawn.map(({ pixels }) => pixels)).size, 12, 'each its own')
})

t.test('pages are drawn large where they must stand in for the original', async (t) => {
  stand.files.set('deck.pdf', await makeDeck({ pageCount: 3 }))
  const { page } = await openProfile(browser, { passkey: 'none' })
  await openFile(page, stand, 'deck.pdf', { mode: 'prepare', watermark: null })
  await heard(page, 'thumbnails-done')
  await page.evaluate(() => window.host.send({ kind: 'rasterise', indexes: [2, 0] }))
  await heard(page, 'rasters-done')
  const drawn = await pictures(page, 'raster')
  t.same(drawn.map(({ index, width, height }) => [index, width, height]), [
    [2, 1920, 1080], [0, 1920, 1080],
  ])
  for (const { mediaType } of drawn) t.equal(mediaType, 'image/jpeg')
  const rasters = drawn.map(({ index, pixels }) => {
    return { index, mediaType: 'image/jpeg', bytes: new Uint8Array(Buffer.from(pixels, 'base64')) } as const
  })
  const bytes = new Uint8Array(stand.files.get('deck.pdf') ?? [])
  t.match(await openSlides({ bytes, indexes: [0, 2], rasters }), { kind: 'built', pageCount: 2 })
})

/** How many colour samples of two pictures differ by more than a shade. */
async function differingSamples(page: Page, one: string, other: string): Promise<number> {
  return await page.evaluate(async (pair) => {
    const [a, b] = await Promise.all(pair.map(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes]))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
      context?.drawImage(bitmap, 0, 0)
      const image = context?.getImageData(0, 0, bitmap.width, bitmap.height)
      return image?.data ?? new Uint8ClampedArray()
    }))
    if (a === undefined || b === undefined || a.length !== b.length) return Number.POSITIVE_INFINITY
    let count = 0
    for (let at = 0; at < a.length; at++) if (Math.abs((a[at] ?? 0) - (b[at] ?? 0)) > 64) count++
    return count
  }, [one, other])
}

/** A deck as a browser prints it: composite fonts cut to the deck, structure, outlines, marks. */
async function printedDeck(): Promise<Uint8Array<ArrayBuffer>> {
  const { page, close } = await openProfile(browser, { passkey: 'none' })
  const link = '<a href="https://a.example/">a</a>'
  const slide = (words: string): string => `<section><h1>${words}</h1>${link}</section>`
  await page.setContent(`<style>@page { size: 960px 540px; margin: 0 } section { break-after: page;
    height: 500px; background: linear-gradient(#fff, #cde); font: 40px sans-serif }
    h1 { text-shadow: 2px 2px 4px #0008; opacity: 0.9 }</style>` +
    slide('Open slide: цены') + slide('LOCKED: Ψ ☃ 97 %') + slide('LOCKED again'))
  const pdf = await page.pdf({
    preferCSSPageSize: true, printBackground: true, tagged: true, outline: true,
  })
  await close()
  return new Uint8Array(pdf)
}

t.test('of a printed deck no locked word is left, and none of its letters', async (t) => {
  const deck = await printedDeck()
  const open = await openSlides({ bytes: deck, indexes: [0], rasters: [] })
  if (open.kind !== 'built') throw new Error(JSON.stringify(open.pages))
  const whole = (await everyByte(open.bytes)).toUpperCase()
  const before = (await everyByte(deck)).toUpperCase()
  for (const letter of ['Ψ', '☃', '9', '%']) {
    const code = `<${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0').toUpperCase()}>`
    t.ok(before.includes(code), `${letter} was in the deck's fonts`)
    t.notOk(whole.includes(code), `${letter} is not in the open part's`)
  }
  t.notMatch(whole, /STRUCTTREE|OUTLINES|\/LANG|CREATOR/)
})

for (const [what, make] of [
  ['a deck as a browser prints it', printedDeck],
  ['a plain deck', async () => await makeDeck({ pageCount: 4, pictureSizeBytes: 30_000 })],
  ['a deck of shared fonts, forms and pictures', makeSecretDeck],
] as const) {
  t.test(`${what}: normalised and taken apart, the first slide looks the same`, async (t) => {
    const original = await make()
    const normalised = await normalisePdf(original)
    if (normalised.kind !== 'normalised') throw new Error(normalised.kind)
    stand.files.set('original.pdf', original)
    stand.files.set('normalised.pdf', normalised.bytes)
    const bytes = new Uint8Array(normalised.bytes)
    const open = await openSlides({ bytes, indexes: [0], rasters: [] })
    if (open.kind !== 'built') throw new Error(open.kind)
    stand.files.set('open.pdf', open.bytes)
    const { page } = await openProfile(browser, { passkey: 'none' })
    const firstPage = async (file: string): Promise<string> => {
      await openFile(page, stand, file, { mode: 'prepare', watermark: null })
      await heard(page, 'thumbnails-done')
      return (await pictures(page, 'thumbnail'))[0]?.pixels ?? ''
    }
    const before = await firstPage('original.pdf')
    t.ok(before.length > 500)
    t.equal(await differingSamples(page, await firstPage('normalised.pdf'), before), 0, 'normalised')
    // Hinting depends on which letters a font has; nothing else may differ.
    const apart = await differingSamples(page, await firstPage('open.pdf'), before)
    t.ok(apart <= MAX_DIFFERING_SAMPLES, `taken apart: ${apart}`)
  })
}
