/**
 * Ways into an account: what the browser sends about a new one becomes a row, checked by whoever owns
 * the format. The locked root inside is opaque to us.
 */
import type { NewKeyringRow as StoredRow, StoredKeyringRow } from '../db/queries/keyring.js'
import type { KeyringRow, KeyringRowSummary, NewKeyringRow } from '../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../protocol/bytes.js'
import { Refusal } from '../protocol/refusals.js'
import { readNewPasskey } from './passkeys.js'
import type { World } from './world.js'

/**
 * The row for a new way in.
 * Refuses: bad-request unless it comes with exactly what its method asks for; sign-in-failed for a passkey
 * that does not verify.
 */
export async function readWayIn(
  world: World, userId: string, { row, ...proofs }: NewKeyringRow,
): Promise<StoredRow> {
  const given = Object.keys(proofs)
  if (given.length !== 1 || given[0] !== row.method) throw new Refusal('bad-request')
  const { passkey, passphrase, recovery } = proofs
  return {
    id: row.rowId, userId, method: row.method, version: row.version,
    sealed: decodeBase64Url(row.sealed), commit: decodeBase64Url(row.commit),
    createdAtMs: world.clock.nowMs(),
    ...passkey === undefined
      ? {}
      : { label: passkey.label, ...await readNewPasskey(world, { userId, ...passkey }) },
    ...passphrase === undefined ? {} : { opaqueRecord: passphrase.registrationRecord },
    ...recovery === undefined ? {} : { recoveryAuthSha256: decodeBase64Url(recovery.authSha256) },
  }
}

/** The row as its owner's browser gets it back, to unlock the root. */
export function presentRow(row: StoredKeyringRow): KeyringRow {
  return {
    rowId: row.id, method: row.method, version: 1, sealed: encodeBase64Url(row.sealed),
    commit: encodeBase64Url(row.commit),
  }
}

/** The row as it stands in a list. */
export function presentRowSummary(row: StoredKeyringRow): KeyringRowSummary {
  return {
    rowId: row.id, method: row.method, label: row.label, createdAtMs: row.createdAtMs,
    lastUsedAtMs: row.usedAtMs,
  }
}
