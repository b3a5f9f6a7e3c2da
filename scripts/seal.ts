/**
 * `sealdeck seal`: encrypts a file, or standard input, as the age program does.
 * What it writes is an age file: `age -d` opens it (1.3 or later for hybrid recipients).
 */
import { AgeWriter } from '../protocol/deck/age-file.js'
import { makeFileKey } from '../protocol/deck/identity.js'
import type { Recipient } from '../protocol/deck/identity.js'
import { wrapFor, wrapWithPassphrase } from '../protocol/deck/stanza.js'
import type { FileKey, Stanza } from '../protocol/deck/stanza.js'
import { ready } from '../protocol/sodium.js'
import { readAgeArguments, type AgeArguments } from './age/arguments.js'
import { parseRecipientText, readIdentityFile, readRecipientFile } from './age/keys.js'
import { SCRYPT_LOG_N, readPassphrase, scrypt } from './age/passphrase.js'
import { flow } from './age/streams.js'
import { UsageError, type Run } from './command.js'

const USAGE = 'sealdeck seal (-r RECIPIENT | -R FILE | -i IDENTITY-FILE)... [-a] [-o FILE] [INPUT]\n' +
  '       sealdeck seal -p [--passphrase-file FILE] [-a] [-o FILE] [INPUT]'

export const run: Run = async (args, terminal) => {
  const parsed = readAgeArguments(args, {
    usage: USAGE,
    options: {
      recipient: { letter: 'r', takesValue: true },
      'recipients-file': { letter: 'R', takesValue: true },
      identity: { letter: 'i', takesValue: true },
      passphrase: { letter: 'p', takesValue: false },
      'passphrase-file': { letter: 'f', takesValue: true },
      armor: { letter: 'a', takesValue: false },
      output: { letter: 'o', takesValue: true },
    },
  })
  await ready()
  const fileKey = makeFileKey()
  const stanzas = await wrap(fileKey, parsed)
  const isArmored = parsed.isSet('armor')
  const writer = new AgeWriter({ stanzas, fileKey, isArmored })
  const where = { input: parsed.input, output: parsed.value('output'), isText: isArmored, terminal }
  return await flow(where, writer)
}

async function wrap(fileKey: FileKey, parsed: AgeArguments): Promise<Stanza[]> {
  const recipients = await readRecipients(parsed)
  if (!parsed.isSet('passphrase')) return wrapForAll(recipients, fileKey)
  if (recipients.length > 0) throw new UsageError('-p stands alone: a passphrase, or recipients')
  const passphrase = await readPassphrase(parsed.value('passphrase-file'), { isNew: true })
  return [wrapWithPassphrase(fileKey, passphrase, { scrypt, logN: SCRYPT_LOG_N })]
}

async function readRecipients(parsed: AgeArguments): Promise<Recipient[]> {
  const named = parsed.values('recipient').map(parseRecipientText)
  const listed = []
  for (const path of parsed.values('recipients-file')) listed.push(...await readRecipientFile(path))
  for (const path of parsed.values('identity')) {
    const identities = await readIdentityFile(path, parsed.value('passphrase-file'))
    listed.push(...identities.map(({ recipient }) => recipient))
  }
  return [...named, ...listed]
}

function wrapForAll(recipients: readonly Recipient[], fileKey: FileKey): Stanza[] {
  if (recipients.length === 0) throw new UsageError(`usage: ${USAGE}`)
  // One X25519 stanza would undo what the hybrid ones protect against.
  if (new Set(recipients.map(({ type }) => type)).size > 1) {
    throw new UsageError('hybrid and X25519 recipients do not go into one file')
  }
  return recipients.map((recipient) => wrapFor(recipient, fileKey))
}
