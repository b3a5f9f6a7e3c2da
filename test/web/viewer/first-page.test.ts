// Goal: the first page of a large deck costs little, however large the deck.
// Method: 150 pages, 40 MB, normalised as the founder's browser does; count what the viewer reads.
import t from 'tap'
import { normalisePdf } from '../../../protocol/pdf/normalise.js'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { makeDeck } from './decks.js'
import { heard, openFile, useStand } from './stand.js'

const PICTURE_SIZE_BYTES = 270_000

t.test('the first page of 40 MB takes four reads and little over what it shows', async (t) => {
  const stand = await useStand(t)
  const deck = await makeDeck({ pageCount: 150, pictureSizeBytes: PICTURE_SIZE_BYTES })
  const normalised = await normalisePdf(deck)
  if (normalised.kind !== 'normalised') throw new Error(normalised.kind)
  stand.files.set('large.pdf', normalised.bytes)
  const browser = await useChromium(t)
  const { page } = await openProfile(browser, { passkey: 'none' })

  const tailOffset = normalised.firstPage.at(-1)?.offset ?? 0
  t.ok(tailOffset > 0, 'an index at the end')
  await openFile(page, stand, 'large.pdf', {
    latencyMs: 50, bytesPerMs: 6_250, document: { tailOffset },
  })
  const { fetchedBytes, elapsedMs } = await heard(page, 'rendered-first-page')
  const reads = await page.evaluate(() => window.host.reads)
  const { firstPage } = normalised
  t.comment({ fetchedBytes, elapsedMs, reads, firstPage })
  const isForeseen = ({ offset, length }: { offset: number, length: number }): boolean => {
    return firstPage.some((range) => {
      return offset >= range.offset && offset + length <= range.offset + range.length
    })
  }
  t.same(reads.slice(0, 4).filter((read) => !isForeseen(read)), [], 'all of it was foreseen')
  t.ok(fetchedBytes < PICTURE_SIZE_BYTES + 3 * 65_536, `${fetchedBytes} bytes`)
})
