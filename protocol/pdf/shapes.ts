/**
 * What may be copied out of a PDF, structure by structure: a closed list of keys for each kind of
 * object (ISO 32000-1). What is not listed is left behind; what has an unexpected form stops the
 * copying, and the page is drawn instead. open-slides.ts says when; fonts.ts copies fonts.
 *
 * [Note: Copy by list] Leaving out what is known to be dangerous would let through whatever a
 * program invents next. Every key that crosses the lock line is named here or in fonts.ts.
 */
import {
  PDFArray, PDFBool, PDFDict, PDFHexString, PDFName, PDFNull, PDFNumber, PDFRawStream, PDFRef,
  PDFString,
} from 'pdf-lib'
import type { PDFContext, PDFObject } from 'pdf-lib'
import type { RasteriseReason } from './prepare.js'

const MAX_NESTING = 48

/** This page cannot be taken apart. */
export class CannotCopy extends Error {
  override readonly name = 'CannotCopy'
  readonly reason: RasteriseReason

  constructor(reason: RasteriseReason, detail = '') {
    super(`${reason}: ${detail}`)
    this.reason = reason
  }
}

/** How one kind of object is copied; given the object itself, never a reference. */
export type Shape = (copier: Copier, object: PDFObject) => PDFObject
export type Fields = Readonly<Record<string, Shape>>

/** Copies from one document's objects into another's, each object once per shape. */
export class Copier {
  readonly source: PDFContext
  readonly target: PDFContext
  readonly #copied = new Map<Shape, Map<PDFRef, PDFRef>>()
  #depth = 0

  constructor(source: PDFContext, target: PDFContext) {
    this.source = source
    this.target = target
  }

  /** A reference stays one, to the copy. @throws CannotCopy */
  copy(object: PDFObject, shape: Shape): PDFObject {
    if (!(object instanceof PDFRef)) return this.#nested(() => shape(this, object))
    const known = this.#copied.get(shape) ?? new Map<PDFRef, PDFRef>()
    this.#copied.set(shape, known)
    const before = known.get(object)
    if (before !== undefined) return before
    const original = this.source.lookup(object)
    if (original === undefined) return PDFNull
    const ref = this.target.nextRef()
    known.set(object, ref)
    this.target.assign(ref, this.#nested(() => shape(this, original)))
    return ref
  }

  #nested<T>(work: () => T): T {
    if (++this.#depth > MAX_NESTING) throw new CannotCopy('nested-too-deep')
    try {
      return work()
    } finally {
      this.#depth--
    }
  }

  /** The listed fields that `from` has. */
  fields(from: PDFDict, fields: Fields): PDFDict {
    const made = this.target.obj({})
    for (const [key, shape] of Object.entries(fields)) {
      const name = PDFName.of(key)
      const found = from.get(name)
      if (found !== undefined) made.set(name, this.copy(found, shape))
    }
    return made
  }

  /** What an object or the target of a reference is. */
  resolve(object: PDFObject | undefined): PDFObject | undefined {
    return object instanceof PDFRef ? this.source.lookup(object) : object
  }
}

function unexpected(what: string): CannotCopy {
  return new CannotCopy('unknown-structure', what)
}

/** Numbers, names, strings, and arrays of them. References to them become the things themselves. */
export const value: Shape = (copier, object) => {
  if (object instanceof PDFArray) {
    return copier.target.obj(object.asArray().map((item) => inline(copier, item, value)))
  }
  if (isPlain(object)) return object
  throw unexpected('a value')
}

function inline(copier: Copier, object: PDFObject, shape: Shape): PDFObject {
  return shape(copier, copier.resolve(object) ?? PDFNull)
}

function isPlain(object: PDFObject): boolean {
  return object instanceof PDFName || object instanceof PDFNumber || object instanceof PDFString ||
    object instanceof PDFHexString || object instanceof PDFBool || object === PDFNull
}

/** `fields` is a function because shapes refer to each other. */
export function dict(fields: () => Fields): Shape {
  return (copier, object) => {
    if (!(object instanceof PDFDict)) throw unexpected('a dictionary')
    return copier.fields(object, fields())
  }
}

export function listOf(item: Shape): Shape {
  return (copier, object) => {
    if (!(object instanceof PDFArray)) throw unexpected('an array')
    return copier.target.obj(object.asArray().map((one) => copier.copy(one, item)))
  }
}

/** The stream's bytes as they are, under a new dictionary. */
export function stream(fields: () => Fields): Shape {
  return (copier, object) => {
    if (!(object instanceof PDFRawStream)) throw unexpected('a stream')
    const all = { Filter: value, DecodeParms: decodeParameters, ...fields() }
    const made = copier.fields(object.dict, all)
    return PDFRawStream.of(made, object.contents)
  }
}

/** A plain value or, where it is one, a dictionary or stream. */
function either(plain: Shape, other: Shape): Shape {
  return (copier, object) => (isPlain(object) ? plain : other)(copier, object)
}

const oneDecodeParameters = either(value, dict(() => ({
  Predictor: value, Colors: value, BitsPerComponent: value, Columns: value, EarlyChange: value,
  K: value, EndOfLine: value, EncodedByteAlign: value, Rows: value, EndOfBlock: value,
  BlackIs1: value, DamagedRowsBeforeError: value, ColorTransform: value,
  JBIG2Globals: stream(() => ({})),
})))
const manyDecodeParameters = listOf(oneDecodeParameters)
const decodeParameters: Shape = (copier, object) => {
  const shape = object instanceof PDFArray ? manyDecodeParameters : oneDecodeParameters
  return shape(copier, object)
}

// ---------------------------------------------------------------------------- colour, functions

const FUNCTION_FIELDS: Fields = {
  FunctionType: value, Domain: value, Range: value, Size: value, BitsPerSample: value, Order: value,
  Encode: value, Decode: value, C0: value, C1: value, N: value, Bounds: value,
}

/** Sampled and PostScript functions are streams, the others dictionaries; `Identity` is a name. */
export const pdfFunction: Shape = (copier, object) => {
  if (object instanceof PDFArray) return listOf(pdfFunction)(copier, object)
  if (object instanceof PDFRawStream) return stream(() => FUNCTION_FIELDS)(copier, object)
  if (object instanceof PDFName) return object
  return dict(() => ({ ...FUNCTION_FIELDS, Functions: listOf(pdfFunction) }))(copier, object)
}

const iccProfile = stream(() => ({ N: value, Alternate: colorSpace, Range: value }))
const calibration = dict(() => ({
  WhitePoint: value, BlackPoint: value, Gamma: value, Matrix: value, Range: value,
}))
const lookupTable = either(value, stream(() => ({})))

/** By family, how each element after the family's name is copied. */
const SPACE_PARTS: Readonly<Record<string, readonly Shape[]>> = {
  CalGray: [calibration],
  CalRGB: [calibration],
  Lab: [calibration],
  ICCBased: [iccProfile],
  Indexed: [colorSpace, value, lookupTable],
  I: [colorSpace, value, lookupTable],
  Separation: [value, colorSpace, pdfFunction],
  // The fourth element describes inks to printers, and may hold anything.
  DeviceN: [value, colorSpace, pdfFunction],
  Pattern: [colorSpace],
  DeviceGray: [],
  DeviceRGB: [],
  DeviceCMYK: [],
}

export function colorSpace(copier: Copier, object: PDFObject): PDFObject {
  if (object instanceof PDFName) return object
  const family = object instanceof PDFArray ? copier.resolve(object.get(0)) : undefined
  const parts = family instanceof PDFName ? SPACE_PARTS[family.decodeText()] : undefined
  if (!(object instanceof PDFArray) || family === undefined || parts === undefined) {
    throw unexpected('a colour space')
  }
  const rest = object.asArray().slice(1, 1 + parts.length)
    .map((part, at) => copier.copy(part, parts[at] ?? value))
  return copier.target.obj([family, ...rest])
}

// ---------------------------------------------------------------------------- pictures, shadings

/** Hidden or not, a layer's name and state would come along. */
export function refuseLayers(from: PDFDict): void {
  if (from.has(PDFName.of('OC'))) throw new CannotCopy('optional-content')
}

const IMAGE_FIELDS: Fields = {
  Type: value, Subtype: value, Width: value, Height: value, ColorSpace: colorSpace,
  BitsPerComponent: value, Intent: value, ImageMask: value, Mask: mask, Decode: value,
  Interpolate: value, SMask: picture, SMaskInData: value, Matte: value,
}

/** Without its name, metadata, alternates and measures. */
export function picture(copier: Copier, object: PDFObject): PDFObject {
  if (object instanceof PDFRawStream) refuseLayers(object.dict)
  return stream(() => IMAGE_FIELDS)(copier, object)
}

function mask(copier: Copier, object: PDFObject): PDFObject {
  return (object instanceof PDFArray ? value : picture)(copier, object)
}

const SHADING_FIELDS: Fields = {
  ShadingType: value, ColorSpace: colorSpace, Background: value, BBox: value, AntiAlias: value,
  Domain: value, Matrix: value, Function: pdfFunction, Coords: value, Extend: value,
  BitsPerCoordinate: value, BitsPerComponent: value, BitsPerFlag: value, Decode: value,
  VerticesPerRow: value,
}

export const shading: Shape = (copier, object) => {
  return (object instanceof PDFRawStream ? stream : dict)(() => SHADING_FIELDS)(copier, object)
}

export const group = dict(() => ({ Type: value, S: value, CS: colorSpace, I: value, K: value }))
