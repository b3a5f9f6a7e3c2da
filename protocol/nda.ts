/**
 * NDA texts: templates filled in with everything but the receiving party, in the markup of
 * nda/markup.ts (SPEC.md § 5). The bytes made here are hashed, signed and shown; nobody
 * renders an NDA from anything else. Pure: same fields, same bytes, on every machine, for ever.
 */
import { encodeUtf8 } from './bytes.js'
import { ProtocolError } from './errors.js'
import {
  MAX_NAME_LENGTH, MAX_NDA_FIELD_LENGTH, MAX_NDA_PURPOSE_LENGTH, MAX_NDA_TERM_YEARS,
  MIN_NDA_TERM_YEARS,
} from './limits.js'
import { UNSEEN } from './nda/markup.js'
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

const TERM_YEARS = 3
const PURPOSES: Readonly<Record<NdaLanguage, string>> = {
  en: 'evaluating a possible investment in, or partnership with, the disclosing party',
  ru: 'оценка возможных инвестиций в раскрывающую сторону или партнёрства с ней',
}
const LAWS: Readonly<Record<NdaLanguage, string>> = { en: 'England and Wales', ru: 'Республика Казахстан' }

/** What stands in an NDA until its founder says otherwise. */
export function suggestNdaFields(language: NdaLanguage, disclosingParty: string): NdaFields {
  return {
    disclosingParty, disclosingDetails: '', purpose: PURPOSES[language], termYears: TERM_YEARS,
    governingLaw: LAWS[language], courts: '', hasAiClause: true, hasUsImmunityNotice: false,
  }
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
