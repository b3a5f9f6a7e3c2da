/** The NDA that a new link asks for: sane defaults, and the text exactly as the investor will see it. */
import {
  checkNdaFields, fillNda, findTemplate, listTemplates, type FilledNda, type NdaFieldProblem,
  type NdaFields, type NdaLanguage, type NdaTemplateId,
} from '../../protocol/nda.js'
import { readRemembered, remember } from '../remembered.js'

export interface NdaDraft {
  readonly templateId: NdaTemplateId
  readonly fields: NdaFields
}

const TERM_YEARS = 3
/** The contract's own words, in its own language, whatever the interface speaks. */
const PURPOSES: Readonly<Record<NdaLanguage, string>> = {
  en: 'evaluating a possible investment in, or partnership with, the disclosing party',
  ru: 'оценка возможных инвестиций в раскрывающую сторону или партнёрства с ней',
}
const LAWS: Readonly<Record<NdaLanguage, string>> = { en: 'England and Wales', ru: 'Республика Казахстан' }

export function startNda(language: NdaLanguage, disclosingParty: string): NdaDraft {
  return {
    templateId: `one-way-${language}`,
    fields: {
      disclosingParty, disclosingDetails: '', purpose: PURPOSES[language], termYears: TERM_YEARS,
      governingLaw: lawOf(language), courts: '', hasAiClause: true, hasUsImmunityNotice: false,
    },
  }
}

/** Another template; defaults that nobody touched change language with it. */
export function chooseTemplate(draft: NdaDraft, templateId: NdaTemplateId): NdaDraft {
  const [from, to] = [languageOf(draft.templateId), languageOf(templateId)]
  const { purpose, governingLaw } = draft.fields
  return {
    templateId,
    fields: {
      ...draft.fields,
      purpose: purpose === PURPOSES[from] ? PURPOSES[to] : purpose,
      governingLaw: governingLaw === lawOf(from) ? lawOf(to) : governingLaw,
    },
  }
}

export function languageOf(templateId: NdaTemplateId): NdaLanguage {
  return listTemplates().find(({ id }) => id === templateId)?.language ?? 'en'
}

function lawOf(language: NdaLanguage): string {
  return readRemembered(`governing-law-${language}`) ?? LAWS[language]
}

export function rememberLaw({ templateId, fields }: NdaDraft): void {
  remember(`governing-law-${languageOf(templateId)}`, fields.governingLaw)
}

/** The filled text, or what is wrong with the fields. */
export function fillDraft({ templateId, fields }: NdaDraft): { nda: FilledNda } | {
  problems: readonly NdaFieldProblem[],
} {
  const problems = checkNdaFields(fields)
  const template = findTemplate(templateId)
  return problems.length > 0 || template === undefined
    ? { problems }
    : { nda: fillNda({ template, fields }) }
}
