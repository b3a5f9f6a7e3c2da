/**
 * A file made ready to be sealed, as the browser does it: a PDF rewritten so that its first page is
 * near, its open slides cut out. Without thumbnails, which only a browser can draw.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { PDFDocument } from 'pdf-lib'
import {
  readBytes, sourceOfBytes, type ArchiveInput, type ByteSource,
} from '../../protocol/deck/archive.js'
import { ProtocolError } from '../../protocol/errors.js'
import { MAX_NORMALISED_PDF_SIZE_BYTES } from '../../protocol/limits.js'
import type { KeepReason, Normalised } from '../../protocol/pdf/prepare.js'
import { Refused } from '../command.js'

const HEADER_SEARCH_SIZE_BYTES = 1024

type Content = Pick<ArchiveInput, 'mediaType' | 'file' | 'pages' | 'prefetch' | 'lockedPageCount'>

export interface PreparedFile {
  readonly fileName: string
  readonly whole: Content
  /** The pages before the lock line, if one was asked for. */
  readonly openSlides: Content | null
  /** Why a PDF is sealed as it is. */
  readonly keptReason: KeepReason | null
  close(): Promise<void>
}

/**
 * @param openCount - pages before the lock line; 0 for none.
 * @throws Refused if the file cannot be sealed, or not be cut there.
 */
export async function prepareFile(path: string, openCount: number): Promise<PreparedFile> {
  const handle = await open(path, 'r')
  const file = await sourceOf(handle)
  const fixed = { fileName: basename(path), close: () => handle.close() }
  if (file.size === 0) throw new Refused(`${path}: there is nothing in it`)
  if (!await hasPdfHeader(file)) {
    if (openCount > 0) throw new Refused(`${path}: only a PDF has open slides`)
    return { ...fixed, whole: { mediaType: 'application/octet-stream', file }, openSlides: null, keptReason: null }
  }
  const normalised = await normalise(file)
  if (normalised.kind === 'refused') throw new Refused(`${path}: ${normalised.reason}`)
  if (normalised.kind === 'kept') {
    if (openCount > 0) throw new Refused(`${path}: no lock line is possible (${normalised.reason})`)
    const whole = { mediaType: 'application/pdf', file }
    return { ...fixed, whole, openSlides: null, keptReason: normalised.reason }
  }
  return { ...fixed, ...await describe(normalised, openCount), keptReason: null }
}

/**
 * [Note: One plaintext] A draft is taken up by its plaintext's hash, and the file is read again to be sealed: bytes that
 * changed in between would be a second plaintext under one key and nonce. So each read is followed by a look whether
 * the file is still the one that was hashed.
 */
async function sourceOf(handle: FileHandle): Promise<ByteSource> {
  const first = await handle.stat({ bigint: true })
  return {
    size: Number(first.size),
    async read(offset, target) {
      const { bytesRead } = await handle.read(target, 0, target.length, offset)
      const now = await handle.stat({ bigint: true })
      const isSame = bytesRead === target.length && now.size === first.size &&
        now.mtimeNs === first.mtimeNs && now.ctimeNs === first.ctimeNs
      if (!isSame) throw new ProtocolError('source-changed', 'the file was changed while it was read')
    },
  }
}

async function hasPdfHeader(file: ByteSource): Promise<boolean> {
  const length = Math.min(HEADER_SEARCH_SIZE_BYTES, file.size)
  const head = await readBytes(file, { offset: 0, length })
  return Buffer.from(head).toString('latin1').includes('%PDF-')
}

async function normalise(file: ByteSource): Promise<Normalised> {
  if (file.size > MAX_NORMALISED_PDF_SIZE_BYTES) return { kind: 'kept', reason: 'over-limit' }
  const { normalisePdf } = await import('../../protocol/pdf/normalise.js')
  return await normalisePdf(await readBytes(file, { offset: 0, length: file.size }))
}

type Rewritten = Extract<Normalised, { kind: 'normalised' }>

async function describe(
  { bytes, firstPage, pageCount }: Rewritten, openCount: number,
): Promise<Pick<PreparedFile, 'whole' | 'openSlides'>> {
  if (openCount >= pageCount) throw new Refused(`of ${pageCount} pages at least one stays locked`)
  const { loadDeck } = await import('../../protocol/pdf/normalise.js')
  const pages = await pageSizes(await loadDeck(bytes))
  const whole = { mediaType: 'application/pdf', file: sourceOfBytes(bytes), pages, prefetch: firstPage }
  if (openCount === 0) return { whole, openSlides: null }
  const { openSlides } = await import('../../protocol/pdf/open-slides.js')
  const indexes = Array.from({ length: openCount }, (_, index) => index)
  const cut = await openSlides({ bytes, indexes, rasters: [] })
  if (cut.kind !== 'built') {
    const numbers = cut.pages.map(({ index }) => index + 1).join(', ')
    throw new Refused(`open slides ${numbers} must be drawn (${cut.pages[0]?.reason ?? ''}): upload this deck in the browser`)
  }
  return {
    whole,
    openSlides: {
      mediaType: 'application/pdf', file: sourceOfBytes(cut.bytes), prefetch: cut.firstPage,
      pages: pages.slice(0, openCount), lockedPageCount: pageCount - openCount,
    },
  }
}

async function pageSizes(deck: PDFDocument): Promise<{ width: number, height: number }[]> {
  const { shownSize } = await import('../../protocol/pdf/open-slides.js')
  return deck.getPages().map(shownSize)
    .map(({ width, height }) => ({ width: Math.round(width), height: Math.round(height) }))
}
