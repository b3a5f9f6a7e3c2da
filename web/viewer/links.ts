/**
 * The links of a page, drawn as our own anchors over it. All other annotations are ignored.
 * Must not hand an address on that parseLinkUrl refuses.
 */
import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { element } from './dom.js'
import { parseLinkUrl } from './parse.js'
import type { Words } from './words.js'

const MAX_LINK_COUNT = 500

/** Where on the page, in percent of its width and height. */
interface Place { left: number, top: number, width: number, height: number }
export type PageLink =
  | { place: Place, kind: 'external', url: string }
  | { place: Place, kind: 'internal', index: number }

/** Reads the page's links; those that lead nowhere we allow are left out. */
export async function readLinks(pdf: PDFDocumentProxy, page: PDFPageProxy): Promise<PageLink[]> {
  const annotations: unknown[] = await page.getAnnotations({ intent: 'display' })
  const links: PageLink[] = []
  for (const annotation of annotations.slice(0, MAX_LINK_COUNT)) {
    const link = await readLink(pdf, page, annotation)
    if (link !== null) links.push(link)
  }
  return links
}

async function readLink(
  pdf: PDFDocumentProxy, page: PDFPageProxy, annotation: unknown,
): Promise<PageLink | null> {
  if (typeof annotation !== 'object' || annotation === null) return null
  if (!('subtype' in annotation) || annotation.subtype !== 'Link') return null
  const place = 'rect' in annotation ? placeOf(page, annotation.rect) : null
  if (place === null) return null
  const url = 'url' in annotation ? parseLinkUrl(annotation.url) : null
  if (url !== null) return { place, kind: 'external', url }
  const index = 'dest' in annotation ? await indexOf(pdf, annotation.dest) : null
  return index === null ? null : { place, kind: 'internal', index }
}

function placeOf(page: PDFPageProxy, rect: unknown): Place | null {
  if (!Array.isArray(rect) || rect.length !== 4) return null
  const corners = rect.map(Number)
  if (!corners.every(Number.isFinite)) return null
  const viewport = page.getViewport({ scale: 1 })
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = corners
  const [ax = 0, ay = 0] = viewport.convertToViewportPoint(x1, y1)
  const [bx = 0, by = 0] = viewport.convertToViewportPoint(x2, y2)
  const percent = (part: number, whole: number): number => 100 * part / whole
  return {
    left: percent(Math.min(ax, bx), viewport.width),
    top: percent(Math.min(ay, by), viewport.height),
    width: percent(Math.abs(ax - bx), viewport.width),
    height: percent(Math.abs(ay - by), viewport.height),
  }
}

/** A named or explicit destination's page; `null` if it points nowhere. */
async function indexOf(pdf: PDFDocumentProxy, destination: unknown): Promise<number | null> {
  const explicit: unknown = typeof destination === 'string'
    ? await pdf.getDestination(destination)
    : destination
  if (!Array.isArray(explicit)) return null
  const target: unknown = explicit[0]
  if (typeof target === 'number') return isPage(pdf, target) ? target : null
  if (!isReference(target)) return null
  const index = await pdf.getPageIndex(target)
  return isPage(pdf, index) ? index : null
}

function isPage(pdf: PDFDocumentProxy, index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < pdf.numPages
}

function isReference(value: unknown): value is { num: number, gen: number } {
  return typeof value === 'object' && value !== null && 'num' in value && 'gen' in value &&
    typeof value.num === 'number' && typeof value.gen === 'number'
}

export interface LinkActs { openExternal(url: string): void, goTo(index: number): void }

/** One anchor a link, named for people who cannot see what it covers. */
export function drawLinks(links: readonly PageLink[], words: Words, acts: LinkActs): HTMLElement {
  const layer = element('div', { class: 'links' })
  for (const link of links) layer.append(drawLink(link, words, acts))
  return layer
}

function drawLink(link: PageLink, words: Words, acts: LinkActs): HTMLAnchorElement {
  const anchor = link.kind === 'external'
    ? element('a', {
      'href': link.url,
      'target': '_blank',
      'rel': 'noopener noreferrer',
      'title': words.externalLink(link.url),
      'aria-label': words.externalLink(link.url),
    })
    : element('a', { 'href': `#${link.index + 1}`, 'aria-label': words.internalLink(link.index + 1) })
  for (const [side, percent] of Object.entries(link.place)) anchor.style.setProperty(side, `${percent}%`)
  anchor.addEventListener('click', (event) => {
    // The sandbox lets this frame open no window; the page does it (ports.ts, `link`).
    event.preventDefault()
    if (link.kind === 'external') acts.openExternal(link.url)
    else acts.goTo(link.index)
  })
  return anchor
}
