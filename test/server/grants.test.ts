// Goal: what a founder shares is what she signed, for this vault, this log and these recipients; nobody else can
// do any of it, or learn that it is there.
// Method: founders over the real API with real cryptography; every field of a grant and of a
// wrap record made wrong, one at a time; the log is checked after each step.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { grants, headers } from '../../db/schema.js'
import type { GrantSummary, PersonList, VaultDetail, VaultList } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../protocol/bytes.js'
import { signGrant, type Grant } from '../../protocol/deck/grant.js'
import { hybridRecipient } from '../../protocol/deck/identity.js'
import { xwingPublicKey } from '../../protocol/sodium.js'
import { Investor } from '../helpers/investor.js'
import { Founder, NDA_TEXT, type Answer, type Deck, type Link, type PreparedLink } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }
const ABSENT = '01900000-0000-7000-8000-000000000000'
const SHARED = ['version.stored', 'version.stored', 'nda.published', 'grant.made']

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

for (const engines of ENGINES) {
  t.test(`a link, revised and revoked, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const link = await founder.sharesDeck()
    await checkLog(t, test.world, { events: SHARED })
    const { vaults, next } = await founder.gets<VaultList>('/api/vaults')
    t.match(vaults, [{ versionCount: 2, liveGrantCount: 1, personCount: 0, awaitingCount: 0 }])
    t.type(vaults[0]?.lastEventAtMs, 'number')
    t.equal(next, null)

    const revision = founder.preparesRevision(link, { hasWatermark: false })
    const revised = await founder.posts<GrantSummary>(`/api/grants/${link.grantId}/revisions`, revision)
    t.equal(revised.revision, 2)
    t.same(await founder.posts<GrantSummary>(`/api/grants/${link.grantId}/revisions`, revision), revised, 'asked twice, answered alike')
    await checkLog(t, test.world, { events: [...SHARED, 'grant.revised'] })

    const next1 = await founder.uploadsDeck({ vaultId: link.vaultId }, { documentId: link.decks[0]?.documentId ?? '' })
    t.equal(next1.stored.version, 2)
    const { recipient } = link.keys.identity
    const added = { headers: [founder.wraps(next1, link.grantIdBytes, recipient)] }
    await founder.posts(`/api/grants/${link.grantId}/headers`, added)
    await founder.posts(`/api/grants/${link.grantId}/headers`, added)
    t.equal((await test.world.db.select().from(headers)).length, 3)

    const report = await founder.revokes(link)
    t.match(report, { headerCount: 3, people: [] })
    t.same(await founder.revokes(link), { ...report, headerCount: 0 }, 'revoked once')
    t.equal((await test.world.db.select().from(headers)).length, 0)
    t.equal(codeOf(await founder.asks('POST', `/api/grants/${link.grantId}/headers`, added)), 'grant-revoked')
    t.equal(codeOf(await founder.asks('POST', `/api/grants/${link.grantId}/revisions`, founder.preparesRevision(link, {}, 3))), 'grant-revoked')
    const detail = await founder.gets<VaultDetail>(`/api/vaults/${link.vaultId}`)
    t.equal(detail.grants[0]?.revokedAtMs, report.revokedAtMs)
    await checkLog(t, test.world, { events: [...SHARED, 'grant.revised', 'version.stored', 'access.revoked'] })
  })
}

t.test('what a founder did not sign for this place is not stored', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const stranger = await new Founder(test, 'Mallory').signsUp()
  const vault = await founder.makesVault()
  const whole = await founder.uploadsDeck(vault)
  const nda = await founder.publishesNda(vault)
  const makes = async (body: object, by = founder, vaultId = vault.vaultId) =>
    await by.asks('POST', `/api/vaults/${vaultId}/grants`, body)
  const before = ['version.stored', 'nda.published']

  function resigned(prepared: PreparedLink, changes: Partial<Grant>, by = founder): object {
    const signed = signGrant({ ...prepared.grant, ...changes }, by.keys.signing.secretKey)
    return {
      ...prepared.body, grant: encodeBase64Url(signed.bytes),
      grantSignature: encodeBase64Url(signed.signature),
    }
  }

  function cut(statement: string): string {
    return encodeBase64Url(decodeBase64Url(statement).subarray(0, -1))
  }

  t.test('grants', async (t) => {
    const prepared = founder.preparesLink(vault, { decks: [whole], nda })
    const { policy } = prepared.grant
    const foreignNda = await stranger.publishesNda(await stranger.makesVault(), 'Another text.')
    const wrong: [string, object, string][] = [
      ['another vault', resigned(prepared, { vaultId: ABSENT }), 'grant-mismatch'],
      ['another link', resigned(prepared, { grantId: randomBytes(16) }), 'grant-mismatch'],
      ['a later revision', resigned(prepared, { revision: 2, previousSha256: randomBytes(32) }), 'grant-mismatch'],
      ['another log', resigned(prepared, { logVkey: 'other.example/2026+00000000+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c' }), 'grant-mismatch'],
      ['another card', resigned(prepared, { policy: { ...policy, cardSha256: randomBytes(32) } }), 'grant-mismatch'],
      ['an NDA of nobody', resigned(prepared, { ndaSha256: randomBytes(32) }), 'nda-mismatch'],
      ['another vault\'s NDA', resigned(prepared, { ndaSha256: decodeBase64Url(foreignNda.sha256) }), 'nda-mismatch'],
      ['somebody else\'s signature', resigned(prepared, {}, stranger), 'bad-founder-signature'],
      ['a cut statement', { ...prepared.body, grant: cut(prepared.body.grant) }, 'bad-founder-signature'],
    ]
    for (const [what, body, code] of wrong) t.equal(codeOf(await makes(body)), code, what)
    t.equal((await makes({ ...prepared.body, cardSealed: 'AAAA' })).statusCode, 422)
    t.equal((await test.world.db.select().from(grants)).length, 0)
    await checkLog(t, test.world, { events: [...before, 'nda.published'] })
  })

  t.test('headers', async (t) => {
    const { vaultId } = await stranger.makesVault()
    const foreign = await stranger.uploadsDeck({ vaultId })
    const prepared = founder.preparesLink(vault, { decks: [whole], nda })
    const [good] = prepared.body.headers
    const { recipient } = prepared.keys.identity
    const withHeaders = (given: object[]) => ({ ...prepared.body, headers: given })
    const otherRecipient = hybridRecipient(xwingPublicKey(randomBytes(32)))
    const another = founder.wraps(whole, prepared.grantIdBytes, recipient)
    const wrong: [string, object[], string][] = [
      ['of another link', [founder.wraps(whole, randomBytes(16), recipient)], 'grant-mismatch'],
      ['to somebody else', [founder.wraps(whole, prepared.grantIdBytes, otherRecipient)], 'grant-mismatch'],
      ['with an acceptance that nobody signed', [founder.wraps(whole, prepared.grantIdBytes, recipient, randomBytes(32))], 'grant-mismatch'],
      ['other bytes than the wrap names', [{ ...good, header: another.header }], 'grant-mismatch'],
      ['of another version than the wrap names', [founder.wraps({ ...whole, stored: { ...foreign.stored, versionId: whole.stored.versionId } }, prepared.grantIdBytes, recipient)], 'grant-mismatch'],
      ['of another vault\'s version', [founder.wraps(foreign, prepared.grantIdBytes, recipient)], 'version-not-found'],
      ['of no version', [{ ...good, versionId: ABSENT }], 'version-not-found'],
      ['twice', [Object(good), another], 'grant-mismatch'],
      ['signed by somebody else', [stranger.wraps(whole, prepared.grantIdBytes, recipient)], 'bad-founder-signature'],
    ]
    for (const [what, given, code] of wrong) {
      t.equal(codeOf(await makes(withHeaders(given))), code, what)
    }
    t.equal((await makes(withHeaders([{ ...good, header: encodeBase64Url(randomBytes(200)) }]))).statusCode, 400, 'not a header at all')

    const approval = founder.preparesLink(vault, { decks: [], nda, policy: { release: 'on-approval' } })
    const early = founder.wraps(whole, approval.grantIdBytes, approval.keys.identity.recipient)
    t.equal(codeOf(await makes({ ...approval.body, headers: [early] })), 'grant-mismatch', 'before the approval that is due')
    t.equal((await test.world.db.select().from(grants)).length, 0)
    t.equal((await test.world.db.select().from(headers)).length, 0)
  })

  t.test('revisions', async (t) => {
    const link = await founder.makesLink(vault, { decks: [whole], nda })
    const revises = async (body: object, by = founder) => await by.asks('POST', `/api/grants/${link.grantId}/revisions`, body)
    t.equal(codeOf(await revises(founder.preparesRevision(link, {}, 3))), 'grant-mismatch', 'a gap')
    const other = { ...link.summary, grant: encodeBase64Url(randomBytes(40)) }
    const elsewhere: Link = { ...link, summary: other }
    t.equal(codeOf(await revises(founder.preparesRevision(elsewhere, {}))), 'broken-chain', 'another history')
    const linkRecipient = hybridRecipient(xwingPublicKey(randomBytes(32)))
    const otherKeys: Link = { ...link, grant: { ...link.grant, linkRecipient } }
    t.equal(codeOf(await revises(founder.preparesRevision(otherKeys, {}))), 'wrong-grant', 'another link key')
    t.equal(codeOf(await revises(stranger.preparesRevision(link, {}), stranger)), 'grant-not-found')

    const policies = [{ hasWatermark: false }, { mayDownload: true }]
    const rivals = policies.map((policy) => founder.preparesRevision(link, policy))
    const answers = await Promise.all(rivals.map((body) => revises(body)))
    t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1, 'of two at once one is in force')

    const winner = answers.find(({ statusCode }) => statusCode === 200)
    const summary = winner?.json<GrantSummary>() ?? link.summary
    const waiting = (await test.world.db.select().from(headers)).length
    const stricter = founder.preparesRevision({ ...link, summary }, { release: 'on-approval' }, 3)
    t.equal((await revises(stricter)).statusCode, 200)
    t.equal((await test.world.db.select().from(headers)).length, waiting - 1, 'the link\'s header behind the NDA is gone')
  })
})

t.test('a link\'s request again gives the same link; another under its id is a conflict', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const vault = await founder.makesVault()
  const { body } = founder.preparesLink(vault, { decks: [] })
  const url = `/api/vaults/${vault.vaultId}/grants`
  const made = await founder.posts<GrantSummary>(url, body)
  t.same(await founder.posts<GrantSummary>(url, body), made)
  await checkLog(t, test.world, { events: ['grant.made'] })
  const stranger = await new Founder(test, 'Mallory').signsUp()
  const theirs = await stranger.makesVault()
  const prepared = stranger.preparesLink(theirs, { decks: [] })
  const grant = { ...prepared.grant, grantId: decodeBase64Url(made.grantId) }
  const squatting = signGrant(grant, stranger.keys.signing.secretKey)
  const answer = await stranger.asks('POST', `/api/vaults/${theirs.vaultId}/grants`, {
    ...prepared.body, grantId: made.grantId, grant: encodeBase64Url(squatting.bytes),
    grantSignature: encodeBase64Url(squatting.signature),
  })
  t.equal(codeOf(answer), 'conflict')
  await checkLog(t, test.world, { events: ['grant.made'] })
})

t.test('what is another founder\'s looks absent', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const [founder, stranger] = [await new Founder(test).signsUp(), await new Founder(test, 'Mallory').signsUp()]
  const link = await founder.sharesDeck()
  const grace = new Investor(test)
  await grace.enters(link)
  const [person] = (await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)).people
  const absentGrant = encodeBase64Url(randomBytes(16))
  const title = { titleSealed: encodeBase64Url(randomBytes(50)) }
  const { recipient } = link.keys.identity
  const headersBody = {
    headers: link.decks.map((deck: Deck) => stranger.wraps(deck, link.grantIdBytes, recipient)),
  }
  const nda = { text: NDA_TEXT, title: 'NDA', templateId: 'mutual', templateVersion: 1, language: 'en' }
  const { body } = stranger.preparesLink({ vaultId: link.vaultId }, { decks: [] })

  const questions = (vaultId: string, grantId: string, personId: string): [Parameters<Founder['asks']>[0], string, object?][] => [
    ['GET', `/api/vaults/${vaultId}`],
    ['PUT', `/api/vaults/${vaultId}/title`, title],
    ['DELETE', `/api/vaults/${vaultId}`],
    ['GET', `/api/vaults/${vaultId}/people`],
    ['POST', `/api/vaults/${vaultId}/ndas`, nda],
    ['GET', `/api/vaults/${vaultId}/ndas/${link.nda?.sha256 ?? ''}`],
    ['POST', `/api/vaults/${vaultId}/grants`, body],
    ['POST', `/api/grants/${grantId}/headers`, headersBody],
    ['POST', `/api/grants/${grantId}/revisions`, stranger.preparesRevision(link, {})],
    ['POST', `/api/grants/${grantId}/revoke`, {}],
    ['POST', `/api/grants/${grantId}/people/${personId}/revoke`, {}],
  ]
  const theirs = questions(link.vaultId, link.grantId, person?.personId ?? '')
  const absent = questions(ABSENT, absentGrant, ABSENT)
  const events = (await founder.gets<VaultDetail>(`/api/vaults/${link.vaultId}`))
  for (const [index, [method, url, payload]] of theirs.entries()) {
    const [, absentUrl = ''] = absent[index] ?? []
    const foreign = await stranger.asks(method, url, payload)
    const none = await stranger.asks(method, absentUrl, payload)
    t.equal(foreign.statusCode, 404, `${method} ${url.replace(/[0-9a-f-]{36}|[A-Za-z0-9_-]{22,43}/g, ':id')}`)
    t.equal(codeOf(foreign), codeOf(none))
    for (const token of [null, grace.accessToken]) {
      const outsider = new Founder(test)
      outsider.accessToken = token
      t.equal((await outsider.asks(method, url, payload)).statusCode, 401, 'without an account\'s session')
    }
  }
  t.same(await founder.gets<VaultDetail>(`/api/vaults/${link.vaultId}`), events, 'nothing happened')
  t.same(await stranger.gets<VaultList>('/api/vaults'), { vaults: [], next: null })
})
