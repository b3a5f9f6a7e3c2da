// Goal: what keeps guessing out is counted over all instances: however many there are, a code is tried five times, an
// address gets five codes an hour, and a passphrase is tried thirty times.
// Method: two instances on one PostgreSQL, asked side by side; the flood limit, which is each instance's own, beside it.
import { join } from 'node:path'
import { client as opaque, ready as opaqueReady } from '@serenity-kit/opaque'
import t, { type Test } from 'tap'
import type { EmailChallenge } from '../../protocol/api.js'
import { EMAIL_CODES_PER_HOUR, EMAIL_CODE_TRY_COUNT } from '../../protocol/limits.js'
import type { Environment } from '../../server/config.js'
import { takeCode } from '../helpers/mailbox.js'
import { Browser, type Answer } from '../helpers/people.js'
import { startWorld, type TestWorld } from '../helpers/world.js'

const GUESS_COUNT = 40
const LOGINS_PER_HOUR = 30
const FLOOD_LIMIT = 10
const EMAIL = 'ada@fund.example'

/** The second has the first one's rows, keys and mails. */
async function startTwo(t: Test, settings: Environment = {}): Promise<[TestWorld, TestWorld]> {
  const first = await startWorld(t, { engines: 'real', settings })
  const shared = {
    DATA_DIR: join(first.folder, 'data'), DATABASE_URL: first.world.config.databaseUrl,
  }
  return [first, await startWorld(t, { engines: 'real', settings: { ...settings, ...shared } })]
}

function codeOf(answer: Answer): string {
  return answer.statusCode === 200 ? 'right' : answer.json<{ code: string }>().code
}

function countOf(answers: readonly Answer[], code: string): number {
  return answers.filter((answer) => codeOf(answer) === code).length
}

/** So many at once, every other one at the other instance. */
async function asksBoth(
  worlds: readonly TestWorld[], count: number, ask: (browser: Browser) => Promise<Answer>,
): Promise<Answer[]> {
  const browsers = worlds.map((world) => new Browser(world))
  const asked = Array.from({ length: count }, (_, index) => browsers[index % browsers.length])
  return await Promise.all(asked.flatMap((browser) => browser === undefined ? [] : [ask(browser)]))
}

t.test('limits over two instances', async (t) => {
  const worlds = await startTwo(t)
  const asksForCode = async (browser: Browser) =>
    await browser.asks('POST', '/api/email-codes', { email: EMAIL, purpose: 'sign-up', locale: 'en' })

  t.test('a code is tried five times', async (t) => {
    const { challengeId } = (await asksForCode(new Browser(worlds[0]))).json<EmailChallenge>()
    const code = await takeCode(worlds[0].world, EMAIL)
    const wrong = code === '00000000' ? '11111111' : '00000000'
    const tries = async (browser: Browser, guess: string) =>
      await browser.asks('POST', '/api/email-codes/proof', { challengeId, code: guess })
    const guesses = async (browser: Browser) => await tries(browser, wrong)
    const answers = await asksBoth(worlds, GUESS_COUNT, guesses)
    t.equal(countOf(answers, 'code-wrong'), EMAIL_CODE_TRY_COUNT)
    t.equal(countOf(answers, 'code-expired'), GUESS_COUNT - EMAIL_CODE_TRY_COUNT)
    for (const world of worlds) t.equal(codeOf(await tries(new Browser(world), code)), 'code-expired', 'also the right one')
  })

  t.test('an address gets five codes an hour', async (t) => {
    const answers = await asksBoth(worlds, GUESS_COUNT, asksForCode)
    t.equal(countOf(answers, 'right'), EMAIL_CODES_PER_HOUR - 1, 'one was asked for before')
    t.equal(countOf(answers, 'too-many-requests'), GUESS_COUNT - EMAIL_CODES_PER_HOUR + 1)
  })

  t.test('a passphrase is tried thirty times an hour', async (t) => {
    await opaqueReady
    const { startLoginRequest } = opaque.startLogin({ password: 'a guess' })
    const answers = await asksBoth(worlds, GUESS_COUNT, async (browser) => await browser.asks(
      'POST', '/api/sessions/passphrase-start', { email: EMAIL, startLoginRequest, locale: 'en' }))
    t.equal(countOf(answers, 'right'), LOGINS_PER_HOUR)
    t.equal(countOf(answers, 'too-many-requests'), GUESS_COUNT - LOGINS_PER_HOUR)
  })
})

t.test('the shield against floods is each instance\'s own', async (t) => {
  const settings = { RATE_LIMIT_PER_MINUTE: String(FLOOD_LIMIT) }
  for (const world of await startTwo(t, settings)) {
    const statuses: number[] = []
    for (let count = 0; count < FLOOD_LIMIT + 2; count++) {
      statuses.push((await world.app.inject({ url: '/api/config' })).statusCode)
    }
    t.same(statuses, [...Array.from({ length: FLOOD_LIMIT }, () => 200), 429, 429])
  }
})
