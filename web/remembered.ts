/**
 * Small choices this browser keeps for its user: language, theme, dismissed hints. Never a key, a
 * token, a name or an address: whoever opens the browser's tools can read it.
 */

/** @returns what was kept, or `null` if nothing was, or this browser keeps nothing for us. */
export function readRemembered(name: string): string | null {
  try {
    return localStorage.getItem(`sealdeck.${name}`)
  } catch {
    return null // Storage switched off: the same as never having chosen.
  }
}

/** @returns whether the browser kept it; a choice that is not kept still holds for this visit. */
export function remember(name: string, value: string): boolean {
  try {
    localStorage.setItem(`sealdeck.${name}`, value)
    return true
  } catch {
    return false
  }
}
