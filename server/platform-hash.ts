/** Node's SHA-256, the faster `Hash` for trees. */
import { hash } from 'node:crypto'

export function platformSha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}
