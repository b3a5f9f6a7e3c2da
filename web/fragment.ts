/**
 * The secret after the `#` of a link, taken out of the page before any other code of it runs: it
 * leaves the address bar and the history entry, and is handed over once, to the worker.
 * Import it before everything else; it must import nothing, log nothing and keep nothing else.
 */
let taken: string | null = takeFromAddress()

function takeFromAddress(): string | null {
  const fragment = location.hash.slice(1)
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search)
  return fragment === '' ? null : fragment
}

/** The fragment, to the first who asks; `null` afterwards, or if the address had none. */
export function takeFragment(): string | null {
  const fragment = taken
  taken = null
  return fragment
}

/** A link pasted over an open page of the same path changes nothing but the fragment. */
export function onNewFragment(listener: () => void): () => void {
  function onHashChange(): void {
    const fragment = takeFromAddress()
    if (fragment === null) return
    taken = fragment
    listener()
  }
  addEventListener('hashchange', onHashChange)
  return () => removeEventListener('hashchange', onHashChange)
}
