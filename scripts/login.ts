/**
 * `sealdeck login`: signs in with the passphrase and the code that is mailed after it. What is kept is
 * a session that ends by itself, in a file that only its owner reads (account/saved-session.ts).
 */
import { EMAIL_CODE_LENGTH } from '../protocol/limits.js'
import { ready } from '../protocol/sodium.js'
import { Line, readAddress } from './account/line.js'
import { askForCode } from './account/owner.js'
import { keepPending, keepSession, readPending } from './account/saved-session.js'
import { ask } from './age/passphrase.js'
import { readArguments, Refused, UsageError, type Run, type Terminal } from './command.js'

const USAGE = `sealdeck login ADDRESS --email E [--passphrase-file FILE]
       sealdeck login ADDRESS --email E --code CODE

A passphrase, then the code that is sent to the address. Without a terminal the first call has the
code sent and the second, with --code, signs in. The account is made in the browser; a passkey
works there only: add a passphrase to use this.

The session lies in $XDG_CONFIG_HOME/sealdeck (or ~/.config/sealdeck), readable by you alone, and ends
half an hour after its last use. Later commands ask for the passphrase again: keys are never written.

Exit codes: 0 done, 1 refused, 2 wrong usage.`

export const run: Run = async (args, terminal) => {
  const { positionals, option } = readArguments(args, {
    options: ['email', 'code', 'passphrase-file'], positionalCount: 1, usage: USAGE,
  })
  const address = readAddress(positionals[0] ?? '')
  const email = option('email')
  if (email === undefined) throw new UsageError(`usage: ${USAGE}`)
  await ready()
  const code = option('code')
  if (code !== undefined) return await finish({ address, email, code }, terminal)

  const line = new Line(address, { tokens: null })
  const { challengeId } = await askForCode(line, email, option('passphrase-file'))
  await keepPending({ address, email, challengeId })
  if (!terminal.isWatched) {
    terminal.err(`a code was sent to ${email}; sign in with: sealdeck login ${address} --email ${email} --code CODE`)
    return 0
  }
  return await finish({ address, email, code: await ask(`Code sent to ${email}: `) }, terminal)
}

async function finish(
  { address, email, code }: { address: string, email: string, code: string }, terminal: Terminal,
): Promise<number> {
  const pending = await readPending()
  if (pending === null || pending.address !== address || pending.email !== email) {
    throw new Refused('no code was sent for this address: leave --code away to begin')
  }
  const line = new Line(address, { tokens: null })
  const { signedIn, tokens } = await line.signIn('/api/sessions/passphrase',
    { challengeId: pending.challengeId, code: readCode(code) })
  const { row, account } = signedIn
  if (row === null) throw new Refused('the server gave no row to unlock the root with')
  await keepSession({ address, account, row, ...tokens })
  await keepPending(null)
  terminal.err(`signed in to ${address} as ${account.name}`)
  return 0
}

/** Mails show it in two groups. */
function readCode(text: string): string {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d+$/.test(digits) || digits.length !== EMAIL_CODE_LENGTH) {
    throw new UsageError(`a code has ${EMAIL_CODE_LENGTH} digits`)
  }
  return digits
}
