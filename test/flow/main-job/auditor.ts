/** An auditor: comes by a founder's invitation, with a passphrase, and believes nothing unchecked. */
import type { ProfileOptions } from '../../helpers/chromium.js'
import { Founder } from './founder.js'
import { openSeat, type Seat, type Who } from './person.js'

/** An account is an account: an auditor signs up on the founder's own screens. */
export class Auditor extends Founder {
  static override async sitsDown(
    seat: Seat, who: Who, options: ProfileOptions = {},
  ): Promise<Auditor> {
    return new Auditor(seat, await openSeat(seat, options), who)
  }

  async unlocksWithPassphrase(passphrase: string): Promise<void> {
    await this.sees('Unlock your keys')
    await this.checks('unlock')
    await this.presses('Use my passphrase')
    await this.types('Passphrase', passphrase)
    await this.presses('Continue')
    await this.typesCode('Code from the mail')
  }

  async acceptsInvitation(): Promise<void> {
    await this.sees('You are invited to audit a vault')
    await this.checks('invitation')
    await this.presses('Accept and open the log')
    await this.reads(/events are proven to be in the log/)
  }
}
