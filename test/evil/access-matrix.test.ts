// Goal: every route answers everybody to whom it does not belong in exactly the way that is written here, and a
// route that nobody has thought about fails.
// Method: the routes of the server's own OpenAPI, times six kinds of strangers, on one founder's things; then the
// rightful one with the same request, so that a row refuses for who asks and not for what was sent.
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import type { AccessRequestList, Invitation, KeyringRowList, PersonList, Release } from '../../protocol/api.js'
import { encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { ready } from '../../protocol/sodium.js'
import { nameInstanceAuditor } from '../../server/use-cases/name-instance-auditor.js'
import { Investor, randomNonce } from '../helpers/investor.js'
import { Founder, type Answer, type Browser, type Link, type Method } from '../helpers/people.js'
import { checkLog, startWorld, type TestWorld } from '../helpers/world.js'

await ready()

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000', RATE_LIMIT_PER_MINUTE: '100000' }
const RANGE = { range: 'bytes=0-9' }

/** In this order stand the statuses of a row. */
const STRANGERS = [
  'nobody', 'another founder', 'another link\'s investor', 'a revoked investor', 'an investor who has not signed',
  'an auditor',
] as const

/** Asked for by whoever comes, with nothing but what the request itself proves. */
const PUBLIC = new Set([
  'GET /api/config', 'GET /api/log/policy.txt', 'GET /api/log/consistency', 'POST /api/log/gossip', 'GET /api/log/timestamps', 'GET /api/log/timestamps/first', 'GET /healthz', 'GET /readyz', 'GET /metrics',
  'POST /api/email-codes', 'POST /api/email-codes/proof', 'POST /api/recovery',
  'POST /api/accounts', 'POST /api/accounts/passkey-options', 'POST /api/accounts/passphrase-registration',
  'POST /api/sessions/passkey-options', 'POST /api/sessions/passkey', 'POST /api/sessions/passphrase-start',
  'POST /api/sessions/passphrase-finish', 'POST /api/sessions/passphrase', 'POST /api/sessions/refresh',
  // Whoever holds the link: what they give needs a code, or keys that the fragment makes.
  'GET /api/gate/{grantId}', 'POST /api/gate/{grantId}/codes', 'POST /api/gate/{grantId}/codes/proof',
  'POST /api/gate/{grantId}/nonces', 'POST /api/gate/{grantId}/access-requests', 'POST /api/gate/{grantId}/sessions',
])

interface Row {
  readonly statuses: string
  readonly url: string
  readonly body?: object
  readonly headers?: Record<string, string>
  /** Who gets what she asks for; `null` where it is about the asker's own account alone. */
  readonly rightful: Browser | null
}

interface Things {
  readonly test: TestWorld
  readonly founder: Founder
  readonly link: Link
  readonly investor: Investor
  readonly strangers: readonly Browser[]
}

async function stage(t: Test): Promise<Things> {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const other = await new Founder(test, 'Mallory').signsUp()
  const auditor = await new Founder(test, 'Audrey').signsUp()
  const link = await founder.sharesDeck({ policy: { release: 'on-approval' } })
  const [investor, unsigned, revoked, elsewhere] = ['grace', 'una', 'rita', 'else'].map((name) =>
    new Investor(test, { name, email: `${name}@fund.example` }))
  if (investor === undefined || unsigned === undefined) throw new Error('four investors')
  if (revoked === undefined || elsewhere === undefined) throw new Error('four investors')
  await investor.enters(link)
  await unsigned.enters(link)
  const { session } = await revoked.enters(link)
  await revoked.signsNda(link)
  await founder.revokesPerson(link, session.personId)
  await elsewhere.enters(await other.sharesDeck())
  const invitation = await founder.posts<Invitation>(`/api/vaults/${link.vaultId}/invitations`, { email: auditor.email, withIdentities: false })
  await auditor.posts(`/api/invitations/${invitation.invitationId}/accept`)
  const strangers = [new Founder(test), other, elsewhere, revoked, unsigned, auditor]
  return { test, founder, link, investor, strangers }
}

/** What the rows below ask for: one of each thing that a vault can hold. */
async function arrange({ founder, link, investor }: Things) {
  const { vaultId, grantId, decks: [whole], nda } = link
  if (whole === undefined || nda === null) throw new Error('a deck and its NDA')
  const { versionId } = whole.stored
  const acceptance = await investor.acceptanceFor(link)
  const signed = (await investor.asksToAccept(link, acceptance)).json<Release>()
  const { requests: [request] } = await founder.gets<AccessRequestList>('/api/requests')
  if (request === undefined) throw new Error('a request waits')
  const { people } = await founder.gets<PersonList>(`/api/vaults/${vaultId}/people`)
  const personId = people.find(({ email }) => email === investor.email)?.personId ?? ''
  const { rows: [keyringRow] } = await founder.gets<KeyringRowList>('/api/keyring-rows')
  const begun = await founder.beginsUpload({ vaultId })
  const [part] = begun.parts
  const invitation = await founder.posts<Invitation>(`/api/vaults/${vaultId}/invitations`, { email: founder.email, withIdentities: true })
  const acceptanceSha256 = sha256(encodeUtf8(request.acceptance))
  const headers = founder.headersFor(link, { recipient: request.recipient, acceptanceSha256 })
  return {
    vaultId, grantId, nda, versionId, acceptance, signed, request,
    personId, keyringRow, begun, part, invitation, headers,
  }
}

const accountOnly = '401 200 401 401 401 200'

/** An account's own. */
function accountRows(
  { founder }: Things, { vaultId, keyringRow }: Awaited<ReturnType<typeof arrange>>,
): [string, Row][] {
  const own = { rightful: null }
  const sealed = { titleSealed: 'AAAA' }
  return [
    ['GET /api/account', { url: '/api/account', statuses: accountOnly, ...own }],
    ['GET /api/account/storage', { url: '/api/account/storage', statuses: accountOnly, ...own }],
    ['POST /api/account/recovery-confirmed', { url: '/api/account/recovery-confirmed', statuses: accountOnly, ...own }],
    ['GET /api/audited-vaults', { url: '/api/audited-vaults', statuses: accountOnly, ...own }],
    ['GET /api/keyring-rows', { url: '/api/keyring-rows', statuses: accountOnly, ...own }],
    // 409: the second brings a row id that the first has taken.
    ['POST /api/keyring-rows', { url: '/api/keyring-rows', body: founder.recoveryRow(), statuses: '401 201 401 401 401 409', ...own }],
    ['POST /api/keyring-rows/passkey-options', { url: '/api/keyring-rows/passkey-options', statuses: accountOnly, ...own }],
    ['POST /api/keyring-rows/passphrase-registration', { url: '/api/keyring-rows/passphrase-registration', body: { registrationRequest: 'AAAA' }, statuses: '401 400 401 401 401 400', ...own }],
    ['GET /api/requests', { url: '/api/requests', statuses: accountOnly, ...own }],
    ['GET /api/vaults', { url: '/api/vaults', statuses: accountOnly, ...own }],
    ['POST /api/vaults', { url: '/api/vaults', body: { vaultId, tagKey: randomNonce(), ...sealed }, statuses: '401 409 401 401 401 409', ...own }],
    ['DELETE /api/keyring-rows/{rowId}', { url: `/api/keyring-rows/${keyringRow?.rowId ?? ''}`, statuses: '401 404 401 401 401 404', ...own }],
  ]
}

/** Every route that belongs to somebody, those that end things last. */
async function rowsOf(things: Things): Promise<ReadonlyMap<string, Row>> {
  const { founder, link, investor } = things
  const arranged = await arrange(things)
  await nameInstanceAuditor(things.test.world, { email: founder.email, isRight: true })
  const { vaultId, grantId, nda, versionId, acceptance, signed, request } = arranged
  const { personId, begun, part, invitation, headers } = arranged
  const vault = `/api/vaults/${vaultId}`
  const gate = `/api/gate/${grantId}`
  const owner = { rightful: founder }
  const reader = { rightful: investor }
  const sealed = { titleSealed: 'AAAA' }
  const revision = founder.preparesRevision(link, { mayDownload: true })
  const vaultOnly = '401 404 401 401 401 404'
  return new Map<string, Row>([
    ...accountRows(things, arranged),
    // a vault's, for its founder
    ['GET /api/vaults/{vaultId}', { url: vault, statuses: vaultOnly, ...owner }],
    ['PUT /api/vaults/{vaultId}/title', { url: `${vault}/title`, body: sealed, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/events', { url: `${vault}/events`, statuses: '401 404 401 401 401 200', ...owner }],
    ['POST /api/vaults/{vaultId}/exports', { url: `${vault}/exports`, body: {}, statuses: '401 404 401 401 401 200', ...owner }],
    // the whole instance's, for whom the operator has named: here the founder
    ['GET /api/instance/events', { url: '/api/instance/events', statuses: vaultOnly, ...owner }],
    ['POST /api/instance/exports', { url: '/api/instance/exports', body: {}, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/invitations', { url: `${vault}/invitations`, statuses: vaultOnly, ...owner }],
    ['POST /api/vaults/{vaultId}/invitations', { url: `${vault}/invitations`, body: { email: 'a@b.example', withIdentities: true }, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/people', { url: `${vault}/people`, statuses: vaultOnly, ...owner }],
    ['POST /api/vaults/{vaultId}/ndas', { url: `${vault}/ndas`, body: { text: 'Text', title: 'T', templateId: 'x', templateVersion: 1, language: 'en' }, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/ndas/{sha256}', { url: `${vault}/ndas/${nda.sha256}`, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/uploads', { url: `${vault}/uploads`, statuses: vaultOnly, ...owner }],
    ['POST /api/vaults/{vaultId}/uploads', { url: `${vault}/uploads`, body: await founder.uploadBody(), statuses: vaultOnly, ...owner }],
    ['POST /api/vaults/{vaultId}/grants', { url: `${vault}/grants`, body: founder.preparesLink({ vaultId }, { decks: [], nda }).body, statuses: vaultOnly, ...owner }],
    ['GET /api/uploads/{versionId}', { url: `/api/uploads/${begun.upload.versionId}`, statuses: vaultOnly, ...owner }],
    ['PUT /api/uploads/{versionId}/parts/{index}', { url: `/api/uploads/${begun.upload.versionId}/parts/0`, ...part === undefined ? {} : { body: part }, headers: { 'x-content-sha256': encodeBase64Url(sha256(part ?? new Uint8Array())) }, statuses: vaultOnly, ...owner }],
    ['PUT /api/uploads/{versionId}/hash-list', { url: `/api/uploads/${begun.upload.versionId}/hash-list`, body: begun.hashList, statuses: vaultOnly, ...owner }],
    ['POST /api/uploads/{versionId}/complete', { url: `/api/uploads/${begun.upload.versionId}/complete`, body: founder.record(begun), statuses: vaultOnly, ...owner }],
    ['POST /api/grants/{grantId}/headers', { url: `/api/grants/${grantId}/headers`, body: { headers: link.decks.slice(1).map((deck) => founder.wraps(deck, link.grantIdBytes, link.keys.identity.recipient)) }, statuses: vaultOnly, ...owner }],
    ['POST /api/acceptances/{acceptanceId}/approve', { url: `/api/acceptances/${request.acceptanceId}/approve`, body: { headers }, statuses: vaultOnly, ...owner }],
    ['POST /api/acceptances/{acceptanceId}/headers', { url: `/api/acceptances/${request.acceptanceId}/headers`, body: { headers }, statuses: vaultOnly, ...owner }],
    ['GET /api/vaults/{vaultId}/approvals', { url: `${vault}/approvals`, statuses: vaultOnly, ...owner }],
    ['POST /api/vaults/{vaultId}/statements', { url: `${vault}/statements`, body: { grants: [], records: [], headers: [], recipients: [] }, statuses: vaultOnly, ...owner }],
    ['POST /api/acceptances/{acceptanceId}/deny', { url: `/api/acceptances/${request.acceptanceId}/deny`, statuses: vaultOnly, rightful: null }],
    // ciphertext and receipts
    ['POST /api/gate/{grantId}/releases', { url: `${gate}/releases`, body: {}, statuses: '401 401 404 403 201 401', ...reader }],
    ['GET /api/versions/{versionId}/payload', { url: `/api/versions/${versionId}/payload`, headers: RANGE, statuses: '401 404 404 403 404 404', ...reader }],
    ['GET /api/versions/{versionId}/hash-list', { url: `/api/versions/${versionId}/hash-list`, statuses: '401 404 404 403 404 404', ...reader }],
    ['GET /api/receipts/{eventId}', { url: `/api/receipts/${signed.receipts[0]?.eventId ?? ''}`, statuses: '401 404 404 403 404 404', ...reader }],
    // the gate, for an enrolled device of this link
    ['GET /api/gate/{grantId}/nda', { url: `${gate}/nda`, statuses: '401 401 404 403 200 401', ...reader }],
    ['GET /api/gate/{grantId}/evidence', { url: `${gate}/evidence`, statuses: '401 401 404 403 200 401', ...reader }],
    ['PUT /api/gate/{grantId}/device-headers', { url: `${gate}/device-headers`, body: { headers: [] }, statuses: '401 401 404 403 200 401', ...reader }],
    ['POST /api/gate/{grantId}/acceptances', { url: `${gate}/acceptances`, body: { acceptance }, statuses: '401 401 404 403 403 401', ...reader }],
    ['POST /api/gate/{grantId}/decline', { url: `${gate}/decline`, body: { decline: acceptance }, statuses: '401 401 404 403 400 401', rightful: null }],
    // what ends something
    ['POST /api/invitations/{invitationId}/accept', { url: `/api/invitations/${invitation.invitationId}/accept`, body: {}, statuses: vaultOnly, ...owner }],
    ['POST /api/invitations/{invitationId}/revoke', { url: `/api/invitations/${invitation.invitationId}/revoke`, body: {}, statuses: vaultOnly, ...owner }],
    ['DELETE /api/uploads/{versionId}', { url: `/api/uploads/${(await founder.beginsUpload({ vaultId })).upload.versionId}`, statuses: vaultOnly, ...owner }],
    ['POST /api/grants/{grantId}/revisions', { url: `/api/grants/${grantId}/revisions`, body: revision, statuses: vaultOnly, ...owner }],
    ['POST /api/grants/{grantId}/people/{personId}/revoke', { url: `/api/grants/${grantId}/people/${personId}/revoke`, statuses: vaultOnly, ...owner }],
    ['POST /api/grants/{grantId}/revoke', { url: `/api/grants/${grantId}/revoke`, statuses: vaultOnly, ...owner }],
    ['DELETE /api/vaults/{vaultId}', { url: vault, statuses: vaultOnly, ...owner }],
    ['DELETE /api/sessions', { url: '/api/sessions', statuses: accountOnly, rightful: null }],
  ])
}

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE']

function listRoutes({ app }: TestWorld): string[] {
  const paths = Object.entries(Object(app.swagger()['paths']))
  return paths.flatMap(([path, methods]) =>
    Object.keys(Object(methods)).map((method) => `${method.toUpperCase()} ${path}`))
}

async function asks(browser: Browser, route: string, { url, body, headers }: Row): Promise<Answer> {
  const method = METHODS.find((one) => route.startsWith(`${one} `))
  if (method === undefined) throw new Error(`no such method: ${route}`)
  return await browser.asks(method, url, body, headers)
}

t.test('every route refuses everybody to whom it does not belong', async (t) => {
  const things = await stage(t)
  const rows = await rowsOf(things)
  const known = [...rows.keys(), ...PUBLIC]
  const routes = listRoutes(things.test)
  t.same(routes.filter((route) => !known.includes(route)), [], 'every route has its row')
  t.same([...rows.keys()].filter((route) => !routes.includes(route)), [], 'and every row its route')
  for (const [route, row] of rows) {
    const statuses: number[] = []
    for (const stranger of things.strangers) {
      statuses.push((await asks(stranger, route, row)).statusCode)
    }
    t.equal(statuses.join(' '), row.statuses, `${route}: ${STRANGERS.join(', ')}`)
  }
  for (const [route, row] of rows) {
    if (row.rightful === null) continue
    const { statusCode, rawPayload } = await asks(row.rightful, route, row)
    t.ok(statusCode < 300, `${route} ${statusCode} ${statusCode < 300 ? '' : rawPayload.toString()}`)
  }
  await checkLog(t, things.test.world)
})

t.test('a thing that is not there is answered like one that is not yours', async (t) => {
  const { founder, link, strangers: [, other] } = await stage(t)
  if (other === undefined) return t.fail('another founder')
  const absent = uuidv7()
  const pairs = [
    [`/api/vaults/${link.vaultId}`, `/api/vaults/${absent}`],
    [`/api/vaults/${link.vaultId}/events`, `/api/vaults/${absent}/events`],
    [`/api/versions/${link.decks[0]?.stored.versionId ?? ''}/hash-list`, `/api/versions/${absent}/hash-list`],
  ] as const
  for (const [theirs, nothing] of pairs) {
    const [one, two] = [await other.asks('GET', theirs), await other.asks('GET', nothing)]
    const { requestId: _one, ...there } = one.json<{ requestId: string }>()
    const { requestId: _two, ...absentBody } = two.json<{ requestId: string }>()
    t.same([one.statusCode, there], [two.statusCode, absentBody], theirs)
    t.equal((await founder.asks('GET', theirs)).statusCode, 200)
  }
})
