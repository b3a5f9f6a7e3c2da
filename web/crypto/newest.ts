/**
 * The newest that this device has seen of a founder's links and versions, and what she revoked from it (SPEC.md § 8.4):
 * a server that shows an older state is refused before a header is made. Only what she signed, revoked here, or what
 * her log proves counts as seen. It outlives sign-out, as remembered checkpoints do: nothing in it opens anything.
 */
import type { GrantSummary, VaultDetail } from '../../protocol/api.js'
import { decodeBase64Url, decodeUtf8, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { verifyGrant } from '../../protocol/deck/grant.js'
import { verifyRecord } from '../../protocol/deck/record.js'
import { ProtocolError } from '../../protocol/errors.js'
import type { OlderState } from '../crypto.js'
import type { Owner } from './owner.js'
import type { Platform } from './platform.js'

/** Revoked links and devices that are remembered; the oldest are forgotten first. */
const MAX_REVOKED = 5_000

interface KnownLink { readonly vaultId: string, readonly revision: number }

interface Known {
  links: Record<string, KnownLink>
  /** By vault, document and part. */
  versions: Record<string, number>
  /** Grant ids, person ids, and `recipient/` with the SHA-256 of a revoked device's. */
  revoked: Record<string, true>
}

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
  function inTurn<T>(run: (known: Known) => T): Promise<T> {
    const next = turn.then(async () => {
      const name = `newest/${encodeBase64Url(owner.keys().fingerprint)}`
      const before = await platform.store.read(name)
      const known = before === null ? { links: {}, versions: {}, revoked: {} } : readKnown(before)
      const result = run(known)
      const after = JSON.stringify(known)
      const isSame = before !== null && decodeUtf8(before) === after
      if (!isSame) await platform.store.write(name, encodeUtf8(after))
      return result
    })
    turn = next.catch(() => undefined)
    return next
  }
  return {
    look: (vault) => inTurn((known) =>
      [...lookAtLinks(known, owner, vault), ...lookAtVersions(known, owner, vault)]),
    noteRevoked: (ids) => inTurn((known) => noteRevoked(known, ids)),
    forgetVault: (vaultId) => inTurn((known) => forgetVault(known, vaultId)),
    requireNewest: (summary, revision) => inTurn((known) => {
      const isOlder = (known.links[summary.grantId]?.revision ?? 0) > revision
      if (isOlder) throw new ProtocolError('stale-version', 'a newer revision of this link was seen')
      const isRevoked = known.revoked[summary.grantId] === true
      if (isRevoked) throw new ProtocolError('stale-version', 'this link was revoked')
    }),
    requireNotRevoked: (ids) => inTurn((known) => {
      const isRevoked = ids.some((id) => known.revoked[id] === true)
      if (isRevoked) throw new ProtocolError('stale-version', 'this was revoked')
    }),
  }
}

/** Our own words in a locked entry: whoever could forge them could do anything here. */
function readKnown(bytes: Uint8Array): Known {
  const known: Known = JSON.parse(decodeUtf8(bytes))
  return known
}

function lookAtLinks(known: Known, owner: Owner, vault: VaultDetail): OlderState[] {
  const older: OlderState[] = []
  for (const summary of vault.grants) {
    const seen = known.links[summary.grantId]
    const shown = readLink(owner, vault.vaultId, summary)
    if (shown === null) continue
    const isRevived = known.revoked[summary.grantId] === true && summary.revokedAtMs === null
    const isOlder = seen !== undefined && seen.revision > shown.revision
    if (isRevived) older.push({ kind: 'link-revived', id: summary.grantId })
    if (isOlder) older.push({ kind: 'link-older', id: summary.grantId })
    else known.links[summary.grantId] = shown
  }
  const ids = new Set(vault.grants.map(({ grantId }) => grantId))
  const missing = Object.entries(known.links)
    .filter(([grantId, { vaultId }]) => vaultId === vault.vaultId && !ids.has(grantId))
  return [...older, ...missing.map(([id]) => ({ kind: 'link-missing' as const, id }))]
}

/** Hers by signature, or `null`: what she did not sign says nothing about what is newest. */
function readLink(owner: Owner, vaultId: string, summary: GrantSummary): KnownLink | null {
  const { signing, fingerprint } = owner.keys()
  const signed = {
    bytes: decodeBase64Url(summary.grant), signature: decodeBase64Url(summary.grantSignature),
  }
  const grant = orNull(() => verifyGrant(signed, { signingKey: signing.publicKey, fingerprint }))
  const isHers = grant !== null && grant.vaultId === vaultId &&
    encodeBase64Url(grant.grantId) === summary.grantId
  return isHers ? { vaultId, revision: grant.revision } : null
}

function lookAtVersions(known: Known, owner: Owner, vault: VaultDetail): OlderState[] {
  const shown = new Map<string, number>()
  for (const { documentId, versions } of vault.documents) {
    for (const { part, record, recordSignature } of versions) {
      const signed = { bytes: decodeBase64Url(record), signature: decodeBase64Url(recordSignature) }
      const own = orNull(() => verifyRecord(signed, owner.keys().fingerprint))
      if (own === null || own.vaultId !== vault.vaultId || own.documentId !== documentId) continue
      const key = `${vault.vaultId}/${documentId}/${part}`
      shown.set(key, Math.max(shown.get(key) ?? 0, own.version))
    }
  }
  const older = Object.entries(known.versions).filter(([key, version]) =>
    key.startsWith(`${vault.vaultId}/`) && (shown.get(key) ?? 0) < version)
  for (const [key, version] of shown) {
    known.versions[key] = Math.max(known.versions[key] ?? 0, version)
  }
  return older.map(([key]) => ({ kind: 'version-older', id: key.split('/')[1] ?? '' }))
}

function noteRevoked(known: Known, ids: readonly string[]): void {
  for (const id of ids) known.revoked[id] = true
  const all = Object.keys(known.revoked)
  for (const id of all.slice(0, Math.max(0, all.length - MAX_REVOKED))) delete known.revoked[id]
}

function forgetVault(known: Known, vaultId: string): void {
  for (const [grantId, link] of Object.entries(known.links)) {
    if (link.vaultId === vaultId) delete known.links[grantId]
  }
  for (const key of Object.keys(known.versions)) {
    if (key.startsWith(`${vaultId}/`)) delete known.versions[key]
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
