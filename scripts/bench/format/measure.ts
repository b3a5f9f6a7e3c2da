/**
 * Measures sealing and opening in a browser by the product's own worker and its messages, with typage
 * and the `age` program beside it in one run. Must not judge by one machine's figures: what counts is
 * the ratios. Beside the time stands the processors' time, all of the browser's processes together: of
 * two free cores no program takes less than half of it, and a busy machine does not change it much.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import { chromium, type CDPSession, type Page } from 'playwright-core'
import { build } from 'vite'
import { findChromium } from './chromium.js'
import { medianOf } from './median.js'

export type Action = 'seal' | 'open'

const SIZE_BYTES = 200 * 1024 * 1024
const ROUND_COUNT = 5
const PAGE = '<!doctype html><title>bench</title><input type="file"><script type="module" src="/page.js"></script>'

interface Contender {
  readonly name: string
  readonly run: () => Promise<Measured>
}

interface Measured {
  readonly ms: number
  /** Of all processes that take part. */
  readonly processorMs: number
  /** With the fingerprint that a sealing of the product begins with. */
  readonly wholeMs?: number
}

/** What the worker's script is told before it starts: a browser as it is, or one that lacks something. */
const VARIANTS = [
  { name: 'libsodium, 1 worker', query: 'sodium&alone' },
  { name: 'libsodium, 2 workers', query: 'sodium' },
  { name: 'WebCrypto, 1 worker', query: 'alone' },
  { name: 'WebCrypto, 2 workers', query: '' },
] as const
const LACKS: Readonly<Record<string, string>> = {
  sodium: 'const own = SubtleCrypto.prototype.importKey; SubtleCrypto.prototype.importKey = ' +
    'function (format, ...rest) { return format === "raw-secret" ? Promise.reject(new TypeError()) : own.call(this, format, ...rest) };',
  alone: 'globalThis.Worker = class extends EventTarget { postMessage() {} terminate() {} };',
}

/** Prints medians and ratios as a table in Markdown. */
export async function measure(action: Action): Promise<void> {
  const server = await serve()
  const browser = await chromium.launch({
    executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-bench-'))
  try {
    const path = join(folder, 'plain')
    writeFileSync(path, randomBytes(SIZE_BYTES))
    const page = await browser.newPage()
    page.setDefaultTimeout(0)
    await page.goto(server.url)
    await page.waitForFunction('globalThis.bench !== undefined')
    await page.setInputFiles('input', path)
    await page.evaluate(`bench.prepare(${SIZE_BYTES})`)
    const session = await browser.newBrowserCDPSession()
    const contenders = contendersFor(action, { page, session, age: prepareAge(folder) })
    print(action, browser.version(), await runAll(contenders))
  } finally {
    await browser.close()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

interface Stand {
  readonly page: Page
  readonly session: CDPSession
  readonly age: Age | null
}

function contendersFor(action: Action, { page, session, age }: Stand): Contender[] {
  const inBrowser = (name: string, call: string, prepare = 'null'): Contender => ({
    name,
    async run() {
      await page.evaluate(prepare)
      const before = await processorMsOf(session)
      const measured = timesOf(await page.evaluate(call))
      return { ...measured, processorMs: await processorMsOf(session) - before }
    },
  })
  const ours = (name: string, query: string) => action === 'seal'
    ? inBrowser(name, `bench.runSeal('${query}')`)
    : inBrowser(name, 'bench.runOpen()', `bench.prepareOpen('${query}')`)
  return [
    inBrowser('typage', `bench.runTypage('${action}')`),
    ...VARIANTS.map(({ name, query }) => ours(name, query)),
    ...(age === null ? [] : [{ name: 'age, native', run: async () => age(action) }]),
  ]
}

async function processorMsOf(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0)
}

function timesOf(value: unknown): Omit<Measured, 'processorMs'> {
  const { ms, wholeMs }: { ms?: unknown, wholeMs?: unknown } = Object(value)
  if (typeof ms !== 'number') throw new Error('nothing was measured')
  return typeof wholeMs === 'number' ? { ms, wholeMs } : { ms }
}

/** In turns, so that a busy minute of the machine falls on all of them. */
async function runAll(
  contenders: readonly Contender[],
): Promise<ReadonlyMap<string, readonly Measured[]>> {
  const measured = new Map(contenders.map(({ name }): [string, Measured[]] => [name, []]))
  for (const { run } of contenders) await run() // Code is slow the first time.
  for (let round = 0; round < ROUND_COUNT; round++) {
    for (const { name, run } of contenders) measured.get(name)?.push(await run())
  }
  return measured
}

function print(
  action: Action, browserVersion: string, measured: ReadonlyMap<string, readonly Measured[]>,
): void {
  const rows = [...measured].map(([name, list]) => ({
    name, ms: medianOf(list.map(({ ms }) => ms)),
    processorMs: medianOf(list.map(({ processorMs }) => processorMs)),
    wholeMs: medianOf(list.flatMap(({ wholeMs }) => wholeMs ?? [])),
  }))
  const msOf = (name: string) => rows.find((row) => row.name === name)?.ms
  console.log(`### ${action}: ${SIZE_BYTES / 2 ** 20} MiB, medians of ${ROUND_COUNT}\n`)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Chromium ${browserVersion}\n`)
  console.log('| | MiB/s | times typage | times age | with fingerprint, MiB/s | processor seconds, all of it |')
  console.log('|---|---:|---:|---:|---:|---:|')
  for (const { name, ms, wholeMs, processorMs } of rows) {
    const whole = Number.isNaN(wholeMs) ? '-' : speedOf(wholeMs)
    const ratios = `${formatRatio(msOf('typage'), ms)} | ${formatRatio(msOf('age, native'), ms)}`
    console.log(`| ${name} | ${speedOf(ms)} | ${ratios} | ${whole} | ${formatSeconds(processorMs)} |`)
  }
}

function formatSeconds(ms: number): string {
  return Number.isNaN(ms) ? '-' : (ms / 1000).toFixed(2)
}

function speedOf(ms: number): number {
  return Math.round(SIZE_BYTES / 2 ** 20 / (ms / 1000))
}

function formatRatio(peerMs: number | undefined, ms: number): string {
  return peerMs === undefined ? '-' : (peerMs / ms).toFixed(2)
}

// ---- what is measured beside it

type Age = (action: Action) => Measured

/** Debian's program, from and to files in memory where there is such a place. */
function prepareAge(folder: string): Age | null {
  if (spawnSync('age', ['--version']).status !== 0) return null
  const path = (name: string) => join(folder, name)
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: 'pipe' })
  writeFileSync(path('key.txt'), key)
  const recipient = /age1\w+/.exec(key)?.[0] ?? ''
  execFileSync('age', ['-r', recipient, '-o', path('sealed'), path('plain')])
  const args: Readonly<Record<Action, string[]>> = {
    seal: ['-r', recipient, '-o', path('out'), path('plain')],
    open: ['-d', '-i', path('key.txt'), '-o', path('out'), path('sealed')],
  }
  return (action) => {
    const startedAtMs = performance.now()
    execFileSync('age', args[action])
    return { ms: performance.now() - startedAtMs, processorMs: Number.NaN }
  }
}

// ---- the page

/** The page under its address, with its workers. */
export async function serve(): Promise<{ url: string, close: () => void }> {
  const scripts = new Map([
    ['/page.js', await bundle('./page.mjs')],
    // The product's own: what is measured is what is shipped.
    ['/worker.js', await bundle('../../../web/worker.ts')],
  ])
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const lacks = [...searchParams.keys()].map((name) => LACKS[name] ?? '').join('\n')
    const script = scripts.has(pathname) ? lacks + scripts.get(pathname) : undefined
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? PAGE)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://localhost:${address.port}/`, close: () => server.close() }
}

async function bundle(path: string): Promise<string> {
  const input = fileURLToPath(new URL(path, import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rolldownOptions: { input, output: { format: 'es', codeSplitting: false } },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (output === undefined || !('output' in output)) throw new Error('nothing was built')
  return output.output[0].code
}
