/**
 * The log may have taken another key since a link was opened; as web/follow-keys.ts, for the gate, which loads this only
 * then. Must not choose a key: the worker judges the log's own statements, from the key that the grant pins.
 */
import type { GateApi } from '../api.js'
import type { CryptoWorker } from '../crypto.js'

export async function learnLaterKeys(api: GateApi, crypto: CryptoWorker): Promise<void> {
  const config = await api.readConfig()
  if (!config.ok) return
  const { logVkey, logRotations: statements } = config.value
  await crypto.learnLogKeys({ logVkey, statements })
}
