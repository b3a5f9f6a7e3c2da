/**
 * The one way to start a worker: an address becomes code only here (Trusted Types, policy
 * `sealdeck-url`), and only if it is one of our own built workers. Must be the page's only policy.
 */
interface TrustedTypes {
  /** lib.dom knows neither Trusted Types nor that a Worker takes their addresses. */
  createPolicy(
    name: string, rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): URL }
}
declare global {
  interface Window { trustedTypes?: TrustedTypes }
}

/** As web/vite.config.ts names them, and as the development server does. */
const WORKER_PATH = import.meta.env.DEV ? /worker[^/]*\.ts$/ : /^\/assets\/worker-[A-Za-z0-9_-]+\.js$/

const policy = window.trustedTypes?.createPolicy('sealdeck-url', {
  createScriptURL(url) {
    const { origin, pathname } = new URL(url, location.origin)
    if (origin !== location.origin || !WORKER_PATH.test(pathname)) throw new TypeError('not a worker of ours')
    return url
  },
})

/** @param url - from `import url from './x.ts?worker&url'`. */
export function startWorker(url: string, name: string): Worker {
  return new Worker(policy?.createScriptURL(url) ?? url, { type: 'module', name })
}
