/**
 * The page that embeds the viewer in these tests, in the place of the app's screens: the real frame,
 * with a source whose reads are counted, can be slowed, and can be made to fail. Built by stand.ts.
 */
import { openViewerFrame } from '../../../web/viewer/frame.js'
import type { ViewerFrame } from '../../../web/viewer/frame.js'
import { parseSourceRequest } from '../../../web/viewer/parse.js'
import type {
  OpenViewer, PageMessage, SourceAnswer, SourceDocument, SourceErrorCode, SourceRequest,
  ViewerMessage,
} from '../../../web/viewer/ports.js'

interface HostOptions extends Omit<OpenViewer, 'kind' | 'version'> {
  file: string
  latencyMs: number
  bytesPerMs: number
  failReads: { after: number, error: SourceErrorCode, times: number } | null
  document: Partial<SourceDocument>
}

interface Host {
  messages: ViewerMessage[]
  reads: { offset: number, length: number }[]
  /** Indexes that were asked for. */
  thumbnails: number[]
  open(options: HostOptions): Promise<void>
  send(message: PageMessage): void
  close(): void
}

declare global { interface Window { host: Host } }

let frame: ViewerFrame | null = null
/** One green pixel, for every sealed thumbnail. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg=='
const viewerOrigin = document.documentElement.dataset.viewerOrigin ?? ''

async function loadFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`/files/${name}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function open(options: HostOptions): Promise<void> {
  const { file, mode, theme, locale, watermark } = options
  const bytes = await loadFile(file)
  window.host.close()
  window.host.messages.length = 0
  window.host.reads.length = 0
  window.host.thumbnails.length = 0
  frame = openViewerFrame({
    viewerOrigin,
    container: document.body,
    title: 'Document',
    opening: { mode, theme, locale, watermark },
    onMessage: (message) => window.host.messages.push(message),
  })
  serve(frame.sourcePort, bytes, options)
}

function serve(port: MessagePort, bytes: Uint8Array, options: HostOptions): void {
  let freeAtMs = 0
  let failed = 0
  port.onmessage = (event: MessageEvent<unknown>) => {
    const request = parseSourceRequest(event.data)
    if (request === null) return
    const { failReads } = options
    if (request.kind === 'read') window.host.reads.push({ offset: request.offset, length: request.length })
    const isDue = failReads !== null && window.host.reads.length > failReads.after
    if (isDue && failed < failReads.times) {
      failed++
      return port.postMessage({ id: request.id, error: failReads.error } satisfies SourceAnswer)
    }
    const answer = answerTo(request, bytes)
    // One line for all reads: each waits for the ones before it, plus the way there and back.
    const nowMs = performance.now()
    const size = 'bytes' in answer ? answer.bytes.length : 0
    freeAtMs = Math.max(freeAtMs, nowMs + options.latencyMs) + size / options.bytesPerMs
    setTimeout(() => port.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer] : []), freeAtMs - nowMs)
  }
  const { file } = options
  port.postMessage({
    kind: 'document', size: bytes.length, title: file, mediaType: 'application/pdf', ...options.document,
  } satisfies SourceDocument)
}

function answerTo(request: SourceRequest, bytes: Uint8Array): SourceAnswer {
  if (request.kind === 'thumbnail') {
    window.host.thumbnails.push(request.index)
    return { id: request.id, bytes: Uint8Array.from(atob(PIXEL), (sign) => sign.charCodeAt(0)) }
  }
  return { id: request.id, bytes: bytes.slice(request.offset, request.offset + request.length) }
}

window.host = {
  messages: [],
  reads: [],
  thumbnails: [],
  open,
  send: (message) => frame?.send(message),
  close: () => {
    frame?.close()
    frame = null
  },
}
