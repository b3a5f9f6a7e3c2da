/**
 * Two origins on one loopback port for the viewer's tests: `localhost` is the app with a page that
 * embeds, `127.0.0.1` is the viewer, each with the exact headers that the product sends.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Frame, Page } from 'playwright-core'
import type { Test } from 'tap'
import { build } from 'vite'
import type { OpenViewer, SourceDocument, SourceErrorCode, ViewerMessage } from '../../../web/viewer/ports.js'

const here = dirname(fileURLToPath(import.meta.url))
const viewerFolder = join(here, '../../../web/viewer')
const pdfjsFolder = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')))
const WAIT_MS = 20_000

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
}

export interface Stand {
  readonly appOrigin: string
  readonly viewerOrigin: string
  /** What the pages may ask for at /files/NAME. */
  readonly files: Map<string, Uint8Array>
  /** Weakens the viewer's policy, for tests that it then refuses. */
  viewerPolicy: string
}

/** Builds the viewer and the embedding page afresh, and serves both until `t` ends. */
export async function useStand(t: Test): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'viewer-stand-'))
  t.teardown(async () => await rm(folder, { recursive: true, force: true }))
  await buildInto(join(folder, 'viewer'), { root: viewerFolder, base: '/viewer/', input: 'index.html' })
  await buildInto(join(folder, 'host'), { root: here, base: '/host/', input: 'host.ts' })

  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  t.teardown(async () => await new Promise((resolve) => {
    server.closeAllConnections()
    server.close(resolve)
  }))
  const { port } = server.address() as AddressInfo
  const appOrigin = `http://localhost:${port}`
  const stand: Stand = {
    appOrigin, viewerOrigin: `http://127.0.0.1:${port}`, files: new Map(), viewerPolicy: viewerPolicy(appOrigin),
  }
  server.on('request', (request, response) => {
    serve(stand, folder, request, response)
      .catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  return stand
}

interface Entry { root: string, base: string, input: string }

async function buildInto(outDir: string, { root, base, input }: Entry): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    base,
    publicDir: false,
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: join(root, input), output: { entryFileNames: 'assets/[name].js' } },
    },
  })
}

function viewerPolicy(appOrigin: string): string {
  return "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
    "img-src 'self' blob: data:; font-src 'self' data:; form-action 'none'; base-uri 'none'; object-src 'none'; " +
    `frame-ancestors ${appOrigin}; require-trusted-types-for 'script'; trusted-types sealdeck-url`
}

const WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

function appPolicy(viewerOrigin: string): string {
  return "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
    `img-src 'self' blob:; font-src 'self'; frame-src ${viewerOrigin}; form-action 'none'; base-uri 'none'; ` +
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types sealdeck-url"
}

const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'origin-agent-cluster': '?1',
  'cache-control': 'no-store',
} as const

async function serve(
  stand: Stand, folder: string, request: IncomingMessage, response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '/'
  const isViewer = request.headers.host?.startsWith('127.0.0.1') === true
  const body = path.includes('?') || path.includes('..')
    ? null
    : await (isViewer ? readViewerFile(folder, path) : readAppFile(stand, folder, path))
  if (body === null) {
    response.writeHead(404, COMMON_HEADERS).end()
    return
  }
  const isHtml = path === '/' || path.endsWith('.html')
  response.writeHead(200, {
    ...COMMON_HEADERS,
    'cross-origin-resource-policy': isViewer && isHtml ? 'cross-origin' : 'same-origin',
    'content-security-policy': policyFor(stand, path, { isViewer, isHtml }),
    'content-type': isHtml ? 'text/html; charset=utf-8' : TYPES[extname(path)] ?? 'application/octet-stream',
  }).end(body)
}

interface FileKind { isViewer: boolean, isHtml: boolean }

function policyFor(stand: Stand, path: string, kind: FileKind): string {
  if (path.endsWith('pdf.worker.min.mjs')) return WORKER_POLICY
  if (!kind.isHtml) return "default-src 'none'; frame-ancestors 'none'"
  return kind.isViewer ? stand.viewerPolicy : appPolicy(stand.viewerOrigin)
}

async function readViewerFile(folder: string, path: string): Promise<Uint8Array | null> {
  const [, area, ...rest] = normalize(path).split('/')
  if (area !== 'viewer') return null
  if (rest[0] !== 'pdfjs') return await readOrNull(join(folder, 'viewer', ...rest))
  const name = rest.slice(1)
  return await readOrNull(join(pdfjsFolder, ...(name.length === 1 ? ['legacy/build', ...name] : name)))
}

async function readAppFile(stand: Stand, folder: string, path: string): Promise<Uint8Array | null> {
  if (path === '/') return new TextEncoder().encode(hostHtml(stand.viewerOrigin))
  if (path === '/host.css') return new TextEncoder().encode('html,body,iframe{margin:0;width:100%;height:100%;border:0;display:block;overflow:hidden}')
  if (path.startsWith('/files/')) return stand.files.get(path.slice('/files/'.length)) ?? null
  if (path.startsWith('/host/')) return await readOrNull(join(folder, normalize(path)))
  return null
}

async function readOrNull(path: string): Promise<Uint8Array | null> {
  return await readFile(path).catch(() => null)
}

function hostHtml(viewerOrigin: string): string {
  return `<!doctype html><html lang="en" data-viewer-origin="${viewerOrigin}"><head><meta charset="utf-8">` +
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Host</title>' +
    '<link rel="icon" href="/host.css">' +
    '<link rel="stylesheet" href="/host.css"><script type="module" src="/host/assets/host.js"></script></head><body></body></html>'
}

export interface Opening extends Partial<Omit<OpenViewer, 'kind' | 'version'>> {
  latencyMs?: number
  bytesPerMs?: number
  failReads?: { after: number, error: SourceErrorCode, times: number }
  document?: Partial<SourceDocument>
}

/** Opens a served file in the viewer on `page`, and answers with the viewer's own frame. */
export async function openFile(
  page: Page, stand: Stand, file: string, opening: Opening = {},
): Promise<Frame> {
  if (!page.url().startsWith(stand.appOrigin)) await page.goto(stand.appOrigin)
  await page.evaluate(async (options) => await window.host.open(options), {
    file,
    mode: opening.mode ?? 'read',
    theme: opening.theme ?? 'light',
    locale: opening.locale ?? 'en',
    watermark: opening.watermark === undefined ? { email: 'ada@fund.example', atMs: 1_795_366_500_000 } : opening.watermark,
    latencyMs: opening.latencyMs ?? 0,
    bytesPerMs: opening.bytesPerMs ?? 1e9,
    failReads: opening.failReads ?? null,
    document: opening.document ?? {},
  })
  const element = await page.waitForSelector('iframe')
  const frame = await element.contentFrame()
  if (frame === null) throw new Error('the viewer did not open')
  return frame
}

/** The first message of this kind that the viewer has sent since the file was opened. */
export async function heard<Kind extends ViewerMessage['kind']>(
  page: Page, kind: Kind, timeoutMs = WAIT_MS,
): Promise<Extract<ViewerMessage, { kind: Kind }>> {
  const handle = await page.waitForFunction(
    (wanted) => window.host.messages.find((message) => message.kind === wanted),
    kind, { timeout: timeoutMs },
  )
  return await handle.jsonValue() as Extract<ViewerMessage, { kind: Kind }>
}
