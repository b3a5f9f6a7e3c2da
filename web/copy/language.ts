/**
 * What a language must know to write sentences: plural rules, numbers, sizes, times; and the shape
 * of a section of copy. Pure functions of a locale: no React, no storage, no clock.
 */
export const LOCALES = ['en', 'ru'] as const

export type Locale = typeof LOCALES[number]

/** One surface's words in every language. Surfaces import only their own, so bundles stay apart. */
export type Section<T> = Readonly<Record<Locale, T>>

/**
 * A section whose English decides the shape: a key that Russian lacks, or has alone, does not compile.
 * Values are strings, functions of what they mention, or records of these.
 */
export function defineSection<T>(section: { readonly en: T, readonly ru: NoInfer<T> }): Section<T> {
  return section
}

/** The forms each language needs; `#` is the number. Russian fractions take `other`, else `few`. */
interface PluralForms {
  en: { readonly one: string, readonly other: string }
  ru: {
    readonly one: string
    readonly few: string
    readonly many: string
    readonly other?: string
  }
}

/** `plural('ru', 3, { one: '# слайд', few: '# слайда', many: '# слайдов' })` is `3 слайда`. */
export function plural<L extends Locale>(locale: L, count: number, forms: PluralForms[L]): string {
  const byRule: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = forms
  const form = byRule[pluralRules(locale).select(count)] ?? byRule.few ?? byRule.other ?? '#'
  return form.replaceAll('#', formatNumber(locale, count))
}

function pluralRules(locale: Locale): Intl.PluralRules {
  return new Intl.PluralRules(locale)
}

/** Tags for Intl: British order of day and month, because a date in a log must not be guessed at. */
const INTL_TAGS: Readonly<Record<Locale, string>> = { en: 'en-GB', ru: 'ru-RU' }

export function formatNumber(locale: Locale, value: number): string {
  return new Intl.NumberFormat(INTL_TAGS[locale], { maximumFractionDigits: 2 }).format(value)
}

/** A share from 0 to 1 as whole percent; never rounds up to 100 % before the end. */
export function formatPercent(locale: Locale, share: number): string {
  const whole = Math.floor(Math.min(1, Math.max(0, share)) * 100) / 100
  return new Intl.NumberFormat(INTL_TAGS[locale], { style: 'percent' }).format(whole)
}

const SIZE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** Powers of 1024 under the names people know, so that the limit of 1 GiB reads `1 GB`. */
export function formatBytes(locale: Locale, sizeBytes: number): string {
  const wanted = Math.floor(Math.log2(Math.max(1, sizeBytes)) / 10)
  const power = Math.min(SIZE_UNITS.length - 1, wanted)
  const value = sizeBytes / 1024 ** power
  return new Intl.NumberFormat(INTL_TAGS[locale], {
    style: 'unit',
    unit: SIZE_UNITS[power] ?? 'byte',
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power === 0 || value >= 100 ? 0 : 1,
  }).format(value)
}

/** `22 November 2026`, in the reader's own time zone. */
export function formatDate(locale: Locale, atMs: number): string {
  return new Intl.DateTimeFormat(INTL_TAGS[locale], { dateStyle: 'long' }).format(atMs)
}

/** `22 November 2026 at 18:55:03 GMT+2`, in the reader's own time zone, which it names. */
export function formatDateTime(locale: Locale, atMs: number): string {
  return new Intl.DateTimeFormat(INTL_TAGS[locale], {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(atMs)
}

/** `2026-11-22 16:55:03 UTC`: the same in every language, for logs and evidence. */
export function formatUtc(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const NEAR_MS = 7 * DAY_MS
const NOW_MS = 45_000

/** `2 hr ago`, `in 3 days`, `yesterday`; further than a week away it is the date. */
export function formatAgo(locale: Locale, when: { atMs: number, nowMs: number }): string {
  const aheadMs = when.atMs - when.nowMs
  const distanceMs = Math.abs(aheadMs)
  if (distanceMs < NOW_MS) return relative(locale, 0, 'second')
  if (distanceMs < HOUR_MS) return relative(locale, aheadMs / MINUTE_MS, 'minute')
  if (distanceMs < DAY_MS) return relative(locale, aheadMs / HOUR_MS, 'hour')
  if (distanceMs < NEAR_MS) return relative(locale, aheadMs / DAY_MS, 'day')
  return formatDate(locale, when.atMs)
}

function relative(locale: Locale, value: number, unit: Intl.RelativeTimeFormatUnit): string {
  // Nearer zero: 119 minutes is "1 hour ago", never more than has passed.
  const whole = Math.trunc(value) || Math.sign(value)
  return new Intl.RelativeTimeFormat(INTL_TAGS[locale], { numeric: 'auto', style: 'short' })
    .format(whole, unit)
}
