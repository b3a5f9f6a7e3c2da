/**
 * A vault as its founder sees it: what the server keeps, with the labels that only she can read opened
 * in the worker.
 */
import type {
  GrantSummary, Person, PublishedNda, StoredDocument, StoredVersion, VaultDetail, VaultSummary,
} from '../../protocol/api.js'
import type { OlderState } from '../../protocol/deck/newest.js'
import { attempt, type LabelContext } from '../crypto.js'
import type { SessionTools } from '../session.js'
import type { Result } from './loaded.js'
import { serveApproved, type Served } from './serve-approved.js'
import { currentVersions, stateOf, type OwnDocument } from './versions.js'

/** Most people that are read for one screen. */
const MAX_PEOPLE_PAGES = 20

export interface OwnLink {
  readonly summary: GrantSummary
  readonly name: string
}

export interface OwnVault {
  readonly vaultId: string
  readonly title: string
  readonly createdAtMs: number
  readonly documents: readonly OwnDocument[]
  readonly links: readonly OwnLink[]
  readonly ndas: readonly PublishedNda[]
  /** Where the server shows less than this browser has seen. */
  readonly older: readonly OlderState[]
}

/** A label, or `null` where the server returned something that is not hers. */
export async function openLabel(
  { crypto }: SessionTools, sealed: string, context: LabelContext,
): Promise<string | null> {
  const opened = await attempt(() => crypto.openLabel({ sealed, context }))
  return opened.ok ? opened.value : null
}

export async function readOwnVault(
  tools: SessionTools, vaultId: string, unreadable: string,
): Promise<Result<OwnVault>> {
  const read = await tools.api.readVault(vaultId)
  return read.ok ? { ok: true, value: await openVault(tools, read.value, unreadable) } : read
}

async function openVault(
  tools: SessionTools, vault: VaultDetail, unreadable: string,
): Promise<OwnVault> {
  const { vaultId, titleSealed, createdAtMs, documents, grants, ndas } = vault
  return {
    vaultId, createdAtMs, ndas, older: await tools.crypto.compareVault(vault),
    title: await openLabel(tools, titleSealed, `vault-title:${vaultId}`) ?? unreadable,
    // A document that was begun and never finished is not there yet.
    documents: await Promise.all(documents.filter(hasVersions).map(async (
      { documentId, nameSealed, versions }
    ) => ({
      documentId, name: await openLabel(tools, nameSealed, `document-name:${documentId}`) ?? unreadable,
      versions: [...versions].sort((a, b) => b.storedAtMs - a.storedAtMs || b.part - a.part),
    }))),
    links: await Promise.all(grants.map(async (summary) => ({
      summary, name: await openLabel(tools, summary.nameSealed, `grant-name:${summary.grantId}`) ?? unreadable,
    }))),
  }
}

function hasVersions({ versions }: StoredDocument): boolean {
  return versions.length > 0
}

export interface VaultCard {
  readonly summary: VaultSummary
  readonly title: string
}

export async function listOwnVaults(
  tools: SessionTools, unreadable: string,
): Promise<Result<readonly VaultCard[]>> {
  const listed = await tools.api.listVaults()
  if (!listed.ok) return listed
  const cards = listed.value.vaults.map(async (summary) => ({
    summary, title: await openLabel(tools, summary.titleSealed, `vault-title:${summary.vaultId}`) ?? unreadable,
  }))
  return { ok: true, value: await Promise.all(cards) }
}

export async function listAllPeople(
  { api }: SessionTools, vaultId: string,
): Promise<Result<readonly Person[]>> {
  const people: Person[] = []
  let after: string | null = null
  for (let pageIndex = 0; pageIndex < MAX_PEOPLE_PAGES; pageIndex++) {
    const page = await api.listPeople(vaultId, { after, limit: 100 })
    if (!page.ok) return page
    people.push(...page.value.people)
    after = page.value.next
    if (after === null) break
  }
  return { ok: true, value: people }
}

// ---------------------------------------------------------------------------- a new version on its links

/**
 * After a new version: the headers that make live links serve it. A link made without an NDA gets none
 * of what has moved behind one.
 */
export async function serveOnLinks(
  tools: SessionTools, vault: OwnVault, versions: readonly StoredVersion[],
): Promise<Result<null>> {
  const nowMs = Date.now()
  for (const { summary } of vault.links) {
    if (stateOf(summary, nowMs) !== 'live') continue
    const made = await headersFor(tools, { vaultId: vault.vaultId, summary, versions })
    if (!made.ok) return made
    if (made.value.length === 0) continue
    const added = await tools.api.addHeaders(summary.grantId, made.value)
    if (!added.ok) return added
  }
  const served = await serveThoseLetIn(tools, vault, versions)
  return served.ok ? { ok: true, value: null } : served
}

/**
 * Keys of the newest versions for whom she let in before.
 *
 * @param added - versions that were stored after the vault was read.
 */
export async function serveThoseLetIn(
  tools: SessionTools, vault: OwnVault, added: readonly StoredVersion[] = [],
): Promise<Result<Served>> {
  const isReplaced = ({ documentId, part }: StoredVersion): boolean =>
    added.some((one) => one.documentId === documentId && one.part === part)
  const kept = currentVersions(vault.documents).filter((version) => !isReplaced(version))
  const grants = vault.links.map(({ summary }) => summary)
  const versions = [...kept, ...added]
  return await serveApproved(tools, { vaultId: vault.vaultId, grants, versions })
}

async function headersFor(
  { crypto }: SessionTools,
  input: { vaultId: string, summary: GrantSummary, versions: readonly StoredVersion[] },
) {
  return await attempt(async () => {
    const { ndaSha256 } = await crypto.readGrant({ vaultId: input.vaultId, summary: input.summary })
    const versions = input.versions.filter(({ gate }) => gate !== 'nda' || ndaSha256 !== null)
    return versions.length === 0 ? [] : await crypto.headersForGrant({ ...input, versions })
  })
}
