/**
 * `sealdeck open`: decrypts an age file, or standard input, armored or not, as `age -d` does.
 */
import { AgeReader } from '../protocol/deck/age-file.js'
import { identityUnwrapper, passphraseUnwrapper } from '../protocol/deck/stanza.js'
import type { Unwrapper } from '../protocol/deck/stanza.js'
import { ready } from '../protocol/sodium.js'
import { readAgeArguments, type AgeArguments } from './age/arguments.js'
import { readIdentityFile } from './age/keys.js'
import { readPassphrase, scrypt } from './age/passphrase.js'
import { flow } from './age/streams.js'
import { UsageError, type Run } from './command.js'

const USAGE = 'sealdeck open -i IDENTITY-FILE... [-o FILE] [INPUT]\n' +
  '       sealdeck open -p [--passphrase-file FILE] [-o FILE] [INPUT]'

export const run: Run = async (args, terminal) => {
  const parsed = readAgeArguments(args, {
    usage: USAGE,
    options: {
      identity: { letter: 'i', takesValue: true },
      passphrase: { letter: 'p', takesValue: false },
      'passphrase-file': { letter: 'f', takesValue: true },
      output: { letter: 'o', takesValue: true },
    },
  })
  await ready()
  const reader = new AgeReader(await readUnwrappers(parsed))
  const where = { input: parsed.input, output: parsed.value('output'), isText: true, terminal }
  return await flow(where, {
    push: (piece) => reader.push(piece),
    end: () => [reader.end()],
  })
}

async function readUnwrappers(parsed: AgeArguments): Promise<Unwrapper[]> {
  const unwrappers: Unwrapper[] = []
  for (const path of parsed.values('identity')) {
    const identities = await readIdentityFile(path, parsed.value('passphrase-file'))
    unwrappers.push(...identities.map(identityUnwrapper))
  }
  if (parsed.isSet('passphrase')) {
    const passphrase = await readPassphrase(parsed.value('passphrase-file'), { isNew: false })
    unwrappers.push(passphraseUnwrapper(passphrase, scrypt))
  }
  if (unwrappers.length === 0) throw new UsageError(`usage: ${USAGE}`)
  return unwrappers
}
