// Goal: what a server could do to deceive an investor is found out before anything is shown or signed.
// Method: the real server and the built gate in Chromium; the lying server is played by changing its answers on
// their way, one lie at a time.
import t from 'tap'
import type { GateAccess, GateView, Release, ReleasedHeader } from '../../protocol/api.js'
import { useChromium } from '../helpers/chromium.js'
import { Founder, type Link } from '../helpers/people.js'
import { makeDeck, slideText } from '../helpers/pdf.js'
import { serveWorld } from '../web/serve.js'
import { sharesPitch, WHOLE_CANARY } from './pitch.js'
import { visit, type Stand, type Visitor } from './visitor.js'

const browser = await useChromium(t)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }) }
const { world } = stand
const founder = await new Founder(world).signsUp()

const firstSlide = slideText(WHOLE_CANARY, 0)

/** Change an answer of the server on its way to this browser. */
async function lies<T>(visitor: Visitor, path: RegExp, change: (answer: T) => T): Promise<void> {
  await visitor.page.route(path, async (route) => {
    const response = await route.fetch()
    const answer: T = await response.json()
    await route.fulfill({ response, json: change(answer) })
  })
}

const GATE = /\/api\/gate\/[^/]+$/
const ACCESS = /\/access-requests$/

/** The root of the checkpoint inside a receipt, with its first character changed. */
function forge(release: Release): Release {
  const receipts = release.receipts.map((receipt) => {
    const { index, 0: head } = /\n\n[^\n]+\n\d+\n/.exec(receipt.proof) ?? { index: 0, 0: '' }
    return { ...receipt, proof: swapCharacter(receipt.proof, index + head.length) }
  })
  return { ...release, receipts }
}

t.test('a gate that is not the one of the link is not shown', async (t) => {
  const link = await sharesPitch(founder)
  const twin = await sharesPitch(founder)
  const stranger = await new Founder(world, 'Eve').signsUp()
  const evil = await sharesPitch(stranger)
  const readGate = async ({ grantId }: Link) => await founder.gets<GateView>(`/api/gate/${grantId}`)
  const [twinView, evilView] = [await readGate(twin), await readGate(evil)]
  const changes: Record<string, (view: GateView) => GateView> = {
    'another founder\'s key': (view) => ({ ...view, signingKey: evilView.signingKey }),
    'another founder\'s grant, well signed': (view) => ({ ...evilView, grantId: view.grantId }),
    'another link of the same founder': (view) => ({ ...twinView, grantId: view.grantId }),
    'a signature with one bit changed': (view) => ({ ...view, grantSignature: swapCharacter(view.grantSignature, 0) }),
    'another card': (view) => ({ ...view, cardSealed: twinView.cardSealed }),
    'another log': (view) => ({ ...view, logVkey: view.logVkey.replace(/^[^+]+/, 'log.evil.example') }),
    'another vault': (view) => ({ ...view, vaultId: twinView.vaultId }),
    'another agreement': (view) => ({ ...view, nda: view.nda && { ...view.nda, sha256: evilView.nda?.sha256 ?? '' } }),
  }
  for (const [name, change] of Object.entries(changes)) {
    const sam = await visit(stand, { email: 'sam@fund.example' })
    await lies(sam, GATE, change)
    await sam.opens(link)
    await sam.sees('This does not add up, so nothing was opened')
    await sam.seesNothing(t)
    if (name === 'another card') await sam.looks(t, 'tampered')
    await sam.leaves()
  }
})

t.test('what was released is shown only with its proof, and only if it is what the founder sealed', async (t) => {
  const link = await sharesPitch(founder)
  const changes: Record<string, (access: GateAccess) => GateAccess> = {
    'a forged checkpoint': (access) => ({ ...access, release: forge(access.release) }),
    'no receipt': (access) => ({ ...access, release: { ...access.release, receipts: [] } }),
    'another header': withHeaders((one) => ({ ...one, header: swapCharacter(one.header, -60) })),
    'another record': withHeaders((one) => ({
      ...one,
      records: one.records.map((signed) => ({
        ...signed, record: swapCharacter(signed.record, 80),
      })),
    })),
    'another version': withHeaders((one) => ({ ...one, version: 2 })),
  }
  let count = 0
  for (const change of Object.values(changes)) {
    const tea = await visit(stand, { email: `tea-${count++}@fund.example` })
    await lies(tea, ACCESS, change)
    await tea.comesIn(link)
    await tea.sees('This does not add up, so nothing was opened')
    await tea.seesNothing(t)
    await tea.leaves()
  }
})

function withHeaders(change: (header: ReleasedHeader) => ReleasedHeader) {
  return ({ session, release }: GateAccess): GateAccess =>
    ({ session, release: { ...release, headers: release.headers.map(change) } })
}

function swapCharacter(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at
  return `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`
}

t.test('an agreement that is not the signed text is not shown', async (t) => {
  const link = await sharesPitch(founder, { open: 'none' })
  const uma = await visit(stand, { email: 'uma@fund.example' })
  await lies<{ text: string }>(uma, /\/nda$/, (nda) => ({ ...nda, text: nda.text.replace('Ada', 'Eve') }))
  await uma.comesIn(link)
  await uma.sees('This does not add up, so nothing was opened')
  await uma.seesNothing(t)
  await uma.leaves()
})

t.test('ciphertext that was changed is not drawn', async (t) => {
  const link = await sharesPitch(founder, { open: 'none', gate: 'email' })
  const val = await visit(stand, { email: 'val@fund.example' })
  await val.page.route(/\/payload$/, async (route) => {
    const response = await route.fetch()
    const body = Buffer.from(await response.body())
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
    await route.fulfill({ response, body })
  })
  await val.comesIn(link)
  await val.sees('This does not add up, so nothing was opened')
  await val.seesNothing(t)
  await val.leaves()
})

t.test('an older version than this device has seen is refused', async (t) => {
  const link = await sharesPitch(founder, { open: 'none', gate: 'email' })
  const [first] = link.decks
  if (first === undefined) throw new Error('the link has a deck')
  const wes = await visit(stand, { email: 'wes@fund.example' })
  const old: Release[] = []
  await lies<GateAccess>(wes, ACCESS, (access) => { old.push(access.release); return access })
  await wes.comesIn(link)
  await wes.readsSlide(firstSlide)

  const file = await makeDeck({ pageCount: 3, canary: 'quoll-second' })
  const second = await founder.uploadsDeck(link, { documentId: first.documentId, gate: 'email', file })
  await founder.posts(`/api/grants/${link.grantId}/headers`, { headers: [founder.wraps(second, link.grantIdBytes, link.keys.identity.recipient)] })
  await wes.opens(link)
  await wes.readsSlide(slideText('quoll-second', 0))

  await lies<Release>(wes, /\/releases$/, () => old[0] ?? { standing: 'reading-open', headers: [], receipts: [] })
  await wes.opens(link)
  await wes.sees('This does not add up, so nothing was opened')
  await wes.reads('stale-version')
  await wes.seesNothing(t)
  await wes.leaves()
})
