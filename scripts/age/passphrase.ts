/** Passphrases: typed on the terminal without showing, or read from a file for programs. */
import { openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ReadStream, WriteStream } from 'node:tty'
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import { decodeUtf8 } from '../../protocol/bytes.js'
import type { Scrypt } from '../../protocol/deck/stanza.js'
import { MAX_PASSPHRASE_LENGTH } from '../../protocol/limits.js'
import { UsageError } from '../command.js'

/** One second or so, and 256 MiB: what the age program writes. */
export const SCRYPT_LOG_N = 18
const BLOCK_SIZE = 8
const ENTER = new Set(['\r', '\n'])
const ERASE = new Set(['\u007f', '\b'])
const INTERRUPTS = new Set(['\u0003', '\u0004'])

/** scrypt in plain JavaScript, for the command line only. */
export const scrypt: Scrypt = (passphrase, salt, logN) => nobleScrypt(passphrase, salt, {
  N: 2 ** logN, r: BLOCK_SIZE, p: 1, dkLen: 32, maxmem: 2 ** logN * BLOCK_SIZE * 128 + 2 ** 20,
})

/** @param file - holds the passphrase in its first line; without it the terminal asks. */
export async function readPassphrase(
  file: string | undefined, { isNew }: { isNew: boolean },
): Promise<string> {
  if (file !== undefined) return firstLine(decodeUtf8(await readFile(file)))
  const passphrase = await ask('Passphrase: ')
  if (isNew && await ask('The same again: ') !== passphrase) {
    throw new UsageError('the two passphrases differ')
  }
  return required(passphrase)
}

function firstLine(text: string): string {
  return required((text.split('\n', 1)[0] ?? '').replace(/\r$/, ''))
}

function required(passphrase: string): string {
  if (passphrase === '' || passphrase.length > MAX_PASSPHRASE_LENGTH) {
    throw new UsageError(`a passphrase has 1 to ${MAX_PASSPHRASE_LENGTH} characters`)
  }
  return passphrase
}

/** Without showing it, on the terminal itself: standard input and output may be the file. */
export async function ask(question: string): Promise<string> {
  const [input, output] = openTerminal()
  output.write(question)
  input.setRawMode(true)
  try {
    return await readSilently(input)
  } finally {
    input.setRawMode(false)
    output.write('\n')
    input.destroy()
    output.destroy()
  }
}

function openTerminal(): [ReadStream, WriteStream] {
  try {
    return [new ReadStream(openSync('/dev/tty', 'r')), new WriteStream(openSync('/dev/tty', 'w'))]
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no terminal'
    throw new UsageError(`a passphrase is due and nobody can be asked (${reason}): --passphrase-file`)
  }
}

function readSilently(input: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    input.setEncoding('utf8')
    input.on('error', reject)
    input.on('data', (symbols: string) => {
      for (const symbol of symbols) {
        if (ENTER.has(symbol)) return resolve(typed.join(''))
        if (INTERRUPTS.has(symbol)) return reject(new UsageError('interrupted'))
        if (ERASE.has(symbol)) typed = typed.slice(0, -1)
        else if (typed.length < MAX_PASSPHRASE_LENGTH + 1) typed.push(symbol)
      }
    })
  })
}
