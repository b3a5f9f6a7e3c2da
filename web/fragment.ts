/**
 * The secret after the `#` of a link, taken out of the page before any other code of it runs: it
 * leaves the address bar and the history entry, and is handed over once, to the worker.
 * Import it before everything else; it must import nothing, log nothing and keep nothing else.
 */
let taken: string | null = takeFromAddress()
hideFromTimings()

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

/**
 * [Note: Timings remember] The browser keeps the address that was navigated to, fragment included, in
 * the page's performance entries, and nothing can remove it. Scripts of this page read it through
 * these two, so these two leave fragments out.
 */
function hideFromTimings(): void {
  const { prototype } = PerformanceEntry
  const name = Object.getOwnPropertyDescriptor(prototype, 'name')
  const readName = name?.get
  if (readName === undefined) return
  Object.defineProperty(prototype, 'name', {
    ...name,
    configurable: false,
    get() { return withoutFragment(Reflect.apply(readName, this, [])) },
  })
  for (const kind of [PerformanceEntry, PerformanceResourceTiming, PerformanceNavigationTiming]) {
    hideFromJson(kind.prototype)
  }
}

function hideFromJson(prototype: PerformanceEntry): void {
  const toJson: unknown = Reflect.get(prototype, 'toJSON')
  if (typeof toJson !== 'function') return
  Object.defineProperty(prototype, 'toJSON', {
    configurable: false,
    writable: false,
    value() { return { ...Reflect.apply(toJson, this, []), name: this.name } },
  })
}

function withoutFragment(name: unknown): unknown {
  return typeof name === 'string' ? name.split('#', 1)[0] : name
}
