/**
 * Measures sealing and opening in a browser, with typage and the `age` program beside it in one run.
 * Must not judge by one machine's figures: what counts is the ratios.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import { chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { findChromium } from './chromium.js'
import { medianOf } from './median.js'

export type Action = 'seal' | 'open'

const SIZE_BYTES = 200 * 1024 * 1024
const ROUND_COUNT = 5
const PAGE = '<!doctype html><title>bench</title><input type="file"><script type="module" src="/page.js"></script>'

interface Contender {
  readonly name: string
  readonly run: () => Promise<number>
}

/** Prints medians and ratios as a table in Markdown. */
export async function measure(action: Action): Promise<void> {
  const server = await serve()
  const browser = await chromium.launch({
    executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  const age = prepareAge()
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(0)
    await page.goto(server.url)
    await page.waitForFunction('globalThis.bench !== undefined')
    await page.evaluate(`bench.prepare(${SIZE_BYTES})`)
    print(action, browser.version(), await runAll(contendersFor(action, page, age)))
  } finally {
    age?.end()
    await browser.close()
    server.close()
  }
}

function contendersFor(action: Action, page: Page, age: Age | null): Contender[] {
  const inBrowser = (name: string, call: string): Contender =>
    ({ name, run: async () => Number(await page.evaluate(call)) })
  const ours = (cipher: string, workerCount: number) =>
    inBrowser(`${cipher === 'sodium' ? 'libsodium' : 'WebCrypto'}, ${workerCount} workers`,
      `bench.run('${action}', { cipher: '${cipher}', workerCount: ${workerCount} })`)
  return [
    inBrowser('typage', `bench.runTypage('${action}')`),
    ours('sodium', 1), ours('sodium', 2), ours('platform', 1), ours('platform', 2),
    ...(age === null ? [] : [{ name: 'age, native', run: async () => age.run(action) }]),
  ]
}

/** In turns, so that a busy minute of the machine falls on all of them. */
async function runAll(contenders: readonly Contender[]): Promise<ReadonlyMap<string, number[]>> {
  const times = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
  for (const { run } of contenders) await run() // Code is slow the first time.
  for (let round = 0; round < ROUND_COUNT; round++) {
    for (const { name, run } of contenders) times.get(name)?.push(await run())
  }
  return times
}

function print(
  action: Action, browserVersion: string, times: ReadonlyMap<string, readonly number[]>,
): void {
  const medians = [...times].map(([name, list]) => ({ name, ms: medianOf(list) }))
  const msOf = (name: string) => medians.find((median) => median.name === name)?.ms
  const ratio = (peer: string, ms: number) => formatRatio(msOf(peer), ms)
  console.log(`### ${action}: ${SIZE_BYTES / 2 ** 20} MiB, medians of ${ROUND_COUNT}\n`)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Chromium ${browserVersion}\n`)
  console.log('| | MiB/s | times typage | times age |\n|---|---:|---:|---:|')
  for (const { name, ms } of medians) {
    const speed = Math.round(SIZE_BYTES / 2 ** 20 / (ms / 1000))
    console.log(`| ${name} | ${speed} | ${ratio('typage', ms)} | ${ratio('age, native', ms)} |`)
  }
}

function formatRatio(peerMs: number | undefined, ms: number): string {
  return peerMs === undefined ? '-' : (peerMs / ms).toFixed(2)
}

// ---- what is measured beside it

interface Age {
  run(action: Action): number
  end(): void
}

/** Debian's program, from and to files in memory where there is such a place. */
function prepareAge(): Age | null {
  if (spawnSync('age', ['--version']).status !== 0) return null
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-bench-'))
  const path = (name: string) => join(folder, name)
  writeFileSync(path('plain'), randomBytes(SIZE_BYTES))
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: 'pipe' })
  writeFileSync(path('key.txt'), key)
  const recipient = /age1\w+/.exec(key)?.[0] ?? ''
  execFileSync('age', ['-r', recipient, '-o', path('sealed'), path('plain')])
  const args: Readonly<Record<Action, string[]>> = {
    seal: ['-r', recipient, '-o', path('out'), path('plain')],
    open: ['-d', '-i', path('key.txt'), '-o', path('out'), path('sealed')],
  }
  return {
    run(action) {
      const startedAtMs = performance.now()
      execFileSync('age', args[action])
      return performance.now() - startedAtMs
    },
    end: () => rmSync(folder, { recursive: true }),
  }
}

// ---- the page

/** The page under its address, with its workers. */
export async function serve(): Promise<{ url: string, close: () => void }> {
  const scripts = new Map([['/page.js', await bundle('page')], ['/worker.js', await bundle('worker')]])
  const server = createServer((request, response) => {
    const script = scripts.get(request.url ?? '')
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? PAGE)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://localhost:${address.port}/`, close: () => server.close() }
}

async function bundle(name: string): Promise<string> {
  const input = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
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
