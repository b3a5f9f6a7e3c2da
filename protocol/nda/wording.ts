/**
 * The shape in which each language writes its NDAs: words in order, without numbers or markup.
 * Must not hold words of its own.
 */
export const NDA_KINDS = ['one-way', 'mutual'] as const

export type NdaKind = typeof NDA_KINDS[number]

/** What the founder fills in. Texts are one line each; the empty string leaves an optional one out. */
export interface NdaFields {
  /** Who shares: a person's or company's name. */
  readonly disclosingParty: string
  /** Optional: address, registration number. */
  readonly disclosingDetails: string
  /** What the reader may use the information for. The server can read it, as all of the text. */
  readonly purpose: string
  readonly termYears: number
  /** The country or state alone: `England and Wales`, `Республика Казахстан`. */
  readonly governingLaw: string
  /** Optional: the place whose courts decide. */
  readonly courts: string
  /** Forbids feeding the deck to AI systems that train on it or keep it. */
  readonly hasAiClause: boolean
  /** Adds the notice that United States law asks for (18 U.S.C. § 1833(b)). */
  readonly hasUsImmunityNotice: boolean
}

/** Fields that passed every check, in the one form that `fillNda` brings them to. */
export type FilledFields = NdaFields

export interface NdaClause {
  readonly text: string
  /** Lettered in order with the language's `letters`. */
  readonly items?: readonly string[]
}

export interface NdaSection {
  readonly title: string
  readonly clauses: readonly NdaClause[]
}

export interface NdaWording {
  /** Raised with every change of a word. */
  readonly version: number
  readonly letters: string
  readonly titles: Readonly<Record<NdaKind, string>>
  readonly preamble: (kind: NdaKind, fields: FilledFields) => readonly string[]
  readonly sections: (kind: NdaKind, fields: FilledFields) => readonly NdaSection[]
}

/** What a founder typed, as the end of a sentence: with its full stop, but never with two. */
export function sentence(text: string): string {
  return /[.!?…]$/u.test(text) ? text : `${text}.`
}
