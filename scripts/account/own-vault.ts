/** A vault as its owner reads it: labels opened, versions in order. */
import type { GrantSummary, PublishedNda, StoredVersion, VaultDetail } from '../../protocol/api.js'
import { openLabel } from '../../protocol/deck/keyring.js'
import type { Part } from '../../protocol/deck/record.js'
import { UsageError } from '../command.js'
import type { Owner } from './owner.js'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface OwnDocument {
  readonly documentId: string
  readonly name: string
  /** Oldest first, of both parts. */
  readonly versions: readonly StoredVersion[]
}

export interface OwnVault {
  readonly vaultId: string
  readonly title: string
  readonly documents: readonly OwnDocument[]
  readonly grants: readonly GrantSummary[]
  readonly ndas: readonly PublishedNda[]
}

/** @throws Refused `vault-not-found`. */
export async function readOwnVault(owner: Owner, vaultId: string): Promise<OwnVault> {
  if (!UUID.test(vaultId)) throw new UsageError(`${vaultId}: not the id of a vault`)
  const vault = await owner.line.get<VaultDetail>(`/api/vaults/${vaultId}`)
  return {
    vaultId: vault.vaultId, grants: vault.grants, ndas: vault.ndas,
    title: openLabel(owner.root, { purpose: 'vault-title', id: vaultId }, vault.titleSealed) ?? vaultId,
    documents: vault.documents.map(({ documentId, nameSealed, versions }) => ({
      documentId,
      name: openLabel(owner.root, { purpose: 'document-name', id: documentId }, nameSealed) ?? documentId,
      versions: [...versions].sort((a, b) => a.version - b.version),
    })),
  }
}

/** `null` if there is none of this part. */
export function newestOf(versions: readonly StoredVersion[], part: Part): StoredVersion | null {
  return versions.filter((version) => version.part === part).at(-1) ?? null
}

/** The newest of each document and part: what a link serves. */
export function currentVersions(documents: readonly OwnDocument[]): StoredVersion[] {
  return documents.flatMap(({ versions }) =>
    ([0, 1] as const).flatMap((part) => newestOf(versions, part) ?? []))
}
