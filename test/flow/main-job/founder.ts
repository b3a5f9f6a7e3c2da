/** A founder at her screens: from an empty browser to a link in the clipboard, and back again. */
import { basename } from 'node:path'
import type { Locator } from 'playwright-core'
import { sessionOf } from '../../helpers/axe.js'
import type { ProfileOptions } from '../../helpers/chromium.js'
import { openSeat, Person, type Seat, type Who } from './person.js'

/** Long enough for a busy machine, so that nothing is let go twice. */
const NOTICE_MS = 15_000
const MAX_DROPS = 3

export interface Sealing {
  /** Typed over the suggestion, which is the file's name. */
  readonly title: string
  /** Slides before the line. */
  readonly openCount: number
  readonly pageCount: number
  /** How the line is drawn. */
  readonly by: 'keyboard' | 'pointer'
}

export class Founder extends Person {
  static async sitsDown(seat: Seat, who: Who, options: ProfileOptions = {}): Promise<Founder> {
    return new Founder(seat, await openSeat(seat, options), who)
  }

  /** Up to the choice of a way in. */
  async provesAddress(): Promise<void> {
    await this.goes('/')
    await this.sees('Sign in')
    await this.checks('sign in')
    await this.presses('Create an account', 'link')
    await this.sees('Create your account')
    await this.types('Your name', this.name)
    await this.types('E-mail address', this.email)
    await this.checks('sign up')
    await this.presses('Send me a code')
    await this.sees('Check your mail')
    await this.checks('code from the mail')
    await this.typesCode('Code from the mail')
    await this.sees('How will you unlock your keys?')
    await this.checks('choice of a way in')
  }

  async signsUpWithPasskey(): Promise<void> {
    await this.provesAddress()
    await this.presses('Create a passkey')
    await this.sees('Your recovery code')
  }

  async signsUpWithPassphrase(passphrase: string): Promise<void> {
    await this.provesAddress()
    await this.presses('Use a passphrase instead')
    await this.types('Passphrase', passphrase)
    await this.checks('new passphrase')
    await this.presses('Create account')
    await this.sees('Your recovery code')
  }

  /** In a browser whose passkeys cannot do it: it is tried, and the passphrase offered. */
  async fallsBackToPassphrase(passphrase: string): Promise<void> {
    await this.provesAddress()
    await this.presses('Create a passkey')
    await this.reads('Use a passphrase instead')
    await this.types('Passphrase', passphrase)
    await this.checks('passphrase instead of a passkey')
    await this.presses('Create account')
    await this.sees('Your recovery code')
  }

  /** @returns the code, as it was kept. */
  async keepsRecoveryCode(): Promise<string> {
    await this.presses('Copy the code')
    const code = await this.readsClipboard()
    await this.checks('recovery code')
    await this.presses('I have kept it')
    await this.sees('Now type two groups of it')
    for (const label of await this.page.locator('label').filter({ hasText: /^Group \d$/ }).allTextContents()) {
      await this.types(label, code.split('-')[Number(label.slice('Group '.length)) - 1] ?? '')
    }
    await this.checks('confirming the recovery code')
    await this.presses('Confirm')
    await this.sees('Your recovery code is confirmed')
    await this.presses('Go to my decks', 'link')
    await this.sees('Decks')
    return code
  }

  /** A file from her disk, let go over the middle of the page; again if the page was just being drawn. */
  async drops(path: string): Promise<void> {
    await this.reads('Drop a deck anywhere on this page')
    const session = await sessionOf(this.page)
    const data = { items: [], files: [path], dragOperationsMask: 1 }
    for (let tryIndex = 1; tryIndex <= MAX_DROPS; tryIndex++) {
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        await session.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
      }
      if (await this.notices(basename(path))) return
    }
    await this.reads(basename(path))
  }

  async notices(words: string): Promise<boolean> {
    return await this.page.getByText(words).first().waitFor({ timeout: NOTICE_MS })
      .then(() => true, () => false)
  }

  /** From the dropped file to the sealed deck. */
  async sealsDeck({ title, openCount, pageCount, by }: Sealing): Promise<void> {
    const line = this.find('slider', 'Lock line')
    await line.waitFor()
    if (by === 'keyboard') await this.#movesLine(line, openCount)
    else await this.#dragsLine(line, openCount)
    this.t.equal(await line.getAttribute('aria-valuenow'), String(openCount), 'the line stands where she drew it')
    await this.types('Title', title)
    await this.find('img', `Slide ${pageCount}, locked`).waitFor()
    await this.checks('lock line')
    await this.presses('Seal and upload')
    await this.sees('Create a link')
  }

  async #movesLine(line: Locator, openCount: number): Promise<void> {
    await line.press('Home')
    for (let count = 0; count < openCount; count++) await line.press('ArrowRight')
  }

  /** Let go over the near side of the first slide that stays locked. */
  async #dragsLine(line: Locator, openCount: number): Promise<void> {
    const next = this.page.getByRole('region', { name: 'Slides' }).getByRole('listitem').nth(openCount)
    const [from, to] = [await line.boundingBox(), await next.boundingBox()]
    if (from === null || to === null) throw new Error('line and slides are there')
    await this.page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
    await this.page.mouse.down()
    await this.page.mouse.move(to.x + 5, to.y + to.height / 2, { steps: 5 })
    await this.page.mouse.up()
  }

  /** @returns the whole address, from the clipboard. */
  async createsLink(
    { name, isOnApproval = false }: { name?: string, isOnApproval?: boolean } = {},
  ): Promise<string> {
    await this.sees('Create a link')
    if (name !== undefined) await this.types(/^Who is it for/, name)
    if (isOnApproval) await this.find('radio', /^Wait for me, on approval/).check()
    await this.checks(isOnApproval ? 'new link, on approval' : 'new link')
    await this.presses('Create link')
    await this.presses('Copy')
    await this.reads('Copied')
    await this.checks('link ready')
    return await this.readsClipboard()
  }

  async opensTab(name: 'Deck' | 'Links' | 'People' | 'Log' | 'Auditors'): Promise<void> {
    await this.presses(name, 'tab')
  }

  /** @returns the invitation, from the clipboard. */
  async invitesAuditor(email: string): Promise<string> {
    await this.opensTab('Auditors')
    await this.types('E-mail address', email)
    await this.presses('Invite')
    await this.reads(`Invitation for ${email}`)
    await this.checks('auditors')
    await this.find('button', 'Copy link').first().click()
    return await this.readsClipboard()
  }

  async revokesLink(name: string): Promise<void> {
    await this.opensTab('Links')
    await this.presses(`More: ${name}`)
    await this.presses('Revoke', 'menuitem')
    await this.find('dialog', /^Revoke/).or(this.find('alertdialog', /^Revoke/)).getByRole('button', { name: 'Revoke' }).click()
    await this.reads(`Revoked: ${name}`)
  }

  /** In a browser that has never seen her. */
  async recovers(code: string): Promise<void> {
    await this.goes('/sign-in')
    await this.presses('I have lost my way in', 'link')
    await this.sees('Get back in with your recovery code')
    await this.types('E-mail address', this.email)
    await this.checks('recovery: address')
    await this.presses('Send me a code')
    await this.typesCode('Code from the mail')
    await this.types('Recovery code', code)
    await this.checks('recovery: code')
    await this.presses('Unlock my account')
    await this.sees('Ways into your account')
    await this.checks('ways in')
    await this.presses('Decks', 'link')
  }
}
