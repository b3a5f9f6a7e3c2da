/**
 * A person reads a document: what is in view, what follows each act, what the page is told.
 * The parts it moves (stage, toolbar, strip, find bar, help) decide nothing themselves.
 */
import { errorCard, lockCard } from './cards.js'
import { element } from './dom.js'
import { FindBar } from './find.js'
import { Finding } from './finding.js'
import { listenForGestures } from './gestures.js'
import { Help } from './help.js'
import { actOf } from './keys.js'
import type { KeyAct } from './keys.js'
import { drawLinks, readLinks } from './links.js'
import { NotOpened, openDocument } from './open-document.js'
import type {
  Locale, OpenViewer, PageMessage, PageSize, SourceDocument, ViewerErrorCode, ViewerMessage,
} from './ports.js'
import { Pictures } from './pictures.js'
import { SourceError } from './range-source.js'
import type { RangeSource } from './range-source.js'
import { Sheets } from './sheets.js'
import type { Sheet } from './sheets.js'
import { Stage, ZOOM_STEPS } from './stage.js'
import { Strip } from './strip.js'
import { drawText } from './text-layer.js'
import { Toolbar } from './toolbar.js'
import { Waiting } from './waiting.js'
import { watched, WatchdogError } from './watchdog.js'
import { words } from './words.js'
import type { Words } from './words.js'

/** Drawn after the page in view, in this order. */
const PREFETCH_STEPS = [1, -1, 2] as const
const RESIZE_PAUSE_MS = 120
const ZOOM_PAUSE_MS = 160
const IDLE_AFTER_MS = 2_500
/** What two taps on a page do, and undo. */
const TAPPED_ZOOM = 2
/** The strip opens by itself only where the page leaves this much of the window unused. */
const SPARE_BESIDE = { width: 240, height: 0 }
const SPARE_BELOW = { width: 0, height: 220 }

export type Tell = (message: ViewerMessage) => void

export class Reader {
  readonly #source: RangeSource
  readonly #tell: Tell
  readonly #stage = new Stage()
  readonly #toolbar: Toolbar
  readonly #strip: Strip
  readonly #findBar: FindBar
  readonly #help = new Help()
  readonly #waiting = new Waiting()
  readonly #title = element('h1', { class: 'unseen' })
  readonly #said = element('p', { class: 'unseen', role: 'status' })
  #locale: Locale
  #watermark: OpenViewer['watermark']
  #document: SourceDocument | null = null
  #sheets: Sheets | null = null
  #finding: Finding | null = null
  #pictures: Pictures | null = null
  #pageCount = 0
  #index = 0
  /** Counts the times that a page was asked for: only the last of them is finished. */
  #shownCount = 0
  #isFullscreen = false
  #hasShownPage = false
  /** The page that the app was last told about; a page drawn again is not shown again. */
  #toldIndex = -1
  /** Pages that could not be drawn ahead of time; not tried again before they are asked for. */
  readonly #notAhead = new Set<number>()
  #startedMs = 0
  #redrawTimer: ReturnType<typeof setTimeout> | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined

  constructor(opening: OpenViewer, source: RangeSource, tell: Tell) {
    this.#locale = opening.locale
    this.#watermark = opening.watermark
    this.#source = source
    this.#tell = tell
    this.#toolbar = new Toolbar({
      turn: (by) => this.#turn(by),
      goTo: (index) => this.#goTo(index),
      zoom: (by) => this.#zoom(by),
      toggleSlides: () => this.#toggleSlides(),
      toggleFind: () => this.#toggleFind(),
      toggleHelp: () => this.#help.toggle(this.#words),
      toggleFullscreen: () => this.#tell({ kind: 'asked', what: 'fullscreen' }),
    })
    this.#strip = new Strip({
      goTo: (index) => this.#goTo(index),
      picture: async (index) => await this.#pictures?.of(index) ?? null,
    })
    this.#findBar = new FindBar({
      query: (text) => this.#query(text),
      step: (by) => this.#finding?.step(by),
      close: () => this.#toggleFind(),
    })
    this.#listen()
    this.#layOut()
  }

  get #words(): Words {
    return words[this.#locale]
  }

  get #lockedCount(): number {
    return this.#document?.lockedPageCount ?? 0
  }

  #layOut(): void {
    const desk = element('div', { class: 'desk' }, this.#strip.root, this.#stage.root)
    this.#stage.root.prepend(this.#title)
    document.body.append(this.#waiting.root, this.#findBar.root, desk)
    document.body.append(this.#toolbar.root, this.#help.root, this.#said)
    document.body.classList.add('is-opening')
    this.#title.textContent = this.#words.opening
    this.#refresh()
    this.#stage.showBlank(null, this.#words.opening, null)
  }

  #listen(): void {
    document.addEventListener('keydown', (event) => this.#press(event))
    listenForGestures(this.#stage.root, {
      isFitted: () => this.#stage.isFitted,
      turn: (by) => this.#turn(by),
      drag: (by) => this.#stage.drag(by),
      zoomBy: (factor, at) => this.#setZoom(this.#stage.zoom * factor, at),
      tapTwice: (at) => this.#setZoom(this.#stage.isFitted ? TAPPED_ZOOM : 1, at),
    })
    new ResizeObserver(() => {
      this.#stage.fit()
      this.#redrawAfter(RESIZE_PAUSE_MS)
    }).observe(this.#stage.root)
    for (const type of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      document.addEventListener(type, () => this.#wake(), { passive: true })
    }
    this.#source.onProgress = (progress) => this.#waiting.show(progress, this.#words)
    this.#source.onDocument = (document) => this.#begin(document)
    this.#source.onLost = (code) => this.#fail(code)
  }

  // -------------------------------------------------------------------------- opening

  #begin(document: SourceDocument): void {
    if (this.#document !== null) return
    this.#document = document
    this.#startedMs = performance.now()
    this.#pageCount = document.pageCount ?? 0
    globalThis.document.title = document.title
    this.#title.textContent = document.title
    this.#refresh()
    this.#open(document).catch((error: unknown) => this.#fail(codeOf(error, 'damaged')))
  }

  async #open(document: SourceDocument): Promise<void> {
    const opened = await watched(openDocument(this.#source, document), {
      clock: 'timer', isWaiting: () => this.#source.openReadCount > 0,
    })
    this.#sheets = new Sheets(opened, this.#source, this.#watermark)
    this.#pageCount = opened.pdf.numPages
    this.#pictures = new Pictures(this.#source, document)
    this.#pictures.document = opened
    this.#finding = new Finding(opened.pdf, this.#findBar, {
      goTo: (index) => this.#goTo(index), words: () => this.#words,
    })
    this.#tell({ kind: 'opened', pageCount: this.#pageCount })
    this.#goTo(this.#index)
  }

  /** Everything from the start, at the page that was in view: after a broken line or a killed worker. */
  #openAgain(): void {
    const document = this.#document
    if (document === null) return
    this.#letGo()
    this.#stage.showBlank(null, this.#words.opening, null)
    this.#open(document).catch((error: unknown) => this.#fail(codeOf(error, 'damaged')))
  }

  #letGo(): void {
    this.#finding?.stop()
    this.#finding = null
    this.#pictures?.destroy()
    this.#pictures = null
    this.#sheets?.destroy()
    this.#sheets = null
  }

  #fail(code: ViewerErrorCode): void {
    document.body.classList.remove('is-opening')
    // A page that cannot be drawn leaves the others readable; anything else ends this opening.
    if (code !== 'page-failed') this.#letGo()
    this.#stage.showCard(errorCard(code, this.#words, () => this.#openAgain()))
    this.#tell({ kind: 'error', code })
  }

  // -------------------------------------------------------------------------- pages

  #turn(by: 1 | -1): void {
    this.#goTo(this.#index + by)
  }

  #goTo(index: number): void {
    const last = this.#pageCount - 1 + (this.#lockedCount > 0 ? 1 : 0)
    const next = Math.min(Math.max(0, index), Math.max(0, last))
    const isForward = next >= this.#index
    const isOther = next !== this.#index
    this.#index = next
    this.#refresh()
    if (this.#sheets === null) return
    if (isOther) this.#said.textContent = this.#nameOf(next)
    if (next >= this.#pageCount) return this.#showLock()
    this.#show(next).catch((error: unknown) => this.#fail(codeOf(error, 'page-failed')))
    if (isOther) this.#stage.scrollToEdge(isForward ? 'top' : 'bottom')
  }

  #showLock(): void {
    const unlock = (): void => this.#tell({ kind: 'asked', what: 'unlock' })
    this.#stage.showCard(lockCard(this.#lockedCount, this.#words, unlock))
  }

  async #show(index: number): Promise<void> {
    const sheets = this.#sheets
    if (sheets === null) return
    const turn = ++this.#shownCount
    const there = sheets.find(index)
    if (there === undefined) this.#showBlank(index)
    else this.#stage.showPage(there.canvas, there.size, this.#nameOf(index))
    const sheet = await sheets.draw(index, (size) => this.#widthFor(size))
    const isStale = this.#shownCount !== turn || this.#index !== index || this.#sheets !== sheets
    if (sheet === null || isStale) return
    this.#stage.showPage(sheet.canvas, sheet.size, this.#nameOf(index))
    this.#afterShown(sheet)
    // The picture is there: words and links that cannot be read must not take it away.
    await this.#addLayers(sheet, turn).catch(() => undefined)
    await this.#prefetch(index)
  }

  #showBlank(index: number): void {
    this.#stage.showBlank(null, this.#nameOf(index), null)
    if (this.#document?.thumbnails?.[index] === undefined || !this.#hasShownPage) return
    // A preview is a courtesy: the page itself is already under way, and says so if it fails.
    this.#pictures?.of(index).then((url) => {
      const isStillBlank = this.#index === index && this.#sheets?.find(index) === undefined
      if (isStillBlank && url !== null) this.#stage.showBlank(null, this.#nameOf(index), url)
    }, () => undefined)
  }

  #afterShown(sheet: Sheet): void {
    if (this.#toldIndex !== sheet.index) {
      this.#toldIndex = sheet.index
      this.#tell({ kind: 'page-shown', index: sheet.index, pageCount: this.#pageCount })
    }
    if (this.#hasShownPage) return
    this.#hasShownPage = true
    document.body.classList.remove('is-opening')
    const elapsedMs = performance.now() - this.#startedMs
    this.#tell({ kind: 'rendered-first-page', elapsedMs, fetchedBytes: this.#source.askedBytes })
    this.#fillStrip(sheet.size)
  }

  #fillStrip(size: PageSize): void {
    const sizeOf = (index: number): PageSize => this.#document?.thumbnails?.[index] ?? size
    this.#strip.fill(sizeOf, this.#pageCount, this.#lockedCount)
    const isTall = matchMedia('(max-aspect-ratio: 1/1)').matches
    const isSpare = this.#stage.hasRoomBeside(size, isTall ? SPARE_BELOW : SPARE_BESIDE)
    if (isSpare && this.#pageCount > 1) this.#strip.isShown = true
    this.#refresh()
  }

  /** The same page may be shown twice in a row; its words are laid over it once. */
  async #addLayers(sheet: Sheet, turn: number): Promise<void> {
    const isInView = (): boolean => {
      return this.#shownCount === turn && this.#index === sheet.index &&
        this.#sheets?.find(sheet.index) === sheet
    }
    const text = await drawText(sheet.page, this.#stage.widthOf(sheet.size))
    if (!isInView()) return
    this.#stage.addLayer(text.layer)
    this.#finding?.mark(sheet.index, text.pieces)
    const opened = this.#sheets?.pdf
    const links = opened === undefined ? [] : await readLinks(opened, sheet.page)
    if (!isInView() || links.length === 0) return
    this.#stage.addLayer(drawLinks(links, this.#words, {
      openExternal: (url) => this.#tell({ kind: 'link', url }), goTo: (index) => this.#goTo(index),
    }))
  }

  async #prefetch(index: number): Promise<void> {
    for (const step of PREFETCH_STEPS) {
      const next = index + step
      if (next < 0 || next >= this.#pageCount || this.#index !== index) continue
      if (this.#notAhead.has(next) || !await this.#drawAhead(next)) return
    }
  }

  /** @returns false if it gave way to a page that is wanted now, or could not be drawn. */
  async #drawAhead(index: number): Promise<boolean> {
    try {
      const drawn = await this.#sheets?.drawAhead(index, (size) => this.#widthFor(size, 1))
      return drawn !== null && drawn !== undefined
    } catch (error) {
      // The reader is told when they come to it. A hung worker is replaced behind the page in view.
      this.#notAhead.add(index)
      if (error instanceof WatchdogError) this.#openAgain()
      return false
    }
  }

  #widthFor(size: PageSize, zoom = this.#stage.zoom): number {
    return Math.round(this.#stage.widthOf(size) / this.#stage.zoom * zoom * window.devicePixelRatio)
  }

  #nameOf(index: number): string {
    return this.#words.slideOf(index + 1, this.#pageCount + this.#lockedCount)
  }

  // -------------------------------------------------------------------------- zoom, size, chrome

  #zoom(by: 'in' | 'out' | 'fit'): void {
    const now = this.#stage.zoom
    const next = by === 'in'
      ? ZOOM_STEPS.find((step) => step > now + 0.01) ?? now
      : ZOOM_STEPS.findLast((step) => step < now - 0.01) ?? 1
    this.#setZoom(by === 'fit' ? 1 : next, null)
  }

  #setZoom(zoom: number, at: { x: number, y: number } | null): void {
    this.#stage.setZoom(zoom, at)
    this.#refresh()
    this.#redrawAfter(ZOOM_PAUSE_MS)
  }

  /** The old pixels are stretched at once; sharp ones follow when the hand rests. */
  #redrawAfter(pauseMs: number): void {
    clearTimeout(this.#redrawTimer)
    this.#redrawTimer = setTimeout(() => {
      if (this.#hasShownPage && this.#index < this.#pageCount) this.#goTo(this.#index)
    }, pauseMs)
  }

  #toggleSlides(): void {
    this.#strip.isShown = !this.#strip.isShown
    this.#refresh()
  }

  #toggleFind(): void {
    if (!this.#findBar.isShown) this.#findBar.open(this.#words)
    else {
      this.#findBar.close()
      this.#finding?.stop()
      this.#stage.root.focus({ preventScroll: true })
    }
    this.#refresh()
  }

  #query(text: string): void {
    this.#finding?.query(text, this.#index).catch((error: unknown) => this.#fail(codeOf(error, 'damaged')))
  }

  /** In full screen the controls leave when the hand rests, and come back with it. */
  #wake(): void {
    document.body.classList.remove('is-idle')
    clearTimeout(this.#idleTimer)
    if (!this.#isFullscreen) return
    this.#idleTimer = setTimeout(() => {
      if (this.#toolbar.root.contains(document.activeElement)) return
      document.body.classList.add('is-idle')
    }, IDLE_AFTER_MS)
  }

  #refresh(): void {
    document.documentElement.lang = this.#locale
    this.#stage.root.setAttribute('aria-label', this.#words.viewer)
    this.#toolbar.show({
      index: this.#index,
      count: this.#pageCount + this.#lockedCount,
      lastIndex: Math.max(0, this.#pageCount - 1 + (this.#lockedCount > 0 ? 1 : 0)),
      zoom: this.#stage.zoom,
      areSlidesShown: this.#strip.isShown,
      isFullscreen: this.#isFullscreen,
      isFinding: this.#findBar.isShown,
    }, this.#words)
    this.#strip.show(this.#index, this.#words)
  }

  // -------------------------------------------------------------------------- keys and the page

  #press(event: KeyboardEvent): void {
    if (this.#help.isShown && event.key !== '?') return
    const act = actOf(event, this.#help.areSingleKeysOn)
    if (act === null) return
    event.preventDefault()
    this.#stage.root.classList.add('is-used')
    this.#do(act)
  }

  #do(act: KeyAct): void {
    switch (act) {
      case 'next': return this.#turn(1)
      case 'previous': return this.#turn(-1)
      case 'forward': return this.#stage.scrollOn(1) ? undefined : this.#turn(1)
      case 'back': return this.#stage.scrollOn(-1) ? undefined : this.#turn(-1)
      case 'first': return this.#goTo(0)
      case 'last': return this.#goTo(this.#pageCount - 1)
      case 'zoom-in': return this.#zoom('in')
      case 'zoom-out': return this.#zoom('out')
      case 'zoom-fit': return this.#zoom('fit')
      case 'find': return this.#findBar.isShown ? this.#findBar.open(this.#words) : this.#toggleFind()
      case 'slides': return this.#toggleSlides()
      case 'fullscreen': return this.#tell({ kind: 'asked', what: 'fullscreen' })
      case 'help': return this.#help.toggle(this.#words)
      case 'leave': return this.#leave()
    }
  }

  #leave(): void {
    if (this.#findBar.isShown) this.#toggleFind()
    else if (!this.#stage.isFitted) this.#setZoom(1, null)
    else this.#tell({ kind: 'asked', what: 'leave' })
  }

  /** What the page says, once the reading has begun. */
  hear(message: PageMessage): void {
    switch (message.kind) {
      case 'watermark': return this.#mark(message.watermark)
      case 'locale': return this.#speak(message.locale)
      case 'go-to': return this.#goTo(message.index)
      case 'fullscreen': {
        this.#isFullscreen = message.isOn
        document.body.classList.toggle('is-fullscreen', message.isOn)
        this.#wake()
        return this.#refresh()
      }
      default:
    }
  }

  #mark(watermark: OpenViewer['watermark']): void {
    this.#watermark = watermark
    if (this.#sheets === null) return
    this.#sheets.watermark = watermark
    this.#goTo(this.#index)
  }

  #speak(locale: Locale): void {
    this.#locale = locale
    this.#goTo(this.#index)
  }

  /** Ends it: no canvas, no worker, no blob is left. */
  close(): void {
    clearTimeout(this.#redrawTimer)
    clearTimeout(this.#idleTimer)
    this.#letGo()
    this.#source.close()
    document.body.replaceChildren()
  }
}

/** The closed list's word for what was thrown. */
function codeOf(error: unknown, otherwise: ViewerErrorCode): ViewerErrorCode {
  if (error instanceof NotOpened) return error.verdict
  if (error instanceof SourceError) return error.code
  return error instanceof WatchdogError ? 'watchdog' : otherwise
}
