// Goal: people get into their accounts by every way, on the built client under its own policy, and what
// unlocks an account never leaves the browser.
// Method: the real server and a real Chromium; a virtual authenticator with PRF, and one without; every
// request is searched for what was typed.
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import type { SignedIn } from '../../protocol/api.js'
import { findViolations } from '../helpers/axe.js'
import { openProfile, useChromium, type Profile } from '../helpers/chromium.js'
import { takeCode, takeMail } from '../helpers/mailbox.js'
import type { TestWorld } from '../helpers/world.js'
import { serveWorld } from './serve.js'

/** What the browser itself says of the one refusal in the first test. */
const CONFLICT = 'Failed to load resource: the server responded with a status of 409 (Conflict)'
const PASSPHRASE = 'zebra lantern quartz meadow'

const browser = await useChromium(t)
const { world, origin } = await serveWorld(t)

async function typeCode(page: Page, from: TestWorld, email: string): Promise<void> {
  await page.getByLabel('Code from the mail').fill(await takeCode(from.world, email))
}

/** As far as the choice of a first way in. */
async function beginSignUp({ page }: Profile, email: string): Promise<void> {
  await page.goto(`${origin}/sign-up`)
  await page.getByLabel('Your name').fill('Ada Lovelace')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await typeCode(page, world, email)
  await page.getByRole('heading', { name: 'How will you unlock your keys?' }).waitFor()
}

/** @returns the code that was shown, group by group. */
async function confirmRecoveryCode(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'I have kept it' }).waitFor()
  const groups = await page.locator('main ol code').allTextContents()
  await page.getByRole('button', { name: 'I have kept it' }).click()
  for (const field of await page.getByLabel(/^Group \d$/).all()) {
    const label = await field.evaluate((input) =>
      input instanceof HTMLInputElement ? input.labels?.[0]?.textContent ?? '' : '')
    await field.fill(groups[Number(/\d/.exec(label)?.[0]) - 1]?.toLowerCase() ?? '')
  }
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('heading', { name: 'Your recovery code is confirmed' }).waitFor()
  return groups
}

async function signInWithPassphrase(page: Page, email: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Passphrase').fill(PASSPHRASE)
  await page.getByRole('button', { name: 'Continue' }).click()
  await typeCode(page, world, email)
}

/** What a dishonest server could answer instead, and the words that refuse it. */
const SWAPS: readonly (readonly [string, (signedIn: SignedIn) => SignedIn])[] = [
  ['The server told other keys than your own.', (signedIn) => ({
    ...signedIn, account: { ...signedIn.account, signingKey: 'A'.repeat(43) },
  })],
  ['The server told other keys than your own.', (signedIn) => ({
    ...signedIn, account: { ...signedIn.account, recipient: 'age1pq1qqqq' },
  })],
  ['This does not open your keys, or what the server keeps for you was changed.', (signedIn) => ({
    ...signedIn, row: signedIn.row && { ...signedIn.row, commit: 'A'.repeat(43) },
  })],
  ['This does not open your keys, or what the server keeps for you was changed.', (signedIn) => ({
    ...signedIn, row: signedIn.row && { ...signedIn.row, method: 'recovery' },
  })],
]

async function refusesSwaps(t: Test, page: Page): Promise<void> {
  const path = '**/api/sessions/passkey'
  for (const [words, swap] of SWAPS) {
    await page.route(path, async (route) => {
      const response = await route.fetch()
      const signedIn: SignedIn = await response.json()
      await route.fulfill({ response, json: swap(signedIn) })
    })
    await page.getByRole('button', { name: 'Unlock with a passkey' }).click()
    await page.getByText(words).waitFor()
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Unlock your keys', words)
    await page.unroute(path)
  }
}

function searched(profile: Profile): string {
  const decoder = new TextDecoder()
  return profile.requests.map(({ url, headers, body }) => `${url}\n${JSON.stringify(headers)}\n${decoder.decode(body)}`).join('\n')
}

t.test('a passkey makes an account, opens it again after a reload, and gives way to a passphrase', async (t) => {
  const email = 'ada@fund.example'
  const ada = await openProfile(browser)
  const { page } = ada
  await beginSignUp(ada, email)
  await page.getByRole('button', { name: 'Create a passkey' }).click()
  const groups = await confirmRecoveryCode(page)

  await page.goto(`${origin}/account`)
  await page.getByRole('heading', { name: 'Unlock your keys' }).waitFor()
  await t.test('a server that swaps keys or rows unlocks nothing', async (t) => {
    await refusesSwaps(t, page)
  })
  await page.getByRole('button', { name: 'Unlock with a passkey' }).click()
  await page.getByText('Recovery code', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Add a passphrase' }).click()
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE.slice(0, 14))
  await page.getByRole('button', { name: 'Add a passphrase' }).last().click()
  await page.getByText('One more character is needed.').waitFor()
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
  await page.getByRole('button', { name: 'Add a passphrase' }).last().click()
  await page.getByText('Added. It works from now on.').waitFor()
  await page.getByRole('button', { name: /^Remove: Passkey/ }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('Removed. It opens nothing any more.').waitFor()
  await page.getByRole('button', { name: 'Remove: Passphrase' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('This is the last way into your account.').waitFor()

  const requests = searched(ada)
  t.notOk(requests.includes(PASSPHRASE), 'the passphrase was not sent')
  t.notOk(requests.includes(groups.join('-')) || requests.includes(groups[0] ?? ''), 'nor was the recovery code')
  t.notMatch(requests, /"prf"/, 'nor anything of the passkey\'s secret')
  const kept = await page.evaluate(
    () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  t.notMatch(kept, /[A-Za-z0-9_-]{43}/, 'nothing that looks like a key is kept in the page\'s stores')
  t.same(ada.complaints, [CONFLICT], 'the page complains of nothing but the one refusal')
  await ada.close()

  t.test('the passphrase opens it elsewhere', async (t) => {
    const elsewhere = await openProfile(browser, { passkey: 'none' })
    await elsewhere.page.goto(`${origin}/account`)
    await elsewhere.page.getByLabel('E-mail address').fill(email)
    await elsewhere.page.getByLabel('Passphrase').fill('zebra lantern quartz meadows')
    await elsewhere.page.getByRole('button', { name: 'Continue' }).click()
    await elsewhere.page.getByText('The address or the passphrase is wrong.').waitFor()
    t.equal(await elsewhere.page.getByLabel('Passphrase').inputValue(), '', 'the field was emptied')
    await signInWithPassphrase(elsewhere.page, email)
    await elsewhere.page.getByRole('heading', { name: 'Ways into your account' }).waitFor()
    t.same(await findViolations(elsewhere.page), [], 'axe: ways in')
    t.notOk(searched(elsewhere).includes(PASSPHRASE))
    await elsewhere.page.getByRole('button', { name: 'Sign out' }).click()
    await elsewhere.page.reload()
    await elsewhere.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await elsewhere.close()
  })

  t.test('the recovery code opens it on another browser, and a new one takes its place', async (t) => {
    const other = await openProfile(browser)
    await recover(other.page, email, groups.join(' ').toLowerCase())
    await other.page.getByText('You came in with your recovery code.').waitFor()
    await other.page.getByRole('button', { name: 'Make a new recovery code' }).click()
    const renewed = await confirmRecoveryCode(other.page)
    t.not(renewed.join('-'), groups.join('-'))
    await other.close()

    const late = await openProfile(browser)
    await recover(late.page, email, groups.join('-'))
    await late.page.getByText('This recovery code does not open the account.').waitFor()
    await late.page.getByLabel('Recovery code').fill(renewed.join('-'))
    await late.page.getByRole('button', { name: 'Unlock my account' }).click()
    await late.page.getByRole('heading', { name: 'Ways into your account' }).waitFor()
    await late.close()
  })
})

async function recover(page: Page, email: string, code: string): Promise<void> {
  await page.goto(`${origin}/recover`)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await typeCode(page, world, email)
  await page.getByLabel('Recovery code').fill(code)
  await page.getByRole('button', { name: 'Unlock my account' }).click()
}

t.test('where a passkey has no secret, the passphrase is offered and does it', async (t) => {
  const email = 'grace@fund.example'
  const grace = await openProfile(browser, { passkey: 'no-prf' })
  const { page } = grace
  await beginSignUp(grace, email)
  await page.getByRole('button', { name: 'Create a passkey' }).click()
  await page.getByText(/^This passkey can sign you in but cannot unlock your keys/).waitFor()
  t.same(await findViolations(page), [], 'axe: first way in')
  await page.getByRole('textbox', { name: 'Passphrase' }).fill(PASSPHRASE)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Your recovery code', exact: true }).waitFor()
  t.same(await findViolations(page), [], 'axe: recovery code')
  await page.goto(`${origin}/account`)
  await page.getByRole('heading', { name: 'Unlock your keys' }).waitFor()
  t.same(await findViolations(page), [], 'axe: unlock')
  t.notOk(searched(grace).includes(PASSPHRASE))
  await grace.close()
})

t.test('an address that is taken is told so by mail, and to nobody on the screen', async (t) => {
  const email = 'grace@fund.example'
  const stranger = await openProfile(browser)
  await stranger.page.goto(`${origin}/sign-up`)
  await stranger.page.getByLabel('Your name').fill('Not Grace')
  await stranger.page.getByLabel('E-mail address').fill(email)
  await stranger.page.getByRole('button', { name: 'Send me a code' }).click()
  await stranger.page.getByText(`We sent an 8-digit code to ${email}.`).waitFor()
  t.notMatch((await takeMail(world.world, email)).subject, /\d{4} \d{4}/, 'the mail has no code')
  await stranger.close()
})

t.test('the screens work on a phone, in Russian, in the dark, without sideways scrolling', async (t) => {
  const phone = await openProfile(browser, { isPhone: true, locale: 'ru', colorScheme: 'dark' })
  for (const path of ['/sign-in', '/sign-up', '/recover', '/nowhere']) {
    await phone.page.goto(`${origin}${path}`)
    await phone.page.locator('h1').waitFor()
    const overflow = await phone.page.evaluate(
      () => document.documentElement.scrollWidth - innerWidth)
    t.equal(overflow, 0, `${path} fits`)
    t.same(await findViolations(phone.page), [], `axe: ${path}`)
    t.match(await phone.page.locator('h1').textContent(), /[А-я]/, `${path} speaks Russian`)
  }
  t.same(phone.complaints, [])
  await phone.close()
})
