/**
 * What the versions of a vault mean for its links: which are served, in which chain they stand, and
 * what a new link asks for. Pure: no worker, no server.
 */
import type { StoredVersion } from '../../protocol/api.js'
import type { Policy } from '../crypto.js'

export interface OwnDocument {
  readonly documentId: string
  readonly name: string
  /** Newest first, open slides before the whole. */
  readonly versions: readonly StoredVersion[]
}

/** The newest of each document and part: what a link serves. */
export function currentVersions(documents: readonly OwnDocument[]): StoredVersion[] {
  return documents.flatMap(
    ({ versions }) => ([0, 1] as const).flatMap((part) => newestOf(versions, part) ?? [])
  )
}

export function newestOf(versions: readonly StoredVersion[], part: 0 | 1): StoredVersion | null {
  const parts = versions.filter((version) => version.part === part)
  return parts.reduce<StoredVersion | null>(
    (newest, one) => newest === null || one.version > newest.version ? one : newest, null,
  )
}

/** The records before this version, oldest first: the chain that the worker checks. */
export function recordsBefore(
  versions: readonly StoredVersion[], version: StoredVersion,
): { record: string, signature: string }[] {
  return versions
    .filter(({ part, version: number }) => part === version.part && number < version.version)
    .sort((a, b) => a.version - b.version)
    .map(({ record, recordSignature }) => ({ record, signature: recordSignature }))
}

export function isBehindNda(versions: readonly StoredVersion[]): boolean {
  return versions.some(({ gate }) => gate === 'nda')
}

export type LinkChoices =
  Pick<Policy, 'release' | 'expiresAtMs' | 'download' | 'watermark' | 'witnessesSha256'>

/** What a new link asks for, as far as the versions' own gates decide it. */
export function policyFor(versions: readonly StoredVersion[], choices: LinkChoices): Policy {
  const openGate = versions.some(({ part, gate }) => part === 1 && gate === 'link') ? 'link' : 'email'
  const hasNda = isBehindNda(versions)
  const isByLink = versions.every(({ gate }) => gate === 'link')
  return {
    ...choices,
    gate: hasNda ? 'nda' : isByLink ? 'link' : 'email',
    openGate: isByLink ? 'link' : openGate,
    release: hasNda ? choices.release : 'on-signature',
  }
}

export type LinkState = 'live' | 'expired' | 'revoked'

interface Ending { readonly revokedAtMs: number | null, readonly expiresAtMs: number | null }

export function stateOf({ revokedAtMs, expiresAtMs }: Ending, nowMs: number): LinkState {
  if (revokedAtMs !== null) return 'revoked'
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'live'
}

/** The whole link. Its fragment comes from the worker, and goes to the screen and the clipboard alone. */
export function addressOf(publicUrl: string, grantId: string, fragment: string): string {
  return `${publicUrl}/g/${grantId}#${fragment}`
}
