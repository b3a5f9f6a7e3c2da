/**
 * `npm run bench -- first-page`: how soon the first page of a 200 MB deck of 200 pages is drawn, on the
 * built product in a browser, on a line of 50 ms and 50 Mbit/s that the browser emulates.
 *
 * The clock starts when the header is in hand and the first byte of the deck is asked for, and stops
 * when the page stands in the viewer. Viewer and WebAssembly are in the browser's cache, from a first
 * visit that is not counted; the first visit's own times are printed beside it.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Frame, type Page } from 'playwright-core'
import { uuidv7 } from 'uuidv7'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { deriveVaultTagKey } from '../../protocol/deck/identity.js'
import { sealLabel } from '../../protocol/deck/keyring.js'
import { ready } from '../../protocol/sodium.js'
import type { Owner } from '../account/owner.js'
import { currentVersions, readOwnVault } from '../account/own-vault.js'
import { prepareFile } from '../account/prepared-file.js'
import { sealAndSend } from '../account/seal-upload.js'
import { makeLink } from '../share.js'
import { findChromium } from './format/chromium.js'
import { medianOf } from './format/median.js'
import { makeHeavyDeck } from './reading/deck.js'
import { startBenchServer } from './reading/server.js'

const PAGE_COUNT = 200
/** Thousands of bytes on each page. */
const PICTURE_HEIGHT = 1000
const LATENCY_MS = 50
const BYTES_PER_SECOND = 50_000_000 / 8
const ROUND_COUNT = 5
const PATIENCE_MS = 120_000
/** Where the viewer stands what it has drawn. */
const DRAWN = `new Promise((resolve) => {
  const look = () => document.querySelector('canvas') === null
    ? requestAnimationFrame(look)
    : resolve(performance.timeOrigin + performance.now())
  look()
})`

interface Opened {
  readonly elapsedMs: number, readonly requestCount: number, readonly bytes: number,
}

await ready()
execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
const server = await startBenchServer()
const browser = await chromium.launch({
  executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
})
try {
  const { link, fileSize } = await shareDeck(server.founder)
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const first = await visit(context, link)
  const rounds: Opened[] = []
  for (let round = 0; round < ROUND_COUNT; round++) rounds.push(await visit(context, link))
  print({ fileSize, first, rounds })
} finally {
  await browser.close()
  await server.close()
}

async function shareDeck(founder: Owner): Promise<{ link: string, fileSize: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdeck-deck-'))
  const path = join(folder, 'deck.pdf')
  await writeFile(path, await makeHeavyDeck(PAGE_COUNT, PICTURE_HEIGHT))
  const prepared = await prepareFile(path, 0)
  const vaultId = uuidv7()
  await founder.line.post('/api/vaults', {
    vaultId, tagKey: encodeBase64Url(deriveVaultTagKey(founder.root, vaultId)),
    titleSealed: sealLabel(founder.root, { purpose: 'vault-title', id: vaultId }, 'Bench'),
  })
  const sent = await sealAndSend(founder, {
    vaultId, documentId: null, part: 0, gate: 'link', previous: null, unfinished: [],
    archive: { title: 'Bench', fileName: prepared.fileName, ...prepared.whole },
  }, () => undefined)
  await sent.complete()
  await prepared.close()
  await rm(folder, { recursive: true })
  const vault = await readOwnVault(founder, vaultId)
  const terms = {
    name: undefined, release: 'on-signature', expiresAtMs: null, mayDownload: false, hasWatermark: true,
    isWitnessed: false,
  } as const
  const versions = currentVersions(vault.documents)
  return {
    link: await makeLink(founder, { vault, versions, terms, nda: null }),
    fileSize: prepared.whole.file.size,
  }
}

// ---- one visit

async function visit(context: BrowserContext, link: string): Promise<Opened> {
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', {
    offline: false, latency: LATENCY_MS, downloadThroughput: BYTES_PER_SECOND,
    uploadThroughput: BYTES_PER_SECOND,
  })
  const asked = new Map<string, { startedAtMs: number, bytes: number }>()
  session.on('Network.requestWillBeSent', ({ requestId, request, wallTime }) => {
    if (!request.url.includes('/api/versions/')) return
    asked.set(requestId, { startedAtMs: wallTime * 1000, bytes: 0 })
  })
  session.on('Network.dataReceived', ({ requestId, dataLength }) => {
    const request = asked.get(requestId)
    if (request !== undefined) request.bytes += dataLength
  })
  await page.goto(link)
  const drawnAtMs = await drawn(page)
  const requests = [...asked.values()].filter(({ startedAtMs }) => startedAtMs < drawnAtMs)
  await page.close()
  return {
    elapsedMs: drawnAtMs - Math.min(...requests.map(({ startedAtMs }) => startedAtMs)),
    requestCount: requests.length,
    bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** When the first page stood there, by the browser's clock. Presses what a newcomer must press. */
async function drawn(page: Page): Promise<number> {
  const button = page.getByRole('main').getByRole('button').first()
  const frame = page.getByTestId('deck').locator('iframe')
  await button.or(frame).first().waitFor()
  if (!await frame.isVisible()) await button.click()
  const handle = await (await frame.elementHandle())?.contentFrame()
  if (handle === null || handle === undefined) throw new Error('the viewer did not open')
  return await whenDrawn(handle)
}

async function whenDrawn(frame: Frame): Promise<number> {
  await frame.waitForURL(/\/viewer\//)
  return Number(await frame.evaluate(DRAWN))
}

// ---- what came of it

function print({ fileSize, first, rounds }: {
  fileSize: number, first: Opened, rounds: readonly Opened[],
}): void {
  const median = {
    elapsedMs: medianOf(rounds.map(({ elapsedMs }) => elapsedMs)),
    requestCount: medianOf(rounds.map(({ requestCount }) => requestCount)),
    bytes: medianOf(rounds.map(({ bytes }) => bytes)),
  }
  const wholeSeconds = fileSize / BYTES_PER_SECOND
  console.log(`### first-page: ${PAGE_COUNT} pages, ${fileSize} bytes, ${LATENCY_MS} ms, 50 Mbit/s\n`)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; Chromium ${browser.version()}\n`)
  console.log('| | seconds | requests | bytes | of the deck | times a whole download |\n|---|---:|---:|---:|---:|---:|')
  for (const [name, one] of [['first visit, nothing cached', first], [`median of ${ROUND_COUNT}`, median]] as const) {
    const seconds = one.elapsedMs / 1000
    const share = (one.bytes / fileSize * 100).toFixed(2)
    console.log(`| ${name} | ${seconds.toFixed(2)} | ${one.requestCount} | ${one.bytes} | ${share} % | ${(wholeSeconds / seconds).toFixed(0)} |`)
  }
}
