/** Load on an address by wrk, and how many answers came how soon. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const MS_OF: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

/** One thread, so that the other core is the server's. @throws if any answer was not 2xx. */
export async function putLoad(
  url: string,
  load: { clientCount: number, seconds: number, headers?: Readonly<Record<string, string>> },
): Promise<Load> {
  const headers = Object.entries(load.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { stdout } = await promisify(execFile)('wrk', [
    '-t', '1', '-c', String(load.clientCount), '-d', `${load.seconds}s`, '--latency', ...headers, url,
  ])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: not every answer was good\n${stdout}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: readMs(stdout, '50%'), p99Ms: readMs(stdout, '99%'),
  }
}

function readMs(text: string, share: string): number {
  const [, amount, unit] = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
  return Number(amount) * (MS_OF[unit ?? ''] ?? Number.NaN)
}
