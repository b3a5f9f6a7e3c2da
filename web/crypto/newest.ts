/**
 * The newest that this device has seen of a founder's links and versions, and what she revoked from it (SPEC.md § 8.4),
 * kept in the worker's store: a server that shows an older state is refused before a header is made. Only what she
 * signed, revoked here, or what her log proves counts as seen. It outlives sign-out, as remembered checkpoints do:
 * nothing in it opens anything. The comparing itself is protocol/deck/newest.ts.
 */
import type { GrantSummary, VaultDetail } from '../../protocol/api.js'
import { decodeUtf8, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import {
  forgetVault, lookAtVault, noteRevoked, requireNewestLink, requireNotRevoked, type OlderState,
  type Seen,
} from '../../protocol/deck/newest.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'

export interface Newest {
  /** Compare a vault with what was seen, and remember it. */
  look(vault: VaultDetail): Promise<OlderState[]>
  noteRevoked(ids: readonly string[]): Promise<void>
  forgetVault(vaultId: string): Promise<void>
  /** @throws ProtocolError `stale-version` for an older revision, and for a link that was revoked. */
  requireNewest(summary: Pick<GrantSummary, 'grantId'>, revision: number): Promise<void>
  /** @throws ProtocolError `stale-version` for a person or device that was revoked. */
  requireNotRevoked(ids: readonly string[]): Promise<void>
}

export function createNewest(platform: Platform, owner: Owner): Newest {
  let turn: Promise<unknown> = Promise.resolve()

  /** One after another: two that read and write side by side would lose one's. */
  function inTurn<T>(run: (seen: Seen) => T): Promise<T> {
    const next = turn.then(async () => {
      const name = `newest/${encodeBase64Url(owner.keys().fingerprint)}`
      const before = await platform.store.read(name)
      const seen = before === null ? { links: {}, versions: {}, revoked: {} } : readSeen(before)
      const result = run(seen)
      const after = JSON.stringify(seen)
      const isSame = before !== null && decodeUtf8(before) === after
      if (!isSame) await platform.store.write(name, encodeUtf8(after))
      return result
    })
    turn = next.catch(() => undefined)
    return next
  }
  return {
    look: (vault) => inTurn((seen) => lookAtVault(seen, owner.keys(), vault)),
    noteRevoked: (ids) => inTurn((seen) => noteRevoked(seen, ids)),
    forgetVault: (vaultId) => inTurn((seen) => forgetVault(seen, vaultId)),
    requireNewest: ({ grantId }, revision) =>
      inTurn((seen) => requireNewestLink(seen, grantId, revision)),
    requireNotRevoked: (ids) => inTurn((seen) => requireNotRevoked(seen, ids)),
  }
}

/** Our own words in a locked entry: whoever could forge them could do anything here. */
function readSeen(bytes: Uint8Array): Seen {
  const seen: Seen = JSON.parse(decodeUtf8(bytes))
  return seen
}
