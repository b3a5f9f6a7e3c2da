/**
 * Builds the document of the slides above the lock line, afresh: each page's drawing and what it
 * names, and plain links; nothing else crosses (SPEC.md § 6.1). Whatever cannot be taken apart
 * with certainty is left to the viewer to draw (`rasterise-needed`).
 *
 * Must not copy by reference from the source, nor keep its metadata, outlines, destinations,
 * structure, layers, labels, attachments, scripts or forms.
 */
import { PDFArray, PDFDict, PDFDocument, PDFHexString, PDFName, PDFNumber, PDFString } from 'pdf-lib'
import type { PDFObject, PDFPage, PDFPageLeaf } from 'pdf-lib'
import { assert } from '../errors.js'
import { copyFonts } from './fonts.js'
import { loadDeck } from './normalise.js'
import { writePdf } from './pdf-file.js'
import type { OpenSlides, OpenSlidesInput, RasterPage, RasteriseReason } from './prepare.js'
import { contentOf, PageCopier } from './resources.js'
import { CannotCopy, group, value } from './shapes.js'

// Every platform has it; the types of any one platform would bring all of that platform along.
declare const URL: {
  new (text: string): { readonly protocol: string, readonly href: string }
  canParse(text: string): boolean
}

const MAX_LINK_COUNT = 500
const MAX_URL_LENGTH = 2_048
const name = PDFName.of.bind(PDFName)

/** @throws whatever pdf-lib throws if `bytes` are not a deck that was normalised. */
export async function openSlides(input: OpenSlidesInput): Promise<OpenSlides> {
  const source = await loadDeck(input.bytes)
  const target = await PDFDocument.create({ updateMetadata: false })
  const build = new Build(source, target)
  const refused: { index: number, reason: RasteriseReason }[] = []
  for (const index of input.indexes) {
    const raster = input.rasters.find((one) => one.index === index)
    const reason = raster === undefined ? build.copyPage(index) : null
    if (raster !== undefined) await build.drawPage(index, raster)
    if (reason !== null) refused.push({ index, reason })
  }
  if (refused.length > 0) return { kind: 'rasterise-needed', pages: refused }
  const reason = build.end()
  // A font stops all pages that use it; which ones is not worth knowing.
  if (reason !== null) {
    const pages = input.indexes.map((index) => ({ index, reason }))
    return { kind: 'rasterise-needed', pages }
  }
  await target.flush()
  return { kind: 'built', ...writePdf(target), pageCount: input.indexes.length }
}

class Build {
  readonly #pages: PDFPage[]
  readonly #target: PDFDocument
  readonly #copier: PageCopier

  constructor(source: PDFDocument, target: PDFDocument) {
    this.#pages = source.getPages()
    this.#target = target
    this.#copier = new PageCopier(source.context, target.context)
  }

  /** @returns why the page must be drawn instead; `null` if it was copied. */
  copyPage(index: number): RasteriseReason | null {
    const page = this.#page(index)
    try {
      const content = contentOf(page.node)
      const resources = this.#copier.pruned(page.node.Resources(), content)
      const made = this.#addPage(page)
      made.set(name('Resources'), resources)
      made.set(name('Contents'), this.#target.context.register(this.#target.context.flateStream(content)))
      this.#copyGroup(page.node, made)
      this.#copyLinks(page.node, made)
      return null
    } catch (error) {
      if (error instanceof CannotCopy) return error.reason
      throw error
    }
  }

  /** A page that is one picture, as large as the original; with its links, if they lie the same. */
  async drawPage(index: number, raster: RasterPage): Promise<void> {
    const page = this.#page(index)
    const { width, height } = shownSize(page)
    const picture = raster.mediaType === 'image/png'
      ? await this.#target.embedPng(raster.bytes)
      : await this.#target.embedJpg(raster.bytes)
    const made = this.#target.addPage([width, height])
    made.drawImage(picture, { x: 0, y: 0, width, height })
    if (isPlain(page)) this.#copyLinks(page.node, made.node)
  }

  /** @returns why the whole must be drawn instead; `null` if it is complete. */
  end(): RasteriseReason | null {
    try {
      copyFonts(this.#copier)
      return null
    } catch (error) {
      if (error instanceof CannotCopy) return error.reason
      throw error
    }
  }

  #page(index: number): PDFPage {
    const page = this.#pages[index]
    assert(page !== undefined, 'open slides are slides of this deck')
    return page
  }

  /** Size, crop and turn as they were; inherited ones become the page's own. */
  #addPage(page: PDFPage): PDFPageLeaf {
    const made = this.#target.addPage().node
    const { node } = page
    const own = { MediaBox: node.MediaBox(), CropBox: node.CropBox(), Rotate: node.Rotate() }
    for (const [key, box] of Object.entries(own)) {
      made.delete(name(key))
      if (box !== undefined) made.set(name(key), value(this.#copier, box))
    }
    const unit = node.lookup(name('UserUnit'))
    if (unit instanceof PDFNumber) made.set(name('UserUnit'), unit)
    return made
  }

  #copyGroup(from: PDFPageLeaf, made: PDFPageLeaf): void {
    const original = from.get(name('Group'))
    if (original !== undefined) made.set(name('Group'), this.#copier.copy(original, group))
  }

  #copyLinks(from: PDFPageLeaf, made: PDFPageLeaf): void {
    const { context } = this.#target
    const links = plainLinks(from).map(({ rect, url }) => context.register(context.obj({
      Type: 'Annot',
      Subtype: 'Link',
      Rect: value(this.#copier, rect),
      Border: [0, 0, 0],
      A: { Type: 'Action', S: 'URI', URI: PDFString.of(url) },
    })))
    if (links.length > 0) made.set(name('Annots'), context.obj(links))
  }
}

/** Neither turned nor cropped: a place on the page is the same place on its picture. */
function isPlain(page: PDFPage): boolean {
  const { x, y } = page.getCropBox()
  return page.getRotation().angle === 0 && x === 0 && y === 0
}

/** As a reader sees the page: cropped and turned. */
export function shownSize(page: PDFPage): { width: number, height: number } {
  const { width, height } = page.getCropBox()
  const isTurned = page.getRotation().angle % 180 !== 0
  return isTurned ? { width: height, height: width } : { width, height }
}

interface PlainLink { rect: PDFArray, url: string }

/** Links to addresses on the web; all other annotations and actions stay behind. */
function plainLinks(page: PDFPageLeaf): PlainLink[] {
  const annotations = page.Annots()
  if (annotations === undefined) return []
  const found: PlainLink[] = []
  for (let at = 0; at < Math.min(annotations.size(), MAX_LINK_COUNT); at++) {
    const annotation = annotations.lookup(at)
    const action = annotation instanceof PDFDict ? annotation.lookup(name('A')) : undefined
    if (!(annotation instanceof PDFDict) || !(action instanceof PDFDict)) continue
    if (annotation.lookup(name('Subtype')) !== name('Link') || action.lookup(name('S')) !== name('URI')) continue
    const rect = annotation.lookup(name('Rect'))
    const url = urlOf(action.lookup(name('URI')))
    if (rect instanceof PDFArray && url !== null) found.push({ rect, url })
  }
  return found
}

/** The address, written the way PDF wants it: plain ASCII, no parentheses to escape. */
function urlOf(address: PDFObject | undefined): string | null {
  if (!(address instanceof PDFString) && !(address instanceof PDFHexString)) return null
  const text = address.decodeText()
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) return null
  const url = new URL(text)
  if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) return null
  return url.href.replace(/[()\\]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
