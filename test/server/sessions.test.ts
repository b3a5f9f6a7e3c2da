// Goal: a session and the ways into it are its owner's alone: passkeys that verify, a fresh proof for changes,
// refresh tokens that are good once, tokens that cannot be forged.
// Method: founders with a software authenticator over the real API; hostile tokens, copies, thieves.
import t from 'tap'
import { challenges, sessions } from '../../db/schema.js'
import type { KeyringRowList, SignedIn } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { makeAuthenticator } from '../helpers/authenticator.js'
import { takeMail } from '../helpers/mailbox.js'
import { Browser, Founder, type Answer } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

const MINUTE_MS = 60_000
/** Many founders sign up in one world. */
const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

t.test('a passkey', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  t.test('signs in without an address, and its answer is good once', async (t) => {
    const founder = new Founder(test, 'Barbara')
    const authenticator = founder.newAuthenticator()
    await founder.createsAccountWithPasskey(authenticator)
    const browser = new Founder(test, 'Barbara')
    const begun = await browser.posts<{ challengeId: string, options: unknown }>('/api/sessions/passkey-options')
    const body = { challengeId: begun.challengeId, response: authenticator.get(begun.options) }
    const answer = await browser.does('POST', '/api/sessions/passkey', body)
    t.match(answer.json<SignedIn>(), { account: { userId: founder.userId }, row: { method: 'passkey' } })
    t.equal(codeOf(await browser.asks('POST', '/api/sessions/passkey', body)), 'sign-in-failed', 'replayed')
    await checkLog(t, test.world, { events: [] })
  })

  t.test('is refused for another challenge, another origin, another key, without verification, or as a copy', async (t) => {
    const founder = new Founder(test, 'Carol')
    const authenticator = founder.newAuthenticator()
    await founder.createsAccountWithPasskey(authenticator)
    const browser = new Founder(test, 'Carol')
    t.equal((await browser.asksToSignIn(authenticator)).statusCode, 200)

    const begun = await browser.posts<{ challengeId: string, options: object }>('/api/sessions/passkey-options')
    const other = { ...begun.options, challenge: encodeBase64Url(new Uint8Array(32)) }
    const answer = await browser.asks('POST', '/api/sessions/passkey', {
      challengeId: begun.challengeId, response: authenticator.get(other),
    })
    t.equal(codeOf(answer), 'sign-in-failed', 'another challenge')
    authenticator.origin = 'https://evil.example'
    t.equal(codeOf(await browser.asksToSignIn(authenticator)), 'sign-in-failed', 'another origin')
    authenticator.origin = test.world.config.publicUrl
    const stranger = founder.newAuthenticator()
    stranger.create({ user: { id: 'AAAA' }, challenge: 'AAAA' })
    t.equal(codeOf(await browser.asksToSignIn(stranger)), 'sign-in-failed', 'another key')
    authenticator.counter = 0
    t.equal(codeOf(await browser.asksToSignIn(authenticator)), 'sign-in-failed', 'a copy that counts from the start')

    const careless = new Founder(test, 'GraceCarol')
    const emailProof = await careless.provesEmail()
    const options = await careless.posts<{ userId: string, challengeId: string, options: unknown }>('/api/accounts/passkey-options', { emailProof })
    careless.userId = options.userId
    const unverified = makeAuthenticator(test.world.config.publicUrl, 0x01).create(options.options)
    const made = await careless.asks('POST', '/api/accounts', careless.accountBody(emailProof, careless.passkeyRow(options.challengeId, unverified)))
    t.equal(codeOf(made), 'sign-in-failed', 'a device that does not ask who is there')
  })

  t.test('with what unlocks the root in its answer is refused: it must not leave the browser', async (t) => {
    const founder = new Founder(test, 'Dora')
    const authenticator = founder.newAuthenticator()
    await founder.createsAccountWithPasskey(authenticator)
    const begun = await founder.posts<{ challengeId: string, options: unknown }>('/api/sessions/passkey-options')
    const response = { ...Object(authenticator.get(begun.options)), clientExtensionResults: { prf: { results: { first: 'AAAA' } } } }
    const answer = await founder.asks('POST', '/api/sessions/passkey', { challengeId: begun.challengeId, response })
    t.equal(codeOf(answer), 'bad-request')
  })

  t.test('offered to one account does not fit another', async (t) => {
    const [founder, other] = [await new Founder(test, 'Edith').signsUp(), await new Founder(test, 'GraceEdith').signsUp()]
    const begun = await other.posts<{ challengeId: string, options: unknown }>('/api/keyring-rows/passkey-options')
    const made = founder.newAuthenticator().create(begun.options)
    const row = founder.passkeyRow(begun.challengeId, made)
    t.equal(codeOf(await founder.asks('POST', '/api/keyring-rows', row)), 'sign-in-failed')
  })
})

t.test('ways in', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  t.test('change only with a fresh proof, each time with a mail, and never down to none', async (t) => {
    const founder = await new Founder(test, 'Mary').signsUp()
    t.ok(await takeMail(test.world, founder.email, /new way into your account/))
    const { rows } = await founder.gets<KeyringRowList>('/api/keyring-rows')
    t.same(rows.map(({ method }) => method), ['passphrase', 'recovery'])
    const passphrase = rows[0]?.rowId ?? ''
    t.equal(codeOf(await founder.asks('DELETE', `/api/keyring-rows/${passphrase}`)), 'last-way-in')
    t.equal((await founder.addsPasskey()).statusCode, 201)
    t.ok(await takeMail(test.world, founder.email, /new way into your account/))
    t.equal((await founder.asks('DELETE', `/api/keyring-rows/${passphrase}`)).statusCode, 200)
    t.ok(await takeMail(test.world, founder.email, /was removed/))
    t.equal(codeOf(await founder.asks('DELETE', `/api/keyring-rows/${passphrase}`)), 'not-found')

    test.clock.advance(29 * MINUTE_MS)
    founder.keepsSession(await founder.does('POST', '/api/sessions/refresh'))
    test.clock.advance(2 * MINUTE_MS)
    t.equal(codeOf(await founder.addsPasskey()), 'proof-stale')
    t.equal(codeOf(await founder.asks('DELETE', `/api/keyring-rows/${rows[1]?.rowId ?? ''}`)), 'proof-stale')
  })

  t.test('of another account look absent', async (t) => {
    const [founder, stranger] = [await new Founder(test, 'Noor').signsUp(), await new Founder(test, 'MalloryNoor').signsUp()]
    const { rows } = await founder.gets<KeyringRowList>('/api/keyring-rows')
    t.equal(codeOf(await stranger.asks('DELETE', `/api/keyring-rows/${rows[0]?.rowId ?? ''}`)), 'not-found')
  })

  t.test('a new passphrase takes the place of the old', async (t) => {
    const founder = await new Founder(test, 'Olga').signsUp()
    t.equal((await founder.addsPassphrase()).statusCode, 201)
    const { rows } = await founder.gets<KeyringRowList>('/api/keyring-rows')
    t.equal(rows.filter(({ method }) => method === 'passphrase').length, 1)
    t.equal((await founder.signsInWithPassphrase()).row?.rowId, rows.find(({ method }) => method === 'passphrase')?.rowId)
  })

  t.test('a row id or a passkey that is taken is a conflict', async (t) => {
    const founder = await new Founder(test, 'Pia').signsUp()
    const row = founder.recoveryRow()
    t.equal((await founder.asks('POST', '/api/keyring-rows', row)).statusCode, 201)
    t.equal(codeOf(await founder.asks('POST', '/api/keyring-rows', row)), 'conflict')
  })
})

t.test('sessions', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  async function signedUp(name: string): Promise<{ founder: Founder }> {
    return { founder: await new Founder(test, name).signsUp() }
  }

  t.test('go on with the cookie, and end when a token comes twice', async (t) => {
    const { founder } = await signedUp('Rosa')
    const stolen = founder.refreshCookie
    founder.keepsSession(await founder.does('POST', '/api/sessions/refresh'))
    t.not(founder.refreshCookie, stolen, 'a token is used once')
    const thief = new Browser(test)
    thief.refreshCookie = stolen
    test.clock.advance(11_000)
    t.equal(codeOf(await thief.asks('POST', '/api/sessions/refresh')), 'not-signed-in')
    t.equal(codeOf(await founder.asks('GET', '/api/account')), 'not-signed-in', 'the owner is signed out with the thief')
  })

  t.test('of two tabs that renew at once both go on', async (t) => {
    const { founder } = await signedUp('Sofia')
    const answers = await Promise.all([1, 2].map(() => founder.asks('POST', '/api/sessions/refresh')))
    t.same(answers.map(({ statusCode }) => statusCode), [200, 200])
  })

  t.test('end with sign-out, at once', async (t) => {
    const { founder } = await signedUp('Tu')
    const answer = await founder.does('DELETE', '/api/sessions')
    t.match(answer.headers['clear-site-data'], /cookies/)
    t.equal(codeOf(await founder.asks('GET', '/api/account')), 'not-signed-in')
    t.equal(codeOf(await founder.asks('POST', '/api/sessions/refresh')), 'not-signed-in')
  })

  t.test('run out: the access token after ten minutes, all of it after half an hour of rest', async (t) => {
    const { founder } = await signedUp('Uma')
    test.clock.advance(10 * MINUTE_MS + 1_000)
    t.equal(codeOf(await founder.asks('GET', '/api/account')), 'not-signed-in')
    founder.keepsSession(await founder.does('POST', '/api/sessions/refresh'))
    t.equal((await founder.asks('GET', '/api/account')).statusCode, 200)
    test.clock.advance(31 * MINUTE_MS)
    t.equal(codeOf(await founder.asks('POST', '/api/sessions/refresh')), 'not-signed-in')
  })

  t.test('keep no token in the database', async (t) => {
    const { founder } = await signedUp('Vera')
    const { db } = test.world
    const kept = [await db.select().from(sessions), await db.select().from(challenges)]
    const rows = JSON.stringify(kept)
    t.notMatch(rows, (founder.refreshCookie ?? '').split('.')[1] ?? '')
    t.notMatch(rows, founder.accessToken ?? '')
  })
})

t.test('hostile tokens are all 401, with one body', async (t) => {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const token = founder.accessToken ?? ''
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims: object = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const emailProof = await founder.provesEmail('recover')
  const headers = [
    { alg: 'none', typ: 'JWT' }, { alg: 'None' }, { alg: 'HS256', typ: 'JWT' }, { alg: 'EdDSA', typ: 'at+jwt' },
    { alg: 'EdDSA', typ: 'JWT', kid: '../../key' }, { alg: 'EdDSA', typ: 'JWT', jku: 'https://evil.example' },
    { alg: 'EdDSA', typ: 'JWT', jwk: {} }, { alg: 'EdDSA', typ: 'JWT', crit: ['exp'] }, { alg: ['EdDSA'] }, null, [],
  ]
  const payloads = [
    { ...claims, aud: 'investor' }, { ...claims, exp: 99_999_999_999 }, { ...claims, exp: '99999999999' }, { ...claims, sub: null },
    { ...claims, iss: 'https://evil.example' }, { ...claims, sid: { $ne: null } }, {}, null, 'text',
  ]
  const hostile = [
    '', 'a', 'a.b', 'a.b.c', '..', '...', `${token}.`, `.${token}`, `${header}.${payload}.`, `${header}.${payload}`,
    `${header}.${payload}.${signature.slice(0, -2)}`, `${header}.${payload}.${signature}=`, `${header}.${payload}.${'A'.repeat(86)}`,
    emailProof, 'A'.repeat(5_000), token.toUpperCase(),
    ...headers.flatMap((one) => [`${encode(one)}.${payload}.${signature}`, `${encode(one)}.${payload}.`]),
    ...payloads.map((one) => `${header}.${encode(one)}.${signature}`),
  ]
  const bodies = new Set<string>()
  for (const one of hostile) {
    const answer = await founder.asks('GET', '/api/account', undefined, { authorization: `Bearer ${one}` })
    t.equal(answer.statusCode, 401, one.slice(0, 60))
    bodies.add(JSON.stringify({ ...answer.json<object>(), requestId: '' }))
  }
  for (const authorization of ['', 'Bearer', `bearer ${token}`, `Basic ${token}`, `Bearer  ${token}`, `Bearer ${token} x`]) {
    t.equal((await founder.asks('GET', '/api/account', undefined, { authorization })).statusCode, 401, authorization.slice(0, 20))
  }
  t.equal(bodies.size, 1)
  t.equal((await founder.asks('GET', '/api/account')).statusCode, 200, 'the good one is good')
})
