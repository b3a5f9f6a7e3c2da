/** What the commands of the command line share: how they are called and how they speak. */
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'

/** Lines go out whole; a test collects them instead. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** Whether somebody watches: progress is for people, not for pipes. */
  readonly isWatched: boolean
}

export type Run = (args: readonly string[], terminal: Terminal) => Promise<number>

export const processTerminal: Terminal = {
  out: (line) => {
    if (!process.stdout.listeners('error').includes(endWithOutput)) process.stdout.on('error', endWithOutput)
    process.stdout.write(`${line}\n`)
  },
  err: (line) => { process.stderr.write(`${line}\n`) },
  isWatched: process.stderr.isTTY,
}

/** Whoever read the pipe has had enough, which is no fault; a full disk is one. */
function endWithOutput(error: Error): void {
  const isClosed = Reflect.get(error, 'code') === 'EPIPE'
  if (!isClosed) process.stderr.write(`sealdeck: ${error.message}\n`)
  process.exit(isClosed ? 1 : 2)
}

/** Called the wrong way; the message is the usage or names what is missing. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Asked rightly, and not possible: a server's refusal, a file that does not fit. Exit code 1. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export interface Arguments {
  readonly positionals: readonly string[]
  /** The value of an option, or `undefined`. @throws UsageError if it was given twice. */
  readonly option: (name: string) => string | undefined
  /** All values of an option that may be given several times. */
  readonly list: (name: string) => readonly string[]
}

/**
 * Options with a value each, `--name VALUE`, and the rest.
 * @throws UsageError with `usage` for an unknown option or another number of positionals.
 */
export function readArguments(
  args: readonly string[],
  { options, positionalCount, usage }:
  { options: readonly string[], positionalCount: number, usage: string },
): Arguments {
  const { values, positionals } = parse(args, options, usage)
  if (positionals.length !== positionalCount) throw new UsageError(`usage: ${usage}`)
  const list = (name: string) => listOf(values[name])
  function option(name: string): string | undefined {
    const [value, ...more] = list(name)
    if (more.length > 0) throw new UsageError(`--${name} is given once`)
    return value
  }
  return { positionals, option, list }
}

/** Words that stand for themselves, `--yes`, taken out of the arguments. */
export function takeFlags<const Flag extends string>(
  args: readonly string[], flags: readonly Flag[],
): { readonly rest: readonly string[], readonly has: (flag: Flag) => boolean } {
  const isFlag = (arg: string) => flags.some((flag) => arg === `--${flag}`)
  return { rest: args.filter((arg) => !isFlag(arg)), has: (flag) => args.includes(`--${flag}`) }
}

/**
 * Go on only if somebody at the keyboard types `yes`, or the caller gave `--yes`.
 * @throws Refused otherwise; UsageError where nobody can be asked.
 */
export async function confirm(question: string, isGiven: boolean): Promise<void> {
  if (isGiven) return
  if (!process.stdin.isTTY) throw new UsageError(`${question} Add --yes to say so.`)
  const keyboard = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await keyboard.question(`${question} Type yes to go on: `)
    if (answer.trim().toLowerCase() !== 'yes') throw new Refused('nothing was changed')
  } finally {
    keyboard.close()
  }
}

function parse(args: readonly string[], options: readonly string[], usage: string) {
  const known = Object.fromEntries(
    options.map((name) => [name, { type: 'string' as const, multiple: true }]))
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true })
  } catch (error) {
    // Node's own sentences name the option; the usage says what would be right.
    const sentence = error instanceof Error ? error.message : 'wrong usage'
    throw new UsageError(`${sentence}\nusage: ${usage}`)
  }
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
