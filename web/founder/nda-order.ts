/** The NDA that a new link asks for: sane defaults, and the text exactly as the investor will see it. */
import {
  checkNdaFields, fillNda, findTemplate, listTemplates, suggestNdaFields, type FilledNda,
  type NdaFieldProblem, type NdaFields, type NdaLanguage, type NdaTemplateId,
} from '../../protocol/nda.js'
import { readRemembered, remember } from '../remembered.js'

export interface NdaDraft {
  readonly templateId: NdaTemplateId
  readonly fields: NdaFields
}

export function startNda(language: NdaLanguage, disclosingParty: string): NdaDraft {
  return {
    templateId: `one-way-${language}`,
    fields: { ...suggestNdaFields(language, disclosingParty), governingLaw: lawOf(language) },
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
      purpose: purpose === purposeOf(from) ? purposeOf(to) : purpose,
      governingLaw: governingLaw === lawOf(from) ? lawOf(to) : governingLaw,
    },
  }
}

export function languageOf(templateId: NdaTemplateId): NdaLanguage {
  return listTemplates().find(({ id }) => id === templateId)?.language ?? 'en'
}

/** The contract's own words, in its own language, whatever the interface speaks. */
function purposeOf(language: NdaLanguage): string {
  return suggestNdaFields(language, '').purpose
}

function lawOf(language: NdaLanguage): string {
  return readRemembered(`governing-law-${language}`) ?? suggestNdaFields(language, '').governingLaw
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
