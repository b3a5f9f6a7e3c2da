/** The list of keys, and the switch for single-letter ones. */
import { button, element, icon, label } from './dom.js'
import type { Words } from './words.js'

const CROSS = 'M6 6l12 12M18 6L6 18'

export class Help {
  readonly root = element('dialog', { 'class': 'help', 'aria-labelledby': 'help-title' })
  readonly #singleKeys = element('input', { type: 'checkbox', checked: '' })

  get areSingleKeysOn(): boolean {
    return this.#singleKeys.checked
  }

  get isShown(): boolean {
    return this.root.open
  }

  toggle(words: Words): void {
    if (this.root.open) return this.root.close()
    const close = button({ class: 'press' }, () => this.root.close(), icon(CROSS))
    label(close, words.close)
    this.root.replaceChildren(
      element('header', {}, element('h2', { id: 'help-title' }, words.helpTitle), close),
      keyList(words),
      element('label', { class: 'choice' }, this.#singleKeys, words.singleKeys),
    )
    this.root.showModal()
  }
}

function keyList(words: Words): HTMLElement {
  const rows: [keys: string[], what: string][] = [
    [['→', '↓', 'Page Down', words.space], words.keys.next],
    [['←', '↑', 'Page Up', `Shift ${words.space}`], words.keys.previous],
    [['Home', 'End'], words.keys.ends],
    [['Ctrl +', 'Ctrl −', 'Ctrl 0'], words.keys.zoom],
    [['Ctrl F', '/'], words.keys.find],
    [['T'], words.keys.slides],
    [['F'], words.keys.fullscreen],
    [['Esc'], words.keys.leave],
    [['?'], words.keys.help],
  ]
  const list = element('dl', { class: 'keys' })
  for (const [keys, what] of rows) {
    list.append(element('dt', {}, ...keys.map((key) => element('kbd', {}, key))), element('dd', {}, what))
  }
  return list
}
