/** Options as the age program has them: one letter each, values repeated, one input at most. */
import { parseArgs } from 'node:util'
import { UsageError } from '../command.js'

interface Option {
  readonly letter: string
  readonly takesValue: boolean
}

export interface AgeArguments {
  /** The one input, or `undefined` for standard input. */
  readonly input: string | undefined
  readonly isSet: (name: string) => boolean
  readonly values: (name: string) => readonly string[]
  /** `-` as output is standard output, as none is. @throws UsageError if it was given more than once. */
  readonly value: (name: string) => string | undefined
}

/** @throws UsageError with the usage, for anything that the options do not name. */
export function readAgeArguments(
  args: readonly string[],
  { options, usage }: { options: Readonly<Record<string, Option>>, usage: string },
): AgeArguments {
  const { values, positionals } = parse(args, options, usage)
  if (positionals.length > 1) throw new UsageError(`usage: ${usage}`)
  const listOf = (name: string) => stringsIn(values[name])
  return {
    input: positionals[0] === '-' ? undefined : positionals[0],
    isSet: (name) => values[name] !== undefined,
    values: listOf,
    value(name) {
      const [value, ...more] = listOf(name)
      if (more.length > 0) throw new UsageError(`--${name} is given once`)
      return name === 'output' && value === '-' ? undefined : value
    },
  }
}

function parse(
  args: readonly string[], options: Readonly<Record<string, Option>>, usage: string,
) {
  const known = Object.fromEntries(Object.entries(options).map(([name, { letter, takesValue }]) =>
    [name, { short: letter, type: takesValue ? 'string' as const : 'boolean' as const, multiple: true }]))
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true })
  } catch (error) {
    const sentence = error instanceof Error ? error.message : 'wrong usage'
    throw new UsageError(`${sentence}\nusage: ${usage}`)
  }
}

function stringsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
