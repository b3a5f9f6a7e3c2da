// Goal: what the founder chose is what is sealed: one part, or open slides and the whole beside them.
// Method: plan every mode over a file of five slides; a preparation that hands out a cut file of its own.
import t from 'tap'
import type { DeckPreparation, PreparedDeck } from '../../../web/founder/prepare-deck.js'
import {
  newPlace, planUpload, suggestTerms, titleOf, type Terms,
} from '../../../web/founder/plan-deck.js'

const PAGE_COUNT = 5
const FILE = new File(['whole deck'], 'Seed_deck v2.pdf', { type: 'application/pdf' })
const CUT = new File(['open'], FILE.name, { type: 'application/pdf' })
const DECK: PreparedDeck = {
  file: FILE, isDrawn: true, keptReason: null, firstPage: [{ offset: 0, length: 10 }],
  pageSizes: Array.from({ length: PAGE_COUNT }, () => ({ widthPt: 960, heightPt: 540 })),
  thumbnails: Array.from({ length: PAGE_COUNT }, (_, index) => ({
    width: 480, height: 270, image: new Blob([`slide ${index + 1}`]),
  })),
}

/** Cuts on paper only: what cutting does to bytes is proven in test/web/prepare. */
function cutter(asked: number[] = []): Pick<DeckPreparation, 'openSlides'> {
  return {
    async openSlides(_deck, count) {
      asked.push(count)
      return { file: CUT, firstPage: [] }
    },
  }
}

const TERMS: Terms = { title: 'Seed', mode: 'line', openCount: 2, openGate: 'email' }

t.test('a lock line makes two parts, the open one without locked slides', async (t) => {
  const asked: number[] = []
  const place = newPlace()
  const sealable = { file: FILE, deck: DECK, preparation: cutter(asked) }
  const plan = await planUpload(place, sealable, TERMS)
  const [open, whole] = plan.parts.map(({ input }) => input)
  t.same(asked, [2])
  t.match(open, { part: 1, gate: 'email', version: 1, previousRecord: null, lockedPageCount: 3, file: CUT })
  t.equal(open?.pageSizes.length, 2)
  t.same(open?.thumbnails, DECK.thumbnails.slice(0, 2))
  t.match(whole, { part: 0, gate: 'nda', version: 1, file: FILE })
  t.equal(whole?.thumbnails.length, PAGE_COUNT)
  t.equal(whole?.lockedPageCount, undefined)
  t.equal(plan.newVaultTitle, 'Seed')
})

t.test('without a line there is one part, behind the gate that was chosen', async (t) => {
  const modes = [['all-nda', 'nda'], ['all-email', 'email'], ['all-link', 'link']] as const
  for (const [mode, gate] of modes) {
    const sealable = { file: FILE, deck: DECK, preparation: cutter() }
    const { parts } = await planUpload(newPlace(), sealable, { ...TERMS, mode })
    t.match(parts.map(({ input }) => input), [{ part: 0, gate }])
    t.equal(parts.length, 1)
  }
})

t.test('what is not a deck is sealed whole, with no pages and no line', async (t) => {
  const file = new File(['words'], 'notes.txt', { type: 'text/plain' })
  const { parts } = await planUpload(newPlace(), { file, deck: null, preparation: cutter() }, TERMS)
  t.equal(parts.length, 1)
  t.match(parts[0]?.input, { mediaType: 'text/plain', pageSizes: [], thumbnails: [] })
  const unnamed = new File(['?'], 'thing', { type: '' })
  const nameless = { file: unnamed, deck: null, preparation: cutter() }
  const plan = await planUpload(newPlace(), nameless, TERMS)
  t.equal(plan.parts[0]?.input.mediaType, 'application/octet-stream')
})

t.test('a file suggests its title, and a line that leaves something locked', async (t) => {
  t.equal(titleOf('Seed_deck  v2.pdf'), 'Seed deck v2')
  t.equal(titleOf('.pdf'), '.pdf')
  t.same(suggestTerms('a.pdf', 18), { title: 'a', mode: 'line', openCount: 3, openGate: 'email' })
  t.equal(suggestTerms('a.pdf', 2).openCount, 1)
  t.equal(suggestTerms('a.pdf', 1).mode, 'all-nda')
})
