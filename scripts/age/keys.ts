/** Identity and recipient files, as the age program reads them: one a line, `#` before a remark. */
import { open } from 'node:fs/promises'
import { decodeUtf8, concatBytes } from '../../protocol/bytes.js'
import { AgeReader } from '../../protocol/deck/age-file.js'
import { parseIdentity, parseRecipient } from '../../protocol/deck/identity.js'
import type { Identity, Recipient } from '../../protocol/deck/identity.js'
import { passphraseUnwrapper } from '../../protocol/deck/stanza.js'
import { ProtocolError } from '../../protocol/errors.js'
import { UsageError } from '../command.js'
import { readPassphrase, scrypt } from './passphrase.js'

const MAX_KEY_FILE_SIZE_BYTES = 1024 * 1024
const MAX_KEY_COUNT = 1000
const AGE_STARTS = ['age-encryption.org/', '-----BEGIN AGE ENCRYPTED FILE-----']

/** @throws UsageError naming the file and line of what is no recipient. */
export async function readRecipientFile(path: string): Promise<Recipient[]> {
  return parseLines(decodeUtf8(await readKeyFile(path)), path, parseRecipientText)
}

/** @throws UsageError for anything but a native hybrid or X25519 recipient. */
export function parseRecipientText(text: string): Recipient {
  return orUsage(() => parseRecipient(text), `not a recipient: ${shorten(text)}`)
}

/**
 * Identities of a file. A file that is itself sealed with a passphrase is opened first, as the age
 * program does.
 *
 * @throws UsageError naming the file and line of what is no identity; what it is, is not repeated.
 */
export async function readIdentityFile(
  path: string, passphraseFile: string | undefined,
): Promise<Identity[]> {
  const bytes = await readKeyFile(path)
  const isSealed = AGE_STARTS.some((start) => Buffer.from(bytes).toString('latin1').startsWith(start))
  const text = decodeUtf8(isSealed ? await openKeyFile(bytes, passphraseFile) : bytes)
  return parseLines(text, path, (line) => orUsage(() => parseIdentity(line), 'not an identity'))
}

async function openKeyFile(
  bytes: Uint8Array, passphraseFile: string | undefined,
): Promise<Uint8Array> {
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const reader = new AgeReader([passphraseUnwrapper(passphrase, scrypt)])
  return orUsage(() => concatBytes(...reader.push(bytes), reader.end()),
    'this passphrase does not open the file of identities')
}

async function readKeyFile(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > MAX_KEY_FILE_SIZE_BYTES) throw new UsageError(`${path}: too large for a file of keys`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}

function parseLines<T>(text: string, path: string, parse: (line: string) => T): T[] {
  const parsed: T[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    if (parsed.length >= MAX_KEY_COUNT) throw new UsageError(`${path}: too many keys`)
    parsed.push(atLine(`${path}:${index + 1}`, () => parse(trimmed)))
  }
  if (parsed.length === 0) throw new UsageError(`${path}: no keys`)
  return parsed
}

function atLine<T>(place: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${place}: ${error.message}`) : error
  }
}

function orUsage<T>(parse: () => T, sentence: string): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof ProtocolError ? new UsageError(sentence) : error
  }
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
