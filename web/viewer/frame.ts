/**
 * The page's side of the viewer: makes the sandboxed frame on the viewer's origin, opens it, watches
 * it, and removes it. See ports.ts.
 *
 * Must not let plaintext through the page: the source port is made here and handed on unread. Must
 * not believe what the viewer says beyond parseViewerMessage.
 */
import { parseViewerMessage } from './parse.js'
import { PING_INTERVAL_MS, VIEWER_PROTOCOL_VERSION, WATCHDOG_TIMEOUT_MS } from './ports.js'
import type {
  OpenViewer, PageMessage, ViewerErrorCode, ViewerMessage, ViewerSettings,
} from './ports.js'

const VIEWER_PATH = '/viewer/index.html'
/** A phone on a thin line takes a while to bring 200 kB. */
const LOAD_TIMEOUT_MS = 60_000

export interface FrameOptions {
  /** `https://viewer.example`; another site than this page's. */
  viewerOrigin: string
  /** The frame is appended here and fills it. It must be in view: browsers let others stand still. */
  container: HTMLElement
  /** The frame's accessible name. */
  title: string
  opening: Omit<OpenViewer, 'kind' | 'version'>
  /**
   * Told everything but `pong`. The frame is gone already when an `error` comes from this side:
   * `watchdog` (it hung), `offline` (it did not load), `unprotected` (its settings are not safe).
   */
  onMessage(message: ViewerMessage): void
}

export interface ViewerFrame {
  readonly element: HTMLIFrameElement
  /** Transfer this to whoever answers reads: `{ kind: 'document' }` first (ports.ts). */
  readonly sourcePort: MessagePort
  send(message: PageMessage): void
  /** Removes the frame and with it every page drawn. */
  close(): void
}

/** The settings without which a page must not let a document be opened (A40). */
export function areSettingsSafe(settings: ViewerSettings): boolean {
  return settings.isScriptingOff && settings.isXfaOff && settings.isAnnotationLayerOff &&
    settings.isPolicyEffective && settings.maxImageSizePixels > 0
}

/** Makes the frame at once; it opens when it has loaded. Nothing here throws later: errors are told. */
export function openViewerFrame(options: FrameOptions): ViewerFrame {
  const control = new MessageChannel()
  const source = new MessageChannel()
  const element = makeFrame(options)
  const watch = new Watch(end)
  let isOpen = true

  function close(): void {
    if (!isOpen) return
    isOpen = false
    watch.stop()
    control.port1.close()
    document.removeEventListener('fullscreenchange', tellFullscreen)
    element.remove()
  }

  function end(code: ViewerErrorCode): void {
    close()
    options.onMessage({ kind: 'error', code })
  }

  function send(message: PageMessage): void {
    control.port1.postMessage(message)
  }

  function tellFullscreen(): void {
    send({ kind: 'fullscreen', isOn: document.fullscreenElement === element })
  }

  control.port1.onmessage = (event: MessageEvent<unknown>) => {
    const message = parseViewerMessage(event.data)
    if (message === null) return
    watch.hear()
    if (message.kind === 'ready' && !areSettingsSafe(message.settings)) return end('unprotected')
    if (message.kind === 'asked' && message.what === 'fullscreen') return toggleFullscreen(element)
    if (message.kind === 'link') openLink(message.url)
    if (message.kind === 'opened' && options.opening.mode === 'read') offerFocus(element)
    if (message.kind !== 'pong') options.onMessage(message)
  }
  element.addEventListener('load', () => {
    const opening: OpenViewer = {
      kind: 'open-viewer', version: VIEWER_PROTOCOL_VERSION, ...options.opening,
    }
    element.contentWindow?.postMessage(opening, options.viewerOrigin, [control.port2, source.port2])
    watch.start((id) => send({ kind: 'ping', id }))
  }, { once: true })
  document.addEventListener('fullscreenchange', tellFullscreen)
  options.container.append(element)
  return { element, sourcePort: source.port1, send, close }
}

function makeFrame({ viewerOrigin, title }: FrameOptions): HTMLIFrameElement {
  const element = document.createElement('iframe')
  element.setAttribute('sandbox', 'allow-scripts allow-same-origin')
  element.setAttribute('referrerpolicy', 'no-referrer')
  element.setAttribute('credentialless', '')
  element.setAttribute('title', title)
  element.setAttribute('src', new URL(VIEWER_PATH, viewerOrigin).href)
  return element
}

/** Ends a frame that does not answer: a file may make it busy for ever (A31). */
class Watch {
  readonly #onSilence: (code: 'offline' | 'watchdog') => void
  #timer: ReturnType<typeof setInterval> | undefined
  #silentMs = 0
  #lastId = 0

  constructor(onSilence: (code: 'offline' | 'watchdog') => void) {
    this.#onSilence = onSilence
    this.#timer = setTimeout(() => onSilence('offline'), LOAD_TIMEOUT_MS)
  }

  start(ping: (id: number) => void): void {
    this.stop()
    this.#timer = setInterval(() => {
      this.#silentMs += PING_INTERVAL_MS
      if (this.#silentMs > WATCHDOG_TIMEOUT_MS) return this.#onSilence('watchdog')
      ping(++this.#lastId)
    }, PING_INTERVAL_MS)
  }

  hear(): void {
    this.#silentMs = 0
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** Keys should turn pages at once, unless the reader is busy elsewhere on the page. */
function offerFocus(element: HTMLIFrameElement): void {
  if (document.activeElement === document.body) element.focus({ preventScroll: true })
}

/** Only a person's own act, just now, turns the frame large or opens a window. */
function isActedJustNow(): boolean {
  return navigator.userActivation?.isActive ?? true
}

function toggleFullscreen(element: HTMLIFrameElement): void {
  if (!isActedJustNow()) return
  const done = document.fullscreenElement === null
    ? element.requestFullscreen()
    : document.exitFullscreen()
  // Refused by the browser or a policy: the frame stays as it is, which the reader sees.
  done.catch(() => undefined)
}

/** `url` was parsed: http, https or mailto. The new window learns neither opener nor referrer. */
function openLink(url: string): void {
  if (!isActedJustNow()) return
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.target = '_blank'
  anchor.rel = 'noopener noreferrer'
  anchor.click()
}
