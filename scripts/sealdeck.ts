/**
 * The command line: a table of commands, each in a file of its own. Started by sealdeck.mjs.
 *
 * Exit codes: 0 done, 1 not verified or refused, 2 wrong usage or nothing to read.
 */
import { ProtocolError } from '../protocol/errors.js'
import { processTerminal, Refused, UsageError, type Run, type Terminal } from './command.js'

interface Entry {
  readonly summary: string
  /** Loaded when called: a command pays for no other's imports. */
  readonly load: () => Promise<{ readonly run: Run }>
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  keygen: {
    summary: 'make an age identity, or say the recipient of one',
    load: () => import('./keygen.js'),
  },
  seal: {
    summary: 'encrypt a file for recipients or with a passphrase, as age does',
    load: () => import('./seal.js'),
  },
  open: {
    summary: 'decrypt an age file with an identity or a passphrase',
    load: () => import('./open.js'),
  },
  inspect: {
    summary: 'say what an age file or a signed record is',
    load: () => import('./inspect.js'),
  },
  verify: {
    summary: 'check a receipt, a note, an export, an evidence pack or a whole log, offline',
    load: () => import('./verify.js'),
  },
  login: {
    summary: 'sign in to a server with a passphrase and an e-mailed code',
    load: () => import('./login.js'),
  },
  upload: {
    summary: 'seal a file and upload it, into a new vault or one that is there',
    load: () => import('./upload.js'),
  },
  share: {
    summary: 'make a link to a vault and print it',
    load: () => import('./share.js'),
  },
  export: {
    summary: 'take a vault out: plain age files, keys, records, agreements, the log',
    load: () => import('./export.js'),
  },
  evidence: {
    summary: 'make one zip that proves who agreed to what, without the server',
    load: () => import('./evidence.js'),
  },
  witness: {
    summary: 'run a witness that cosigns the checkpoints of a log',
    load: () => import('./witness.js'),
  },
  admin: {
    summary: 'run an instance: accounts, quotas, backups, its log',
    load: () => import('./admin.js'),
  },
}

const EXIT_CODES = 'Exit codes: 0 done, 1 refused or not verified, 2 wrong usage or nothing to read.'

/** @returns the exit code. Never rejects. */
export async function main(
  args: readonly string[], terminal: Terminal = processTerminal,
): Promise<number> {
  const [name = 'help', ...rest] = args
  if (['help', '--help', '-h'].includes(name)) {
    terminal.out(usage())
    return 0
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry === undefined) {
    terminal.err(`sealdeck: no command "${name}"; sealdeck help lists them`)
    return 2
  }
  try {
    const command = await entry.load()
    return await command.run(rest, terminal)
  } catch (error) {
    const help = isHelpAsked(rest) ? usageIn(error) : null
    if (help === null) return report(error, terminal)
    terminal.out(help.includes('Exit codes:') ? help : `${help}\n\n${EXIT_CODES}`)
    return 0
  }
}

function isHelpAsked(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}

/** No command knows `--help`; each refuses it with its own usage. */
function usageIn(error: unknown): string | null {
  const start = error instanceof UsageError ? error.message.indexOf('usage:') : -1
  return error instanceof UsageError && start >= 0 ? error.message.slice(start) : null
}

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  return [
    'usage: sealdeck <command> ...', '', ...lines, '',
    'sealdeck <command> --help says how it is called.', EXIT_CODES,
  ].join('\n')
}

/** One line for each error; what cannot be read is no verdict on what it says. */
function report(error: unknown, terminal: Terminal): number {
  if (error instanceof ProtocolError) {
    terminal.err(`NOT VERIFIED: ${error.message}`)
    return 1
  }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Refused) {
    terminal.err(`sealdeck: ${message}`)
    return 1
  }
  terminal.err(error instanceof UsageError ? inOneLine(message) : `sealdeck: ${message}`)
  return 2
}

/** What is wrong, the first line of how it is called, and where the rest is said. */
function inOneLine(message: string): string {
  const [sentence = '', usage] = message.split(/\s*usage: /, 2)
  if (usage === undefined) return sentence.replaceAll(/\s+/g, ' ')
  const [first = '', ...rest] = usage.split('\n')
  const command = /^sealdeck(?: [a-z][a-z-]*)*/.exec(first)?.[0] ?? 'sealdeck'
  const more = rest.length === 0 ? '' : ' ...'
  return `${sentence === '' ? '' : `${sentence}; `}usage: ${first}${more} (${command} --help)`
}
