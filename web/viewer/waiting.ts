/** The thin line that moves while bytes are awaited, and a sentence when it takes long. */
import { element } from './dom.js'
import type { FetchProgress } from './range-source.js'
import type { Words } from './words.js'

/** A fast line shows nothing at all. */
const LINE_AFTER_MS = 350
const SENTENCE_AFTER_MS = 2_500

export class Waiting {
  readonly root = element('div', { class: 'waiting' })
  readonly #line = element('div', { 'class': 'line', 'aria-hidden': 'true' })
  readonly #sentence = element('p', { class: 'sentence', role: 'status' })
  #timers: ReturnType<typeof setTimeout>[] = []
  #isWaiting = false
  #isSlow = false
  #startBytes = 0

  constructor() {
    this.root.append(this.#line, this.#sentence)
  }

  show(progress: FetchProgress, words: Words): void {
    const isWaiting = progress.openReadCount > 0
    if (isWaiting !== this.#isWaiting) this.#turn(isWaiting, progress, words)
    if (progress.isStalled) this.#say(words.stalled)
    else if (this.#isSlow) this.#say(words.fetching(progress.fetchedBytes - this.#startBytes))
  }

  #turn(isWaiting: boolean, progress: FetchProgress, words: Words): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
    this.#isWaiting = isWaiting
    this.#isSlow = false
    this.#startBytes = progress.fetchedBytes
    if (!isWaiting) return this.#rest()
    this.#timers = [
      setTimeout(() => this.root.classList.add('is-on'), LINE_AFTER_MS),
      setTimeout(() => {
        this.#isSlow = true
        this.#say(words.fetching(0))
      }, SENTENCE_AFTER_MS),
    ]
  }

  #rest(): void {
    this.root.classList.remove('is-on')
    this.#say('')
  }

  #say(text: string): void {
    this.#sentence.textContent = text
  }
}
