/** From what the founder chose to what is sealed: one part, or two with a lock line between them. */
import { uuidv7 } from 'uuidv7'
import type { Upload } from '../../protocol/api.js'
import type { SealInput, SealThumbnail } from '../crypto.js'
import type { DeckPreparation, PreparedDeck } from './prepare-deck.js'
import type { UploadPlan } from './upload-deck.js'
import { newestOf, type OwnDocument } from './versions.js'

/** `line`: slides before the line open early, the rest after the NDA. */
export type Mode = 'line' | 'all-email' | 'all-link' | 'all-nda'

export interface Terms {
  readonly title: string
  readonly mode: Mode
  readonly openCount: number
  readonly openGate: 'email' | 'link'
}

const DEFAULT_OPEN_COUNT = 3

/** A cover, a problem and a solution: what founders show anybody. */
export function suggestTerms(fileName: string, pageCount: number): Terms {
  const openCount = pageCount > DEFAULT_OPEN_COUNT + 1 ? DEFAULT_OPEN_COUNT : 1
  return { title: titleOf(fileName), mode: pageCount > 1 ? 'line' : 'all-nda', openCount, openGate: 'email' }
}

export function titleOf(fileName: string): string {
  const bare = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '').replace(/[_\s]+/g, ' ').trim()
  return bare === '' ? fileName : bare
}

/** Where the new version goes. */
export interface Place {
  readonly vaultId: string
  readonly isNewVault: boolean
  readonly documentId: string
  /** Versions that are there, for a new one of the same document. */
  readonly document: OwnDocument | null
}

export function newPlace(): Place {
  return { vaultId: uuidv7(), isNewVault: true, documentId: uuidv7(), document: null }
}

interface Sealable {
  readonly file: File, readonly deck: PreparedDeck | null, readonly preparation: Pick<DeckPreparation, 'openSlides'>,
}

export async function planUpload(
  place: Place, sealable: Sealable, terms: Terms, begun: readonly Upload[] = [],
): Promise<UploadPlan> {
  const inputs = terms.mode === 'line' && sealable.deck !== null
    ? [await openPart(place, sealable, sealable.deck, terms), wholePart(place, sealable, terms)]
    : [wholePart(place, sealable, terms)]
  return {
    vaultId: place.vaultId,
    newVaultTitle: place.isNewVault ? terms.title : null,
    parts: inputs.map(
      (input) => ({ input, begun: begun.find(({ part }) => part === input.part) ?? null })
    ),
  }
}

const WHOLE_GATES = { line: 'nda', 'all-nda': 'nda', 'all-email': 'email', 'all-link': 'link' } as const

function wholePart(place: Place, { file, deck }: Sealable, terms: Terms): SealInput {
  return {
    ...common(place, 0, terms, file), gate: WHOLE_GATES[terms.mode], file,
    mediaType: deck === null ? mediaTypeOf(file) : 'application/pdf',
    pageSizes: deck?.pageSizes ?? [], thumbnails: drawn(deck?.thumbnails ?? []),
    prefetch: deck?.firstPage ?? [],
  }
}

async function openPart(
  place: Place, { file, preparation }: Sealable, deck: PreparedDeck, terms: Terms,
): Promise<SealInput> {
  const { openCount, openGate } = terms
  const open = await preparation.openSlides(deck, openCount)
  return {
    ...common(place, 1, terms, file), gate: openGate, file: open.file, mediaType: 'application/pdf',
    pageSizes: deck.pageSizes.slice(0, openCount),
    thumbnails: drawn(deck.thumbnails.slice(0, openCount)),
    lockedPageCount: deck.pageSizes.length - openCount, prefetch: open.firstPage,
  }
}

function common(place: Place, part: 0 | 1, terms: Terms, file: File) {
  const previous = place.document === null ? null : newestOf(place.document.versions, part)
  return {
    vaultId: place.vaultId, documentId: place.documentId, part, title: terms.title.trim(),
    fileName: file.name,
    version: (previous?.version ?? 0) + 1, previousRecord: previous?.record ?? null,
  }
}

/** All or none: a thumbnail's place is its page. */
function drawn(thumbnails: ReadonlyArray<SealThumbnail | null>): SealThumbnail[] {
  const here = thumbnails.flatMap((thumbnail) => thumbnail ?? [])
  return here.length === thumbnails.length ? here : []
}

function mediaTypeOf(file: File): string {
  return /^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : 'application/octet-stream'
}
