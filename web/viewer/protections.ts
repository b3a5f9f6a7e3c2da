/**
 * What must hold before the viewer asks for the first byte of plaintext, checked by the viewer
 * itself (A32, A40): that its policy bites, that it is the whole policy, and pdf.js's settings.
 *
 * [Note: Who may embed]
 * The one origin allowed to open a document is the one that the viewer's own response names in
 * `frame-ancestors`. A probe that the policy stops brings the policy's text back, so one setting of
 * the server says both who may frame the viewer and whose message it takes.
 *
 * Must not be made optional: a viewer without its policy refuses to work.
 */
import { AnnotationMode, version } from 'pdfjs-dist/legacy/build/pdf.mjs'
import type { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { element } from './dom.js'
import type { ViewerSettings } from './ports.js'

type DocumentParameters = Exclude<Parameters<typeof getDocument>[0], undefined>
export type PdfSettings = Extract<DocumentParameters, { maxImageSize?: unknown }>

/** 100 million pixels: a 10,000 x 10,000 scan passes, a bomb does not (A31). */
const MAX_IMAGE_SIZE_PIXELS = 100_000_000
const MAX_CANVAS_SIZE_BYTES = 256 * 1024 * 1024
const PROBE_TIMEOUT_MS = 2_000
const PROBE_URL = 'data:text/css,'
/** Without these in the response's policy the viewer does not start. */
const REQUIRED_DIRECTIVES = [
  "default-src 'none'", "script-src 'self'", "connect-src 'self'", "form-action 'none'",
  "base-uri 'none'", "object-src 'none'", "require-trusted-types-for 'script'",
]

/** The only annotations that exist here are links, and we draw those ourselves (links.ts). */
export const ANNOTATION_MODE: number = AnnotationMode.DISABLE

/** How every file is opened. There is no scripting engine in the bundle or on the origin. */
export const PDF_SETTINGS = {
  enableXfa: false,
  maxImageSize: MAX_IMAGE_SIZE_PIXELS,
  canvasMaxAreaInBytes: MAX_CANVAS_SIZE_BYTES,
  stopAtErrors: false,
  disableAutoFetch: true,
  disableStream: true,
  rangeChunkSize: 65_536,
  useSystemFonts: false,
  // Drawing in a second worker would need one more script on the origin, for nothing a deck needs.
  disableWorkerRendering: true,
  cMapPacked: true,
} satisfies PdfSettings & { disableWorkerRendering: boolean }

export interface Protections {
  settings: ViewerSettings
  /** The app's origin as the viewer's own response names it; `null` if it names none or several. */
  appOrigin: string | null
}

/** Looks at everything once. */
export async function checkProtections(): Promise<Protections> {
  const policy = await probePolicy()
  return {
    appOrigin: policy === null ? null : frameAncestor(policy),
    settings: {
      pdfjsVersion: version,
      isScriptingOff: !('pdfjsSandbox' in globalThis),
      isXfaOff: !PDF_SETTINGS.enableXfa,
      isAnnotationLayerOff: ANNOTATION_MODE === AnnotationMode.DISABLE,
      maxImageSizePixels: PDF_SETTINGS.maxImageSize,
      isPolicyEffective: policy !== null,
      // A complete policy demands them; browsers that do not know them keep to the rest of it.
      areTrustedTypesEnforced: policy !== null && knownTypes !== undefined,
    },
  }
}

/** True if plaintext may be shown under these settings. The page asks the same of `ready`. */
export function isProtected(settings: ViewerSettings): boolean {
  return settings.isScriptingOff && settings.isXfaOff && settings.isAnnotationLayerOff &&
    settings.isPolicyEffective && settings.maxImageSizePixels > 0
}

function isComplete(policy: string): boolean {
  const directives = policy.split(';').map((directive) => directive.trim())
  return REQUIRED_DIRECTIVES.every((required) => directives.includes(required))
}

function frameAncestor(policy: string): string | null {
  const sources = /(?:^|;)\s*frame-ancestors\s+([^;]+)/.exec(policy)?.[1]?.trim().split(/\s+/) ?? []
  const [source] = sources
  if (sources.length !== 1 || source === undefined || !URL.canParse(source)) return null
  return new URL(source).origin
}

/**
 * A style sheet of no bytes must be stopped, and the browser must say by which policy. No network is
 * needed, and every browser looks at style sheets at once.
 * @returns the complete policy that did it, as the response carried it; `null` if none did.
 */
function probePolicy(): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PROBE_TIMEOUT_MS)
    const probe = element('link', { rel: 'stylesheet', href: PROBE_URL })
    document.addEventListener('securitypolicyviolation', (violation) => {
      const { blockedURI, disposition, originalPolicy } = violation
      if (!blockedURI.startsWith('data') || disposition !== 'enforce') return
      if (!isComplete(originalPolicy)) return
      clearTimeout(timer)
      probe.remove()
      resolve(originalPolicy)
    })
    document.head.append(probe)
  })
}

/** The part of Trusted Types used here; lib.dom does not know it, nor that a Worker takes its URLs. */
declare const trustedTypes: undefined | {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): {
    createScriptURL(url: string): URL
  }
}
const knownTypes = typeof trustedTypes === 'undefined' ? undefined : trustedTypes

const WORKER_URL = new URL('pdfjs/pdf.worker.min.mjs', document.baseURI)

// The one policy of this origin (`trusted-types sealdeck-url`), and the one address that passes it.
const scriptUrls = knownTypes?.createPolicy('sealdeck-url', {
  createScriptURL(url) {
    if (url !== WORKER_URL.href) throw new TypeError('only the PDF worker is a script address')
    return url
  },
})

/** Starts pdf.js's worker from the viewer's own origin. */
export function startPdfWorker(): Worker {
  return new Worker(scriptUrls?.createScriptURL(WORKER_URL.href) ?? WORKER_URL, { type: 'module' })
}

/** Where pdf.js finds its decoders, character maps and standard fonts: our own static files. */
export function assetUrls(): Pick<PdfSettings, 'cMapUrl' | 'standardFontDataUrl' | 'wasmUrl' | 'iccUrl'> {
  const at = (folder: string): string => new URL(`pdfjs/${folder}/`, document.baseURI).href
  return {
    cMapUrl: at('cmaps'), standardFontDataUrl: at('standard_fonts'), wasmUrl: at('wasm'), iccUrl: at('iccs'),
  }
}
