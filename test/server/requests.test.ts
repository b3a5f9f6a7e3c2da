// Goal: a revocation takes effect at once and says what it did, person by person; a request that waits is decided by
// the founder of its vault, once, with headers for that device and that acceptance.
// Method: founders and investors over the real API with real cryptography; the log is checked after each step.
import t from 'tap'
import { headers } from '../../db/schema.js'
import type { AccessRequestList, PersonList, VaultList } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { Investor } from '../helpers/investor.js'
import { takeMail } from '../helpers/mailbox.js'
import { Founder, type Answer } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }
const ABSENT = '01900000-0000-7000-8000-000000000000'

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

function failed(): never {
  throw new Error('there is no such investor')
}

for (const engines of ENGINES) {
  t.test(`revocation says what it did, person by person, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const link = await founder.sharesDeck({ openGate: 'link' })
    const [barbara, carol, dora] = ['Barbara', 'Carol', 'Dora'].map((name) =>
      new Investor(test, { name, email: `${name.toLowerCase()}@fund.example` }))
    await barbara?.enters(link)
    await carol?.enters(link)
    await carol?.signsNda(link)
    await carol?.does('GET', `/api/versions/${link.decks[0]?.stored.versionId ?? ''}/payload`, undefined, { range: 'bytes=0-99' })
    await dora?.enters(link)

    const { people } = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)
    t.same(people.map(({ name, state }) => [name, state]), [['Dora', 'released'], ['Carol', 'opened'], ['Barbara', 'released']])
    const page = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people?limit=2`)
    t.same(page.people, people.slice(0, 2))
    const rest = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people?limit=2&after=${page.next ?? ''}`)
    t.same([rest.people, rest.next], [people.slice(2), null])

    const [dorasRow] = people
    const one = await founder.revokesPerson(link, dorasRow?.personId ?? '')
    t.match(one.people, [{ name: 'Dora', effect: 'released-now-withheld' }])
    t.equal(codeOf(await dora?.asks('POST', `/api/gate/${link.grantId}/releases`, {}) ?? failed()), 'access-revoked')
    t.equal((await carol?.asks('POST', `/api/gate/${link.grantId}/releases`, {}))?.statusCode, 201, 'the link stays for the others')

    const all = await founder.revokes(link)
    t.same(all.people.map(({ name, effect }) => [name, effect]), [
      ['Barbara', 'released-now-withheld'], ['Carol', 'released-and-opened'], ['Dora', 'released-now-withheld'],
    ])
    const fetched = await carol?.asks('GET', `/api/versions/${link.decks[0]?.stored.versionId ?? ''}/payload`, undefined, { range: 'bytes=0-99' })
    t.equal(fetched?.statusCode, 403, 'not a byte from now on')
    t.equal(codeOf(await carol?.asks('POST', `/api/gate/${link.grantId}/releases`, {}) ?? failed()), 'grant-revoked')
    await checkLog(t, test.world)
  })

  t.test(`requests wait for a yes or a no, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: ROOMY })
    const founder = await new Founder(test).signsUp()
    const stranger = await new Founder(test, 'Mallory').signsUp()
    const link = await founder.sharesDeck({ policy: { release: 'on-approval' } })
    const [grace, hedy] = [new Investor(test), new Investor(test, { name: 'Hedy', email: 'hedy@fund.example' })]
    for (const investor of [grace, hedy]) {
      await investor.enters(link)
      t.equal((await investor.signsNda(link)).standing, 'awaiting-approval')
    }
    const waiting = await founder.gets<AccessRequestList>('/api/requests')
    t.same([waiting.totalCount, waiting.requests.map(({ name }) => name)], [2, ['Grace Hopper', 'Hedy']])
    t.same(await stranger.gets<AccessRequestList>('/api/requests'), { requests: [], totalCount: 0 })
    const [first, second] = waiting.requests
    if (first === undefined || second === undefined) throw new Error('two requests wait')

    const approve = async (by: Founder, body: object, id = first.acceptanceId) =>
      await by.asks('POST', `/api/acceptances/${id}/approve`, body)
    const madeFor = ({ acceptance }: { acceptance: string }) => founder.headersFor(link, {
      recipient: first.recipient, acceptanceSha256: sha256(new TextEncoder().encode(acceptance)),
    })
    const good = madeFor(first)
    const before = (await test.world.db.select().from(headers)).length
    t.equal(codeOf(await approve(stranger, { headers: good })), 'not-found', 'somebody else\'s request')
    t.equal(codeOf(await approve(founder, { headers: good }, ABSENT)), 'not-found')
    t.equal(codeOf(await approve(founder, { headers: good }, second.acceptanceId)), 'grant-mismatch', 'made for another device')
    t.equal(codeOf(await approve(founder, { headers: madeFor(second) })), 'grant-mismatch', 'another acceptance')
    const [locked] = link.decks
    const { recipient } = link.keys.identity
    if (locked === undefined) throw new Error('the link has its locked deck')
    const unbound = [founder.wraps(locked, link.grantIdBytes, recipient)]
    t.equal(codeOf(await approve(founder, { headers: unbound })), 'grant-mismatch', 'to the link')
    t.equal(codeOf(await founder.asks('POST', `/api/grants/${link.grantId}/headers`, { headers: unbound })), 'grant-mismatch', 'nor beside it')
    t.equal((await test.world.db.select().from(headers)).length, before)

    t.equal((await approve(founder, { headers: good })).statusCode, 200)
    t.equal((await approve(founder, { headers: good })).statusCode, 200, 'once more is fine')
    t.equal(codeOf(await founder.asks('POST', `/api/acceptances/${first.acceptanceId}/deny`, {})), 'conflict')
    t.ok(await takeMail(test.world, grace.email, /You can read the documents now/))
    const release = await grace.receives(link)
    const key = release.headers.filter(({ gate }) => gate === 'nda').map((released) => grace.opens(link, released))
    t.same(key, [locked.fileKey], 'and the device opens it')

    t.equal(codeOf(await stranger.asks('POST', `/api/acceptances/${second.acceptanceId}/deny`, {})), 'not-found')
    t.equal((await founder.asks('POST', `/api/acceptances/${second.acceptanceId}/deny`, {})).statusCode, 200)
    t.equal((await founder.asks('POST', `/api/acceptances/${second.acceptanceId}/deny`, {})).statusCode, 200, 'once more is fine')
    t.equal(codeOf(await approve(founder, { headers: good }, second.acceptanceId)), 'conflict')
    t.ok(await takeMail(test.world, hedy.email, /was not approved/))
    const { people } = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)
    t.same(people.map(({ state }) => state), ['denied', 'released'])
    await checkLog(t, test.world)
    t.same((await founder.gets<AccessRequestList>('/api/requests')).totalCount, 0)
  })

  t.test(`a request under an NDA that was replaced waits no longer, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const link = await founder.sharesDeck({ policy: { release: 'on-approval' } })
    const grace = new Investor(test)
    await grace.enters(link)
    await grace.signsNda(link)
    const [request] = (await founder.gets<AccessRequestList>('/api/requests')).requests
    const nda = await founder.publishesNda(link, 'Another agreement.\n')
    const revised = { ...link, grant: { ...link.grant, ndaSha256: decodeBase64Url(nda.sha256) } }
    await founder.posts(`/api/grants/${link.grantId}/revisions`, founder.preparesRevision(revised, {}))
    t.equal((await founder.gets<AccessRequestList>('/api/requests')).totalCount, 0)
    t.match((await founder.gets<VaultList>('/api/vaults')).vaults, [{ awaitingCount: 0 }])
    const made = founder.headersFor(link, {
      recipient: request?.recipient ?? '',
      acceptanceSha256: sha256(new TextEncoder().encode(request?.acceptance)),
    })
    const url = `/api/acceptances/${request?.acceptanceId ?? ''}/approve`
    const answer = await founder.asks('POST', url, { headers: made })
    t.equal(codeOf(answer), 'nda-mismatch')
    await checkLog(t, test.world)
  })

  t.test(`a revocation and an approval at once, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const link = await founder.sharesDeck({ policy: { release: 'on-approval' } })
    const grace = new Investor(test)
    await grace.enters(link)
    await grace.signsNda(link)
    const [request] = (await founder.gets<AccessRequestList>('/api/requests')).requests
    const made = founder.headersFor(link, {
      recipient: request?.recipient ?? '', acceptanceSha256: sha256(new TextEncoder().encode(request?.acceptance)),
    })
    await Promise.all([
      founder.asks('POST', `/api/acceptances/${request?.acceptanceId ?? ''}/approve`, { headers: made }),
      founder.revokes(link),
    ])
    const answer = await grace.asks('POST', `/api/gate/${link.grantId}/releases`, {})
    t.equal(codeOf(answer), 'grant-revoked', 'whichever was first, nothing is released')
    await checkLog(t, test.world)
  })
}
