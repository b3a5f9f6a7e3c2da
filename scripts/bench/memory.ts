/**
 * `npm run bench -- memory`: what a page takes above its idle state while it seals 1 GiB in two workers,
 * by the resident memory of the browser's renderers, sampled. The file lies on the disk and is sealed
 * as it is; each part is dropped when it is made, as if it had been sent.
 */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { chromium, type CDPSession, type Page } from 'playwright-core'
import { findChromium } from './format/chromium.js'
import { serve } from './format/measure.js'
import { medianOf } from './format/median.js'

const MIB = 1024 * 1024
const FILE_SIZE_BYTES = 1024 * MIB
const ROUND_COUNT = 3
const SAMPLE_EVERY_MS = 50
const SETTLE_MS = 2_000

const folder = await mkdtemp(join(tmpdir(), 'sealdeck-bench-'))
const server = await serve()
const browser = await chromium.launch({
  executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
})
try {
  const path = join(folder, 'gigabyte.bin')
  await makeFile(path)
  const session = await browser.newBrowserCDPSession()
  const rows: string[] = []
  for (const variant of ['sodium', '']) {
    const peaks: number[] = []
    for (let round = 0; round < ROUND_COUNT; round++) {
      peaks.push(await measureOnce(session, path, variant))
    }
    rows.push(`| ${variant === 'sodium' ? 'libsodium' : 'WebCrypto'} | ${medianOf(peaks).toFixed(0)} | ${Math.max(...peaks).toFixed(0)} |`)
  }
  print(rows)
} finally {
  await browser.close()
  server.close()
  await rm(folder, { recursive: true })
}

/** A hole reads as zeros, and sealing does not care what it seals. */
async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w')
  await file.truncate(FILE_SIZE_BYTES)
  await file.close()
}

/** @returns MiB above idle, at the highest. */
async function measureOnce(session: CDPSession, path: string, variant: string): Promise<number> {
  const page = await browser.newPage()
  page.setDefaultTimeout(0)
  await page.goto(server.url)
  await page.waitForFunction('globalThis.bench !== undefined')
  await page.setInputFiles('input', path)
  await page.evaluate(`bench.standIdle('${variant}')`)
  await setTimeout(SETTLE_MS)
  const idle = await residentMib(session)
  const peak = await peakWhile(session, seal(page))
  await page.close()
  return peak - idle
}

async function seal(page: Page): Promise<void> {
  const sealedBytes = Number(await page.evaluate('bench.sealChosen()'))
  if (sealedBytes < FILE_SIZE_BYTES) throw new Error('not all of the file was sealed')
}

async function peakWhile(session: CDPSession, work: Promise<void>): Promise<number> {
  const done = work.then(() => 'done')
  let peak = 0
  do peak = Math.max(peak, await residentMib(session))
  while (await Promise.race([done, setTimeout(SAMPLE_EVERY_MS)]) !== 'done')
  return peak
}

/** Of all renderers together. */
async function residentMib(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const renderers = processInfo.filter(({ type }) => type === 'renderer')
  const sizes = await Promise.all(renderers.map(({ id }) => residentKib(id)))
  return sizes.reduce((sum, size) => sum + size, 0) / 1024
}

/** Linux tells it. 0 for one that has just gone. */
async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
}

function print(rows: readonly string[]): void {
  console.log(`### memory: sealing ${FILE_SIZE_BYTES / MIB} MiB in two workers, ${ROUND_COUNT} rounds\n`)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Chromium ${browser.version()}\n`)
  console.log('| | MiB above idle, median | at most |\n|---|---:|---:|')
  for (const row of rows) console.log(row)
}
