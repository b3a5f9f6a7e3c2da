/**
 * A real pitch behind a real link: PDFs whose every page carries a canary, an NDA from the product's own
 * template, one link. What a founder's screens do, done over the API, so that the gate can be tried alone.
 */
import { fillNda, findTemplate, type FilledNda } from '../../protocol/nda.js'
import type { GrantPolicy } from '../../protocol/deck/policy.js'
import { makeDeck } from '../helpers/pdf.js'
import type { Deck, DeckOptions, Founder, Link } from '../helpers/people.js'

/** Words that stand on every slide, and may stand nowhere outside the browser that was let in. */
export const OPEN_CANARY = 'quagga-open'
export const WHOLE_CANARY = 'quokka-whole'
export const OPEN_PAGE_COUNT = 2
export const WHOLE_PAGE_COUNT = 5

export interface PitchOptions {
  /** What the slides above the lock line ask for; `none`: there are none. */
  readonly open?: 'link' | 'email' | 'none'
  /** What the whole deck asks for; without an NDA none is published. */
  readonly gate?: 'email' | 'nda'
  readonly policy?: Partial<GrantPolicy>
  /** Instead of the PDF: something that has no viewer. */
  readonly file?: {
    readonly bytes: Uint8Array, readonly fileName: string, readonly mediaType: string,
  }
  readonly language?: 'en' | 'ru'
}

export function fillTestNda(founderName: string, language: 'en' | 'ru' = 'en'): FilledNda {
  const template = findTemplate(`one-way-${language}`)
  if (template === undefined) throw new Error('the template is there')
  const isEnglish = language === 'en'
  return fillNda({
    template,
    fields: {
      disclosingParty: founderName, disclosingDetails: '', termYears: 3, courts: '', hasAiClause: true, hasUsImmunityNotice: false,
      purpose: isEnglish ? 'evaluating an investment in the disclosing party' : 'оценка инвестиций в раскрывающую сторону',
      governingLaw: isEnglish ? 'England and Wales' : 'Республика Казахстан',
    },
  })
}

/** A vault with one deck and one link to it. */
export async function sharesPitch(founder: Founder, options: PitchOptions = {}): Promise<Link> {
  const { open = 'email', gate = 'nda', policy = {}, language } = options
  const vault = await founder.makesVault()
  const whole = await founder.uploadsDeck(vault, await wholeOf(options))
  const decks: Deck[] = [whole]
  if (open !== 'none') decks.push(await founder.uploadsDeck(vault, await openSlidesOf(whole.documentId, open)))
  const text = fillTestNda(founder.name, language)
  const nda = gate === 'nda' ? await founder.publishesNda(vault, text.text, text.title) : null
  return await founder.makesLink(vault, {
    decks, nda, policy: { openPagesGate: open === 'none' ? null : open, ...policy },
    card: { title: 'The Analytical Engine', pageCount: WHOLE_PAGE_COUNT },
  })
}

async function wholeOf({ gate = 'nda', file }: PitchOptions): Promise<DeckOptions> {
  if (file !== undefined) {
    const { bytes, fileName, mediaType } = file
    return { file: bytes, gate, title: 'The Analytical Engine', archive: { fileName, mediaType } }
  }
  const pdf = await makeDeck({ pageCount: WHOLE_PAGE_COUNT, canary: WHOLE_CANARY, hasLinks: true })
  return { file: pdf, gate, title: 'The Analytical Engine', archive: { pages: pagesOf(WHOLE_PAGE_COUNT) } }
}

async function openSlidesOf(documentId: string, gate: 'link' | 'email'): Promise<DeckOptions> {
  const pdf = await makeDeck({ pageCount: OPEN_PAGE_COUNT, canary: OPEN_CANARY })
  const lockedPageCount = WHOLE_PAGE_COUNT - OPEN_PAGE_COUNT
  return {
    documentId, part: 1, gate, file: pdf, title: 'The Analytical Engine',
    archive: { lockedPageCount, pages: pagesOf(OPEN_PAGE_COUNT) },
  }
}

function pagesOf(count: number): { width: number, height: number }[] {
  return Array.from({ length: count }, () => ({ width: 960, height: 540 }))
}
