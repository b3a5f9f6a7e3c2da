/** Which key means which act. The list that readers see is in help.ts. */

export type KeyAct =
  | 'next' | 'previous' | 'first' | 'last' | 'forward' | 'back' | 'zoom-in' | 'zoom-out' | 'zoom-fit'
  | 'find' | 'slides' | 'fullscreen' | 'help' | 'leave'

const PLAIN: Readonly<Record<string, KeyAct>> = {
  ArrowRight: 'next',
  ArrowLeft: 'previous',
  ArrowDown: 'forward',
  ArrowUp: 'back',
  PageDown: 'forward',
  PageUp: 'back',
  Home: 'first',
  End: 'last',
  Escape: 'leave',
}

/** These can be switched off (WCAG 2.1.4): somebody who dictates must not turn pages by speaking. */
const SINGLE: Readonly<Record<string, KeyAct>> = { f: 'fullscreen', t: 'slides', '?': 'help', '/': 'find' }

const WITH_CONTROL: Readonly<Record<string, KeyAct>> = {
  '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', '0': 'zoom-fit', 'f': 'find',
}

/** Letters by their place on the keyboard, so that F is F under a Russian layout too. */
const PLACES: Readonly<Record<string, string>> = { KeyF: 'f', KeyT: 't' }

/** `null`: the key is not ours, or belongs to the field or button it was pressed in. */
export function actOf(event: KeyboardEvent, areSingleKeysOn: boolean): KeyAct | null {
  if (event.altKey || event.isComposing) return null
  const key = PLACES[event.code] ?? event.key
  if (event.ctrlKey || event.metaKey) return WITH_CONTROL[key] ?? null
  if (isTyping(event.target)) return event.key === 'Escape' ? 'leave' : null
  if (event.key === ' ') return isPressable(event.target) ? null : event.shiftKey ? 'back' : 'forward'
  return PLAIN[event.key] ?? (areSingleKeysOn ? SINGLE[key] ?? null : null)
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== 'checkbox'
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement ||
    target instanceof HTMLInputElement
}
