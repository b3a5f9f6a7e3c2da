/**
 * The newest that an owner's device has seen of her links and versions, and what she revoked (SPEC.md § 8.4): compared
 * with what a server shows, before a header is made. Pure: where it is kept is the caller's. Only what she signed counts
 * as seen; must not believe the revisions and versions that a server states beside it.
 */
import type { GrantSummary, StoredVersion } from '../api.js'
import { decodeBase64Url, encodeBase64Url } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { verifyGrant } from './grant.js'
import type { OwnerKeys } from './identity.js'
import { signedRecordOf } from './own-version.js'
import { verifyRecord } from './record.js'

/** Revoked links, persons and devices that are remembered; the oldest are forgotten first. */
const MAX_REVOKED = 5_000

interface SeenLink { readonly vaultId: string, readonly revision: number }

/** As JSON it is what a device keeps. */
export interface Seen {
  readonly links: Record<string, SeenLink>
  /** By vault, document and part. */
  readonly versions: Record<string, number>
  /** Grant ids, person ids, and `recipient/` with the SHA-256 of a revoked device's. */
  readonly revoked: Record<string, true>
}

/** The server shows an older state than was seen. */
export interface OlderState {
  readonly kind: 'link-older' | 'link-revived' | 'link-missing' | 'version-older'
  /** A grant's or a document's. */
  readonly id: string
}

/** What a server shows of a vault, as far as it is compared. */
export interface ShownVault {
  readonly vaultId: string
  readonly grants: readonly GrantSummary[]
  readonly documents: readonly {
    readonly documentId: string, readonly versions: readonly StoredVersion[],
  }[]
}

/** Compares a vault with what was seen, and takes what is newer into it. */
export function lookAtVault(seen: Seen, keys: OwnerKeys, vault: ShownVault): OlderState[] {
  return [...lookAtLinks(seen, keys, vault), ...lookAtVersions(seen, keys, vault)]
}

/** @throws ProtocolError `stale-version` for an older revision, and for a link that was revoked. */
export function requireNewestLink(seen: Seen, grantId: string, revision: number): void {
  const isOlder = (seen.links[grantId]?.revision ?? 0) > revision
  if (isOlder) throw new ProtocolError('stale-version', 'a newer revision of this link was seen')
  const isRevoked = seen.revoked[grantId] === true
  if (isRevoked) throw new ProtocolError('stale-version', 'this link was revoked')
}

/** @throws ProtocolError `stale-version` for a person or device that was revoked. */
export function requireNotRevoked(seen: Seen, ids: readonly string[]): void {
  const isRevoked = ids.some((id) => seen.revoked[id] === true)
  if (isRevoked) throw new ProtocolError('stale-version', 'this was revoked')
}

export function noteRevoked(seen: Seen, ids: readonly string[]): void {
  for (const id of ids) seen.revoked[id] = true
  const all = Object.keys(seen.revoked)
  for (const id of all.slice(0, Math.max(0, all.length - MAX_REVOKED))) delete seen.revoked[id]
}

/** Its revocations stay. */
export function forgetVault(seen: Seen, vaultId: string): void {
  for (const [grantId, link] of Object.entries(seen.links)) {
    if (link.vaultId === vaultId) delete seen.links[grantId]
  }
  for (const key of Object.keys(seen.versions)) {
    if (key.startsWith(`${vaultId}/`)) delete seen.versions[key]
  }
}

function lookAtLinks(seen: Seen, keys: OwnerKeys, vault: ShownVault): OlderState[] {
  const older: OlderState[] = []
  for (const summary of vault.grants) {
    const before = seen.links[summary.grantId]
    const shown = readLink(keys, vault.vaultId, summary)
    if (shown === null) continue
    const isRevived = seen.revoked[summary.grantId] === true && summary.revokedAtMs === null
    const isOlder = before !== undefined && before.revision > shown.revision
    if (isRevived) older.push({ kind: 'link-revived', id: summary.grantId })
    if (isOlder) older.push({ kind: 'link-older', id: summary.grantId })
    else seen.links[summary.grantId] = shown
  }
  const ids = new Set(vault.grants.map(({ grantId }) => grantId))
  const missing = Object.entries(seen.links)
    .filter(([grantId, { vaultId }]) => vaultId === vault.vaultId && !ids.has(grantId))
  return [...older, ...missing.map(([id]) => ({ kind: 'link-missing' as const, id }))]
}

/** Hers by signature, or `null`: what she did not sign says nothing about what is newest. */
function readLink(
  { signing, fingerprint }: OwnerKeys, vaultId: string, summary: GrantSummary,
): SeenLink | null {
  const signed = {
    bytes: decodeBase64Url(summary.grant), signature: decodeBase64Url(summary.grantSignature),
  }
  const grant = orNull(() => verifyGrant(signed, { signingKey: signing.publicKey, fingerprint }))
  const isHers = grant !== null && grant.vaultId === vaultId &&
    encodeBase64Url(grant.grantId) === summary.grantId
  return isHers ? { vaultId, revision: grant.revision } : null
}

function lookAtVersions(seen: Seen, keys: OwnerKeys, vault: ShownVault): OlderState[] {
  const shown = new Map<string, number>()
  for (const { documentId, versions } of vault.documents) {
    for (const version of versions) {
      const own = orNull(() => verifyRecord(signedRecordOf(version), keys.fingerprint))
      if (own === null || own.vaultId !== vault.vaultId || own.documentId !== documentId) continue
      const key = `${vault.vaultId}/${documentId}/${own.part}`
      shown.set(key, Math.max(shown.get(key) ?? 0, own.version))
    }
  }
  const older = Object.entries(seen.versions).filter(([key, version]) =>
    key.startsWith(`${vault.vaultId}/`) && (shown.get(key) ?? 0) < version)
  for (const [key, version] of shown) {
    seen.versions[key] = Math.max(seen.versions[key] ?? 0, version)
  }
  return older.map(([key]) => ({ kind: 'version-older', id: key.split('/')[1] ?? '' }))
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
