// Goal: a hostile investor gets nothing that she has not earned herself, escapes no revocation, and puts
// nothing into the log that was not proven.
// Method: the real app with real cryptography; each test is one attack over the API, and the log is checked.
import t, { type Test } from 'tap'
import type { AccessRequestList, GateAccess, PersonList, Release } from '../../protocol/api.js'
import { formatRecipient } from '../../protocol/deck/identity.js'
import { ready } from '../../protocol/sodium.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer, type Link } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

await ready()

function codeOf(answer: Answer): string {
  return answer.json<{ code: string }>().code
}

async function stage(t: Test, options: Parameters<Founder['sharesDeck']>[0] = {}) {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck(options)
  return { test, founder, link, investor: new Investor(test) }
}

/** The keys of `device` under another address. */
async function asksAs(
  device: Investor, link: Link, person: { name: string, email: string },
): Promise<Answer> {
  return await asksAccess(device.sameDevice(person), link)
}

async function asksAccess(investor: Investor, link: Link): Promise<Answer> {
  const { nonce, emailProof } = await investor.provesEmail(link)
  return await investor.asks('POST', `/api/gate/${link.grantId}/access-requests`, { ...investor.notesFor(link, { nonce }), emailProof })
}

t.test('a device does not carry its acceptance over to another person', async (t) => {
  const { test, founder, link, investor } = await stage(t)
  await investor.enters(link)
  await investor.signsNda(link)
  t.equal(codeOf(await asksAs(investor, link, { name: 'Mallory', email: 'mallory@else.example' })), 'device-mismatch')

  const { people } = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)
  t.same(people.map(({ email }) => email), [investor.email])
  await founder.revokesPerson(link, people[0]?.personId ?? '')
  t.equal((await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})).statusCode, 403, 'and is revoked with its person')
  t.equal((await investor.fetches(link.decks[0]?.stored.versionId ?? '')).statusCode, 403)
  t.equal(codeOf(await investor.asksToReturn(link)), 'access-revoked')
  await checkLog(t, test.world)
})

t.test('a device that came by the link alone may name itself, once', async (t) => {
  const { test, link, investor } = await stage(t, { openGate: 'link' })
  await investor.entersUnnamed(link)
  await investor.enters(link)
  t.equal(codeOf(await asksAs(investor, link, { name: 'Mallory', email: 'mallory@else.example' })), 'device-mismatch')
  await checkLog(t, test.world)
})

t.test('asking again without a name takes nothing from who was named', async (t) => {
  const { founder, link, investor } = await stage(t, { openGate: 'link' })
  await investor.enters(link)
  await investor.entersUnnamed(link)
  const { people } = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)
  t.match(people, [{ name: investor.name, email: investor.email }])
})

t.test('a device does not enrol the link\'s own recipient', async (t) => {
  const { test, founder, link, investor } = await stage(t, { policy: { release: 'on-approval' } })
  const thief = investor.withRecipient(formatRecipient(link.keys.identity.recipient))
  t.equal(codeOf(await asksAccess(thief, link)), 'device-mismatch', 'what is made for one device would be made for all who have the link')
  t.same((await founder.gets<AccessRequestList>('/api/requests')).requests, [])
  await checkLog(t, test.world)
})

t.test('headers that are handed out again on another day are another release', async (t) => {
  const { test, link, investor } = await stage(t)
  await investor.enters(link)
  const acceptance = await investor.acceptanceFor(link)
  const first = (await investor.asksToAccept(link, acceptance)).json<Release>()
  t.equal(first.headers.length, 2)
  test.clock.advance(24 * 3_600_000)
  await investor.returns(link)
  const again = await investor.asksToAccept(link, acceptance)
  t.equal(again.statusCode, 201)
  t.same(again.json<Release>().headers, [], 'the old note gets no key without a new event')
  t.equal(again.json<Release>().standing, 'released')
  t.equal((await investor.receives(link)).headers.length, 2)
  await checkLog(t, test.world)
})

t.test('nobody declines in another\'s name', async (t) => {
  const { test, link, investor } = await stage(t, { openGate: 'link' })
  await investor.entersUnnamed(link)
  t.equal(codeOf(await investor.asksToDecline(link)), 'email-unverified')
  await investor.enters(link)
  t.equal(codeOf(await investor.asksToDecline(link, { email: 'ceo@rival.example' })), 'note-mismatch')
  t.equal((await investor.asksToDecline(link)).statusCode, 201)
  await checkLog(t, test.world)
})

t.test('a signature says what the founder asked for', async (t) => {
  const { test, link, investor } = await stage(t)
  await investor.enters(link)
  const consent = 'esign-disclosure version 2, accepted'
  for (const changes of [{ consent }, { consent: 'refused' }]) {
    t.equal(codeOf(await investor.asksToAccept(link, await investor.acceptanceFor(link, changes))), 'note-mismatch')
  }
  t.equal((await investor.signsNda(link)).standing, 'released')
  await checkLog(t, test.world)
})

t.test('a note of one link, device or purpose is nothing elsewhere', async (t) => {
  const { test, founder, link, investor } = await stage(t)
  const other = await founder.sharesDeck()
  await investor.enters(link)
  const accomplice = new Investor(test, { name: 'Eve', email: 'eve@fund.example' })
  const eve = await accomplice.enters(link)
  t.equal(codeOf(await accomplice.asksToAccept(link, await investor.acceptanceFor(link))), 'device-mismatch', 'another\'s signature')
  t.not(codeOf(await accomplice.asks('POST', `/api/gate/${link.grantId}/decline`, { decline: await accomplice.acceptanceFor(link) })), undefined)
  const mine = await investor.acceptanceFor(link)
  t.equal((await investor.asks('POST', `/api/gate/${other.grantId}/acceptances`, { acceptance: mine })).statusCode, 404, 'another link')
  t.equal((await investor.asks('GET', `/api/receipts/${eve.release.receipts[0]?.eventId ?? ''}`)).statusCode, 404, 'another\'s receipt')
  t.equal((await investor.asksToAccept(link, mine)).json<Release>().standing, 'released')
  t.equal(codeOf(await accomplice.fetches(link.decks[0]?.stored.versionId ?? '')), 'version-not-found')
  await checkLog(t, test.world)
})

t.test('nothing is kept for a device that it was not handed', async (t) => {
  const { test, link, investor } = await stage(t)
  const access: GateAccess = await investor.enters(link)
  const [open] = access.release.headers
  const whole = link.decks[0]?.stored.versionId ?? ''
  await investor.does('PUT', `/api/gate/${link.grantId}/device-headers`, { headers: [{ versionId: whole, header: open?.header ?? '' }] })
  const signed = await investor.signsNda(link)
  t.ok(signed.headers.every(({ wrap }) => wrap !== null), 'what waits was made by the founder')
  await checkLog(t, test.world)
})
