/**
 * Rewrites a PDF so that its first page is near (pdf-file.ts), or says why it stays as it is.
 * Deterministic: the same file gives the same bytes, or a resumed upload would start again.
 */
import { PDFDict, PDFDocument, PDFName, PDFNumber } from 'pdf-lib'
import { encodeUtf8 } from '../bytes.js'
import { MAX_FILE_SIZE_BYTES, MAX_NORMALISED_PDF_SIZE_BYTES } from '../limits.js'
import { writePdf } from './pdf-file.js'
import type { Normalised } from './prepare.js'

const HEADER_SEARCH_SIZE_BYTES = 1024
const SIGNATURES_EXIST = 1
/** A trailer's key, and trailers are never encrypted themselves. */
const ENCRYPT = encodeUtf8('/Encrypt')
const SLASH = 0x2f

/** Loads a deck as it is: nothing repaired, nothing stamped. @throws whatever pdf-lib throws. */
export async function loadDeck(bytes: Uint8Array): Promise<PDFDocument> {
  return await PDFDocument.load(bytes, {
    updateMetadata: false, throwOnInvalidObject: true, parseSpeed: Number.POSITIVE_INFINITY,
  })
}

/** Never throws for what a file holds. */
export async function normalisePdf(bytes: Uint8Array): Promise<Normalised> {
  if (bytes.length === 0) return { kind: 'refused', reason: 'empty-file' }
  if (bytes.length > MAX_FILE_SIZE_BYTES) return { kind: 'refused', reason: 'too-large' }
  if (!hasPdfHeader(bytes)) return { kind: 'refused', reason: 'not-a-pdf' }
  if (bytes.length > MAX_NORMALISED_PDF_SIZE_BYTES) return { kind: 'kept', reason: 'over-limit' }
  try {
    return await rewrite(bytes)
  } catch {
    // pdf-lib fails on hostile and odd files in many ways; all mean that the original is kept.
    return { kind: 'kept', reason: isEncrypted(bytes) ? 'encrypted' : 'unreadable' }
  }
}

async function rewrite(bytes: Uint8Array): Promise<Normalised> {
  const deck = await loadDeck(bytes)
  const pageCount = deck.getPageCount()
  if (pageCount === 0) return { kind: 'refused', reason: 'zero-pages' }
  if (isSigned(deck)) return { kind: 'kept', reason: 'signed' }
  const rewritten = writePdf(deck)
  const again = await loadDeck(rewritten.bytes)
  if (again.getPageCount() !== pageCount) return { kind: 'kept', reason: 'page-count-changed' }
  return { kind: 'normalised', ...rewritten, pageCount }
}

/** pdf-lib's error for it has no class that survives, and other errors come first. */
function isEncrypted(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(SLASH); at !== -1; at = bytes.indexOf(SLASH, at + 1)) {
    if (ENCRYPT.every((byte, index) => bytes[at + index] === byte)) return true
  }
  return false
}

function isSigned(deck: PDFDocument): boolean {
  const form = deck.catalog.lookup(PDFName.of('AcroForm'))
  const flags = form instanceof PDFDict ? form.lookup(PDFName.of('SigFlags')) : undefined
  return flags instanceof PDFNumber && (flags.asNumber() & SIGNATURES_EXIST) !== 0
}

function hasPdfHeader(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(0, HEADER_SEARCH_SIZE_BYTES)).includes('%PDF-')
}
