// Goal: what goes wrong on the way to a deck has a page that says so and what to do, and shows nothing else; what can
// go on goes on by itself.
// Method: the real server and the built gate in Chromium under its own policy, one profile a person; the server's clock
// is turned, links are revoked, pages reloaded, the line cut.
import t from 'tap'
import { useChromium } from '../helpers/chromium.js'
import { takeCode } from '../helpers/mailbox.js'
import { Founder, type Link } from '../helpers/people.js'
import { makeDeck, slideText } from '../helpers/pdf.js'
import { serveWorld } from '../web/serve.js'
import { OPEN_CANARY, sharesPitch, WHOLE_CANARY, type PitchOptions } from './pitch.js'
import { visit, type Stand } from './visitor.js'

const browser = await useChromium(t)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }) }
const { world } = stand
const founder = await new Founder(world).signsUp()

const openSlide = slideText(OPEN_CANARY, 0)
const firstSlide = slideText(WHOLE_CANARY, 0)

/** The clock is turned in here, so her session may have ended. */
async function shares(options: PitchOptions = {}): Promise<Link> {
  founder.keepsSession(await founder.does('POST', '/api/sessions/refresh', {}))
  return await sharesPitch(founder, options)
}

t.test('a wrong code, too many of them, and another one', async (t) => {
  const link = await shares()
  const lee = await visit(stand, { name: 'Lee', email: 'lee@fund.example' })
  await lee.page.clock.install()
  await lee.opens(link)
  await lee.namesSelf()
  const code = await takeCode(world.world, lee.email)
  const wrong = code === '00000000' ? '11111111' : '00000000'
  await lee.typesCode(wrong)
  await lee.reads('That is not the code we sent.')
  t.equal(await lee.page.getByLabel('Code', { exact: true }).inputValue(), '', 'the field is empty again')
  t.equal(await lee.focusedName(), 'Code', 'and has the focus')
  await lee.looks(t, 'wrong code')
  for (let count = 1; count < 5; count++) {
    await lee.typesCode(wrong)
    await lee.page.getByLabel('Code', { exact: true }).and(lee.page.locator(':enabled')).waitFor()
  }
  await lee.typesCode(code)
  await lee.reads('or was tried too often')
  t.ok(await lee.page.getByRole('button', { name: /^Another code in/ }).isDisabled(), 'not before a minute')
  world.clock.advance(61_000)
  await lee.page.clock.fastForward(61_000)
  await lee.presses('Send another code')
  await lee.reads('A new code is on its way.')
  await lee.page.clock.resume()
  await lee.typesCode()
  await lee.readsSlide(openSlide)
  await lee.leaves()
})

t.test('a session is renewed by the device, without a word', async (t) => {
  const file = await makeDeck({ pageCount: 12, canary: WHOLE_CANARY, imageSizeBytes: 400_000 })
  const link = await shares({
    open: 'none', gate: 'email', file: { bytes: file, fileName: 'deck.pdf', mediaType: 'application/pdf' },
  })
  const mia = await visit(stand, { email: 'mia@fund.example' })
  await mia.comesIn(link)
  await mia.readsSlide(firstSlide)
  const before = mia.profile.requests.length
  world.clock.advance(11 * 60_000)
  await mia.turnsTo(9)
  await mia.readsSlide(slideText(WHOLE_CANARY, 8))
  const since = mia.profile.requests.slice(before).map(({ url }) => new URL(url).pathname)
  t.ok(since.some((path) => path === `/api/gate/${link.grantId}/sessions`), 'the device key signed a nonce')
  t.notOk(since.some((path) => path.endsWith('/codes')), 'nobody was asked for a code')
  await mia.leaves()
})

t.test('a page that is reloaded on the way goes on; a whole link pasted over a cut one is taken', async (t) => {
  const link = await shares()
  const nan = await visit(stand, { email: 'nan@fund.example' })
  await nan.opens({ grantId: link.grantId, fragment: '' })
  await nan.sees('The key is missing from this link')
  await nan.looks(t, 'key missing')
  await nan.page.goto(nan.urlOf(link)) // The same page, another fragment: no new document.
  await nan.sees('Ada shares a deck with you')
  await nan.namesSelf()
  await nan.page.reload()
  await nan.sees('Ada shares a deck with you')
  t.notMatch(nan.page.url(), '#')
  await nan.leaves()
})

t.test('a device that forgets keeps no key', async (t) => {
  const link = await shares()
  const olga = await visit(stand, { email: 'olga@fund.example' })
  await olga.comesIn(link)
  await olga.signs()
  await olga.readsSlide(firstSlide)
  await olga.presses('Receipt')
  await olga.presses('Receipt')
  await olga.presses('Forget this device')
  await olga.looks(t, 'about to forget')
  await olga.presses('Forget')
  await olga.sees('This browser has forgotten the deck')
  await olga.looks(t, 'forgotten')
  await olga.opens({ grantId: link.grantId, fragment: '' })
  await olga.sees('The key is missing from this link')
  await olga.opens(link)
  await olga.sees('Ada shares a deck with you')
  await olga.leaves()
})

t.test('each closed door says why, as far as a stranger may know', async (t) => {
  const pat = await visit(stand, { email: 'pat@fund.example' })
  const link = await shares()
  const expiresAtMs = world.clock.nowMs() + 60_000
  const other = await shares({ policy: { expiresAtMs } })
  const doors = [
    { heading: 'There is nothing at this link', link: { grantId: 'AAAAAAAAAAAAAAAAAAAAAA', fragment: link.fragment } },
    { heading: 'There is nothing at this link', link: { grantId: 'tooshort', fragment: link.fragment } },
    { heading: 'The key is missing from this link', link: { grantId: link.grantId, fragment: link.fragment.slice(0, -5) } },
    { heading: 'This link was revoked', link, close: async () => { await founder.revokes(link) } },
    { heading: 'This link has expired', link: other, close: async () => world.clock.advance(61_000) },
  ]
  for (const { heading, link, close } of doors) {
    await close?.()
    await pat.opens(link)
    await pat.sees(heading)
    await pat.seesNothing(t)
    await pat.looks(t, heading)
  }
  await pat.leaves()
})

t.test('access taken back while reading, and at the next visit', async (t) => {
  const link = await shares()
  const quin = await visit(stand, { email: 'quin@fund.example' })
  await quin.comesIn(link)
  await quin.readsSlide(openSlide)
  const { people } = await founder.gets<{ people: { personId: string }[] }>(`/api/vaults/${link.vaultId}/people`)
  await founder.revokesPerson(link, people[0]?.personId ?? '')
  await quin.signs()
  await quin.sees('Your access was taken back')
  await quin.seesNothing(t)
  await quin.opens(link)
  await quin.sees('Your access was taken back')
  await quin.looks(t, 'taken back')
  await quin.leaves()
})

t.test('the line goes down and comes back', async (t) => {
  const link = await shares()
  const rae = await visit(stand, { email: 'rae@fund.example' })
  await rae.opens(link)
  await rae.sees('Ada shares a deck with you')
  await rae.profile.context.setOffline(true)
  await rae.types('Your name', rae.name)
  await rae.types('Your e-mail address', rae.email)
  await rae.presses('Continue')
  await rae.reads('No answer from the server.')
  await rae.profile.context.setOffline(false)
  await rae.presses('Continue')
  await rae.typesCode()
  await rae.readsSlide(openSlide)
  await rae.leaves()
})
