// Goal: one gets into an account by what one has proven and by nothing else, and no answer tells a stranger
// who has an account.
// Method: founders sign up, sign in and recover over the real API with real OPAQUE and WebAuthn; the log is
// checked to be unchanged, since nothing is shared.
import { client as opaque, ready as opaqueReady } from '@serenity-kit/opaque'
import t from 'tap'
import { emailCodes, keyringRows, rateCounters, users } from '../../db/schema.js'
import type { Account, EmailChallenge, KeyringRowList, PassphraseLogin } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { deriveRecoveryAuth, makeRecoveryCode } from '../../protocol/deck/identity.js'
import { takeCode, takeMail } from '../helpers/mailbox.js'
import { Browser, Founder, type Answer } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

const MINUTE_MS = 60_000
/** Many founders sign up in one world. */
const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

async function requestsCode(browser: Browser, email: string, purpose = 'sign-up'): Promise<Answer> {
  return await browser.asks('POST', '/api/email-codes', { email, purpose, locale: 'en' })
}

async function tries(browser: Browser, challengeId: string, code: string): Promise<Answer> {
  return await browser.asks('POST', '/api/email-codes/proof', { challengeId, code })
}

function wrongCode(code: string): string {
  return code === '00000000' ? '00000001' : '00000000'
}

for (const engines of ENGINES) {
  t.test(`accounts on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: ROOMY })
    t.test('signing up and in with a passphrase', async (t) => {
      const founder = await new Founder(test).signsUp()
      const account = await founder.gets<Account>('/api/account')
      t.match(account, { userId: founder.userId, email: 'ada@fund.example', name: 'Ada', isRecoveryConfirmed: true })

      const other = new Founder(test)
      other.userId = founder.userId
      const proven = await other.provesPassphrase()
      t.equal(proven?.answer.statusCode, 200)
      t.equal(other.accessToken, null, 'a right passphrase alone signs nobody in')
      const code = await takeCode(test.world, founder.email)
      const { challengeId } = proven?.answer.json<EmailChallenge>() ?? { challengeId: '' }
      const signedIn = other.keepsSession(await other.does('POST', '/api/sessions/passphrase', { challengeId, code }))
      const row = signedIn.row
      if (row === null || proven === null) return t.fail('the row comes with the session')
      t.same(founder.unlocksRoot(row, proven.exportKey), founder.root, 'the row unlocks the root')
      t.equal(codeOf(await other.asks('POST', '/api/sessions/passphrase', { challengeId, code })), 'code-expired', 'once')
      t.equal(await other.provesPassphrase('correct horse battery stable'), null, 'a wrong passphrase fails in the browser')
      await checkLog(t, test.world, { events: [] })
    })

    t.test('codes are tried five times, however many at once', async (t) => {
      const browser = new Browser(test)
      const { challengeId } = (await requestsCode(browser, 'barbara@fund.example')).json<EmailChallenge>()
      const code = await takeCode(test.world, 'barbara@fund.example')
      const wrong = Array.from({ length: 100 }, () => tries(browser, challengeId, wrongCode(code)))
      const answers = (await Promise.all(wrong)).map(codeOf)
      t.equal(answers.filter((one) => one === 'code-wrong').length, 5, 'five are compared')
      t.equal(answers.filter((one) => one === 'code-expired').length, 95, 'the rest find nothing to try')
      t.equal(codeOf(await tries(browser, challengeId, code)), 'code-expired', 'and the right one comes too late')
    })

    t.test('a right code is good once, however many at once', async (t) => {
      const browser = new Browser(test)
      const { challengeId } = (await requestsCode(browser, 'carol@fund.example')).json<EmailChallenge>()
      const code = await takeCode(test.world, 'carol@fund.example')
      const attempts = Array.from({ length: 20 }, () => tries(browser, challengeId, code))
      const answers = await Promise.all(attempts)
      t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
    })

    t.test('two removals at once leave one way in', async (t) => {
      const founder = await new Founder(test, 'Dora').signsUp()
      t.equal((await founder.addsPasskey()).statusCode, 201)
      const { rows } = await founder.gets<KeyringRowList>('/api/keyring-rows')
      const doomed = rows.filter(({ method }) => method !== 'recovery')
      const answers = await Promise.all(doomed.map(({ rowId }) => founder.asks('DELETE', `/api/keyring-rows/${rowId}`)))
      t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 409])
      const left = await founder.gets<KeyringRowList>('/api/keyring-rows')
      t.equal(left.rows.filter(({ method }) => method !== 'recovery').length, 1)
    })
  })
}

t.test('codes', async (t) => {
  t.test('open nothing in another browser, after ten minutes, or for another purpose', async (t) => {
    const test = await startWorld(t)
    const browser = new Browser(test)
    const { challengeId } = (await requestsCode(browser, 'ada@fund.example')).json<EmailChallenge>()
    const code = await takeCode(test.world, 'ada@fund.example')
    t.equal(codeOf(await tries(browser, encodeBase64Url(new Uint8Array(16)), code)), 'code-expired', 'another browser')
    t.equal(codeOf(await browser.asks('POST', '/api/sessions/passphrase', { challengeId, code })), 'code-expired', 'another purpose')
    test.clock.advance(10 * MINUTE_MS)
    t.equal(codeOf(await tries(browser, challengeId, code)), 'code-expired', 'late')
  })

  t.test('are neither in the table nor in the log lines', async (t) => {
    const test = await startWorld(t)
    const { challengeId } = (await requestsCode(new Browser(test), 'ada@fund.example')).json<EmailChallenge>()
    const code = await takeCode(test.world, 'ada@fund.example')
    const [row] = await test.world.db.select().from(emailCodes)
    t.notMatch(JSON.stringify(row), new RegExp(`${code}|${challengeId}`))
    t.notMatch(test.logLines.join(''), new RegExp(`${code}|${challengeId}|ada@fund`))
  })

  t.test('are sent five times an hour to one address, and twenty times to one network', async (t) => {
    const test = await startWorld(t)
    const browser = new Browser(test)
    for (let count = 0; count < 5; count++) t.equal((await requestsCode(browser, 'ada@fund.example')).statusCode, 200)
    t.equal(codeOf(await requestsCode(browser, 'ADA@fund.example')), 'too-many-requests')
    const before = (await test.world.db.select().from(emailCodes)).length
    t.equal(before, 5, 'a refusal leaves no challenge')
    for (let count = 0; count < 14; count++) {
      t.equal((await requestsCode(browser, `ada${count}@fund.example`)).statusCode, 200)
    }
    t.equal(codeOf(await requestsCode(browser, 'grace@fund.example')), 'too-many-requests')
    test.clock.advance(60 * MINUTE_MS)
    t.equal((await requestsCode(browser, 'ada@fund.example')).statusCode, 200, 'an hour later')
    t.ok((await test.world.db.select().from(rateCounters)).length > 0)
  })

  t.test('come in the language that was asked for', async (t) => {
    const test = await startWorld(t)
    await new Browser(test).does('POST', '/api/email-codes', { email: 'ada@fund.example', purpose: 'sign-up', locale: 'ru' })
    t.ok(await takeMail(test.world, 'ada@fund.example', /^\d{4} \d{4} — ваш код/))
  })
})

t.test('who has an account', async (t) => {
  t.test('is told to the mailbox alone', async (t) => {
    const test = await startWorld(t)
    const founder = await new Founder(test).signsUp()
    const browser = new Browser(test)
    const shape = (answer: Answer) =>
      [answer.statusCode, Object.keys(answer.json<object>()), answer.rawPayload.length]

    t.same(shape(await requestsCode(browser, founder.email)), shape(await requestsCode(browser, 'not@fund.example')))
    t.ok(await takeMail(test.world, founder.email, /already have an account/))
    t.ok(await takeMail(test.world, 'not@fund.example', /is your code/))

    t.same(shape(await requestsCode(browser, founder.email, 'recover')), shape(await requestsCode(browser, 'nix@fund.example', 'recover')))
    t.ok(await takeMail(test.world, founder.email, /is your code/))
    t.ok(await takeMail(test.world, 'nix@fund.example', /No account/))
  })

  t.test('cannot be read from OPAQUE\'s first answer', async (t) => {
    await opaqueReady
    const test = await startWorld(t)
    const founder = await new Founder(test).signsUp()
    const browser = new Browser(test)
    const { startLoginRequest } = opaque.startLogin({ password: 'whatever it may be' })
    const ask = async (email: string) => await browser.posts<PassphraseLogin>('/api/sessions/passphrase-start', {
      email, startLoginRequest, locale: 'en',
    })
    const [known, unknown, again] = [await ask(founder.email), await ask('not@fund.example'), await ask('not@fund.example')]
    t.equal(known.loginResponse.length, unknown.loginResponse.length)
    t.equal(unknown.loginResponse.slice(0, 40), again.loginResponse.slice(0, 40), 'a stranger\'s answer stays the same, too')
    for (const login of [known, unknown]) {
      const answer = await browser.asks('POST', '/api/sessions/passphrase-finish', {
        loginId: login.loginId, finishLoginRequest: encodeBase64Url(new Uint8Array(64)),
      })
      t.equal(codeOf(answer), 'sign-in-failed')
    }
  })

  t.test('an address that only looks alike is another account', async (t) => {
    const test = await startWorld(t)
    await new Founder(test, 'ace').signsUp()
    const double = new Founder(test, '\u0430ce')
    t.not(double.email, 'ace@fund.example')
    await double.createsAccount()
    t.equal((await test.world.db.select().from(users)).length, 2)
  })
})

t.test('signing up', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  t.test('needs a proof for this purpose, once', async (t) => {
    const founder = new Founder(test, 'Frances')
    const emailProof = await founder.provesEmail()
    await founder.createsAccountWithProof(emailProof)
    const again = new Founder(test, 'Frances')
    const second = await again.asks('POST', '/api/accounts', again.accountBody(emailProof, await again.newPassphrase(emailProof)))
    t.equal(codeOf(second), 'account-exists')
    const recoverProof = await founder.provesEmail('recover')
    t.equal(codeOf(await again.asks('POST', '/api/accounts/passkey-options', { emailProof: recoverProof })), 'email-unverified')
    t.equal(codeOf(await again.asks('POST', '/api/accounts/passkey-options', {})), 'email-unverified')
    t.equal(codeOf(await again.asks('POST', '/api/accounts/passkey-options', { emailProof: founder.accessToken ?? '' })), 'email-unverified')
    test.clock.advance(31 * MINUTE_MS)
    t.equal(codeOf(await again.asks('POST', '/api/recovery', { emailProof: recoverProof, recoveryAuth: encodeBase64Url(new Uint8Array(32)) })), 'email-unverified', 'late')
    t.equal((await test.world.db.select().from(users)).length, 1)
  })

  t.test('is refused with a key of low order, or with a recovery code as the only way in', async (t) => {
    const founder = new Founder(test, 'Hedy')
    const emailProof = await founder.provesEmail()
    const newRow = await founder.newPassphrase(emailProof)
    const lowOrder = encodeBase64Url(Uint8Array.of(1, ...new Uint8Array(31)))
    const body = { ...founder.accountBody(emailProof, newRow), signingKey: lowOrder }
    t.equal(codeOf(await founder.asks('POST', '/api/accounts', body)), 'bad-request')
    t.equal(codeOf(await founder.asks('POST', '/api/accounts', founder.accountBody(emailProof, founder.recoveryRow()))), 'bad-request')
    const mixed = { ...founder.recoveryRow(), passphrase: { registrationRecord: 'AAAA' } }
    t.equal(codeOf(await founder.asks('POST', '/api/accounts', founder.accountBody(emailProof, mixed))), 'bad-request')
    const email = founder.email
    t.same((await test.world.db.select().from(users)).filter((user) => user.email === email), [])
    t.same((await test.world.db.select().from(keyringRows)).filter(({ method }) => method === 'recovery'), [])
  })
})

t.test('recovery', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  t.test('takes the address and the code, gives the row back, and is told by mail', async (t) => {
    const founder = await new Founder(test, 'Ida').signsUp()
    const lost = new Founder(test, 'Ida')
    lost.userId = founder.userId
    const emailProof = await lost.provesEmail('recover')
    const wrong = encodeBase64Url(deriveRecoveryAuth(makeRecoveryCode()))
    t.equal(codeOf(await lost.asks('POST', '/api/recovery', { emailProof, recoveryAuth: wrong })), 'recovery-failed')
    const recoveryAuth = encodeBase64Url(deriveRecoveryAuth(founder.recoveryCode))
    const signedIn = lost.keepsSession(await lost.does('POST', '/api/recovery', { emailProof, recoveryAuth }))
    if (signedIn.row === null) return t.fail('the row comes with the session')
    t.same(lost.unlocksRoot(signedIn.row, founder.recoveryCode), founder.root)
    t.ok(await takeMail(test.world, founder.email, /recovery code was used/))
    t.equal((await lost.addsPassphrase()).statusCode, 201, 'and a new way in can be made')
  })

  t.test('with a proof of somebody else\'s address is refused', async (t) => {
    const founder = await new Founder(test, 'Joan').signsUp()
    const stranger = await new Founder(test, 'MalloryJoan').signsUp()
    const emailProof = await stranger.provesEmail('recover')
    const recoveryAuth = encodeBase64Url(deriveRecoveryAuth(founder.recoveryCode))
    t.equal(codeOf(await stranger.asks('POST', '/api/recovery', { emailProof, recoveryAuth })), 'recovery-failed')
  })

  t.test('code that was replaced ends when the new one is confirmed', async (t) => {
    const founder = await new Founder(test, 'Karen').signsUp()
    const next = makeRecoveryCode()
    await founder.posts('/api/keyring-rows', founder.recoveryRow(next))
    const recovers = async (code: Uint8Array) => await founder.asks('POST', '/api/recovery', {
      emailProof: await founder.provesEmail('recover'), recoveryAuth: encodeBase64Url(deriveRecoveryAuth(code)),
    })
    t.equal((await recovers(founder.recoveryCode)).statusCode, 200, 'until then the old one is good')
    await founder.posts('/api/account/recovery-confirmed')
    t.equal(codeOf(await recovers(founder.recoveryCode)), 'recovery-failed')
    t.equal((await recovers(next)).statusCode, 200)
  })

  t.test('cannot be confirmed without a code', async (t) => {
    const founder = new Founder(test, 'Lise')
    await founder.createsAccount()
    t.equal(codeOf(await founder.asks('POST', '/api/account/recovery-confirmed', {})), 'recovery-unconfirmed')
  })
})
