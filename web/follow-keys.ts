/**
 * A log may take another key while a page is open (SPEC.md § 7.11), or another log may go on (§ 7.13). What the worker
 * then calls signed by nobody it knows has the log's statements fetched, judged by the worker, and is asked once more.
 * Must not choose a key: statements link keys, and which one to begin from, the caller's pin says.
 */
import type { Config } from '../protocol/api.js'
import type { Answer } from './api.js'
import type { CryptoWorker } from './crypto.js'
import { isOfLaterLog, protocolErrorCode } from './protocol-error-code.js'

interface Following {
  readonly readConfig: () => Promise<Answer<Config>>
  /** Told of each key's line that was learnt, oldest key first. */
  readonly onFollowed?: (config: Config, logVkeys: readonly string[]) => void
}

/** The same worker, which learns of keys that its log has taken since the page was opened. */
export function followLogKeys(
  crypto: CryptoWorker, { readConfig, onFollowed }: Following,
): CryptoWorker {
  let learning: Promise<boolean> | null = null

  async function learn(): Promise<boolean> {
    const config = await readConfig()
    if (!config.ok || config.value.logRotations.length === 0) return false
    const { logVkey, logRotations: statements } = config.value
    const logVkeys = await crypto.learnLogKeys({ logVkey, statements })
    onFollowed?.(config.value, logVkeys)
    return true
  }
  /** Several calls may meet the new key at once. */
  function learnOnce(): Promise<boolean> {
    learning ??= learn().finally(() => { learning = null })
    return learning
  }
  return new Proxy(crypto, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      // Only what judges a signature of the log ever says so, and none of that moves what it is given.
      return async (...input: unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(method, target, input)
        } catch (error) {
          if (!isOfLaterLog(protocolErrorCode(error)) || !await learnOnce()) throw error
          return await Reflect.apply(method, target, input)
        }
      }
    },
  })
}
