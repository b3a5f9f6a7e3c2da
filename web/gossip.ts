/**
 * Brings the checkpoint that this browser remembers to the server, once a page: whoever was shown another history
 * elsewhere, in this browser, finds out here, and so does an honest operator. Must not take an answer's word for
 * anything but an alarm.
 */
import type { Api } from './api.js'
import type { CryptoWorker } from './crypto.js'
import { attempt } from './crypto.js'

const brought = new Set<string>()

interface GossipTools {
  readonly api: Pick<Api, 'bringCheckpoint'>
  readonly crypto: Pick<CryptoWorker, 'rememberedCheckpoint' | 'takeGossip'>
}

/** @returns true if the server's log does not fit: both checkpoints are kept as evidence. */
export async function gossip({ api, crypto }: GossipTools, logVkey: string): Promise<boolean> {
  const origin = logVkey.split('+', 1)[0] ?? ''
  if (brought.has(origin)) return false
  const remembered = await crypto.rememberedCheckpoint(origin)
  if (remembered === null) return false
  brought.add(origin)
  const answer = await api.bringCheckpoint(remembered)
  if (!answer.ok || answer.value.outcome !== 'fork') return false
  const { checkpoint } = answer.value
  const taken = await attempt(() => crypto.takeGossip({ logVkey, checkpoint }))
  return taken.ok
}
