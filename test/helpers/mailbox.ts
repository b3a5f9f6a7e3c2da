/** Mails as they lie in the outbox folder of a test's server: waited for, and read once. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../server/config.js'

const WAIT_MS = 60_000
const POLL_MS = 5

export interface ReceivedMail {
  readonly to: string
  readonly subject: string
  readonly body: string
}

/** Whatever knows where its mails lie: a `World`, or a server of its own. */
export interface Sender { readonly config: Pick<Config, 'outboxFolder'> }

const CODE = /^(\d{4}) (\d{4}) /
const taken = new WeakMap<Sender, Set<string>>()

/** The next mail to this address, with such a subject, that nobody has taken yet. */
export async function takeMail(world: Sender, to: string, subject = /^/): Promise<ReceivedMail> {
  const seen = taken.get(world) ?? new Set()
  taken.set(world, seen)
  const endMs = performance.now() + WAIT_MS
  while (performance.now() < endMs) {
    const mail = await findMail(world.config.outboxFolder, { to, subject, seen })
    if (mail !== undefined) return mail
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`no such mail came to ${to}`)
}

/** The code in the next mail to this address. */
export async function takeCode(world: Sender, to: string): Promise<string> {
  const { subject } = await takeMail(world, to, CODE)
  return CODE.exec(subject)?.slice(1, 3).join('') ?? ''
}

async function findMail(
  folder: string, { to, subject, seen }: { to: string, subject: RegExp, seen: Set<string> },
): Promise<ReceivedMail | undefined> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.eml') && !seen.has(name)).sort()
  for (const name of names) {
    const mail = parseMail(await readFile(join(folder, name), 'utf8'))
    if (mail.to !== to || !subject.test(mail.subject)) continue
    seen.add(name)
    return mail
  }
  return undefined
}

function parseMail(text: string): ReceivedMail {
  const split = text.indexOf('\n\n')
  const head = text.slice(0, split).replace(/\n[ \t]+/g, ' ')
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? ''
  return { to: header('To'), subject: decodeWords(header('Subject')), body: text.slice(split + 2) }
}

/** RFC 2047, as far as our own mails use it. */
function decodeWords(text: string): string {
  return text.replace(/=\?UTF-8\?([BQ])\?([^?]*)\?=\s*/gi, (_word, encoding: string, word: string) =>
    encoding.toUpperCase() === 'B' ? Buffer.from(word, 'base64').toString() : decodeQ(word))
}

function decodeQ(word: string): string {
  const bytes = word.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/g, (_all, hex: string) => `%${hex}`)
  return decodeURIComponent(bytes)
}
