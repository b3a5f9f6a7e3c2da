/**
 * Somebody at a browser of their own: presses what can be seen, by its accessible name, and is counted.
 * Knows no surface; founder, investor and auditor are built on it.
 */
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { findViolations, sessionOf } from '../../helpers/axe.js'
import { openProfile, type Profile, type ProfileOptions } from '../../helpers/chromium.js'
import { takeCode } from '../../helpers/mailbox.js'
import type { Server } from '../../helpers/server.js'

/** A loaded machine is slow; a screen that never comes is told all the same. */
const PATIENCE_MS = 60_000

/** The viewer asks for something forbidden to learn whether its policy holds (web/viewer/protections.ts). */
const POLICY_PROBE = 'data:text/css'

type Role = Parameters<Page['getByRole']>[0]

export interface Seat {
  readonly t: Test
  readonly browser: Browser
  readonly server: Server
}

export interface Who { readonly name: string, readonly email: string }

export class Person {
  readonly t: Test
  readonly server: Server
  readonly profile: Profile
  readonly name: string
  readonly email: string
  /** Set it back to count from there. */
  clickCount = 0
  fieldCount = 0

  constructor({ t, server }: Seat, profile: Profile, { name, email }: Who) {
    this.t = t
    this.server = server
    this.profile = profile
    this.name = name
    this.email = email
  }

  get page(): Page {
    return this.profile.page
  }

  /** The things of the page, as assistive technology names them. */
  find(role: Role, name: string | RegExp): Locator {
    return this.page.getByRole(role, { name, ...typeof name === 'string' && { exact: true } })
  }

  async goes(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.server.origin).href)
  }

  async presses(name: string | RegExp, role: Role = 'button'): Promise<void> {
    await this.find(role, name).click()
    this.clickCount++
  }

  async types(label: string | RegExp, text: string): Promise<void> {
    await this.page.getByLabel(label, { exact: typeof label === 'string' }).and(this.page.locator('input, textarea')).fill(text)
    this.fieldCount++
  }

  /** Takes the code from the mail; the field submits itself. */
  async typesCode(label: string): Promise<void> {
    const code = await takeCode(this.server.world, this.email)
    await this.page.getByLabel(label, { exact: true }).fill(code)
  }

  /** Waits for a heading: every screen and every step has one. */
  async sees(heading: string | RegExp): Promise<void> {
    await this.find('heading', heading).first().waitFor()
  }

  async seesNoMore(heading: string | RegExp): Promise<void> {
    await this.find('heading', heading).waitFor({ state: 'hidden' })
  }

  /** Waits for words anywhere on the page. */
  async reads(words: string | RegExp): Promise<void> {
    await this.page.getByText(words).first().waitFor()
  }

  /** Pasted into an empty tab, as into a mail: our own pages may not read the clipboard. */
  async readsClipboard(): Promise<string> {
    const tab = await this.profile.context.newPage()
    const field = tab.locator('textarea')
    await tab.setContent('<textarea></textarea>')
    await field.press('Control+V')
    const text = await field.inputValue()
    await tab.close()
    return text
  }

  /** A line on which an upload takes its time; without a figure a quick one again. */
  async slowsDown(uploadBytesPerSecond = -1): Promise<void> {
    const session = await sessionOf(this.page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', {
      offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: uploadBytesPerSecond,
    })
  }

  /** Presses a button that hands out a file. @returns where it lies. */
  async saves(name: string | RegExp): Promise<string> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.presses(name)])
    const path = `${this.server.folder}/${download.suggestedFilename()}`
    await download.saveAs(path)
    return path
  }

  /** The words of one slide, as selected text would have them, in the viewer's frame. */
  async readsSlide(text: string): Promise<void> {
    await this.slide.getByText(text, { exact: true }).waitFor({ state: 'attached' })
  }

  /** By the page counter, as on any deck. */
  async turnsTo(number: number): Promise<void> {
    await this.slide.waitFor() // Before that nobody knows how many there are.
    const counter = this.frame.getByRole('textbox', { name: /Go to slide/ })
    await counter.fill(String(number))
    await counter.press('Enter')
  }

  get slide(): Locator {
    return this.frame.getByRole('group', { name: /^Slide \d+ of/ })
  }

  get frame(): FrameLocator {
    return this.page.getByTestId('deck').frameLocator('iframe')
  }

  /** Nothing that axe knows of is wrong with this screen. */
  async checks(screen: string): Promise<void> {
    const violations = await findViolations(this.page)
    this.t.same(violations, [], `axe finds nothing: ${screen}`)
  }

  /** Errors in the console, uncaught ones, and what the policy had to stop. */
  get complaints(): string[] {
    return this.profile.complaints.filter((complaint) => !complaint.includes(POLICY_PROBE))
  }
}

/** A profile for one person. Motion is off: a screen is looked at when it stands. */
export async function openSeat({ browser }: Seat, options: ProfileOptions): Promise<Profile> {
  const profile = await openProfile(browser, options)
  profile.context.setDefaultTimeout(PATIENCE_MS)
  await profile.page.emulateMedia({ reducedMotion: 'reduce' })
  return profile
}
