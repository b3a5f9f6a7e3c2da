// Goal: an investor gets from a link to the deck in two fields, a code and three clicks, and what opens it stays in
// her browser.
// Method: the real server and the built gate in Chromium under its own policy, one profile a person, real decks with
// canaries; each screen in both languages, themes and every width.
import { hash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { AccessRequestList } from '../../protocol/api.js'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { useChromium } from '../helpers/chromium.js'
import { takeCode, takeMail } from '../helpers/mailbox.js'
import { Founder, type Link } from '../helpers/people.js'
import { slideText } from '../helpers/pdf.js'
import { checkLog } from '../helpers/world.js'
import { serveWorld } from '../web/serve.js'
import { OPEN_CANARY, sharesPitch, WHOLE_CANARY, WHOLE_PAGE_COUNT } from './pitch.js'
import { visit, type Stand, type Visitor } from './visitor.js'

const browser = await useChromium(t)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }) }
const { world } = stand
const founder = await new Founder(world).signsUp()

const openSlide = slideText(OPEN_CANARY, 0)
const firstSlide = slideText(WHOLE_CANARY, 0)

t.test('two fields, a code and three clicks; a receipt; and no click the next time', async (t) => {
  const link = await sharesPitch(founder)
  const grace = await visit(stand, { email: 'grace@fund.example' })
  await grace.opens(link)
  await grace.sees('Ada shares a deck with you')
  t.notMatch(grace.page.url(), '#', 'the secret has left the address bar')
  await grace.reads('Ada will learn your name and address')
  await grace.looks(t, 'welcome')
  await grace.namesSelf()
  await grace.looks(t, 'code')
  await grace.typesCode()
  await grace.readsSlide(openSlide)
  await grace.reads('2 of 5 slides are open.')
  await grace.sees('Non-Disclosure Agreement')
  t.equal(await grace.page.getByLabel('Type your name to sign').inputValue(), 'Grace Hopper')
  await grace.looks(t, 'open slides and the agreement')
  await grace.readsSlide(openSlide)
  await grace.signs()
  await grace.readsSlide(firstSlide)
  t.same([grace.fieldCount, grace.clickCount], [2, 3], 'two fields and a code, three clicks')

  await grace.reads('Signed, and on record')
  await grace.looks(t, 'the whole deck')
  const receipt = await grace.saves('Save the receipt')
  const policy = policyOfLog(world.world.keys.log.vkey)
  t.equal(verifyProof(receipt.bytes.toString(), policy).event.type, 'nda.accepted', 'the receipt proves the signature')
  const note = await grace.saves('Save what you signed')
  t.match(note.bytes.toString(), /^sealdeck\/nda-acceptance\/v1\n[^]*Grace Hopper/)
  const mail = await takeMail(world.world, grace.email, /^Your signature/)
  t.match(mail.body, /\.tlog-proof/, 'it comes by mail, too')
  await grace.presses('Hide')
  await grace.turnsTo(WHOLE_PAGE_COUNT)
  await grace.readsSlide(slideText(WHOLE_CANARY, WHOLE_PAGE_COUNT - 1))

  grace.clickCount = 0
  await grace.opens(link)
  await grace.readsSlide(firstSlide)
  await grace.page.reload()
  await grace.readsSlide(firstSlide)
  t.equal(grace.clickCount, 0, 'the second visit needs nothing, not even the fragment')

  await keepsSecrets(t, grace, link)
  t.same(grace.complaints, [], 'no error, and nothing that the policy had to stop')
  await checkLog(t, world.world)
  await grace.leaves()
})

/** Neither the link's secret nor a word of a slide goes where it must not. */
async function keepsSecrets(t: Test, visitor: Visitor, link: Link): Promise<void> {
  const secrets = [link.fragment, Buffer.from(link.secret).toString('base64url'), Buffer.from(link.secret).toString('hex')]
  const places = {
    'what was sent': visitor.sent, 'what the page can read': await visitor.traces(), 'the server\'s log': world.logLines.join('\n'),
  }
  for (const [place, text] of Object.entries(places)) {
    t.ok(text.length > 100, `${place} is there to be searched`)
    for (const word of [...secrets, OPEN_CANARY, WHOLE_CANARY]) t.notOk(text.includes(word), `${place} has no ${word.slice(0, 6)}`)
  }
}

t.test('by keys alone', async (t) => {
  const link = await sharesPitch(founder)
  const ann = await visit(stand, { name: 'Ann Keys', email: 'keys@fund.example' })
  const { keyboard } = ann.page
  await ann.opens(link)
  await ann.sees('Ada shares a deck with you')
  t.equal(await ann.page.evaluate('document.activeElement.tagName'), 'H1', 'a screen begins at its heading')
  await ann.tabsTo('Your name')
  await keyboard.type(ann.name)
  await ann.tabsTo('Your e-mail address')
  await keyboard.type('not an address')
  await keyboard.press('Enter')
  await ann.reads('Write a whole address')
  t.equal(await ann.focusedName(), 'Your e-mail address', 'focus goes to what is to be put right')
  await keyboard.press('Control+A')
  await keyboard.type(ann.email)
  await keyboard.press('Enter')
  await ann.sees('Type the code from the mail')
  await keyboard.type(await takeCode(world.world, ann.email))
  await ann.readsSlide(openSlide)
  await ann.page.waitForTimeout(1_100)
  await ann.tabsTo(/^I agree to/)
  await keyboard.press('Space')
  await ann.tabsTo('Sign and open')
  await keyboard.press('Enter')
  await ann.readsSlide(firstSlide)
  t.same(ann.complaints, [])
  await ann.leaves()
})

t.test('where the link is enough, one click opens; the address is proven when it is signed', async (t) => {
  const link = await sharesPitch(founder, { open: 'link' })
  const hedy = await visit(stand, { name: 'Hedy', email: 'hedy@fund.example' })
  await hedy.opens(link)
  await hedy.presses('Open the deck')
  await hedy.readsSlide(openSlide)
  t.equal(hedy.clickCount, 1)
  await hedy.looks(t, 'open slides, nobody named')
  await hedy.namesSelf()
  await hedy.typesCode()
  await hedy.signs()
  await hedy.readsSlide(firstSlide)
  await keepsSecrets(t, hedy, link)
  await hedy.leaves()
})

t.test('without an NDA a code is all it takes', async (t) => {
  const link = await sharesPitch(founder, { open: 'none', gate: 'email', policy: { mayDownload: true } })
  const una = await visit(stand, { email: 'una@fund.example' })
  await una.comesIn(link)
  await una.readsSlide(firstSlide)
  t.same([una.fieldCount, una.clickCount], [2, 1])
  const saved = await una.saves('Save the file')
  t.equal(saved.fileName, 'deck.pdf')
  t.ok(saved.bytes.includes('%PDF'), 'what was sealed comes out, where it may')
  await una.looks(t, 'a deck that may be saved')
  await una.leaves()
})

t.test('what no viewer shows is saved', async (t) => {
  const bytes = encodeUtf8('year,revenue\n2026,1\n')
  const link = await sharesPitch(founder, { open: 'none', gate: 'email', file: { bytes, fileName: 'model.csv', mediaType: 'text/csv' } })
  const cara = await visit(stand, { email: 'cara@fund.example' })
  await cara.comesIn(link)
  await cara.reads('There is no viewer for this kind of file.')
  await cara.looks(t, 'a file')
  const saved = await cara.saves('Save the file')
  t.equal(saved.fileName, 'model.csv')
  t.same(new Uint8Array(saved.bytes), bytes)
  t.same(cara.complaints, [])
  await cara.leaves()
})

async function decides(link: Link, decision: 'approve' | 'deny'): Promise<void> {
  const { requests } = await founder.gets<AccessRequestList>('/api/requests')
  const request = requests.find(({ grantId }) => grantId === link.grantId)
  if (request === undefined) throw new Error('the request waits')
  const acceptanceSha256 = hash('sha256', request.acceptance, 'buffer')
  const { recipient, acceptanceId } = request
  const body = decision === 'deny' ? {} : { headers: founder.headersFor(link, { recipient, acceptanceSha256 }) }
  await founder.posts(`/api/acceptances/${acceptanceId}/${decision}`, body)
}

t.test('on approval: signed, waiting, let in; or not', async (t) => {
  const link = await sharesPitch(founder, { policy: { release: 'on-approval' } })
  const ivy = await visit(stand, { name: 'Ivy', email: 'ivy@fund.example' })
  await ivy.comesIn(link)
  await ivy.reads('Your signature goes to the founder first.')
  await ivy.signs()
  await ivy.sees('Signed. Now the founder decides')
  await ivy.readsSlide(openSlide)
  await ivy.saves('Save the receipt')
  await ivy.looks(t, 'waiting')
  await ivy.presses('Look again')
  await ivy.reads('Not yet.')
  await decides(link, 'approve')
  await ivy.presses('Look again')
  await ivy.readsSlide(firstSlide)
  await ivy.opens(link)
  await ivy.readsSlide(firstSlide)
  await ivy.leaves()

  const joan = await visit(stand, { name: 'Joan', email: 'joan@fund.example' })
  await joan.comesIn(link)
  await joan.signs()
  await joan.sees('Signed. Now the founder decides')
  await decides(link, 'deny')
  await joan.presses('Look again')
  await joan.sees('The founder did not let you in')
  await joan.looks(t, 'not let in')
  await joan.leaves()
})

t.test('who declines may sign after all', async (t) => {
  const link = await sharesPitch(founder, { open: 'none' })
  const kay = await visit(stand, { name: 'Kay', email: 'kay@fund.example' })
  await kay.comesIn(link)
  await kay.sees('Read and sign to open the deck')
  await kay.looks(t, 'the agreement alone')
  await kay.presses('Decline')
  await kay.looks(t, 'about to decline')
  await kay.presses('Decline the agreement')
  await kay.sees('You declined')
  await kay.looks(t, 'declined')
  await kay.opens(link)
  await kay.sees('You declined')
  await kay.presses('Read and sign after all')
  await kay.signs()
  await kay.readsSlide(firstSlide)
  t.same(kay.complaints, [])
  await kay.leaves()
})
