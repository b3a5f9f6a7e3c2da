/**
 * Copies what a piece of drawing names, and nothing else: a page's, a form's, a pattern's resources,
 * down to forms inside forms. Fonts are only noted here, with what is shown in them (fonts.ts).
 */
import { decodePDFRawStream, PDFArray, PDFDict, PDFName, PDFRawStream, PDFRef } from 'pdf-lib'
import type { PDFObject, PDFPageLeaf } from 'pdf-lib'
import { concatBytes, encodeUtf8 } from '../bytes.js'
import { CATEGORIES, readUses, UnreadableContent } from './content.js'
import type { Category, Shown, Uses } from './content.js'
import {
  CannotCopy, colorSpace, Copier, dict, group, pdfFunction, picture, refuseLayers, shading, stream,
  value,
} from './shapes.js'
import type { Fields, Shape } from './shapes.js'

const RESOURCES = PDFName.of('Resources')
/** Used without being named, wherever they stand. */
const DEFAULT_SPACES = ['DefaultGray', 'DefaultRGB', 'DefaultCMYK'] as const
const LAYER_TYPES = ['OCG', 'OCMD']

/** A font to be copied when everything that is shown in it is known. */
export interface NotedFont { original: PDFDict, target: PDFRef, shown: Shown }

export class PageCopier extends Copier {
  readonly fonts = new Map<PDFDict, NotedFont>()
  /** Text was shown in a font that no name tells: then every font is copied whole. */
  hasUnnamedFont = false

  /** What `content` uses out of `resources`. @throws CannotCopy */
  pruned(resources: PDFObject | undefined, content: Uint8Array): PDFDict {
    const uses = usesOf(content)
    this.hasUnnamedFont ||= uses.hasUnnamedFont
    const from = this.resolve(resources)
    const made = this.target.obj({})
    if (!(from instanceof PDFDict)) return made
    for (const category of CATEGORIES) {
      const members = this.resolve(from.get(PDFName.of(category)))
      const kept = this.#members(category, members, uses)
      if (kept.keys().length > 0) made.set(PDFName.of(category), kept)
    }
    return made
  }

  #members(category: Category, from: PDFObject | undefined, uses: Uses): PDFDict {
    const made = this.target.obj({})
    if (!(from instanceof PDFDict)) return made
    const names = [...uses.names[category], ...(category === 'ColorSpace' ? DEFAULT_SPACES : [])]
    for (const name of names.sort()) {
      const key = PDFName.of(name)
      const member = from.get(key)
      if (member === undefined) continue
      made.set(key, category === 'Font'
        ? this.#note(member, uses.shown.get(name) ?? [])
        : this.copy(member, SHAPES[category]))
    }
    return made
  }

  #note(member: PDFObject, shown: Shown): PDFObject {
    const original = this.resolve(member)
    if (!(original instanceof PDFDict)) throw new CannotCopy('unknown-structure', 'a font')
    const noted = this.fonts.get(original) ?? { original, target: this.target.nextRef(), shown: [] }
    noted.shown.push(...shown)
    this.fonts.set(original, noted)
    return noted.target
  }
}

function usesOf(content: Uint8Array): Uses {
  try {
    return readUses(content)
  } catch (error) {
    if (error instanceof UnreadableContent) throw new CannotCopy('unreadable-content', error.message)
    throw error
  }
}

/** The commands of a content stream. @throws CannotCopy for encodings that commands never have. */
export function decodeContent(raw: PDFObject | undefined): Uint8Array {
  if (!(raw instanceof PDFRawStream)) throw new CannotCopy('unknown-structure', 'content')
  if (hasPredictor(raw.dict)) throw new CannotCopy('unreadable-content', 'a predictor')
  try {
    return decodePDFRawStream(raw).decode()
  } catch {
    throw new CannotCopy('unreadable-content', 'an encoding')
  }
}

/** All of a page's commands as one. @throws CannotCopy */
export function contentOf(page: PDFPageLeaf): Uint8Array {
  const contents = page.lookup(PDFName.of('Contents'))
  if (contents === undefined) return new Uint8Array(0)
  const parts = contents instanceof PDFArray
    ? contents.asArray().map((_, at) => contents.lookup(at))
    : [contents]
  // A token may not run over the seam of two streams (ISO 32000-1 §7.8.2).
  return concatBytes(...parts.flatMap((part) => [decodeContent(part), encodeUtf8('\n')]))
}

/** pdf-lib ignores predictors, and would give back noise. */
export function hasPredictor(from: PDFDict): boolean {
  const parameters = from.lookup(PDFName.of('DecodeParms'))
  const all = parameters instanceof PDFArray
    ? parameters.asArray().map((_, at) => parameters.lookup(at))
    : [parameters]
  return all.some((one) => one instanceof PDFDict && one.has(PDFName.of('Predictor')))
}

/** A stream that draws with resources of its own. */
function drawing(fields: Fields): Shape {
  return (copier, object) => {
    if (!(object instanceof PDFRawStream) || !(copier instanceof PageCopier)) {
      throw new CannotCopy('unknown-structure', 'a drawing')
    }
    refuseLayers(object.dict)
    const resources = copier.resolve(object.dict.get(RESOURCES))
    const kept = copier.pruned(resources, decodeContent(object))
    const made = stream(() => fields)(copier, object)
    if (made instanceof PDFRawStream) made.dict.set(RESOURCES, kept)
    // Without its own, a form of the oldest kind uses its page's: too rare to be right about.
    if (resources === undefined && usesAnything(object)) {
      throw new CannotCopy('unknown-structure', 'a form without resources')
    }
    return made
  }
}

function usesAnything(object: PDFRawStream): boolean {
  const { names } = usesOf(decodeContent(object))
  return CATEGORIES.some((category) => names[category].size > 0)
}

const form = drawing({
  Type: value, Subtype: value, FormType: value, BBox: value, Matrix: value, Group: group,
})

const tiling = drawing({
  Type: value, PatternType: value, PaintType: value, TilingType: value, BBox: value, XStep: value,
  YStep: value, Matrix: value,
})

const xObject: Shape = (copier, object) => {
  if (!(object instanceof PDFRawStream)) throw new CannotCopy('unknown-structure', 'not a stream')
  const subtype = copier.resolve(object.dict.get(PDFName.of('Subtype')))
  if (subtype === PDFName.of('Image')) return picture(copier, object)
  if (subtype === PDFName.of('Form')) return form(copier, object)
  throw new CannotCopy('unknown-structure', 'an external object')
}

const shadingPattern = dict(() => ({
  Type: value, PatternType: value, Shading: shading, Matrix: value, ExtGState: graphicsState,
}))

const pattern: Shape = (copier, object) => {
  return (object instanceof PDFRawStream ? tiling : shadingPattern)(copier, object)
}

const softMask: Shape = (copier, object) => {
  if (object instanceof PDFName) return object
  return softMaskDict(copier, object)
}

const softMaskDict = dict(() => ({ Type: value, S: value, G: form, BC: value, TR: pdfFunction }))

const GRAPHICS_FIELDS: Fields = {
  Type: value, LW: value, LC: value, LJ: value, ML: value, D: value, RI: value, OP: value,
  op: value, OPM: value, FL: value, SM: value, SA: value, BM: value, SMask: softMask, CA: value,
  ca: value,
  AIS: value, TK: value, TR: pdfFunction, TR2: pdfFunction,
}

function graphicsState(copier: Copier, object: PDFObject): PDFObject {
  // A font set this way has no name, so what is shown in it could not be told.
  if (object instanceof PDFDict && object.has(PDFName.of('Font'))) {
    throw new CannotCopy('unknown-structure', 'a font in a graphics state')
  }
  return dict(() => GRAPHICS_FIELDS)(copier, object)
}

/** Marks for layers end the copying; all others (languages, spoken text) become empty marks. */
const properties: Shape = (copier, object) => {
  const type = object instanceof PDFDict ? copier.resolve(object.get(PDFName.of('Type'))) : undefined
  if (type instanceof PDFName && LAYER_TYPES.includes(type.decodeText())) {
    throw new CannotCopy('optional-content')
  }
  return copier.target.obj({})
}

const SHAPES: Readonly<Record<Exclude<Category, 'Font'>, Shape>> = {
  XObject: xObject,
  ExtGState: graphicsState,
  ColorSpace: colorSpace,
  Pattern: pattern,
  Shading: shading,
  Properties: properties,
}
