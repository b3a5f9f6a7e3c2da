/**
 * The viewer's front door: takes one opening message from the one page that may send it, checks its
 * own protections, and starts reading or preparing. See ports.ts.
 *
 * Must not ask for plaintext before its protections hold, and must hold no key, ever.
 */
import './viewer.css'
import type { OpenViewer, PageMessage, ViewerMessage } from './ports.js'
import { parseOpenViewer, parsePageMessage } from './parse.js'
import { checkProtections, isProtected } from './protections.js'
import type { Protections } from './protections.js'
import { Preparer } from './preparer.js'
import { RangeSource } from './range-source.js'
import { Reader } from './reader.js'

interface Ports { control: MessagePort, source: MessagePort }

const protectionsChecked = checkProtections()

window.addEventListener('message', function receive(event: MessageEvent<unknown>) {
  if (event.source !== window.parent || window.parent === window) return
  const opening = parseOpenViewer(event.data)
  const [control, source] = event.ports
  if (opening === null || control === undefined || source === undefined) return
  window.removeEventListener('message', receive)
  start(opening, event.origin, { control, source }).catch(() => {
    control.postMessage({ kind: 'error', code: 'unprotected' } satisfies ViewerMessage)
  })
})

async function start(opening: OpenViewer, origin: string, ports: Ports): Promise<void> {
  const protections = await protectionsChecked
  const isExpected = origin === protections.appOrigin
  if (!isExpected || !isProtected(protections.settings)) return refuse(protections, ports)
  show(opening.theme)
  const tell = (message: ViewerMessage, transfer: Transferable[] = []): void => {
    ports.control.postMessage(message, transfer)
  }
  const source = new RangeSource(ports.source)
  const mode = opening.mode === 'read'
    ? new Reader(opening, source, tell)
    : new Preparer(source, tell)
  listen(ports.control, tell, mode)
  tell({ kind: 'ready', settings: protections.settings })
  source.start()
}

function refuse(protections: Protections, { control, source }: Ports): void {
  control.postMessage({ kind: 'ready', settings: protections.settings } satisfies ViewerMessage)
  control.postMessage({ kind: 'error', code: 'unprotected' } satisfies ViewerMessage)
  source.close()
}

interface Mode { hear(message: PageMessage): void, close(): void }

function listen(control: MessagePort, tell: (message: ViewerMessage) => void, mode: Mode): void {
  control.onmessage = (event: MessageEvent<unknown>) => {
    const message = parsePageMessage(event.data)
    if (message === null) return
    if (message.kind === 'ping') return tell({ kind: 'pong', id: message.id })
    if (message.kind === 'theme') return show(message.theme)
    if (message.kind !== 'close') return mode.hear(message)
    mode.close()
    tell({ kind: 'closed' })
    control.close()
  }
}

function show(theme: OpenViewer['theme']): void {
  document.documentElement.dataset.theme = theme
}
