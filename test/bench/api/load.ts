/** Load on an address by wrk, and how many answers came how soon. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const MS_OF: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

export interface Question { readonly path: string, readonly authorization?: string }

const SCRIPT = fileURLToPath(new URL('turns.lua', import.meta.url))

/**
 * The questions in turns, by one thread, so that the other core is the server's.
 * @throws if any answer was not 2xx.
 */
export async function putLoad(
  origin: string, questions: readonly Question[],
  load: { clientCount: number, seconds: number },
): Promise<Load> {
  const { stdout } = await promisify(execFile)('wrk', [
    '-t', '1', '-c', String(load.clientCount), '-d', `${load.seconds}s`, '--latency', '-s', SCRIPT, origin, '--',
    ...questions.flatMap(({ path, authorization = '' }) => [path, authorization]),
  ])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${origin}: not every answer was good\n${stdout}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: readMs(stdout, '50%'), p99Ms: readMs(stdout, '99%'),
  }
}

function readMs(text: string, share: string): number {
  const [, amount, unit] = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
  return Number(amount) * (MS_OF[unit ?? ''] ?? Number.NaN)
}
