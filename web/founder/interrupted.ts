/** An upload that was begun and not finished, as another tab or a later day finds it. */
import type { Upload } from '../../protocol/api.js'
import { readRemembered, remember } from '../remembered.js'
import type { SessionTools } from '../session.js'
import type { Result } from './loaded.js'
import type { Mode, Place, Terms } from './plan-deck.js'
import { openLabel, type OwnVault } from './vault.js'
import type { OwnDocument } from './versions.js'

export interface Interrupted {
  readonly vault: OwnVault
  /** Of one document, open slides and whole. */
  readonly uploads: readonly [Upload, ...Upload[]]
  /** As the document was called when the upload began: it is part of what is sealed. */
  readonly title: string
  readonly document: OwnDocument | null
}

/** The latest of the vault; `null` if there is none. */
export async function findInterrupted(
  tools: SessionTools, vault: OwnVault,
): Promise<Result<Interrupted | null>> {
  const listed = await tools.api.listUploads(vault.vaultId)
  if (!listed.ok) return listed
  const [latest] = [...listed.value.uploads].sort((a, b) => b.createdAtMs - a.createdAtMs)
  if (latest === undefined) return { ok: true, value: null }
  const { documentId, versionId, nameSealed } = latest
  const others = listed.value.uploads.filter((one) =>
    one.documentId === documentId && one.versionId !== versionId)
  const title = await openLabel(tools, nameSealed, `document-name:${documentId}`)
  const document = vault.documents.find((one) => one.documentId === documentId) ?? null
  return {
    ok: true,
    value: { vault, uploads: [latest, ...others], title: title ?? vault.title, document },
  }
}

/** A number alone, of the last upload alone: it says nothing of the deck. */
export function rememberLine(documentId: string, openCount: number): void {
  remember('lock-line', `${documentId}/${openCount}`)
}

/** Where the line stood, as this browser remembers it; one slide where it was begun elsewhere. */
export function rememberedLine({ uploads: [{ documentId }] }: Interrupted): number {
  const [remembered, count] = (readRemembered('lock-line') ?? '').split('/')
  return remembered === documentId ? Math.max(1, Number(count) || 1) : 1
}

export function placeOf({ vault, uploads: [{ documentId }], document }: Interrupted): Place {
  return { vaultId: vault.vaultId, isNewVault: false, documentId, document }
}

const MODES: Readonly<Record<Upload['gate'], Mode>> = {
  nda: 'all-nda', email: 'all-email', link: 'all-link',
}

/** As they were: gates stand in what was begun. */
export function termsOf({ uploads, title }: Interrupted, openCount: number): Terms {
  const open = uploads.find(({ part }) => part === 1)
  const whole = uploads.find(({ part }) => part === 0)
  return {
    title, openCount, openGate: open?.gate === 'link' ? 'link' : 'email',
    mode: open === undefined ? MODES[whole?.gate ?? 'nda'] : 'line',
  }
}
