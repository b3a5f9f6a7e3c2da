/** An investor at the screens of the gate: does what people do, and counts what it took. */
import type { Browser, FrameLocator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { findViolations } from '../helpers/axe.js'
import { openProfile, type Profile, type ProfileOptions } from '../helpers/chromium.js'
import { takeCode } from '../helpers/mailbox.js'
import type { Link } from '../helpers/people.js'
import type { TestWorld } from '../helpers/world.js'

/** The viewer asks for something forbidden to learn whether its policy holds (web/viewer/protections.ts). */
const POLICY_PROBE = 'data:text/css'
/** A button that binds is deaf until it has been seen (web/investor/SignNda.tsx). */
const READING_MS = 1_100
const MAX_TAB_COUNT = 40
/** Desktop, phone, and what a desktop shows at 400 % zoom. */
const WIDTHS = [1280, 360, 320] as const

// Run in the page, where there is a document; here there is none.
const FOCUSED_NAME = `(({ activeElement }) => {
  const words = activeElement.labels?.[0]?.textContent ?? activeElement.textContent
  return words.trim()
})(document)`
const OVERHANG = 'document.documentElement.scrollWidth - innerWidth'
const TRACES = `JSON.stringify([
  location.href, document.referrer, history.state, document.title, { ...localStorage }, { ...sessionStorage },
  performance.getEntries().map(({ name }) => name),
])`

export interface Stand {
  readonly browser: Browser
  readonly world: TestWorld
  readonly origin: string
}

export class Visitor {
  readonly stand: Stand
  readonly profile: Profile
  readonly name: string
  readonly email: string
  clickCount = 0
  fieldCount = 0

  constructor(stand: Stand, profile: Profile, { name, email }: { name: string, email: string }) {
    this.stand = stand
    this.profile = profile
    this.name = name
    this.email = email
  }

  get page(): Page {
    return this.profile.page
  }

  get deck(): FrameLocator {
    return this.page.getByTestId('deck').frameLocator('iframe')
  }

  /** Errors in the console, uncaught ones, and what the policy had to stop. */
  get complaints(): string[] {
    return this.profile.complaints.filter((complaint) => !complaint.includes(POLICY_PROBE))
  }

  urlOf({ grantId, fragment }: Pick<Link, 'grantId' | 'fragment'>): string {
    return `${this.stand.origin}/g/${grantId}#${fragment}`
  }

  async opens(link: Pick<Link, 'grantId' | 'fragment'>): Promise<void> {
    await this.page.goto('about:blank') // Else the same page only hears of a new fragment.
    await this.page.goto(this.urlOf(link))
  }

  async sees(heading: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { name: heading }).first().waitFor()
  }

  async reads(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).first().waitFor()
  }

  async presses(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name, ...typeof name === 'string' && { exact: true } }).click()
    this.clickCount++
  }

  async types(label: string, text: string): Promise<void> {
    await this.page.getByLabel(label, { exact: true }).fill(text)
    this.fieldCount++
  }

  async namesSelf(): Promise<void> {
    await this.types('Your name', this.name)
    await this.types('Your e-mail address', this.email)
    await this.presses('Continue')
    await this.page.getByLabel('Code', { exact: true }).waitFor()
  }

  async takesCode(): Promise<string> {
    return await takeCode(this.stand.world.world, this.email)
  }

  /** The last digit submits: nothing is pressed. */
  async typesCode(code?: string): Promise<void> {
    const digits = code ?? await this.takesCode()
    await this.page.getByLabel('Code', { exact: true }).fill(digits)
  }

  async comesIn(link: Link): Promise<void> {
    await this.opens(link)
    await this.namesSelf()
    await this.typesCode()
  }

  async signs(): Promise<void> {
    await this.page.getByRole('button', { name: 'Sign and open' }).waitFor()
    await this.page.waitForTimeout(READING_MS)
    await this.page.getByRole('checkbox').check()
    this.clickCount++
    await this.presses('Sign and open')
  }

  /** The words of a slide, as selected text would have them. */
  async readsSlide(text: string): Promise<void> {
    await this.deck.getByText(text, { exact: true }).waitFor({ state: 'attached' })
  }

  async turnsTo(number: number): Promise<void> {
    const counter = this.deck.getByRole('textbox', { name: /Go to slide/ })
    await counter.fill(String(number))
    await counter.press('Enter')
  }

  /** Presses a button that hands out a file. */
  async saves(name: string): Promise<{ fileName: string, bytes: Buffer }> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.presses(name)])
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(Buffer.from(chunk))
    return { fileName: download.suggestedFilename(), bytes: Buffer.concat(chunks) }
  }

  /** What a label or its own words call the element that has the focus. */
  async focusedName(): Promise<string> {
    return await this.page.evaluate(FOCUSED_NAME)
  }

  async tabsTo(name: string | RegExp): Promise<void> {
    for (let count = 0; count < MAX_TAB_COUNT; count++) {
      await this.page.keyboard.press('Tab')
      const focused = await this.focusedName()
      if (typeof name === 'string' ? focused === name : name.test(focused)) return
    }
    throw new Error(`Tab does not lead to ${name}`)
  }

  /** Whatever was opened or offered would be one of these. */
  async seesNothing(t: Test): Promise<void> {
    t.equal(await this.page.locator('iframe').count(), 0, 'no deck')
    t.equal(await this.page.getByRole('button', { name: 'Sign and open' }).count(), 0, 'nothing to sign')
    t.equal(await this.page.getByLabel('Your e-mail address').count(), 0, 'nothing to fill in')
  }

  async looks(t: Test, screen: string): Promise<void> {
    await looksRight(t, this.page, screen)
  }

  /** Everything that left this browser, as text to search in. */
  get sent(): string {
    const decoder = new TextDecoder()
    return this.profile.requests
      .map(({ url, headers, body }) => `${url}\n${JSON.stringify(headers)}\n${decoder.decode(body)}`).join('\n')
  }

  /** What the page's own scripts could still read of where it came from. */
  async traces(): Promise<string> {
    return await this.page.evaluate(TRACES)
  }

  async leaves(): Promise<void> {
    await this.profile.close()
  }
}

export async function visit(
  stand: Stand, who: { name?: string, email: string }, options: ProfileOptions = {},
): Promise<Visitor> {
  const profile = await openProfile(stand.browser, { passkey: 'none', ...options })
  await profile.page.emulateMedia({ reducedMotion: 'reduce' })
  return new Visitor(stand, profile, { name: who.name ?? 'Grace Hopper', email: who.email })
}

/** This screen in both languages and themes and in every width: axe finds nothing and nothing sticks out. */
export async function looksRight(t: Test, page: Page, screen: string): Promise<void> {
  for (const [locale, colorScheme] of [['RU', 'dark'], ['EN', 'light']] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await chooseLanguage(page, locale)
    t.same(await findViolations(page), [], `${screen}, ${locale}, ${colorScheme}: axe finds nothing`)
    for (const width of WIDTHS) {
      t.equal(await overhang(page, width), 0, `${screen}, ${locale}: fits ${width} px`)
    }
  }
}

/** Behind a dialog the switch cannot be reached, and the screen is looked at as it is. */
async function chooseLanguage(page: Page, locale: 'EN' | 'RU'): Promise<void> {
  if (await page.getByRole('dialog').count() > 0) return
  await page.getByRole('button', { name: new RegExp(`^${locale},`) }).click()
}

async function overhang(page: Page, width: number): Promise<number> {
  await page.setViewportSize({ width, height: 740 })
  const pixels: number = await page.evaluate(OVERHANG)
  await page.setViewportSize({ width: 1280, height: 800 })
  return pixels
}
