/**
 * Opens a PDF from the source port with the viewer's fixed settings, and says what is wrong with
 * one that does not open. Must not be given settings from outside.
 *
 * [Note: Old phones] pdf.js's `legacy` build runs in browsers of the last two years or so; the other one
 * needs functions that came this year, and a reader's phone is what it is. It costs 30 kB.
 */
import { getDocument, InvalidPDFException, PasswordException, PDFWorker } from 'pdfjs-dist/legacy/build/pdf.mjs'
import type { PDFDocumentLoadingTask, PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { assetUrls, PDF_SETTINGS, startPdfWorker } from './protections.js'
import { MAX_PAGE_COUNT } from './parse.js'
import { readEnds, SourceTransport } from './range-source.js'
import type { RangeSource } from './range-source.js'
import type { SourceDocument, Verdict } from './ports.js'

/** The header may follow up to this much of anything; stock readers look no further either. */
const HEADER_SEARCH_SIZE_BYTES = 1024

/** Why a file is not shown. */
export class NotOpened extends Error {
  override readonly name = 'NotOpened'
  readonly verdict: Exclude<Verdict, 'opens'>

  constructor(verdict: Exclude<Verdict, 'opens'>) {
    super(verdict)
    this.verdict = verdict
  }
}

/** An open document and the one way to end it: its worker dies with it, whatever it is doing. */
export interface OpenedDocument { pdf: PDFDocumentProxy, destroy: () => void }

/** @throws NotOpened with the verdict; SourceError if the bytes cannot be had. */
export async function openDocument(
  source: RangeSource, document: Pick<SourceDocument, 'size' | 'tailOffset'>,
): Promise<OpenedDocument> {
  if (document.size === 0) throw new NotOpened('empty-file')
  const ends = await readEnds(source, document)
  if (!hasPdfHeader(ends.firstBytes)) throw new NotOpened('not-a-pdf')

  const port = startPdfWorker()
  const worker = PDFWorker.create({ port })
  const task = getDocument({
    ...PDF_SETTINGS, ...assetUrls(), worker, range: new SourceTransport(source, ends),
  })
  const destroy = (): void => {
    port.terminate()
    worker.destroy()
  }
  try {
    return { pdf: await openTask(task), destroy }
  } catch (error) {
    destroy()
    throw error
  }
}

async function openTask(task: PDFDocumentLoadingTask): Promise<PDFDocumentProxy> {
  const pdf = await task.promise.catch((error: unknown) => { throw asVerdict(error) })
  if (pdf.numPages === 0) throw new NotOpened('zero-pages')
  if (pdf.numPages > MAX_PAGE_COUNT) throw new NotOpened('too-many-pages')
  return pdf
}

function asVerdict(error: unknown): unknown {
  if (error instanceof PasswordException) return new NotOpened('encrypted')
  if (error instanceof InvalidPDFException) return new NotOpened('damaged')
  // pdf.js has no class of its own for broken cross references, streams and page trees.
  return error instanceof Error ? new NotOpened('damaged') : error
}

function hasPdfHeader(bytes: Uint8Array): boolean {
  const head = String.fromCharCode(...bytes.subarray(0, HEADER_SEARCH_SIZE_BYTES))
  return head.includes('%PDF-')
}
