// Goal: a reader on the app's page gets the deck through the viewer's frame, with every habit people bring.
// Method: the real frame and viewer on two origins with the product's headers, in Chromium; PDFs made here.
import t from 'tap'
import { openProfile, useChromium } from '../../helpers/chromium.js'
import { makeDeck } from './decks.js'
import { heard, openFile, useStand } from './stand.js'

t.test('reading a deck', async (t) => {
  const stand = await useStand(t)
  stand.files.set('three.pdf', await makeDeck({ pageCount: 3 }))
  const browser = await useChromium(t)
  const { page, complaints } = await openProfile(browser, { passkey: 'none' })

  const frame = await openFile(page, stand, 'three.pdf')
  const { settings } = await heard(page, 'ready')
  t.same(settings.isPolicyEffective, true)
  const { elapsedMs } = await heard(page, 'rendered-first-page')
  t.comment({ elapsedMs })
  await page.screenshot({ path: '/tmp/shot.png' })
  t.same(complaints.filter((c) => !c.includes('probe.invalid')), [])
  t.ok(frame)
})
