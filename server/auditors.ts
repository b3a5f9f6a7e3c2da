/** Invitations and audited vaults as clients see them. */
import type { findInvitation } from '../db/queries/audit.js'
import type { AuditedVault, Invitation } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import type { World } from './world.js'

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
