/**
 * Where one page lies: its size, zoom and scroll, the canvas with the words and links over it, and
 * the cards that stand in for a page (opening, an error, the lock line). Must not know pdf.js.
 */
import { element } from './dom.js'
import type { PageSize } from './ports.js'

export const ZOOM_STEPS = [1, 1.25, 1.5, 2, 3, 4] as const
const MAX_ZOOM = 4
/** Before any page's size is known: a usual slide. */
const USUAL_SIZE: PageSize = { width: 16, height: 9 }
/** A turn of at least this share of the view is left to scroll before the page is turned. */
const SCROLL_SHARE = 0.85
const EDGE_PIXELS = 2

export class Stage {
  readonly root = element('main', { class: 'stage', tabindex: '0' })
  readonly #paper = element('div', { class: 'paper', role: 'group' })
  readonly #cards = element('div', { class: 'cards' })
  #size: PageSize = USUAL_SIZE
  #zoom = 1

  constructor() {
    this.root.append(this.#paper, this.#cards)
    // The ring says where the keys go until they are used; then it would only frame the slide.
    this.root.addEventListener('blur', () => this.root.classList.remove('is-used'))
  }

  get zoom(): number {
    return this.#zoom
  }

  get isFitted(): boolean {
    return this.#zoom === 1
  }

  /** How wide a page of this size is shown now, in CSS pixels. */
  widthOf(size: PageSize): number {
    const { width, height } = this.#room()
    return Math.max(1, Math.min(width, height * size.width / size.height)) * this.#zoom
  }

  /** The place left around the margins, which are CSS's business. */
  #room(): { width: number, height: number } {
    const style = getComputedStyle(this.root)
    const inset = (a: string, b: string): number => Number.parseFloat(a) + Number.parseFloat(b)
    return {
      width: this.root.clientWidth - inset(style.paddingLeft, style.paddingRight),
      height: this.root.clientHeight - inset(style.paddingTop, style.paddingBottom),
    }
  }

  /** True if a page of this shape leaves `width` or `height` CSS pixels of the window unused. */
  hasRoomBeside(size: PageSize, spare: { width: number, height: number }): boolean {
    const room = this.#room()
    const shownWidth = this.widthOf(size) / this.#zoom
    const shownHeight = shownWidth * size.height / size.width
    return room.width - shownWidth >= spare.width && room.height - shownHeight >= spare.height
  }

  /** Shows the empty sheet of a page that is still being drawn, with its thumbnail if there is one. */
  showBlank(size: PageSize | null, name: string, preview: string | null): void {
    this.#setSize(size ?? this.#size)
    this.#paper.replaceChildren()
    if (preview !== null) this.#paper.append(element('img', { class: 'preview', src: preview, alt: '' }))
    this.#paper.classList.add('is-blank')
    this.#name(name)
  }

  /** Shows a drawn page; `drawLayers` come later, when they are ready. */
  showPage(canvas: HTMLCanvasElement, size: PageSize, name: string): void {
    this.#setSize(size)
    this.#paper.classList.remove('is-blank')
    this.#paper.replaceChildren(canvas)
    this.#name(name)
  }

  addLayer(layer: HTMLElement): void {
    this.#paper.append(layer)
  }

  #name(name: string): void {
    this.#cards.replaceChildren()
    this.#paper.hidden = false
    this.#paper.setAttribute('aria-label', name)
  }

  /** A card in place of the page. */
  showCard(card: HTMLElement): void {
    this.#paper.hidden = true
    this.#paper.replaceChildren()
    this.#cards.replaceChildren(card)
  }

  #setSize(size: PageSize): void {
    this.#size = size
    this.fit()
  }

  /** Lays the page out again, after the window, the zoom or the page has changed. */
  fit(): void {
    const width = this.widthOf(this.#size)
    const style = this.#paper.style
    style.width = `${width}px`
    style.height = `${width * this.#size.height / this.#size.width}px`
    style.setProperty('--total-scale-factor', String(width / this.#size.width))
    this.root.classList.toggle('is-zoomed', !this.isFitted)
  }

  /** Zooms about a point of the window, which stays where it is. */
  setZoom(zoom: number, at: { x: number, y: number } | null): void {
    const box = this.#paper.getBoundingClientRect()
    const stageBox = this.root.getBoundingClientRect()
    const x = at?.x ?? stageBox.left + stageBox.width / 2
    const y = at?.y ?? stageBox.top + stageBox.height / 2
    const share = { x: (x - box.left) / box.width, y: (y - box.top) / box.height }
    this.#zoom = Math.min(MAX_ZOOM, Math.max(1, zoom))
    this.fit()
    const after = this.#paper.getBoundingClientRect()
    this.root.scrollLeft += after.left + share.x * after.width - x
    this.root.scrollTop += after.top + share.y * after.height - y
  }

  /** @returns false if there was nothing left to scroll that way, so that the page may be turned. */
  scrollOn(by: 1 | -1): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.root
    const left = by > 0 ? scrollHeight - clientHeight - scrollTop : scrollTop
    if (left <= EDGE_PIXELS) return false
    this.root.scrollBy({ top: by * clientHeight * SCROLL_SHARE })
    return true
  }

  scrollToEdge(edge: 'top' | 'bottom'): void {
    this.root.scrollTop = edge === 'top' ? 0 : this.root.scrollHeight
  }

  drag(byPixels: number): void {
    this.#paper.classList.toggle('is-dragged', byPixels !== 0)
    this.#paper.style.setProperty('--drag', `${byPixels}px`)
  }
}
