/** Who may read which events, and invitations and audited vaults as clients see them. */
import { findAudit, type findInvitation } from '../db/queries/audit.js'
import { isInstanceAuditor } from '../db/queries/instance-auditors.js'
import { findVault } from '../db/queries/vaults.js'
import type { AuditedVault, Invitation } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

// ---- Who may read ----

export interface Reader { readonly userId: string, readonly email: string }

/** What a reader may see of a vault, or of the instance. */
export interface Reading {
  readonly isAuditor: boolean
  readonly withIdentities: boolean
  /** With it the vault's entries are found in the public log; `null` for the instance. */
  readonly vaultTagKey: Uint8Array | null
}

/**
 * A vault's founder and her auditors may read its events; without a vault, whom the operator has named may read all,
 * as pseudonyms. Refuses: vault-not-found, or not-found for the instance; for absent and not hers alike.
 */
export async function requireReader(
  world: World, { userId, email }: Reader, vaultId: string | undefined,
): Promise<Reading> {
  if (vaultId === undefined) {
    if (!await isInstanceAuditor(world.db, email)) throw new Refusal('not-found')
    return { isAuditor: true, withIdentities: false, vaultTagKey: null }
  }
  const vault = await findVault(world.db, vaultId)
  if (vault === undefined) throw new Refusal('vault-not-found')
  const { tagKey: vaultTagKey } = vault
  if (vault.ownerId === userId) return { isAuditor: false, withIdentities: true, vaultTagKey }
  const audit = await findAudit(world.db, { userId, vaultId })
  if (audit === undefined) throw new Refusal('vault-not-found')
  return { isAuditor: true, withIdentities: audit.withIdentities, vaultTagKey }
}

// ---- As clients see them ----

interface InvitationRow {
  readonly id: string
  readonly vaultId: string
  readonly email: string
  readonly withIdentities: boolean
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly acceptedAtMs: number | null
  readonly revokedAtMs: number | null
}

export function presentInvitation(row: InvitationRow): Invitation {
  const {
    id, vaultId, email, withIdentities, createdAtMs, expiresAtMs, acceptedAtMs, revokedAtMs,
  } = row
  return {
    invitationId: id, vaultId, email, withIdentities, createdAtMs, expiresAtMs, acceptedAtMs,
    revokedAtMs,
  }
}

type AuditRow = NonNullable<Awaited<ReturnType<typeof findInvitation>>>

export function presentAudit(
  world: World, row: AuditRow, more: { acceptedAtMs: number, eventCount: number },
): AuditedVault {
  return {
    invitationId: row.id, vaultId: row.vaultId, founderName: row.founderName,
    founderSigningKey: encodeBase64Url(row.founderSigningKey), withIdentities: row.withIdentities,
    logVkey: world.keys.log.vkey, ...more,
  }
}
