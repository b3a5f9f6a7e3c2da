/** A bucket whose every request is seen by somebody: counted when it fails, timed where traces are made. */
import type { Bucket } from './bucket.js'

/** Runs the request, and must settle as it does. */
export type Watch = <T>(operation: string, run: () => Promise<T>) => Promise<T>

const WATCHED: ReadonlySet<PropertyKey> = new Set([
  'put', 'replace', 'read', 'readTagged', 'stream', 'head', 'delete', 'list', 'check',
])

/** The same bucket; what it does besides requests passes as it is. */
export function watchBucket(bucket: Bucket, watch: Watch): Bucket {
  return new Proxy(bucket, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      if (!WATCHED.has(name)) return call
      return (...args: unknown[]) => watch(String(name), async () => await call(...args))
    },
  })
}
