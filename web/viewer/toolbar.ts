/** The one row of controls under the deck. Says and asks; decides nothing. */
import { button, element, icon, label } from './dom.js'
import type { Words } from './words.js'

const ICONS = {
  slides: 'M4 5h5v5H4zM4 14h5v5H4zM13 6h7M13 9h5M13 15h7M13 18h5',
  previous: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  zoomOut: 'M6 12h12',
  zoomIn: 'M6 12h12M12 6v12',
  find: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5',
  help: 'M9.2 9.2a2.9 2.9 0 1 1 4.1 2.7c-.9.4-1.3 1-1.3 2V14.6M12 18v.1',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  leaveFullscreen: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
} as const

export interface ToolbarActs {
  turn(by: 1 | -1): void
  goTo(index: number): void
  zoom(by: 'in' | 'out' | 'fit'): void
  toggleSlides(): void
  toggleFind(): void
  toggleHelp(): void
  toggleFullscreen(): void
}

/** What the row shows. `count`: all slides, those below the lock line included. */
export interface ToolbarState {
  index: number
  count: number
  lastIndex: number
  zoom: number
  areSlidesShown: boolean
  isFullscreen: boolean
  isFinding: boolean
}

export class Toolbar {
  readonly root = element('footer', { class: 'bar' })
  readonly #acts: ToolbarActs
  readonly #number = element('input', { class: 'number', inputmode: 'numeric', autocomplete: 'off', size: '3' })
  readonly #count = element('span', { class: 'count' })
  readonly #slides: HTMLButtonElement
  readonly #previous: HTMLButtonElement
  readonly #next: HTMLButtonElement
  readonly #zoomOut: HTMLButtonElement
  readonly #zoomFit: HTMLButtonElement
  readonly #zoomIn: HTMLButtonElement
  readonly #find: HTMLButtonElement
  readonly #help: HTMLButtonElement
  readonly #fullscreen: HTMLButtonElement
  #index = 0

  constructor(acts: ToolbarActs) {
    this.#acts = acts
    const press = (path: string, act: () => void): HTMLButtonElement => button({ class: 'press' }, act, icon(path))
    this.#slides = press(ICONS.slides, () => acts.toggleSlides())
    this.#previous = press(ICONS.previous, () => acts.turn(-1))
    this.#next = press(ICONS.next, () => acts.turn(1))
    this.#zoomOut = press(ICONS.zoomOut, () => acts.zoom('out'))
    this.#zoomFit = button({ class: 'press zoom' }, () => acts.zoom('fit'))
    this.#zoomIn = press(ICONS.zoomIn, () => acts.zoom('in'))
    this.#find = press(ICONS.find, () => acts.toggleFind())
    this.#help = press(ICONS.help, () => acts.toggleHelp())
    this.#help.classList.add('is-keys')
    this.#fullscreen = press(ICONS.fullscreen, () => acts.toggleFullscreen())
    this.#layOut()
  }

  #layOut(): void {
    // Not a form: the frame's sandbox stops those, and the browser complains about it.
    const jump = element('div', { class: 'jump' }, this.#number, element('span', { 'aria-hidden': 'true' }, '/'), this.#count)
    this.#number.addEventListener('keydown', (event) => { if (event.key === 'Enter') this.#number.blur() })
    this.#number.addEventListener('focus', () => this.#number.select())
    this.#number.addEventListener('change', () => this.#jump())
    this.root.append(
      element('div', { class: 'side' }, this.#slides, this.#find),
      element('div', { class: 'middle' }, this.#previous, jump, this.#next),
      element('div', { class: 'side is-end' },
        element('div', { class: 'zooms' }, this.#zoomOut, this.#zoomFit, this.#zoomIn), this.#help, this.#fullscreen),
    )
  }

  #jump(): void {
    const number = Number.parseInt(this.#number.value, 10)
    this.#acts.goTo(Number.isSafeInteger(number) ? number - 1 : this.#index)
    this.#number.value = String(this.#index + 1)
    this.#number.blur()
  }

  show(state: ToolbarState, words: Words): void {
    const { index, count, zoom } = state
    // Pages come and are drawn while somebody types where to go.
    const isTyping = document.activeElement === this.#number && index === this.#index
    this.#index = index
    if (!isTyping || count === 0) this.#number.value = count === 0 ? '–' : String(index + 1)
    this.#count.textContent = count === 0 ? '–' : String(count)
    this.#previous.disabled = index <= 0
    this.#next.disabled = index >= state.lastIndex
    this.#zoomOut.disabled = zoom <= 1
    const needPages = [this.#slides, this.#find, this.#zoomFit, this.#zoomIn]
    for (const one of needPages) one.disabled = count === 0
    this.#zoomFit.textContent = `${Math.round(zoom * 100)} %`
    this.#slides.setAttribute('aria-pressed', String(state.areSlidesShown))
    this.#find.setAttribute('aria-pressed', String(state.isFinding))
    const size = state.isFullscreen ? ICONS.leaveFullscreen : ICONS.fullscreen
    this.#fullscreen.replaceChildren(icon(size))
    this.#speak(state, words)
  }

  #speak(state: ToolbarState, words: Words): void {
    this.root.setAttribute('aria-label', words.controls)
    this.#number.setAttribute('aria-label', words.goTo)
    label(this.#slides, state.areSlidesShown ? words.hideSlides : words.showSlides)
    label(this.#previous, words.previous)
    label(this.#next, words.next)
    label(this.#zoomOut, words.zoomOut)
    label(this.#zoomFit, `${words.zoomFit}, ${Math.round(state.zoom * 100)} %`)
    label(this.#zoomIn, words.zoomIn)
    label(this.#find, words.find)
    label(this.#help, words.help)
    label(this.#fullscreen, state.isFullscreen ? words.leaveFullscreen : words.fullscreen)
  }
}
