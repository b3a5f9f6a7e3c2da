/**
 * The small slides beside the deck: a pressable list that asks for a picture when one comes into
 * view, and says which slide is shown.
 */
import { button, element } from './dom.js'
import type { PageSize } from './ports.js'
import type { Words } from './words.js'

export interface StripActs {
  goTo(index: number): void
  /** The picture's address (a blob of this frame), or `null` if it cannot be had. */
  picture(index: number): Promise<string | null>
}

/** Pictures just outside the view are fetched too, so that scrolling meets few blanks. */
const AHEAD_PIXELS = '120px'

export class Strip {
  readonly root = element('nav', { class: 'strip', hidden: '' })
  readonly #list = element('ol', { class: 'slides', role: 'list' })
  readonly #acts: StripActs
  readonly #seen: IntersectionObserver
  #buttons: HTMLButtonElement[] = []

  constructor(acts: StripActs) {
    this.#acts = acts
    this.root.append(this.#list)
    this.#seen = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.#picture(entry.target)
    }, { root: this.root, rootMargin: AHEAD_PIXELS })
  }

  get isShown(): boolean {
    return !this.root.hidden
  }

  set isShown(isShown: boolean) {
    this.root.hidden = !isShown
    if (isShown) this.#reveal(this.#buttons.findIndex((one) => one.ariaCurrent === 'true'))
  }

  /** One blank slide a page; `lockedCount` more that cannot be pressed open. */
  fill(pageSizes: (index: number) => PageSize, count: number, lockedCount: number): void {
    this.#seen.disconnect()
    const indexes = Array.from({ length: count }, (_, index) => index)
    this.#buttons = indexes.map((index) => this.#slide(index, pageSizes(index)))
    const locked = Array.from({ length: lockedCount }, (_, index) => this.#locked(count + index))
    this.#list.replaceChildren(...this.#buttons.map(asItem), ...locked)
    for (const one of this.#buttons) this.#seen.observe(one)
  }

  #slide(index: number, size: PageSize): HTMLButtonElement {
    const frame = element('span', { class: 'frame' })
    frame.style.aspectRatio = `${size.width} / ${size.height}`
    const made = button({ 'class': 'slide', 'data-index': String(index) }, () => this.#acts.goTo(index))
    made.append(frame, element('span', { class: 'numeral' }, String(index + 1)))
    return made
  }

  #locked(index: number): HTMLLIElement {
    const frame = element('span', { class: 'frame is-locked' })
    return asItem(element('span', { 'class': 'slide', 'aria-hidden': 'true' }, frame,
      element('span', { class: 'numeral' }, String(index + 1))))
  }

  async #fetch(index: number, frame: Element): Promise<void> {
    const url = await this.#acts.picture(index)
    if (url !== null) frame.replaceChildren(element('img', { src: url, alt: '' }))
  }

  #picture(target: Element): void {
    this.#seen.unobserve(target)
    const index = Number(target.getAttribute('data-index'))
    const frame = target.firstElementChild
    // A picture that fails leaves its blank slide, which still leads to the page.
    if (frame !== null) this.#fetch(index, frame).catch(() => frame.classList.add('is-missing'))
  }

  show(index: number, words: Words): void {
    this.root.setAttribute('aria-label', words.slides)
    for (const [at, one] of this.#buttons.entries()) {
      one.setAttribute('aria-label', words.slideOf(at + 1, this.#buttons.length))
      one.ariaCurrent = at === index ? 'true' : null
    }
    this.#reveal(index)
  }

  /** Brings a slide to the middle of the strip without moving anything else. */
  #reveal(index: number): void {
    const shown = this.#buttons[index]
    if (shown === undefined || this.root.hidden) return
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = shown
    const { clientWidth, clientHeight } = this.root
    this.root.scrollTo({
      left: offsetLeft - (clientWidth - offsetWidth) / 2,
      top: offsetTop - (clientHeight - offsetHeight) / 2,
    })
  }
}

function asItem(child: HTMLElement): HTMLLIElement {
  return element('li', {}, child)
}
