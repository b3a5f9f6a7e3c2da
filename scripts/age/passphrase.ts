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
/** What is kept of lines that were pasted ahead of their questions. */
const MAX_AHEAD_LENGTH = 4 * MAX_PASSPHRASE_LENGTH

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

/**
 * Keys as they come from the terminal, lines as they are asked for: whoever pastes two lines at once has answered two
 * questions. What no question takes is forgotten with the program, and never reaches the shell.
 */
export class TypedLines {
  #ahead: readonly string[] = []
  #line: string[] = []
  #isAfterReturn = false

  /** The next line if it is there whole, else `null`. @throws UsageError if somebody broke off. */
  take(keys = ''): string | null {
    const waiting = [...this.#ahead, ...keys]
    for (const [at, key] of waiting.entries()) {
      const isSecondHalf = this.#isAfterReturn && key === '\n' // Of one line's end, pasted as CR LF.
      this.#isAfterReturn = key === '\r'
      if (isSecondHalf) continue
      if (ENTER.has(key)) return this.#end(waiting.slice(at + 1, at + 1 + MAX_AHEAD_LENGTH))
      if (INTERRUPTS.has(key)) throw new UsageError('interrupted')
      if (ERASE.has(key)) this.#line.pop()
      else if (this.#line.length < MAX_PASSPHRASE_LENGTH + 1) this.#line.push(key)
    }
    this.#ahead = []
    return null
  }

  #end(ahead: readonly string[]): string {
    const line = this.#line.join('')
    this.#ahead = ahead
    this.#line = []
    return line
  }
}

/** One keyboard, whoever asks. */
const typed = new TypedLines()

function readSilently(input: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    function take(keys?: string): void {
      try {
        const line = typed.take(keys)
        if (line !== null) resolve(line)
      } catch (error) {
        reject(error)
      }
    }
    take()
    input.setEncoding('utf8')
    input.on('error', reject)
    input.on('data', take)
  })
}
