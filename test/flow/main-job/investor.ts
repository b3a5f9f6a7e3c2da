/** An investor at a link: two fields, a code, three clicks. */
import type { ProfileOptions } from '../../helpers/chromium.js'
import { openSeat, Person, type Seat, type Who } from './person.js'

/** The gate takes no signature from a finger that cannot have read: a button is deaf for its first second. */
const READING_MS = 1_100

export class Investor extends Person {
  static async sitsDown(seat: Seat, who: Who, options: ProfileOptions = {}): Promise<Investor> {
    return new Investor(seat, await openSeat(seat, options), who)
  }

  async opensLink(link: string, founderName: string): Promise<void> {
    await this.page.goto('about:blank') // Else a second link of the same page is no new visit.
    await this.page.goto(link)
    await this.sees(`${founderName} shares a deck with you`)
    this.t.notMatch(this.page.url(), '#', 'the secret has left the address bar')
    await this.reads('The founder’s key matches this link')
    await this.checks('gate')
  }

  async provesAddress(): Promise<void> {
    await this.types('Your name', this.name)
    await this.types('Your e-mail address', this.email)
    await this.presses('Continue')
    await this.sees('Type the code from the mail')
    await this.checks('gate: code')
    await this.typesCode('Code')
  }

  async signsNda(): Promise<void> {
    await this.find('button', 'Sign and open').waitFor()
    this.t.equal(await this.page.getByLabel('Type your name to sign').inputValue(), this.name, 'the signature is there already')
    await this.checks('agreement')
    await this.page.waitForTimeout(READING_MS)
    await this.presses(/^I agree to/, 'checkbox')
    await this.presses('Sign and open')
  }
}
