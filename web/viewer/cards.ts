/** What stands in the place of a page: an error with a way out, or the lock line. */
import { button, element, icon } from './dom.js'
import type { ViewerErrorCode } from './ports.js'
import type { Words } from './words.js'

const ICONS = {
  broken: 'M7 3h7l4 4v14H7zM14 3v4h4M12.5 10.5v4.5M12.5 17.6v.1',
  lock: 'M6.5 11h11v9h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5',
  line: 'M4 12h4M16 12h4M10 8l4 8M14 8l-4 8',
} as const

/** Trouble that may pass, or that opening once more may cure. */
const CURABLE: readonly ViewerErrorCode[] = ['offline', 'busy', 'watchdog', 'page-failed']

export function errorCard(code: ViewerErrorCode, words: Words, again: () => void): HTMLElement {
  const path = code === 'offline' || code === 'busy' ? ICONS.line : ICONS.broken
  const card = element('section', { class: 'card', role: 'alert' }, icon(path), element('p', {}, words.errors[code]))
  if (CURABLE.includes(code)) card.append(button({ class: 'act' }, again, words.tryAgain))
  return card
}

export function lockCard(count: number, words: Words, unlock: () => void): HTMLElement {
  return element('section', { 'class': 'card', 'aria-labelledby': 'lock-title' },
    icon(ICONS.lock),
    element('h2', { id: 'lock-title' }, words.lockedSlides(count)),
    element('p', {}, words.lockedWhy),
    button({ class: 'act' }, unlock, words.unlock))
}
