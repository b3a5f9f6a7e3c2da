// Goal: nobody gets a header that was not earned, no header leaves before its event is published, and a
// refusal leaves the log as it was.
// Method: the real app on both engines; investors sign with keys of their own; the whole log is rechecked
// after each step.
import t, { type Test } from 'tap'
import type { GateAccess, Release } from '../../protocol/api.js'
import { encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { ready } from '../../protocol/sodium.js'
import { Investor, randomNonce } from '../helpers/investor.js'
import { takeMail } from '../helpers/mailbox.js'
import { Founder } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld, type Engines, type TestWorld } from '../helpers/world.js'

await ready()

const SHARED = ['version.stored', 'version.stored', 'nda.published', 'grant.made']
const ENTERED = ['email.verified', 'device.enrolled', 'header.released']

async function stage(t: Test, engines: Engines, policy: Parameters<Founder['sharesDeck']>[0] = {}) {
  const test = await startWorld(t, { engines })
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck(policy)
  return { test, founder, link, investor: new Investor(test) }
}

for (const engines of ENGINES) {
  t.test(`on signature, ${engines}`, async (t) => {
    const { test, founder, link, investor } = await stage(t, engines)

    const access = await investor.enters(link)
    t.equal(access.release.standing, 'nda-due')
    t.same(access.release.headers.map(({ part }) => part), [1], 'only the open slides')
    await provesReceipts(t, test, access.release)
    await checkLog(t, test.world, { events: [...SHARED, ...ENTERED] })

    const early = await investor.receives(link)
    t.same(early.headers.map(({ part }) => part), [1], 'asking again earns nothing more')

    const acceptance = await investor.acceptanceFor(link)
    const signed = await investor.asksToAccept(link, acceptance)
    t.equal(signed.statusCode, 201)
    const release = signed.json<Release>()
    t.equal(release.standing, 'released')
    const whole = release.headers.find(({ part }) => part === 0)
    const [deck] = link.decks
    if (whole === undefined || deck === undefined) return t.fail('the whole deck is released')
    t.ok(equalBytes(investor.opens(link, whole) ?? new Uint8Array(), deck.fileKey), 'its file key opens')
    await provesReceipts(t, test, release)
    const copy = await takeMail(test.world, investor.email, /signature/)
    t.match(copy.body, /acceptance\.tlog-proof/, 'the receipt comes by mail')
    t.ok(await takeMail(test.world, founder.email, /signed your agreement/), 'the founder is told')

    const again = await investor.asksToAccept(link, acceptance)
    t.equal(again.statusCode, 201, 'the same note gets the same answer')
    t.same(again.json<Release>().headers, release.headers)
    t.equal((await investor.asksToAccept(link, await investor.acceptanceFor(link))).json<{ code: string }>().code, 'already-accepted')

    const fetched = await investor.fetches(whole.versionId)
    t.equal(fetched.statusCode, 206)
    t.equal(fetched.rawPayload.length, 100)
    await checkLog(t, test.world, {
      events: [...SHARED, ...ENTERED, 'nda.accepted', 'header.released', 'header.released', 'version.fetched'],
    })
  })

  t.test(`on approval, ${engines}`, async (t) => {
    const { test, founder, link, investor } = await stage(t, engines, { policy: { release: 'on-approval' } })
    await investor.enters(link)
    const waiting = await investor.signsNda(link)
    t.equal(waiting.standing, 'awaiting-approval')
    t.same(waiting.headers, [], 'there is nothing to hand over')

    const { requests } = await founder.gets<{ requests: { acceptanceId: string, recipient: string, acceptance: string }[] }>('/api/requests')
    t.equal(requests.length, 1)
    const [request] = requests
    if (request === undefined) return
    const acceptanceSha256 = await sha256Of(request.acceptance)
    await founder.posts(`/api/acceptances/${request.acceptanceId}/approve`, {
      headers: founder.headersFor(link, { recipient: request.recipient, acceptanceSha256 }),
    })
    await investor.returns(link)
    const release = await investor.receives(link)
    t.equal(release.standing, 'released')
    t.ok(release.headers.some(({ part }) => part === 0), 'the whole deck is there')
    await provesReceipts(t, test, release)
    await checkLog(t, test.world)
  })

  t.test(`what is refused leaves no entry, ${engines}`, async (t) => {
    const { test, founder, link, investor } = await stage(t, engines)
    const other = await founder.sharesDeck()
    const before = [...SHARED, ...SHARED]
    const codeOf = (answer: { json<T>(): T }) => answer.json<{ code: string }>().code

    const { nonce, emailProof } = await investor.provesEmail(link)
    const notes = investor.notesFor(link, { nonce })
    const asks = (url: string, body: object) => investor.asks('POST', url, body)
    const at = `/api/gate/${link.grantId}/access-requests`
    t.equal(codeOf(await asks(at, notes)), 'email-unverified', 'without the proof of address')
    t.equal(codeOf(await asks(`/api/gate/${other.grantId}/access-requests`, { ...notes, emailProof })), 'note-mismatch', 'with another link')
    t.equal(codeOf(await asks(at, { ...investor.notesFor(link, { nonce: randomNonce() }), emailProof })), 'nonce-unknown')
    const mixed = {
      accessRequest: notes.accessRequest,
      enrolment: investor.otherDevice().notesFor(link, { nonce }).enrolment,
    }
    t.equal(codeOf(await asks(at, { ...mixed, emailProof })), 'device-mismatch', 'two devices in one request')
    t.equal(codeOf(await asks(`/api/gate/${encodeBase64Url(new Uint8Array(16))}/nonces`, {})), 'grant-not-found')
    await checkLog(t, test.world, { events: before })

    const replay = { ...notes, emailProof }
    const access = await asks(at, replay)
    investor.accessToken = access.json<GateAccess>().session.accessToken
    t.equal(codeOf(await asks(at, replay)), 'nonce-unknown', 'a replayed request')
    const entered = [...before, ...ENTERED]
    await checkLog(t, test.world, { events: entered })

    const stranger = new Investor(test, { email: 'stranger@elsewhere.example' })
    t.equal((await stranger.fetches(link.decks[0]?.stored.versionId ?? '')).statusCode, 401)
    t.equal(codeOf(await investor.fetches(link.decks[0]?.stored.versionId ?? '')), 'version-not-found', 'what was not released')
    t.equal(codeOf(await investor.asks('POST', `/api/gate/${other.grantId}/releases`, {})), 'grant-not-found', 'another link\'s session')

    const wrongNda = await investor.acceptanceFor(link, { agreementSha256: '0'.repeat(64) })
    t.equal(codeOf(await investor.asksToAccept(link, wrongNda)), 'nda-mismatch')
    const wrongName = await investor.acceptanceFor(link, { email: 'somebody@else.example' })
    t.equal(codeOf(await investor.asksToAccept(link, wrongName)), 'note-mismatch')
    const late = await investor.acceptanceFor(link)
    test.clock.advance(9 * 60_000)
    const renewed = await investor.returns(link)
    t.equal(renewed.standing, 'nda-due')
    test.clock.advance(7 * 60_000)
    await investor.returns(link)
    t.equal(codeOf(await investor.asksToAccept(link, late)), 'note-expired')
    await checkLog(t, test.world, { events: entered })
  })

  t.test(`a revocation holds from the next request on, ${engines}`, async (t) => {
    const { test, founder, link, investor } = await stage(t, engines)
    await investor.enters(link)
    const release = await investor.signsNda(link)
    const versionId = release.headers.find(({ part }) => part === 0)?.versionId ?? ''
    t.equal((await investor.fetches(versionId)).statusCode, 206)
    const report = await founder.revokes(link)
    t.same(report.people.map(({ effect }) => effect), ['released-and-opened'])
    t.not((await investor.fetches(versionId)).statusCode, 206)
    t.equal((await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})).json<{ code: string }>().code, 'grant-revoked')
    t.equal((await investor.asks('GET', `/api/gate/${link.grantId}`)).json<{ code: string }>().code, 'grant-revoked')
    await checkLog(t, test.world)
  })

  t.test(`a person can decline, and sign later, ${engines}`, async (t) => {
    const { test, link, investor } = await stage(t, engines)
    await investor.enters(link)
    t.equal((await investor.declines(link)).standing, 'declined')
    t.equal((await investor.signsNda(link)).standing, 'released')
    await checkLog(t, test.world, {
      events: [...SHARED, ...ENTERED, 'nda.declined', 'nda.accepted', 'header.released', 'header.released'],
    })
  })

  t.test(`a link alone opens what asks for no more, ${engines}`, async (t) => {
    const { test, link, investor } = await stage(t, engines, { openGate: 'link' })
    const access = await investor.entersUnnamed(link)
    t.same(access.release.headers.map(({ part }) => part), [1])
    t.equal(access.release.standing, 'nda-due')
    const named = await investor.enters(link)
    t.equal(named.session.email, investor.email, 'the same device, now with an address')
    t.equal((await investor.signsNda(link)).standing, 'released')
    await checkLog(t, test.world)
  })
}

async function sha256Of(text: string): Promise<Uint8Array> {
  const { hash } = await import('node:crypto')
  return Uint8Array.from(hash('sha256', text, 'buffer'))
}

/** Every receipt proves an event of this log, by the log's key alone. */
async function provesReceipts(t: Test, test: TestWorld, release: Release): Promise<void> {
  const policy = policyOfLog(test.world.keys.log.vkey)
  t.ok(release.receipts.length > 0, 'there are receipts')
  for (const { proof, eventType } of release.receipts) {
    t.equal(verifyProof(proof, policy).event.type, eventType)
  }
}
