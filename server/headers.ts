/**
 * The headers of every answer, by class of file. A golden test holds them (test/server/headers.test.ts).
 *
 * [Note: Policies] Pages get no WebAssembly, no inline code and no other origin but the viewer's frame.
 * A worker takes the policy of its own response: the crypto worker may compile WebAssembly and
 * reach nothing, so that even hostile code in it could not send a key away.
 */
import { directOrigin, type Config } from './config.js'

export type FileClass =
  | 'api' | 'app-page' | 'app-worker' | 'app-file' | 'viewer-page' | 'viewer-worker' | 'viewer-file' | 'log-file' | 'outbox-page' | 'download'

export const CSP_REPORT_PATH = '/api/csp-reports'
/**
 * Never the crypto worker: a report names the address that was blocked, so hostile code there could send a key in
 * one, past `connect-src 'none'`. Nor the viewer, which breaks its policy on purpose each time it starts, to see that
 * it holds (web/viewer/protections.ts), and has another origin, from which the answer is blocked.
 */
const REPORTING: ReadonlySet<FileClass> = new Set(['app-page'])
const YEAR_SECONDS = 31_536_000
const DENIED_FEATURES = [
  'camera', 'microphone', 'geolocation', 'display-capture', 'clipboard-read', 'usb', 'serial', 'hid', 'bluetooth',
  'payment', 'browsing-topics',
]

export type Headers = Readonly<Record<string, string>>

/** What each class is answered with; `isHashed` for files that carry their hash in their name. */
export function headersFor(config: Config, fileClass: FileClass, isHashed = false): Headers {
  const isCrossOrigin = fileClass === 'viewer-page' || fileClass === 'log-file'
  return {
    ...commonHeaders(config),
    'cross-origin-resource-policy': isCrossOrigin ? 'cross-origin' : 'same-origin',
    'content-security-policy': policyOf(config, fileClass),
    'cache-control': isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-store',
    ...(fileClass === 'viewer-page' || fileClass.startsWith('viewer') ? {} : { 'x-frame-options': 'DENY' }),
  }
}

function commonHeaders(config: Config): Headers {
  return {
    ...(isHttps(config) ? { 'strict-transport-security': 'max-age=63072000; includeSubDomains; preload' } : {}),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'origin-agent-cluster': '?1',
    'permissions-policy': DENIED_FEATURES.map((feature) => `${feature}=()`).join(', '),
    'x-dns-prefetch-control': 'off',
  }
}

function policyOf(config: Config, fileClass: FileClass): string {
  const directives: Readonly<Record<FileClass, readonly string[]>> = {
    'api': ["default-src 'none'", "frame-ancestors 'none'", 'sandbox'],
    'app-page': [
      "default-src 'none'", "script-src 'self'", "worker-src 'self'", connectSource(config), "style-src 'self'",
      "img-src 'self' blob:", "font-src 'self'", `frame-src ${config.viewerUrl}`, "form-action 'none'", "base-uri 'none'",
      "frame-ancestors 'none'", "object-src 'none'", "require-trusted-types-for 'script'", 'trusted-types sealdeck-url',
      ...upgrade(config),
    ],
    'app-worker': ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'none'"],
    'app-file': ["default-src 'none'", "frame-ancestors 'none'"],
    'viewer-page': [
      "default-src 'none'", "script-src 'self'", "worker-src 'self'", "connect-src 'self'", "style-src 'self'",
      "img-src 'self' blob: data:", "font-src 'self' data:", "form-action 'none'", "base-uri 'none'", "object-src 'none'",
      `frame-ancestors ${config.publicUrl}`, "require-trusted-types-for 'script'", 'trusted-types sealdeck-url', ...upgrade(config),
    ],
    'viewer-worker': ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'"],
    'viewer-file': ["default-src 'none'", `frame-ancestors ${config.publicUrl}`],
    'log-file': ["default-src 'none'", "frame-ancestors 'none'", 'sandbox'],
    'download': ["default-src 'none'", "frame-ancestors 'none'", 'sandbox'],
    'outbox-page': ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"],
  }
  const reported = REPORTING.has(fileClass) ? [`report-uri ${config.publicUrl}${CSP_REPORT_PATH}`] : []
  return [...directives[fileClass], ...reported].join('; ')
}

/** The page fetches ciphertext, from the bucket itself where transfers are direct. */
function connectSource(config: Config): string {
  return ["connect-src 'self'", directOrigin(config)].filter((source) => source !== undefined).join(' ')
}

function upgrade(config: Config): string[] {
  return isHttps(config) ? ['upgrade-insecure-requests'] : []
}

function isHttps(config: Config): boolean {
  return config.publicUrl.startsWith('https:')
}
