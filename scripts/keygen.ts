/**
 * `sealdeck keygen`: makes an age identity, or says the recipients of identities.
 * The file is the age program's own kind: `age -d -i key.txt` takes it.
 */
import { open } from 'node:fs/promises'
import { formatIdentity, formatRecipient, makeIdentity } from '../protocol/deck/identity.js'
import type { Identity } from '../protocol/deck/identity.js'
import { ready } from '../protocol/sodium.js'
import { readAgeArguments } from './age/arguments.js'
import { readIdentityFile } from './age/keys.js'
import { UsageError, type Run, type Terminal } from './command.js'

const USAGE = 'sealdeck keygen [--x25519] [-o FILE] | sealdeck keygen -y FILE [-o FILE]'

export const run: Run = async (args, terminal) => {
  const parsed = readAgeArguments(args, {
    usage: USAGE,
    options: {
      output: { letter: 'o', takesValue: true },
      recipients: { letter: 'y', takesValue: false },
      x25519: { letter: 'x', takesValue: false },
    },
  })
  await ready()
  if (parsed.isSet('recipients')) {
    if (parsed.input === undefined) throw new UsageError(`usage: ${USAGE}`)
    const identities = await readIdentityFile(parsed.input, undefined)
    await write(identities.map(recipientOf).join('\n'), parsed.value('output'), terminal)
    return 0
  }
  if (parsed.input !== undefined) throw new UsageError(`usage: ${USAGE}`)
  const identity = makeIdentity(parsed.isSet('x25519') ? 'x25519' : 'hybrid')
  const output = parsed.value('output')
  await write(formatFile(identity), output, terminal)
  if (output !== undefined) terminal.err(`Public key: ${recipientOf(identity)}`)
  return 0
}

function recipientOf(identity: Identity): string {
  return formatRecipient(identity.recipient)
}

function formatFile(identity: Identity): string {
  return `# public key: ${recipientOf(identity)}\n${formatIdentity(identity)}`
}

/** For its owner's eyes only, and never over a key that is there already. */
async function write(text: string, path: string | undefined, terminal: Terminal): Promise<void> {
  if (path === undefined) {
    terminal.out(text)
    return
  }
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}
