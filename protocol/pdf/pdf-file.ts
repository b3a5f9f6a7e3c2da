/**
 * A PDF's objects back into bytes, so that a reader of the first page needs little: small objects in
 * object streams, large ones in the order of the pages that use them. Pure: same objects, same bytes.
 *
 *   header ‖ streams of page 1, of page 2, ... ‖ object streams ‖ cross-reference stream
 *
 * [Note: The tail is the index] What opening a PDF needs besides the page itself (catalogue, page
 * tree, page dictionaries, cross references) lies together at the end and is small, so that two
 * reads, one at each end, bring a deck of hundreds of pages to its first page.
 *
 * Must not write an object that nothing refers to: it may be a deleted slide.
 */
import {
  PDFArray, PDFCrossRefStream, PDFDict, PDFName, PDFNull, PDFNumber, PDFObjectStream, PDFPageLeaf,
  PDFPageTree, PDFRef, PDFStream,
} from 'pdf-lib'
import type { PDFContext, PDFDocument, PDFObject } from 'pdf-lib'
import { concatBytes, encodeUtf8 } from '../bytes.js'
import { CHUNK_SIZE_BYTES } from '../limits.js'
import { CATEGORIES, readUses, UnreadableContent } from './content.js'
import type { ByteRange } from './prepare.js'
import { contentOf } from './resources.js'
import { CannotCopy } from './shapes.js'

const OBJECTS_PER_STREAM = 200
/** More is not fetched ahead of time: a first page this heavy comes as it is drawn. */
const MAX_FIRST_PAGE_SIZE_BYTES = 2 * 1024 * 1024
/** The second line's bytes over 127 tell programs that this is not text. */
const HEADER = Uint8Array.of(
  ...encodeUtf8('%PDF-1.7\n%'), 0xe2, 0xe3, 0xcf, 0xd3, 0x0a,
)

/** A file, and what of it a viewer needs until it can show the first page. */
export interface WrittenPdf { bytes: Uint8Array<ArrayBuffer>, firstPage: ByteRange[] }

/** Bytes of every object that `deck` refers to, first page first. Nothing is stamped into it. */
export function writePdf(deck: PDFDocument): WrittenPdf {
  const { context } = deck
  const { refs, firstPageCount } = orderByPage(deck)
  const file = new FileLayout(context.largestObjectNumber)
  const small: Entry[] = []
  let firstPageEnd = 0
  for (const [order, ref] of refs.entries()) {
    const object = context.lookup(ref)
    if (object === undefined) continue
    if (object instanceof PDFStream || ref.generationNumber !== 0) file.place(ref, object)
    else small.push([ref, object])
    if (order < firstPageCount) firstPageEnd = file.size
  }
  const indexStart = file.size
  for (let at = 0; at < small.length; at += OBJECTS_PER_STREAM) {
    file.placeTogether(context, small.slice(at, at + OBJECTS_PER_STREAM))
  }
  const bytes = file.end(trailerOf(context))
  return { bytes, firstPage: firstPageRanges({ firstPageEnd, indexStart, size: bytes.length }) }
}

interface Extents { firstPageEnd: number, indexStart: number, size: number }

const chunkStart = (offset: number): number => {
  return Math.floor(offset / CHUNK_SIZE_BYTES) * CHUNK_SIZE_BYTES
}

/** Viewers read whole chunks: from the file's beginning, and from where the index begins. */
function firstPageRanges(file: Extents): ByteRange[] {
  const wanted = Math.max(CHUNK_SIZE_BYTES, chunkStart(file.firstPageEnd + CHUNK_SIZE_BYTES - 1))
  const end = Math.min(file.size, wanted, MAX_FIRST_PAGE_SIZE_BYTES)
  const tail = Math.max(end, chunkStart(file.indexStart))
  const head = { offset: 0, length: end }
  return tail >= file.size ? [head] : [head, { offset: tail, length: file.size - tail }]
}

function trailerOf(context: PDFContext): PDFDict {
  const { Root, Info } = context.trailerInfo
  // No /ID: it would be a stamp of this very writing, and only encryption needs one.
  return context.obj({ Root, ...(Info === undefined ? {} : { Info }) })
}

type Entry = [ref: PDFRef, object: PDFObject]

/** Where every object came to lie. */
type Place =
  | { ref: PDFRef, offset: number }
  | { ref: PDFRef, within: PDFRef, index: number }

class FileLayout {
  readonly #pieces: Uint8Array[] = [HEADER]
  readonly #places: Place[] = []
  #offset = HEADER.length
  #lastNumber: number

  constructor(largestObjectNumber: number) {
    this.#lastNumber = largestObjectNumber
  }

  get size(): number {
    return this.#offset
  }

  place(ref: PDFRef, object: PDFObject): void {
    this.#places.push({ ref, offset: this.#offset })
    this.#append(encodeUtf8(`${ref.objectNumber} ${ref.generationNumber} obj\n`))
    const bytes = new Uint8Array(object.sizeInBytes())
    object.copyBytesInto(bytes, 0)
    this.#append(bytes)
    this.#append(encodeUtf8('\nendobj\n'))
  }

  placeTogether(context: PDFContext, entries: Entry[]): void {
    const within = PDFRef.of(++this.#lastNumber)
    for (const [index, [ref]] of entries.entries()) this.#places.push({ ref, within, index })
    this.place(within, PDFObjectStream.withContextAndObjects(context, entries))
  }

  /** Closes the file with its cross references. */
  end(trailer: PDFDict): Uint8Array<ArrayBuffer> {
    const self = PDFRef.of(++this.#lastNumber)
    const offset = this.#offset
    const stream = PDFCrossRefStream.create(trailer)
    trailer.set(PDFName.of('Size'), PDFNumber.of(this.#lastNumber + 1))
    const byNumber = [...this.#places, { ref: self, offset }]
      .sort((a, b) => a.ref.objectNumber - b.ref.objectNumber)
    for (const place of byNumber) {
      if ('within' in place) stream.addCompressedEntry(place.ref, place.within, place.index)
      else stream.addUncompressedEntry(place.ref, place.offset)
    }
    this.place(self, stream)
    this.#append(encodeUtf8(`startxref\n${offset}\n%%EOF\n`))
    return concatBytes(...this.#pieces)
  }

  #append(bytes: Uint8Array): void {
    this.#pieces.push(bytes)
    this.#offset += bytes.length
  }
}

/**
 * Every object reachable from the trailer: first what opening needs (catalogue, page tree, pages),
 * then each page's own in page order, then the rest.
 */
function orderByPage(deck: PDFDocument): { refs: PDFRef[], firstPageCount: number } {
  const { context } = deck
  const pages = deck.getPages()
  const order = new Set<PDFRef>()
  const { Root, Info } = context.trailerInfo
  if (Root instanceof PDFRef) order.add(Root)
  addPageTree(context, deck.catalog.get(PDFName.of('Pages')), order)
  const [first] = pages
  for (const object of first === undefined ? [] : neededBy(first.node)) {
    if (object instanceof PDFRef) order.add(object)
    addReachable(context, context.lookup(object), order)
  }
  const firstPageCount = order.size
  for (const page of pages) addReachable(context, page.node, order)
  // What the nodes of the page tree hold themselves: resources that pages inherit.
  for (const ref of [...order]) {
    const node = context.lookup(ref)
    if (node instanceof PDFPageTree) addReachable(context, node, order)
  }
  for (const start of [Root, Info]) {
    if (start === undefined) continue
    if (start instanceof PDFRef) order.add(start)
    addReachable(context, context.lookup(start), order)
  }
  return { refs: [...order], firstPageCount }
}

/**
 * What a page draws with. Programs like to give all pages one dictionary of everything, so its names
 * are followed only as far as the page uses them; a page that cannot be read needs all of them.
 */
function neededBy(page: PDFPageLeaf): PDFObject[] {
  try {
    const { names } = readUses(contentOf(page))
    const resources = page.Resources()
    const members = CATEGORIES.flatMap((category) => {
      const from = resources?.lookup(PDFName.of(category))
      if (!(from instanceof PDFDict)) return []
      return [...names[category]].flatMap((name) => from.get(PDFName.of(name)) ?? [])
    })
    return [page.get(PDFName.of('Contents')) ?? PDFNull, ...members]
  } catch (error) {
    if (error instanceof CannotCopy || error instanceof UnreadableContent) return [page]
    throw error
  }
}

const KIDS = PDFName.of('Kids')

function addPageTree(context: PDFContext, root: PDFObject | undefined, order: Set<PDFRef>): void {
  const waiting = root instanceof PDFRef ? [root] : []
  for (let ref = waiting.shift(); ref !== undefined; ref = waiting.shift()) {
    if (order.has(ref)) continue
    order.add(ref)
    const node = context.lookup(ref)
    const kids = node instanceof PDFDict ? node.lookup(KIDS) : undefined
    if (!(kids instanceof PDFArray)) continue
    waiting.push(...kids.asArray().filter((kid) => kid instanceof PDFRef))
  }
}

/** Depth first without recursion: a hostile file nests deeper than any stack. */
function addReachable(context: PDFContext, start: PDFObject | undefined, order: Set<PDFRef>): void {
  const waiting = start === undefined ? [] : [start]
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    for (const child of childrenOf(object).reverse()) {
      if (!(child instanceof PDFRef)) {
        waiting.push(child)
        continue
      }
      if (order.has(child)) continue
      order.add(child)
      const target = context.lookup(child)
      // Other pages are reached on their own turn; a link must not pull them forward.
      if (target !== undefined && !(target instanceof PDFPageLeaf)) waiting.push(target)
    }
  }
}

function childrenOf(object: PDFObject): PDFObject[] {
  if (object instanceof PDFArray) return object.asArray()
  if (object instanceof PDFDict) return object.values()
  return object instanceof PDFStream ? object.dict.values() : []
}
