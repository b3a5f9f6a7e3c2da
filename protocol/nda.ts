/**
 * NDA texts: templates filled in with everything but the receiving party, and the simple markup they
 * are written in (SPEC.md § 5). The bytes made here are hashed, signed and shown; nobody
 * renders an NDA from anything else. Pure: same fields, same bytes, on every machine, for ever.
 *
 * [Note: NDA markup]
 * UTF-8, Unicode form C, lines ended by LF. A block is one line; one empty line between two blocks.
 *   `# text`       the title: the first block, and only there
 *   `## 3. text`   a section's heading
 *   `3.1 text`     a numbered clause
 *   `(a) text`     an item of the clause above it; the letter is Latin or Cyrillic
 *   anything else  a paragraph
 * No other character is markup, so nothing that a founder types can become any.
 */
import { encodeUtf8 } from './bytes.js'
import { ProtocolError } from './errors.js'
import {
  MAX_NAME_LENGTH, MAX_NDA_BLOCK_COUNT, MAX_NDA_FIELD_LENGTH, MAX_NDA_PURPOSE_LENGTH,
  MAX_NDA_SIZE_BYTES, MAX_NDA_TERM_YEARS, MIN_NDA_TERM_YEARS,
} from './limits.js'
import { english } from './nda/text-en.js'
import { russian } from './nda/text-ru.js'
import {
  NDA_KINDS, type NdaFields, type NdaKind, type NdaSection, type NdaWording,
} from './nda/wording.js'

export type { NdaFields, NdaKind } from './nda/wording.js'

export const NDA_LANGUAGES = ['en', 'ru'] as const

export type NdaLanguage = typeof NDA_LANGUAGES[number]
export type NdaTemplateId = `${NdaKind}-${NdaLanguage}`

const WORDINGS: Readonly<Record<NdaLanguage, NdaWording>> = { en: english, ru: russian }

export interface NdaTemplate {
  readonly id: NdaTemplateId
  readonly kind: NdaKind
  readonly language: NdaLanguage
  /** Raised with every change of a word; a filled NDA keeps the version it was made from. */
  readonly version: number
  readonly title: string
}

/** Every template in its current version, one-way first. */
export function listTemplates(): readonly NdaTemplate[] {
  return NDA_LANGUAGES.flatMap((language) => NDA_KINDS.map((kind): NdaTemplate => ({
    id: `${kind}-${language}`,
    kind,
    language,
    version: WORDINGS[language].version,
    title: WORDINGS[language].titles[kind],
  })))
}

/** The template of that name in its current version, or `undefined`. */
export function findTemplate(id: string): NdaTemplate | undefined {
  return listTemplates().find((template) => template.id === id)
}

export interface NdaOrder {
  readonly template: NdaTemplate
  readonly fields: NdaFields
}

export interface FilledNda {
  readonly templateId: NdaTemplateId
  readonly templateVersion: number
  readonly language: NdaLanguage
  readonly title: string
  /** [Note: NDA markup] */
  readonly text: string
  /** `text` as UTF-8: exactly these are hashed. */
  readonly bytes: Uint8Array
}

/**
 * Fill a template in. Fields are brought to one form first: Unicode form C, plain spaces, none of them
 * outside, and no full stop after places of law, which end sentences. Nothing else changes.
 *
 * @throws ProtocolError `nda-field` if a field is empty, too long, out of range or holds a character
 *   that cannot be seen; `checkNdaFields` tells which.
 */
export function fillNda({ template, fields }: NdaOrder): FilledNda {
  const tidy = tidyFields(fields)
  const [problem] = checkNdaFields(tidy)
  if (problem !== undefined) {
    throw new ProtocolError('nda-field', `${problem.field}: ${problem.problem}`)
  }

  const wording = WORDINGS[template.language]
  const text = formatNda(wording, { kind: template.kind, fields: tidy })
  return {
    templateId: template.id,
    templateVersion: wording.version,
    language: template.language,
    title: wording.titles[template.kind],
    text,
    bytes: encodeUtf8(text),
  }
}

export interface NdaFieldProblem {
  readonly field: keyof NdaFields
  readonly problem: 'empty' | 'too-long' | 'out-of-range' | 'unseen-character'
}

/** @returns what is wrong with each field, in the order of the form; empty if all can be filled in. */
export function checkNdaFields(fields: NdaFields): readonly NdaFieldProblem[] {
  const tidy = tidyFields(fields)
  const problems: NdaFieldProblem[] = []
  for (const { field, maxLength, isOptional } of TEXT_FIELDS) {
    const problem = checkText(tidy[field], { maxLength, isOptional })
    if (problem !== null) problems.push({ field, problem })
  }
  const isTermInRange = Number.isInteger(tidy.termYears) &&
    tidy.termYears >= MIN_NDA_TERM_YEARS && tidy.termYears <= MAX_NDA_TERM_YEARS
  if (!isTermInRange) problems.push({ field: 'termYears', problem: 'out-of-range' })
  return problems
}

const TEXT_FIELDS = [
  { field: 'disclosingParty', maxLength: MAX_NAME_LENGTH, isOptional: false },
  { field: 'disclosingDetails', maxLength: MAX_NDA_FIELD_LENGTH, isOptional: true },
  { field: 'purpose', maxLength: MAX_NDA_PURPOSE_LENGTH, isOptional: false },
  { field: 'governingLaw', maxLength: MAX_NDA_FIELD_LENGTH, isOptional: false },
  { field: 'courts', maxLength: MAX_NDA_FIELD_LENGTH, isOptional: true },
] as const

/** Controls, format characters (bidi overrides too), half surrogates, private use, line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

function checkText(
  text: string, { maxLength, isOptional }: { maxLength: number, isOptional: boolean },
): NdaFieldProblem['problem'] | null {
  if (text === '') return isOptional ? null : 'empty'
  if (text.length > maxLength) return 'too-long'
  return UNSEEN.test(text) ? 'unseen-character' : null
}

function tidyFields(fields: NdaFields): NdaFields {
  return {
    disclosingParty: tidyText(fields.disclosingParty),
    disclosingDetails: tidyText(fields.disclosingDetails),
    purpose: tidyText(fields.purpose),
    termYears: fields.termYears,
    governingLaw: tidyText(fields.governingLaw).replace(/\.$/, ''),
    courts: tidyText(fields.courts).replace(/\.$/, ''),
    hasAiClause: fields.hasAiClause,
    hasUsImmunityNotice: fields.hasUsImmunityNotice,
  }
}

function tidyText(text: string): string {
  return text.normalize('NFC').replace(/\p{Zs}/gu, ' ').replace(/^ +| +$/g, '')
}

function formatNda(
  wording: NdaWording, { kind, fields }: { kind: NdaKind, fields: NdaFields },
): string {
  const { letters } = wording
  const sections = wording.sections(kind, fields)
  return formatBlocks([
    `# ${wording.titles[kind]}`,
    ...wording.preamble(kind, fields),
    ...sections.flatMap((section, index) => formatSection(section, { number: index + 1, letters })),
  ])
}

interface Numbering {
  readonly number: number
  readonly letters: string
}

function formatSection(section: NdaSection, { number, letters }: Numbering): string[] {
  const clauses = section.clauses.flatMap((clause, index) => [
    `${number}.${index + 1} ${clause.text}`,
    ...(clause.items ?? []).map((item, place) => `(${letters.charAt(place)}) ${item}`),
  ])
  return [`## ${number}. ${section.title}`, ...clauses]
}

function formatBlocks(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`
}

export type NdaBlock =
  | { readonly kind: 'title', readonly text: string }
  | { readonly kind: 'heading', readonly number: string, readonly text: string }
  | { readonly kind: 'clause', readonly number: string, readonly text: string }
  | { readonly kind: 'item', readonly label: string, readonly text: string }
  | { readonly kind: 'paragraph', readonly text: string }

/**
 * Read the markup back, for the screen and the printer. Every character of the text is in the blocks
 * or is the markup itself, so nothing that was signed stays unseen.
 *
 * @throws ProtocolError `malformed-nda` if the text is too large, has no title, has characters that
 *   cannot be seen, or is not laid out as [Note: NDA markup] says.
 */
export function parseNdaText(text: string): readonly NdaBlock[] {
  if (encodeUtf8(text).length > MAX_NDA_SIZE_BYTES) throw new ProtocolError('malformed-nda', 'over its limit')
  if (!text.endsWith('\n') || text.normalize('NFC') !== text) {
    throw new ProtocolError('malformed-nda', 'not in the one form')
  }
  const lines = text.slice(0, -1).split('\n\n')
  if (lines.length > MAX_NDA_BLOCK_COUNT) throw new ProtocolError('malformed-nda', 'too many blocks')
  const blocks = lines.map(parseBlock)
  const hasOneTitle = blocks.every((block, index) => (block.kind === 'title') === (index === 0))
  if (!hasOneTitle) throw new ProtocolError('malformed-nda', 'one title, and first')
  return blocks
}

const HEADING = /^## (\d{1,3})\. (.+)$/u
const CLAUSE = /^(\d{1,3}\.\d{1,3}) (.+)$/u
const ITEM = /^(\([a-zа-я]\)) (.+)$/u

function parseBlock(line: string): NdaBlock {
  if (line === '' || line.trim() !== line || UNSEEN.test(line)) {
    throw new ProtocolError('malformed-nda', 'a block is one line of visible text')
  }
  if (line.startsWith('# ')) return { kind: 'title', text: line.slice(2) }
  const [, headingNumber, headingText] = HEADING.exec(line) ?? []
  if (headingNumber !== undefined && headingText !== undefined) {
    return { kind: 'heading', number: headingNumber, text: headingText }
  }
  return parseNumbered(line)
}

function parseNumbered(line: string): NdaBlock {
  const [, number, clauseText] = CLAUSE.exec(line) ?? []
  if (number !== undefined && clauseText !== undefined) return { kind: 'clause', number, text: clauseText }
  const [, label, itemText] = ITEM.exec(line) ?? []
  if (label !== undefined && itemText !== undefined) return { kind: 'item', label, text: itemText }
  return { kind: 'paragraph', text: line }
}
